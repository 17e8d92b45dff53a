"""Background work of one process: the runner, what its handlers share, and the gauges."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Final

from strongroom.config import Settings
from strongroom.config.sections import AuditSettings
from strongroom.journal.committer import Committer
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.slices import AuditSlices, NewestHeads, newest_heads
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
"""Rows: their MACs take some milliseconds of the event loop."""


async def open_tasks(
    stack: AsyncExitStack,
    settings: Settings,
    storage: SqlStorage,
    authenticity: Authenticity,
    committer: Committer,
    networks: Networks,
    reading: Reading,
) -> Runner[Duties] | None:
    """Starts what the role asks for. A database that is away keeps nothing from starting."""
    duties = Duties(
        storage=storage,
        tasks=storage.queue,
        retention=timedelta(seconds=settings.idempotency.retention),
        networks=networks,
        reading=reading,
        slices={
            "audit": AuditSlices(storage, authenticity.audit_key, _kept_heads(settings.audit), _A_SLICE),
            "state": partial(look_at_state, Reconciler(storage, authenticity.audit_key), _A_SLICE),
        },
        pause=timedelta(seconds=_A_SLICE / settings.tasks.verify_rate),
    )
    times = Times(
        purge_every=timedelta(seconds=settings.tasks.purge_interval),
        verify_at=settings.tasks.verify_at,
    )
    rows = kinds(times, sorted(duties.slices))
    observer = Observer(storage.queue, storage, [kind.name for kind in rows], interval=settings.tasks.metrics_interval)
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
    """Our own file is no link. One that the operator took out of the log may be mounted as one."""
    if settings.heads_file is not None:
        return partial(newest_heads, settings.heads_file)
    return dict if settings.known_heads is None else partial(newest_heads, settings.known_heads, follow=True)
