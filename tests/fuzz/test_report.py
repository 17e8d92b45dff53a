"""A run fails where it must."""

from __future__ import annotations

from tests.fuzz.report import LEAST_SHARE, Report


def _report(good: int, bad: int, least: float) -> Report:
    report = Report("REST", ["GET /wallets"], ["200", "201"], least)
    for status, times in (("200", good), ("422", bad)):
        for _ in range(times):
            report.count("GET /wallets", status)
    return report


def test_a_route_passes_at_the_least_share_and_fails_below_it() -> None:
    assert _report(5, 95, LEAST_SHARE).failures() == []
    assert _report(4, 96, LEAST_SHARE).failures() == ["GET /wallets succeeds in 4.0% of 100, not in 5%"]


def test_a_target_that_succeeds_once_passes_where_no_share_is_asked_for() -> None:
    assert _report(1, 999, 0.0).failures() == []


def test_a_target_that_never_succeeds_fails() -> None:
    assert _report(0, 100, 0.0).failures() == ["GET /wallets never succeeds"]


def test_a_target_that_was_never_asked_fails() -> None:
    assert _report(0, 0, LEAST_SHARE).failures() == ["GET /wallets never succeeds"]


def test_a_finding_fails_whatever_the_shares_are_and_shows_its_first_case() -> None:
    report = _report(100, 0, LEAST_SHARE)
    report.find("answered 500", "curl one")
    report.find("answered 500", "curl two")
    assert report.failures() == ["2 x answered 500\ncurl one"]


def test_the_shares_are_printed() -> None:
    assert "25.0% of     4  GET /wallets" in str(_report(1, 3, LEAST_SHARE))
