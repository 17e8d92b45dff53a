"""Nothing that happens to the log changes an answer: its reader is gone, its disk is full, its reader does not read."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.server import Server

OPERATIONS = 1000
_SMALLEST_PIPE = 4096


def gone() -> tuple[int, int | None]:
    reader, writer = os.pipe()
    os.close(reader)
    return writer, None


def full() -> tuple[int, int | None]:
    return os.open("/dev/full", os.O_WRONLY), None


def stuck() -> tuple[int, int | None]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _SMALLEST_PIPE)
    return writer, reader


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One that has its key already: it is shown on standard output, which nobody will read."""
    server = Server(tmp_path, {"HEALTH__INTERVAL": "0.2", "HTTP__METRICS_OPEN": "true"})
    with server:
        pass
    return server


@pytest.mark.parametrize("reader", [gone, full, stuck], ids=["gone", "full", "stuck"])
def test_every_answer_is_right_whatever_the_reader_does(
    server: Server, reader: Callable[[], tuple[int, int | None]]
) -> None:
    writer, kept = reader()
    server.spawn(writer)
    os.close(writer)
    try:
        server.wait_until_ready()
        with server.client() as client:
            wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
            body = {"network": "ethereum", "format": "eip191", "message": "x", "encoding": "text"}
            answers = [
                client.post(f"/wallets/{wallet}/sign-message", json=body) if each % 10 == 0 else client.get("/wallets")
                for each in range(OPERATIONS)
            ]
            assert {answer.status_code for answer in answers} == {200}
            assert client.post("/wallets", json={"nonsense": 1}).status_code == 400
            assert httpx.get(f"{server.url}/health/live", trust_env=False).status_code == 200
            while reader is not stuck and _lost(client.get(f"{server.url}/metrics").text) < OPERATIONS:
                time.sleep(0.05)  # the thread has not met the last of them yet
            health = client.get("/health").json()
        if reader is not stuck:  # there the lines wait in the queue
            assert health["status"] == "degraded"
            assert health["components"]["log"]["state"] == "lines_lost"
            assert health["components"]["log"]["lines_lost"] >= OPERATIONS
        assert server.stop() == 0
    finally:
        if kept is not None:
            os.close(kept)
        if server.is_running:
            server.kill()


def _lost(text: str) -> float:
    found = re.search(r"^strongroom_log_lines_lost_total (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])
