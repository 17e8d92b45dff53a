"""Lock files name versions and hashes, but no registry: whoever installs chooses that (ADR 0006)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.server import ROOT

FILES = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "tests/node/package-lock.json"]


def addresses(text: str) -> list[str]:
    return re.findall(r"[a-z+]{2,12}://[^\s\"]{1,200}", text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_address_is_locked(file: Path) -> None:
    assert addresses(file.read_text()) == []


def test_an_address_is_seen() -> None:
    assert addresses('"from": "ftp://example.org/x.tgz"') == ["ftp://example.org/x.tgz"]
