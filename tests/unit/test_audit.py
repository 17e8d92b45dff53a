"""`make audit` can fail: a vulnerability fails it, and so does a package of which nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from requirements import audit

CLEAN = {"name": "starlette", "version": "1.10.0", "vulns": []}
VULNERABLE = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}
SKIPPED = {"name": "uvloop", "skip_reason": "Dependency not found and could not be audited"}


@pytest.mark.parametrize(
    ("packages", "code"),
    [
        ([CLEAN], 0),
        ([CLEAN, VULNERABLE], audit.FOUND),
        ([VULNERABLE, SKIPPED], audit.FOUND),
        ([CLEAN, SKIPPED], audit.UNKNOWN),
        ([], audit.UNKNOWN),
    ],
)
def test_verdicts(packages: list[dict[str, Any]], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDIT_OFFLINE", raising=False)
    assert audit.verdict(packages) == code


def test_a_vulnerability_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    audit.verdict([VULNERABLE])
    assert capsys.readouterr().out == "jinja2 2.4.1: PYSEC-2019-217, fixed in 2.10.1\n"


@pytest.mark.parametrize(("packages", "code"), [([CLEAN, SKIPPED], 0), ([VULNERABLE, SKIPPED], audit.FOUND)])
def test_being_offline_may_pass_but_is_said(
    packages: list[dict[str, Any]], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_OFFLINE", "pass")
    assert audit.verdict(packages) == code
    assert ("NOT CHECKED" in capsys.readouterr().err) is (code == 0)
