"""All background work of the service. Read this file and you know; the runner is made from it.

A new kind is one row: its name, its handler, how many run at once, how failures are tried again, and when it is due by
itself. Whatever makes work for it puts `storage.base.Wake` into its unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from strongroom.operations import broadcasting, discovery, retention, verifying
from strongroom.operations.duties import Duties
from strongroom.tasks.base import Kind, Ladder, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When the service's own jobs are due."""

    purge_every: timedelta
    verify_at: time
    """Once a day, UTC."""


# fmt: off
def kinds(times: Times, verified: Sequence[str]) -> tuple[Kind[Duties], ...]:
    """``verified``: names of what is verified at night."""
    return (
        Kind(name="purge", run=retention.purge, slots=1, ladder=Ladder(first=10, longest=600), attempts=5,
             schedule=_each(("operations", "broadcasts", "tasks"), every(times.purge_every))),
        Kind(name="verify", run=verifying.verify, slots=1, ladder=Ladder(first=10, longest=600), attempts=5,
             schedule=_each(verified, daily(times.verify_at))),
        Kind(name=discovery.KIND, run=discovery.walk, slots=2, ladder=Ladder(first=5, longest=300), attempts=300,
             give_up=discovery.give_up),
        Kind(name=broadcasting.KIND, run=broadcasting.follow, slots=4, ladder=Ladder(first=5, longest=300)),
    )
# fmt: on


def every(interval: timedelta) -> Schedule:
    return lambda now: now + interval


def daily(at: time) -> Schedule:
    def next_(now: datetime) -> datetime:
        today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)

    return next_


def _each(keys: Sequence[str], schedule: Schedule) -> Mapping[str, Schedule]:
    return dict.fromkeys(keys, schedule)
