"""The nightly verification: every slice is a run of its own, so none is long and any process goes on with the next."""

from __future__ import annotations

from dataclasses import replace

import structlog

from strongroom.domain.task import Progress, Task
from strongroom.operations.duties import Duties
from strongroom.storage.base import Unit
from strongroom.tasks.base import Done
from strongroom.telemetry.alarms import integrity_alarm

_log = structlog.get_logger(__name__)


async def verify(task: Task, duties: Duties) -> Done:
    """One slice of what the key names. What does not hold gives the alarm, each night that it does not."""
    look = duties.slices.get(task.key)
    if look is None:  # of a version that could verify something else
        return Done()
    now = duties.clock()
    name = f"verify/{task.key}"
    known = await duties.progress(name)
    if known is None or known.cursor is None:
        progress = Progress(name, None, now, None if known is None else known.finished_at, 0, 0)
    else:
        progress = known
    looked = await look(progress.cursor)
    for flaw in looked.flaws:
        integrity_alarm(flaw.kind, job=name, **flaw.place)
    progress = replace(
        progress,
        cursor=looked.cursor,
        checked=progress.checked + looked.checked,
        findings=progress.findings + len(looked.flaws),
    )
    if looked.cursor is not None:
        return Done(Unit(progress=[progress]), again=duties.pause)
    _log.info("verification.done", job=name, checked=progress.checked, findings=progress.findings)
    return Done(Unit(progress=[replace(progress, finished_at=now)]))
