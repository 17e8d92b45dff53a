"""Assembles the background work of one process: the runner, what its handlers need, and the gauges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any, Final

from strongroom.alerts.base import Alerting
from strongroom.bootstrap import alerts
from strongroom.config.sections import AuditSettings
from strongroom.config.settings import Settings
from strongroom.journal.committer import Committer
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.slices import AuditSlices, NewestHeads, newest_heads
from strongroom.keywrap.base import KeyWrap
from strongroom.operations.background import Times, kinds
from strongroom.operations.duties import Duties
from strongroom.operations.networks import Networks
from strongroom.operations.reading import Reading
from strongroom.operations.verification import look_at_state
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.sql import SqlStorage
from strongroom.tasks.observer import Observer
from strongroom.tasks.runner import Runner

_A_SLICE: Final = 500
"""Rows. Checking their MACs takes some milliseconds of the event loop."""


async def open_tasks(
    stack: AsyncExitStack,
    settings: Settings,
    storage: SqlStorage,
    authenticity: Authenticity,
    committer: Committer,
    networks: Networks,
    reading: Reading,
    alerting: Alerting,
    keywrap: KeyWrap,
    report: Callable[[], Mapping[str, Any]],
) -> Runner[Duties] | None:
    """Start what the role requires. A database that is down does not prevent the start."""
    duties = Duties(
        storage=storage,
        tasks=storage.queue,
        retention=timedelta(seconds=settings.idempotency.retention),
        networks=networks,
        reading=reading,
        alerting=alerting,
        slices={
            "audit": AuditSlices(storage, authenticity.audit_key, _kept_heads(settings.audit), _A_SLICE),
            "state": partial(look_at_state, Reconciler(storage, authenticity.audit_key), _A_SLICE),
        },
        pause=timedelta(seconds=_A_SLICE / settings.tasks.verify_rate),
        discovery_rate=settings.nodes.discovery_rate,
    )
    beat = alerts.heartbeat(settings)
    times = Times(
        purge_every=timedelta(seconds=settings.tasks.purge_interval),
        verify_at=settings.tasks.verify_at,
        watch_every=timedelta(seconds=settings.alerts.check_interval),
        heartbeat_every=None if beat is None else timedelta(seconds=settings.alerts.heartbeat_interval),
    )
    rows = kinds(times, sorted(duties.slices), alerts.watched(settings, keywrap), beat or alerts.no_heartbeat)
    names = [kind.name for kind in rows]
    alerts.start_watch(stack, settings, alerting, storage, committer.commit, report, names)
    observer = Observer(storage.queue, storage, names, interval=settings.tasks.metrics_interval)
    observer.start()
    stack.push_async_callback(observer.stop)
    if settings.tasks.role == "none":
        return None
    drain = settings.timeouts.linger + settings.timeouts.drain
    runner = Runner(rows, storage.queue, committer.commit, duties, poll=settings.tasks.poll, drain=drain)
    committer.woken = runner.wake
    runner.start()
    stack.push_async_callback(runner.stop)
    return runner


def _kept_heads(settings: AuditSettings) -> NewestHeads:
    """Our own file is never followed as a link. One that the operator extracted from the log may be a link."""
    if settings.heads_file is not None:
        return partial(newest_heads, settings.heads_file)
    return dict if settings.known_heads is None else partial(newest_heads, settings.known_heads, follow=True)
