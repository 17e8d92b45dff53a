"""Exemplars in the exposition of OpenMetrics, as Prometheus' own parser reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from strongroom.telemetry import tracing
from strongroom.telemetry.exemplars import Exemplars
from strongroom.telemetry.tracing import First, Span, Trace

WORKER = """
import sys
from pathlib import Path
from strongroom.telemetry import multiprocess
from strongroom.telemetry.exemplars import Exemplars
from strongroom.telemetry.metrics import HTTP_REQUEST_SECONDS, OPERATION_SECONDS
from tests.unit.telemetry.test_exemplars import served
multiprocess.exemplars = Exemplars(multiprocess.folder())
for trace, seconds in ((1, 0.02), (2, 0.2)):
    HTTP_REQUEST_SECONDS.labels("/api/v1/wallets", "GET").observe(seconds)
    OPERATION_SECONDS.labels("wallets.list").observe(seconds)
    multiprocess.exemplars.note([served(trace, seconds)])
multiprocess.exemplars.note([served(3, 3.0)])  # in a bucket that counted nothing
if "twice" in sys.argv:
    import os
    print("ready", flush=True)
    sys.stdin.read()
else:
    sys.stdout.buffer.write(multiprocess.exposition(openmetrics=sys.argv[1] == "open"))
"""


class Nobody:
    def take(self, span: Span) -> None:
        pass

    def has_room(self) -> bool:
        return True

    def lose(self) -> None:
        pass


def served(trace: int, seconds: float) -> Span:
    span = First(Trace(trace, Nobody(), sampled=True), 0, "GET /api/v1/wallets", tracing.SERVER)
    span.began, span.ended = 0, round(seconds * 1e9)
    span.attributes = {"http_route": "/api/v1/wallets", "http_method": "GET", "operation": "wallets.list"}
    return span


def told(form: str, folder: Path | None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    if folder is not None:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    done = subprocess.run([sys.executable, "-c", WORKER, form], env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def found_in(text: str) -> dict[tuple[str, str], tuple[str, float]]:
    return {
        (sample.name, sample.labels["le"]): (sample.exemplar.labels["trace_id"], sample.exemplar.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.exemplar is not None
    }


EXPECTED = {
    (f"strongroom_{name}_seconds_bucket", le): (f"{trace:032x}", seconds)
    for name in ("http_request", "operation")
    for trace, seconds, le in ((1, 0.02, "0.025"), (2, 0.2, "0.25"))
}


def test_a_process_alone_tells_them() -> None:
    assert found_in(told("open", None)) == EXPECTED


def test_workers_together_tell_them_too(tmp_path: Path) -> None:
    assert found_in(told("open", tmp_path)) == EXPECTED


def test_of_another_worker_what_it_wrote_is_told(tmp_path: Path) -> None:
    other = Exemplars(tmp_path)
    other._file = tmp_path / "exemplars_1.json"
    other.note([served(9, 0.02)])
    assert len(json.loads((tmp_path / "exemplars_1.json").read_text())) == 2
    mine = Exemplars(tmp_path)
    mine.note([served(8, 4.0)])
    kept = mine.all()
    assert {trace for trace, _, _ in kept.values()} == {f"{9:032x}", f"{8:032x}"}
    (tmp_path / "exemplars_2.json").write_text("half of")
    assert mine.all() == kept
    time.sleep(0.01)
    mine.note([served(7, 0.02)])
    assert {trace for trace, _, _ in mine.all().values()} == {f"{7:032x}", f"{8:032x}"}


def test_prometheus_text_has_no_place_for_them(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        assert "trace_id" not in told("text", folder)


def test_a_folder_that_cannot_be_written_costs_the_others_theirs(tmp_path: Path) -> None:
    exemplars = Exemplars(tmp_path / "gone")
    exemplars.note([served(1, 0.02)])
    assert len(exemplars.all()) == 2


def test_they_are_bounded() -> None:
    exemplars = Exemplars(None)
    for number in range(6000):
        span = served(number, 0.02)
        assert span.attributes is not None
        span.attributes["http_route"] = f"/{number}"
        exemplars.note([span])
    assert len(exemplars.all()) == 4096
