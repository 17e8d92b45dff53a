"""What is left of workers that died. Each is a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

WORKER = """
import sys
from strongroom.telemetry import multiprocess
from strongroom.telemetry.metrics import COMMIT_SECONDS, COMMITTER_QUEUE, OPERATIONS_TOTAL
multiprocess.forget_dead()
OPERATIONS_TOTAL.labels("wallets.get", "ok").inc(3)
COMMIT_SECONDS.observe(0.02)
COMMITTER_QUEUE.set(7)
"""
DYING = """
import os, sys
from pathlib import Path
left = int(sys.argv[1])
def counted(real):
    def act(*args, **kwargs):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return real(*args, **kwargs)
    return act
for name in ("replace", "unlink", "write_text"):
    setattr(Path, name, counted(getattr(Path, name)))
from strongroom.telemetry import multiprocess
multiprocess.forget_dead()
"""
HOLDER = """
import fcntl, sys
with open(sys.argv[1], "a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
READER = """
import sys
from strongroom.telemetry.multiprocess import exposition
sys.stdout.buffer.write(exposition(openmetrics="open" in sys.argv))
"""


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdout=subprocess.PIPE,
        check=False,
    )


def told(folder: Path) -> dict[str, float]:
    text = run(folder, READER).stdout.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    wanted = ("strongroom_operations_total", "strongroom_commit_seconds", "strongroom_committer_queue")
    return {
        " ".join([sample.name, *sorted(sample.labels.values(), reverse=True)]): sample.value
        for sample in samples
        if sample.name.startswith(wanted) and "created" not in sample.name
    }


def counts(workers: int) -> dict[str, Any]:
    bounds = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0",
              "30.0", "+Inf")  # fmt: skip
    return {
        "strongroom_operations_total wallets.get ok": 3.0 * workers,
        "strongroom_commit_seconds_count": 1.0 * workers,
        "strongroom_commit_seconds_sum": pytest.approx(0.02 * workers),
        **{f"strongroom_commit_seconds_bucket {le}": workers * float(float(le) >= 0.02) for le in bounds},
    }


def test_what_the_dead_counted_stays_and_their_gauges_and_files_go(tmp_path: Path) -> None:
    for restarts in range(1, 8):
        assert run(tmp_path, WORKER).returncode == 0
        found = told(tmp_path)
        assert found.pop("strongroom_committer_queue", 0.0) in (0.0, 7.0)
        assert found == counts(restarts)
        assert len(list(tmp_path.iterdir())) <= 12
    assert run(tmp_path, DYING, "-1").returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir() if "merged" in file.name) == [
        "counter_merged.db", "histogram_merged.db",
    ]  # fmt: skip
    assert {key: value for key, value in told(tmp_path).items() if "queue" not in key} == counts(7)


def test_a_worker_that_dies_at_any_step_of_it_changes_no_count(tmp_path: Path) -> None:
    for _ in range(2):
        run(tmp_path, WORKER)
    died = 0
    for steps in range(100):
        run(tmp_path, WORKER)
        done = run(tmp_path, DYING, str(steps)).returncode
        assert {key: value for key, value in told(tmp_path).items() if "queue" not in key} == counts(3 + steps), steps
        if done == 0:
            break
        died += 1
    assert died >= 8


def test_a_worker_that_stopped_while_it_held_the_files_holds_up_nobody(tmp_path: Path) -> None:
    run(tmp_path, WORKER)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        run(tmp_path, WORKER)
        assert {key: value for key, value in told(tmp_path).items() if "queue" not in key} == counts(2)
    finally:
        holder.communicate()


def test_the_exemplars_of_the_dead_go_with_their_files(tmp_path: Path) -> None:
    """A trace that is told for ever would hide the traces of those who live."""
    run(tmp_path, WORKER)
    [pid] = [file.stem.rpartition("_")[2] for file in tmp_path.glob("counter_*.db")]
    key = ["strongroom_commit_seconds", [], 4]
    for of, trace in ((pid, "dead"), (str(os.getpid()), "alive")):
        (tmp_path / f"exemplars_{of}.json").write_text(json.dumps([[*key, trace, 0.02, time.time()]]))
    assert run(tmp_path, WORKER).returncode == 0
    assert [file.name for file in tmp_path.glob("exemplars_*")] == [f"exemplars_{os.getpid()}.json"]
