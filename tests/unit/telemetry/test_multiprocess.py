"""What several workers say together. Each is a real process: a value belongs to whoever wrote it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from strongroom.telemetry.multiprocess import forget_dead, greatest_of_others

GAUGE, VAULT = "strongroom_circuit_state", {"component": "vault"}
WORKER = """
import sys
from strongroom.telemetry.metrics import CIRCUIT_STATE
CIRCUIT_STATE.labels(sys.argv[1]).set(float(sys.argv[2]))
print("said", flush=True)
sys.stdin.read()
"""

Start = Callable[[str, int], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """A worker that says of a component how open its circuit is."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    workers: list[subprocess.Popen[str]] = []

    def start(component: str, level: int) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, component, str(level)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip
        assert worker.stdout is not None
        assert worker.stdout.readline() == "said\n"
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.communicate()


def test_the_worst_of_the_others_counts_while_it_lives(start: Start) -> None:
    start("vault", 0)
    assert greatest_of_others(GAUGE, VAULT) == 0
    worst = start("vault", 2)
    start("vault", 1)
    start("redis", 2)
    assert greatest_of_others(GAUGE, VAULT) == 2
    worst.communicate()
    assert greatest_of_others(GAUGE, VAULT) == 1


def test_a_process_of_another_user_is_no_worker(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives the id of a dead worker to some other process, which this one may not send a signal."""
    dead = start("vault", 2)
    dead.communicate()
    kill = os.kill

    def may_not(pid: int, number: int) -> None:
        if pid == dead.pid:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        kill(pid, number)

    monkeypatch.setattr(os, "kill", may_not)
    assert greatest_of_others(GAUGE, VAULT) == 0
    assert list(tmp_path.glob(f"*_{dead.pid}.db"))
    forget_dead()
    assert not list(tmp_path.glob(f"*_{dead.pid}.db"))


def test_without_other_workers_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert greatest_of_others(GAUGE, VAULT) == 0
