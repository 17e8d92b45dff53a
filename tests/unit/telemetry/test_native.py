"""What other code writes to standard error of a worker, as records of the log."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from strongroom.telemetry import logging, native
from strongroom.telemetry.metrics import LOG_LINES_LOST_TOTAL
from strongroom.telemetry.native import NativeLines
from tests.support.waiting import until

MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.fixture
def log() -> io.BytesIO:
    stream = io.BytesIO()
    logging.configure("debug", "json", stream)
    return stream


def records(log: io.BytesIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {each["logger"] for each in found} <= {"native"}
    return found


def say(code: str) -> int:
    return subprocess.run([sys.executable, "-X", "faulthandler", "-c", f"import os; {code}"], check=False).returncode


def in_a_worker() -> None:
    os.write(2, b"from a worker\n")


def test_a_line_of_a_child_is_a_record_and_ours_goes_where_it_went(
    log: io.BytesIO, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = NativeLines()
    with lines.heard():
        assert say(r"os.write(2, b'tokio gave up\n')") == 0
    os.write(2, b"ours\n")
    lines.finish(60)
    [record] = records(log)
    assert (record["level"], record["event"], record["text"]) == ("error", "native.line", "tokio gave up")
    assert capfd.readouterr().err == "ours\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_however_a_worker_is_started(log: io.BytesIO, method: str) -> None:
    lines = NativeLines()
    worker = multiprocessing.get_context(method).Process(target=in_a_worker)  # type: ignore[attr-defined]
    with lines.heard():
        worker.start()
    worker.join()

    def came() -> bool:  # gRPC may say a line about the fork too
        lines.finish(0.1)
        return "from a worker" in [each["text"] for each in records(log)]

    until(came)


def test_what_a_process_says_while_it_dies_is_read(log: io.BytesIO) -> None:
    lines = NativeLines()
    with lines.heard():
        assert say("import faulthandler; faulthandler._sigsegv()") == -signal.SIGSEGV
    lines.finish(60)
    assert "Fatal Python error: Segmentation fault" in [each["text"] for each in records(log)]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("I1129 14:14:53.123456 7 chttp2_transport.cc:1403] ipv4:127.0.0.1:1: Got goaway [11]", "info"),
        ("W1129 14:14:53.123456 7 a.cc:1] x", "warning"),
        ("E1129 14:14:53.123456 7 a.cc:1] x", "error"),
        ("F1129 14:14:53.123456 7 a.cc:1] x", "critical"),
        ("thread '<unnamed>' panicked at src/x.rs:1:2:", "error"),
    ],
)
def test_a_line_of_grpc_says_itself_how_grave_it_is(log: io.BytesIO, line: str, level: str) -> None:
    native.said(line)
    assert [(each["level"], each["text"]) for each in records(log)] == [(level, line)]


def test_a_secret_in_a_line_is_not_told(log: io.BytesIO) -> None:
    native.said(f"panicked: {MNEMONIC}")
    native.said(f"{MNEMONIC} " * 2000)
    assert not {*MNEMONIC.split()} & {*log.getvalue().decode().split()}
    assert "[redacted]" in log.getvalue().decode()


def read(*parts: bytes) -> list[str]:
    found: list[str] = []
    ours, theirs = os.pipe()
    reader = threading.Thread(target=native.read, args=(ours, found.append, 1 << 20))
    reader.start()
    for part in parts:
        os.write(theirs, part)
    os.close(theirs)
    reader.join()
    return found


def test_lines_are_put_together_and_bounded() -> None:
    assert read(b"one\ntw", b"o\n\n  \nthree") == ["one", "two", "three"]
    assert read("\N{EURO SIGN}".encode()[:1], "\N{EURO SIGN}".encode()[1:], b"\xff\n") == ["\N{EURO SIGN}\ufffd"]
    head, *rest = read(*[b"x" * 4000] * 10, b"\nnext\n")
    assert (set(head), len(head), rest) == ({"x"}, 8192, ["next"])


def test_a_full_pipe_keeps_nobody_waiting_and_is_told(log: io.BytesIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main process is stopped: nobody reads."""
    going_on = threading.Event()
    read = native.read
    monkeypatch.setattr(native, "read", lambda *args: (going_on.wait(), read(*args)))
    before = LOG_LINES_LOST_TOTAL._value.get()
    lines = NativeLines()
    with lines.heard():
        refused = say("""
for _ in range(2000):
    try:
        os.write(2, b'x' * 1000 + b'\\n')
    except BlockingIOError:
        os._exit(7)
""")
    assert refused == 7
    going_on.set()
    lines.finish(60)
    found = records(log)
    assert found[0]["event"] == "native.lines_may_be_missing"
    assert len(found) > 50
    assert LOG_LINES_LOST_TOTAL._value.get() > before


def test_without_descriptors_a_worker_starts_all_the_same(
    log: io.BytesIO, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def none() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    lines = NativeLines()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pipe", none)
        heard = lines.heard()
        heard.__enter__()
    say(r"os.write(2, b'raw\n')")
    heard.__exit__(None, None, None)
    assert capfd.readouterr().err == "raw\n"
    assert [each["event"] for each in records(log)] == ["native.not_read"]
