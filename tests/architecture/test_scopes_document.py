"""docs/scopes.md explains every scope, and names every operation once, beside the scope that it needs."""

from __future__ import annotations

import re

from strongroom.access.scopes import SCOPES
from strongroom.operations.registry import OPERATIONS
from tests.architecture.source import ROOT, script

DOCUMENT = ROOT / "docs/scopes.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_document_is_as_the_code_is() -> None:
    assert script(DOCUMENT.with_suffix(".py")).written() == DOCUMENT.read_text("utf-8")


def test_every_operation_is_named_once_with_its_scope() -> None:
    named = [
        (name, scope) for scope, _, needed_by in ROW.findall(DOCUMENT.read_text("utf-8"))
        for name in re.findall(r"(?:^|, )`((?!options\.)[a-z_]+\.[a-z_]+)`(?=, |$)", needed_by)
    ]  # fmt: skip
    assert sorted(named) == sorted((each.name, each.scope) for each in OPERATIONS)


def test_every_scope_is_explained_and_needed_by_something() -> None:
    rows = ROW.findall(DOCUMENT.read_text("utf-8"))
    assert [scope for scope, _, _ in rows] == list(SCOPES)
    for scope, meaning, needed_by in rows:
        assert len(meaning.split()) > 1, scope
        assert "`" in needed_by, scope
