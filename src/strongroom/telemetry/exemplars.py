"""Exemplars: for buckets of histograms, the trace of a request that fell into them. Only OpenMetrics can show them.

prometheus_client keeps no exemplars when several processes share their metrics. So they are made from spans that the
receiver has accepted, stored beside the metrics in one file per worker, and added to the exposition.
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar

from strongroom.telemetry.metrics import BOUNDS
from strongroom.telemetry.tracing import SERVER, Span

_WRITE_SECONDS: Final = 2.0
_MOST: Final = 4096
"""Enough for all: there are some dozens of operations and routes, each with a few buckets in use."""

Key = tuple[str, tuple[tuple[str, str], ...], int]
"""Metric, labels and bucket."""
Kept = dict[Key, tuple[str, float, float]]
"""Trace id, seconds and Unix time."""


class Collector(Protocol):
    def collect(self) -> Iterable[Metric]: ...


class Exemplars:
    """``folder`` is where workers share their metrics, or None if this process is the only one."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / f"exemplars_{os.getpid()}.json"
        self._kept: Kept = {}
        self._written = 0.0

    def note(self, spans: Sequence[Span]) -> None:
        """Called from the thread that exports."""
        now = time.time()
        for span in spans:
            seconds = (span.ended - span.began) / 1e9
            for metric, labels in _observed(span):
                key = metric, labels, bisect_left(BOUNDS, seconds)
                if key in self._kept or len(self._kept) < _MOST:
                    self._kept[key] = f"{span.trace.id:032x}", seconds, now
        if self._file is not None and now - self._written > _WRITE_SECONDS:
            self._written = now
            made = self._file.with_suffix(".new")
            with suppress(OSError):  # such as a full disk: the other workers show older ones meanwhile
                made.write_text(json.dumps([[*key, *found] for key, found in self._kept.items()]))
                made.replace(self._file)

    def all(self) -> Kept:
        """The exemplars of this process and of the other workers. The latest one counts for each bucket."""
        found = dict(self._kept.copy())
        for file in [] if self._file is None else self._file.parent.glob("exemplars_*.json"):
            with suppress(OSError, ValueError):
                for metric, labels, bucket, *rest in json.loads(file.read_text()):
                    key = metric, tuple((name, value) for name, value in labels), bucket
                    if key not in found or found[key][2] < rest[2]:
                        found[key] = rest[0], rest[1], rest[2]
        return found


class WithExemplars:
    """A collector that adds exemplars to its buckets. An empty bucket gets none."""

    def __init__(self, collector: Collector, kept: Kept) -> None:
        self._collector = collector
        self._kept = kept
        self._metrics = {metric for metric, _, _ in kept}

    def collect(self) -> Iterator[Metric]:
        for metric in self._collector.collect():
            if metric.name in self._metrics:
                self._put_into(metric)
            yield metric

    def _put_into(self, metric: Metric) -> None:
        below: dict[tuple[tuple[str, str], ...], float] = {}
        for at, sample in enumerate(metric.samples):
            if not sample.name.endswith("_bucket"):
                continue
            labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            inside = sample.value - below.get(labels, 0.0)
            below[labels] = sample.value
            found = self._kept.get((metric.name, labels, bisect_left(BOUNDS, float(sample.labels["le"]))))
            if found is not None and inside > 0:
                trace, seconds, moment = found
                metric.samples[at] = sample._replace(exemplar=Exemplar({"trace_id": trace}, seconds, moment))


def _observed(span: Span) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """The histograms that have counted the span, with their labels."""
    said = span.attributes or {}
    if span.kind == SERVER:
        if "http_route" in said:
            labels = ("method", str(said["http_method"])), ("route", str(said["http_route"]))
            yield "strongroom_http_request_seconds", labels
        elif "rpc_method" in said:
            yield "strongroom_grpc_request_seconds", (("method", str(said["rpc_method"])),)
        if "operation" in said:
            yield "strongroom_operation_seconds", (("operation", str(said["operation"])),)
    elif span.name == "commit":
        yield "strongroom_commit_seconds", ()
    elif "outcome" in said:
        yield "strongroom_task_seconds", (("kind", str(said["kind"])),)
