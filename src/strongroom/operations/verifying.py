"""The nightly verification. Every slice is a run of its own, so all are short and any process may run the next one."""

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
    """Verifies one slice of what the task's key names. A flaw raises the alarm every night until it is mended."""
    look = duties.slices.get(task.key)
    if look is None:  # the task of a version that verified something else
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
