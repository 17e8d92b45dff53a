"""What becomes of a sighting: one message a cool-down, one when it is over, none while it is silenced."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.alerts.base import Alerting
from strongroom.domain.alert import (
    RULES,
    Alert,
    AlertState,
    Message,
    Rule,
    Severity,
    Sighting,
    Silence,
    alert_id,
    look,
    silenced_until,
)

START = datetime(2026, 11, 29, 12, tzinfo=UTC)
RULE = Rule(
    name="circuit", severity=Severity.WARNING, title="t", cool_down=timedelta(minutes=60), clear=timedelta(minutes=2)
)
TENANT, OTHER = UUID(int=1), UUID(int=2)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def sighting(minutes: float, told_at: datetime | None = None) -> Sighting:
    return Sighting(alert_id("circuit", "vault", None), "circuit", "vault", None, at(minutes), told_at, "{}")


class Story:
    def __init__(self) -> None:
        self.alert: Alert | None = None
        self.told: list[tuple[float, Message]] = []
        self.seen: Sighting | None = None
        self.again: timedelta | None = None

    def look(self, minutes: float, *, silenced_to: float | None = None) -> None:
        assert self.seen is not None
        until = None if silenced_to is None else at(silenced_to)
        step = look(RULE, self.alert, self.seen, silenced_until=until, now=at(minutes))
        self.alert, self.again = step.alert, step.again
        if step.message is not None:
            self.told.append((minutes, step.message))

    def sees(self, minutes: float, told_at: datetime | None = None) -> None:
        self.seen = sighting(minutes, told_at)
        self.look(minutes)


def test_it_is_told_once_and_once_more_when_it_is_over() -> None:
    story = Story()
    for minutes in range(5):
        story.sees(minutes)
    story.look(6)
    assert story.told == [(0, Message.FIRING), (6, Message.RECOVERED)]
    assert story.alert is not None
    assert (story.alert.state, story.alert.ended_at, story.again) == (AlertState.ENDED, at(4), None)
    story.look(7)
    assert len(story.told) == 2


def test_it_is_told_again_after_each_cool_down() -> None:
    story = Story()
    for minutes in range(130):
        story.sees(minutes)
    assert story.told == [(0, Message.FIRING), (60, Message.STILL), (120, Message.STILL)]


def test_what_comes_and_goes_is_told_once_in_a_cool_down() -> None:
    story = Story()
    for begin in range(0, 60, 10):
        story.sees(begin)
        story.look(begin + 5)
    assert story.told == [(0, Message.FIRING), (5, Message.RECOVERED)]
    story.sees(61)
    assert story.told[2:] == [(61, Message.FIRING)]


def test_one_that_came_back_within_the_cool_down_is_told_when_it_is_over() -> None:
    story = Story()
    story.sees(0)
    story.look(5)
    for minutes in range(50, 63):
        story.sees(minutes)
    assert story.told == [(0, Message.FIRING), (5, Message.RECOVERED), (60, Message.FIRING)]


def test_a_silence_holds_it_back_until_it_ends() -> None:
    story = Story()
    for minutes in range(10):
        story.seen = sighting(minutes)
        story.look(minutes, silenced_to=8)
    assert story.told == [(8, Message.FIRING)]
    quiet = Story()
    quiet.seen = sighting(0)
    quiet.look(0, silenced_to=30)
    quiet.look(3, silenced_to=30)
    assert quiet.told == []  # nobody was told: nobody is told that it is over


def test_what_was_told_past_the_database_is_not_told_again() -> None:
    story = Story()
    story.sees(10, told_at=at(5))
    assert story.told == []
    story.look(13)
    assert story.told == [(13, Message.RECOVERED)]
    story.sees(30)
    story.sees(65)
    assert story.told[1:] == [(65, Message.FIRING)]


def test_the_next_look_is_when_something_changes() -> None:
    story = Story()
    story.sees(0)
    assert story.again == timedelta(minutes=2)
    story.sees(59.5)
    assert story.again == timedelta(seconds=30)


@given(st.lists(st.tuples(st.floats(0.01, 40), st.booleans()), max_size=60))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine may be busy
def test_never_twice_in_a_cool_down(steps: list[tuple[float, bool]]) -> None:
    story, now = Story(), 0.0
    story.sees(0)
    for pause, is_seen in steps:
        now += pause
        if is_seen:
            story.sees(now)
        else:
            story.look(now)
    fired = [minutes for minutes, message in story.told if message is not Message.RECOVERED]
    assert all(later - earlier >= 59.999 for earlier, later in pairwise(fired))
    said = [message for _, message in story.told]
    for before, after in zip([Message.RECOVERED, *said], said, strict=False):
        assert (after is Message.FIRING) == (before is Message.RECOVERED)


def silence(tenant: UUID, minutes: float, subject: str = "vault") -> Silence:
    return Silence(UUID(int=9), "circuit", subject, tenant, at(minutes), UUID(int=8), START)


@pytest.mark.parametrize(
    ("silences", "owner", "operator", "until"),
    [
        ([silence(TENANT, 5)], None, None, 5),
        ([silence(TENANT, 5)], None, OTHER, None),
        ([silence(OTHER, 5)], TENANT, None, None),
        ([silence(TENANT, 5)], TENANT, OTHER, 5),
        ([silence(TENANT, 9), silence(TENANT, 0)], None, None, 0),
        ([silence(TENANT, 3), silence(TENANT, 7, "*")], None, None, 7),
        ([silence(TENANT, 3, "redis")], None, None, None),
    ],
)
def test_whose_silence_counts(
    silences: list[Silence], owner: UUID | None, operator: UUID | None, until: float | None
) -> None:
    alert = replace(sighting(0), tenant_id=owner)
    assert silenced_until(silences, alert, operator) == (None if until is None else at(until))


def quiet_until(hours: tuple[str, str], now: str, severity: Severity = Severity.WARNING) -> str | None:
    begin, end = map(time.fromisoformat, hours)
    until = Alerting(quiet=(begin, end)).quiet_until(severity, datetime.fromisoformat(now))
    return None if until is None else until.isoformat()


NIGHT, NOON = ("22:00", "07:00"), ("12:00", "13:30")


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, "2026-11-29T21:59:59.999999+00:00", None),
        (NIGHT, "2026-11-29T22:00:00+00:00", "2026-11-30T07:00:00+00:00"),
        (NIGHT, "2026-12-31T23:59:59+00:00", "2027-01-01T07:00:00+00:00"),
        (NIGHT, "2028-02-28T23:00:00+00:00", "2028-02-29T07:00:00+00:00"),
        (NIGHT, "2026-11-30T00:00:00+00:00", "2026-11-30T07:00:00+00:00"),
        (NIGHT, "2026-11-30T06:59:59.999999+00:00", "2026-11-30T07:00:00+00:00"),
        (NIGHT, "2026-11-30T07:00:00+00:00", None),
        (NOON, "2026-11-30T12:00:00+00:00", "2026-11-30T13:30:00+00:00"),
        (NOON, "2026-11-30T13:30:00+00:00", None),
        (("08:00", "08:00"), "2026-11-30T08:00:00+00:00", None),
        # Hours are UTC: neither the machine's zone nor the day on which its clocks change moves them.
        (NIGHT, "2026-10-25T02:30:00+02:00", "2026-10-25T07:00:00+00:00"),
        (NIGHT, "2026-10-25T02:30:00+01:00", "2026-10-25T07:00:00+00:00"),
        (NIGHT, "2026-03-29T08:59:00+02:00", "2026-03-29T07:00:00+00:00"),
        (NIGHT, "2026-03-29T09:00:00+02:00", None),
        (NIGHT, "2026-11-30T05:00:00-08:00", None),
        (NIGHT, "2026-11-30T14:30:00-08:00", "2026-12-01T07:00:00+00:00"),
    ],
)
def test_quiet_hours(hours: tuple[str, str], now: str, until: str | None) -> None:
    assert quiet_until(hours, now) == until
    assert quiet_until(hours, now, Severity.CRITICAL) is None


def provoked() -> set[str]:
    """What tests say with the mark `provokes`; its fixture sees to it that they do."""
    folder = Path(__file__).parents[1] / "integration"
    found: set[str] = set()
    for file in folder.glob("test_alerts*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="provokes"), args=args):
                    found |= {str(each.value) for each in args if isinstance(each, ast.Constant)}
    return found


def test_every_rule_is_met_for_real_in_a_test() -> None:
    assert provoked() == set(RULES)


def test_every_rule_has_a_section_and_a_row_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
    for name, rule in RULES.items():
        assert f"\n### Alert: {name.replace('_', ' ')}\n" in text
        assert rule.runbook == f"docs/operations.md#alert-{name.replace('_', '-')}"
        row = next(line for line in text.splitlines() if line.startswith(f"| [`{name}`]"))
        shown = [_seconds(cell) for cell in row.split("|")[3:6]]
        assert shown == [each.total_seconds() for each in (rule.hold, rule.cool_down, rule.clear)], name
        assert f"| {rule.severity} |" in row


def _seconds(cell: str) -> float:
    if cell.strip() == "at once":
        return 0
    number, unit = cell.split()
    return int(number) * {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
