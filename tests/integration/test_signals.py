"""Signals that were not meant for this service, sent to its main process and to its worker."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.server import Server, is_alive

UNMEANT = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO]


def test_signals_without_meaning_change_nothing(tmp_path: Path) -> None:
    with Server(tmp_path) as server, server.client() as client:
        workers = server.workers()
        for process in (server.pid, *workers):
            for each in UNMEANT:
                os.kill(process, each)
        for each in (signal.SIGHUP, signal.SIGQUIT):  # as a terminal sends them to the whole group
            os.kill(workers[0], each)
        for _ in range(20):
            assert client.get("/wallets").status_code == 200
            time.sleep(0.05)
        assert server.workers() == workers
        assert server.stop() == 0


@pytest.mark.parametrize("whole_group", [False, True], ids=["main process", "group"])
def test_sigquit_ends_everything_in_order(tmp_path: Path, whole_group: bool) -> None:
    with Server(tmp_path) as server:
        workers = server.workers()
        (os.killpg if whole_group else os.kill)(server.pid, signal.SIGQUIT)
        assert server.wait(300) == 0
        assert not any(is_alive(each) for each in workers)
        log = server.log.read_text(errors="replace")
        assert "worker.draining" in log
        assert "worker.orphaned" not in log
