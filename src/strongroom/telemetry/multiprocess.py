"""Metrics of several workers as one: each writes its values into a file of a common folder, and any of them adds up."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_PID: Final = re.compile(r"_(\d+)\.db$")


@contextmanager
def shared_metrics() -> Iterator[None]:
    """For the main process, before anything imports prometheus_client: that is when it decides where values live."""
    with tempfile.TemporaryDirectory(prefix="strongroom-metrics-") as folder:
        os.environ[_VARIABLE] = folder
        yield


def forget_dead() -> None:
    """For a worker that starts: what its predecessor had open or under way is over."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - see `shared_metrics`

    for pid in _pids():
        if not _is_alive(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """The metrics of all workers in Prometheus' text format; what each process uses has its ``pid``."""
    from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415
    from prometheus_client.metrics_core import Metric  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    if _VARIABLE not in os.environ:
        return generate_latest(REGISTRY)

    class Processes:
        def collect(self) -> Iterable[Metric]:
            found: dict[str, Metric] = {}
            for pid in filter(_is_alive, _pids()):
                for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                    known = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                    for sample in metric.samples:
                        known.add_sample(sample.name, {"pid": str(pid)}, sample.value)
            return found.values()

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(Processes())
    return generate_latest(registry)


def greatest_of_others(gauge: str, labels: dict[str, str]) -> float:
    """Of a gauge of mode livemax, what the other workers say; 0 where there are none."""
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - see `shared_metrics`

    folder = os.environ.get(_VARIABLE)
    others = [pid for pid in _pids() if pid != os.getpid() and _is_alive(pid)]
    files = [file for pid in others if folder and (file := Path(folder, f"gauge_livemax_{pid}.db")).exists()]
    metrics = MultiProcessCollector.merge(map(str, files))  # type: ignore[no-untyped-call]
    samples = (sample for metric in metrics if metric.name == gauge for sample in metric.samples)
    return max((sample.value for sample in samples if labels.items() <= sample.labels.items()), default=0.0)


def _pids() -> set[int]:
    folder = os.environ.get(_VARIABLE)
    names = [path.name for path in Path(folder).glob("*.db")] if folder else []
    return {int(found[1]) for name in names if (found := _PID.search(name))}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
