"""Every route and every RPC is fuzzed with a fixed seed. `make campaign` does it at length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz import grpc, http
from tests.fuzz.report import aftermath
from tests.fuzz.seeds import SETTINGS, Seeds
from tests.support.server import ReadingServer, Server


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ReadingServer(tmp_path_factory.mktemp("fuzzed"), SETTINGS) as server:
        yield server


def test_routes(fuzzed: Server, capsys: pytest.CaptureFixture[str]) -> None:
    report = http.run(fuzzed, Seeds(fuzzed), examples=15, seed=1, coverage=False)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures() + aftermath(fuzzed) == []


def test_rpcs(fuzzed: Server, capsys: pytest.CaptureFixture[str]) -> None:
    report = grpc.run(fuzzed, Seeds(fuzzed), messages=1000, seed=1)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures() + aftermath(fuzzed) == []
