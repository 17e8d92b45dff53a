"""All background work of the service. The runner is made from this list.

A new kind of task is one row: its name, its handler, how many run at once, how failures are retried, and its schedule
if it has one. Whatever creates such a task puts a `storage.base.Wake` into its unit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from strongroom.domain.alert import ALERT_TASK, NOTIFY_TASK
from strongroom.operations import alerting, broadcasting, discovery, retention, verifying, watching
from strongroom.operations.duties import Duties
from strongroom.operations.watching import Watched
from strongroom.tasks.base import Kind, Ladder, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When the service's own tasks are due."""

    purge_every: timedelta
    verify_at: time
    """Time of day, UTC."""
    watch_every: timedelta = timedelta(minutes=10)
    heartbeat_every: timedelta | None = None


# fmt: off
def kinds(
    times: Times, verified: Sequence[str], watched: Watched, beat: Callable[[], Awaitable[None]]
) -> tuple[Kind[Duties], ...]:
    """All kinds of tasks.

    ``verified``: names of the nightly verifications. ``watched``: what is watched for alerts. ``beat``: tells a monitor
    outside that the service is alive.
    """
    return (
        Kind(name="purge", run=retention.purge, slots=1, ladder=Ladder(first=10, longest=600), attempts=5,
             schedule=_each(("operations", "broadcasts", "tasks", "alerts"), every(times.purge_every))),
        Kind(name="verify", run=verifying.verify, slots=1, ladder=Ladder(first=10, longest=600), attempts=5,
             schedule=_each(verified, daily(times.verify_at))),
        Kind(name=discovery.KIND, run=discovery.walk, slots=2, ladder=Ladder(first=5, longest=300), attempts=300,
             give_up=discovery.give_up),
        Kind(name=broadcasting.KIND, run=broadcasting.follow, slots=4, ladder=Ladder(first=5, longest=300)),
        Kind(name=ALERT_TASK, run=alerting.follow, slots=2, ladder=Ladder(first=2, longest=60), attempts=100),
        Kind(name=NOTIFY_TASK, run=alerting.notify, slots=4, ladder=Ladder(first=2, longest=300), attempts=100),
        Kind(name="watch", run=watching.watcher(watched), slots=1, ladder=Ladder(first=30, longest=300),
             attempts=5, schedule=_each(("api_keys", "balances", "certificates", "keys"), every(times.watch_every))),
        Kind(name="heartbeat", run=watching.heartbeat(beat), slots=1, attempts=2,
             schedule={} if times.heartbeat_every is None else _each(("alerts",), every(times.heartbeat_every))),
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
