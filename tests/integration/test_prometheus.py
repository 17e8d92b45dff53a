"""A real Prometheus with our rules scrapes a running service. It accepts each rule and each query of the dashboards."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import otlp, prometheus
from tests.support.prometheus import DASHBOARDS, Prometheus
from tests.support.server import Server
from tests.support.waiting import until

pytestmark = pytest.mark.needs("prometheus")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Prometheus]]:
    folder = tmp_path_factory.mktemp("watched")
    with otlp.over_grpc() as receiver:
        settings = {
            "HTTP__METRICS_OPEN": "true", "TRACING__ENABLED": "true", "TRACING__SAMPLE": "1",
            "TRACING__ENDPOINT": receiver.endpoint,
        }  # fmt: skip
        with (
            Server(folder / "data", settings) as server,
            prometheus.running(f"127.0.0.1:{server.http_port}", folder) as asked,
        ):
            yield server, asked


def test_it_takes_each_rule_and_records_what_is_to_be_recorded(watched: tuple[Server, Prometheus]) -> None:
    server, asked = watched
    with server.client() as client:

        def recorded() -> Any:
            client.get("/wallets").raise_for_status()
            return asked.now('strongroom:operations:rate5m{operation="wallets.list",code="ok"} > 0')

        until(recorded)

    def evaluated() -> list[dict[str, Any]]:
        rules = asked.rules()
        return rules if all(rule["health"] != "unknown" for rule in rules) else []

    assert [(rule["name"], rule.get("lastError")) for rule in until(evaluated) if rule["health"] != "ok"] == []


def test_it_takes_each_query_of_the_dashboards(watched: tuple[Server, Prometheus]) -> None:
    _, asked = watched
    now = time.time()
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                asked.between(target["expr"], now - 10, now, 5)


def test_it_keeps_the_traces_of_requests(watched: tuple[Server, Prometheus]) -> None:
    server, asked = watched
    board = json.loads(next(file for file in DASHBOARDS if file.stem == "strongroom-service").read_text())
    [panel] = [panel for panel in board["panels"] if panel["targets"][0].get("exemplar")]
    with server.client() as client:

        def kept() -> Any:
            client.get("/wallets", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}).raise_for_status()
            found = asked.exemplars(panel["targets"][0]["expr"], time.time() - 600, time.time())
            return [each for each in found if each["labels"] == {"trace_id": "ab" * 16}]

        assert until(kept)


def test_a_query_that_it_does_not_take_fails(watched: tuple[Server, Prometheus]) -> None:
    with pytest.raises(AssertionError, match="parse error"):
        watched[1].now("sum by (")
