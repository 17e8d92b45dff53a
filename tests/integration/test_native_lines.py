"""Native code of a running service speaks to its log: gRPC's C core, and the interpreter that crashes."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.server import Server
from tests.support.tls import Estate, TlsServer
from tests.support.waiting import until

_APART = 8.0
"""Seconds. The HTTP server ends if a worker dies again within 5.5 s."""


def said(server: Server) -> list[dict[str, Any]]:
    """What native code said. All lines after the first steps are JSON."""
    lines = server.log.read_text().partition("The interactive reference")[2].splitlines()[1:]
    return [record for line in lines if line and (record := json.loads(line))["logger"] == "native"]


def test_a_line_of_grpcs_core_is_a_record(tmp_path: Path) -> None:
    with TlsServer(tmp_path / "served", Estate(tmp_path / "estate"), {}) as server:
        with socket.create_connection(("127.0.0.1", server.grpc_port)) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert caller.recv(100) == b""
        server.stop()
    [record] = said(server)
    assert (record["event"], record["level"]) == ("native.line", "info")
    assert "Handshake failed" in record["text"]


def test_a_worker_that_crashes_is_heard_and_so_is_the_next_one(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        for _ in range(2):
            [worker] = server.workers()
            os.kill(worker, signal.SIGSEGV)

            def is_replaced(gone: int = worker) -> bool:
                return server.workers() not in ([], [gone])

            until(is_replaced)
            server.wait_until_ready()
            time.sleep(_APART)
        server.stop()
    assert [each["text"] for each in said(server)].count("Fatal Python error: Segmentation fault") == 2


def test_a_worker_that_dies_again_at_once_ends_the_service_which_says_so(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        code, killed = None, set[int]()
        while code is None:
            for worker in set(server.workers()) - killed:
                killed.add(worker)
                os.kill(worker, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                code = server.wait(0.05)
    assert code == 1
    assert '"serve.gives_up"' in server.log.read_text()


def test_a_terminal_is_left_alone(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    server = Server(tmp_path)
    server.spawn(stdout=theirs)
    os.close(theirs)
    server.wait_until_ready()
    [worker] = server.workers()
    os.kill(worker, signal.SIGSEGV)
    until(lambda: "\nFatal Python error: Segmentation fault\n" in "\n" + server.log.read_text())
    server.kill()
    os.close(ours)
