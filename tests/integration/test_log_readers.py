"""Nothing that happens to the log changes a response: its reader is gone, its disk is full, its reader does
not read.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import Server
from tests.support.waiting import until

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
    """One that already has its key, which is shown on standard output, where nobody will read it."""
    server = Server(tmp_path, {"HEALTH__INTERVAL": "0.2", "HTTP__METRICS_OPEN": "true", "RATES__READ": "off"})
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
            assert httpx.get(f"{server.url}/health/live", trust_env=False, timeout=60).status_code == 200
            if reader is not stuck:  # the lines wait in the queue there
                health = _when_lost(client)
                assert (health["status"], health["components"]["log"]["state"]) == ("degraded", "lines_lost")
                # `/health` is about the worker. The metric also counts what the main process lost.
                lines = health["components"]["log"]["lines_lost"]
                assert _counted(client.get(f"{server.url}/metrics").text) > lines
        assert server.stop() == 0
    finally:
        if kept is not None:
            os.close(kept)
        if server.is_running:
            server.kill()


def _when_lost(client: httpx.Client) -> dict[str, Any]:
    """The health of a worker whose thread has got to the last line of the operations."""

    def health() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get("/health").json()
        return found if found["components"].get("log", {}).get("lines_lost", 0) >= OPERATIONS else None

    found = until(health)
    assert found is not None
    return found


def _counted(text: str) -> float:
    found = re.search(r"^strongroom_log_lines_lost_total (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])
