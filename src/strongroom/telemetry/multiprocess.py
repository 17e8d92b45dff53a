"""The metrics of several workers as one. Each writes its values to a file in a shared folder; any worker adds up."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from strongroom.telemetry.exemplars import Exemplars

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_PID: Final = re.compile(r"_(\d+)\.(?:db|json)$")
_PATIENCE: Final = 0.02
"""Longest wait for another worker that uses the files, in seconds. A request for metrics blocks the event loop."""

exemplars: Exemplars | None = None
"""Set while this process traces."""


@contextmanager
def shared_metrics() -> Iterator[None]:
    """Call it in the main process before prometheus_client is imported, which decides where values live."""
    with tempfile.TemporaryDirectory(prefix="strongroom-metrics-") as folder:
        os.environ[_VARIABLE] = folder
        yield


def folder() -> Path | None:
    """The folder in which workers share their metrics, or None if this process is the only one."""
    found = os.environ.get(_VARIABLE)
    return Path(found) if found else None


def forget_dead() -> None:
    """Called by a worker that starts. The gauges of dead workers are dropped; what they counted stays counted.

    The files of dead workers become one per type, so that their number does not grow with each restart.
    """
    from strongroom.telemetry.dead import merge  # noqa: PLC0415 - see `shared_metrics`

    shared = folder()
    if shared is None:
        return
    with _locked(shared) as is_mine:
        if is_mine:  # otherwise another worker has just started, and it or the next one does this
            merge(shared, {pid for pid in _pids() if not _is_alive(pid)})


def exposition(*, openmetrics: bool = False) -> bytes:
    """The metrics of all workers in Prometheus's text format, or in OpenMetrics 1.0 with exemplars.

    Process metrics have the label ``pid``.
    """
    from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415
    from prometheus_client.metrics_core import Metric  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415
    from prometheus_client.openmetrics import exposition as as_openmetrics  # noqa: PLC0415

    from strongroom.telemetry.dead import settle  # noqa: PLC0415
    from strongroom.telemetry.exemplars import WithExemplars  # noqa: PLC0415

    class Processes:
        def collect(self) -> Iterable[Metric]:
            found: dict[str, Metric] = {}
            for pid in filter(_is_alive, _pids()):
                for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                    known = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                    for sample in metric.samples:
                        known.add_sample(sample.name, {"pid": str(pid)}, sample.value)
            return found.values()

    shared = folder()
    kept = exemplars.all() if openmetrics and exemplars is not None else {}
    registry = CollectorRegistry()
    render = as_openmetrics.generate_latest if openmetrics else generate_latest
    if shared is None:
        registry.register(WithExemplars(REGISTRY, kept))
        return render(registry)
    registry.register(WithExemplars(MultiProcessCollector(None), kept))  # type: ignore[no-untyped-call]
    registry.register(Processes())
    with _locked(shared) as is_mine:
        if is_mine:
            settle(shared)
        return render(registry)


def greatest_of_others(gauge: str, labels: dict[str, str]) -> float:
    """The greatest value of a livemax gauge in the other workers. 0 if there are none."""
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - see `shared_metrics`

    shared = folder()
    others = [pid for pid in _pids() if pid != os.getpid() and _is_alive(pid)]
    files = [file for pid in others if shared and (file := shared / f"gauge_livemax_{pid}.db").exists()]
    metrics = MultiProcessCollector.merge(map(str, files))  # type: ignore[no-untyped-call]
    samples = (sample for metric in metrics if metric.name == gauge for sample in metric.samples)
    return max((sample.value for sample in samples if labels.items() <= sample.labels.items()), default=0.0)


@contextmanager
def _locked(shared: Path) -> Iterator[bool]:
    """Whether this process has the files to itself. The lock ends with the process, however it ends."""
    descriptor = os.open(shared / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    until = time.monotonic() + _PATIENCE
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.001)


def _pids() -> set[int]:
    shared = folder()
    names = [path.name for path in shared.iterdir()] if shared else []
    return {int(found[1]) for name in names if (found := _PID.search(name))}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # or the id of a dead worker belongs to another user's process now
        return False
    return True
