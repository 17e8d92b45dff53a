"""The queue before the log: bounded, never in the way, and anew in a forked child."""

from __future__ import annotations

import fcntl
import io
import json
import os
import threading

from strongroom.telemetry import logging
from strongroom.telemetry.lines import DirectLines, QueuedLines
from tests.support.waiting import until


def read_all(reader: int) -> list[bytes]:
    with os.fdopen(reader, "rb") as out:
        return out.readlines()


def test_lines_come_out_whole_and_in_order() -> None:
    reader, writer = os.pipe()
    lines = QueuedLines(writer)
    for each in range(1000):
        lines.write(b"%d" % each)
    lines.flush(60)
    os.close(writer)
    with os.fdopen(reader, "rb") as out:
        assert out.read() == b"".join(b"%d\n" % each for each in range(1000))
    assert lines.lost == 0


def test_a_reader_that_does_not_read_costs_lines_and_no_time() -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    lines = QueuedLines(writer, lines=100)
    for _ in range(5000):
        lines.write(b"x" * 100)
    assert lines.lost > 0

    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(read_all(reader)))
    thread.start()
    lines.flush(60)
    os.close(writer)
    thread.join()
    assert len(got) + lines.lost == 5000
    assert set(got) == {b"x" * 100 + b"\n"}


def test_bytes_are_bounded_too() -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    lines = QueuedLines(writer, size=1 << 20)
    for _ in range(20):
        lines.write(b"x" * 100_000)
    assert lines.lost >= 9
    os.close(reader)


def test_a_reader_that_is_gone_loses_lines_and_raises_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    lines = QueuedLines(writer)
    for _ in range(10):
        lines.write(b"x")
    until(lambda: lines.lost == 10)
    os.close(writer)


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    lines = QueuedLines(writer)
    for _ in range(200):
        lines.write(b"x" * 100)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(read_all(reader)))
    thread.start()
    lines.flush(60)
    os.close(writer)
    thread.join()
    assert len(got) == 200
    assert lines.lost == 0


def test_a_forked_child_has_a_queue_and_a_thread_of_its_own() -> None:
    reader, writer = os.pipe()
    lines = QueuedLines(writer)
    lines.write(b"parent")
    lines.flush(60)
    child = os.fork()
    if child == 0:
        lines.write(b"child")
        lines.flush(60)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    lines.write(b"parent again")
    lines.flush(60)
    os.close(writer)
    with os.fdopen(reader, "rb") as out:
        assert out.read().splitlines() == [b"parent", b"child", b"parent again"]


def test_a_stream_that_is_closed_raises_nothing() -> None:
    stream = io.BytesIO()
    lines = DirectLines(stream)
    stream.close()
    lines.write(b"x")
    lines.flush()
    assert lines.lost == 1


def test_an_event_that_cannot_be_rendered_says_so_and_raises_nothing() -> None:
    class Odd(dict[str, str]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError("no")

    stream = io.BytesIO()
    logging.configure(stream=stream)
    import structlog

    structlog.get_logger("odd").info("something", odd=Odd())
    line = json.loads(stream.getvalue())
    assert line["event"] == "log.unrenderable"
    assert line["error"] == "RuntimeError"
