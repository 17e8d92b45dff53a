from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import grpc, http
from tests.fuzz.report import aftermath
from tests.fuzz.seeds import SETTINGS, Seeds
from tests.support.server import ReadingServer

pytestmark = pytest.mark.campaign

EXAMPLES = 1000
MESSAGES = 10_000


def test_a_thousand_examples_a_route(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ReadingServer(tmp_path, SETTINGS) as server:
        report = http.run(server, Seeds(server), examples=EXAMPLES, seed=1, coverage=True)
        with capsys.disabled():
            print(f"\n{report}")
        assert report.failures() + aftermath(server) == []
    assert report.fewest() >= EXAMPLES


def test_ten_thousand_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ReadingServer(tmp_path, SETTINGS) as server:
        report = grpc.run(server, Seeds(server), messages=MESSAGES, seed=1)
        with capsys.disabled():
            print(f"\n{report}")
        assert report.failures() + aftermath(server) == []
    assert report.sent >= MESSAGES
