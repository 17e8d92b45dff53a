"""Spans on their way out, to a real receiver of OTLP."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from strongroom.telemetry import tracing
from strongroom.telemetry.exporting import Exporter
from strongroom.telemetry.metrics import TRACE_SPANS_TOTAL
from strongroom.telemetry.otlp import over_grpc, over_http
from tests.support import otlp
from tests.support.authority import Authority
from tests.support.otlp import Refusal
from tests.support.server import free_port
from tests.support.waiting import until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01"
FACES = {"grpc": (otlp.over_grpc, over_grpc), "http": (otlp.over_http, over_http)}


def counted(result: str) -> float:
    return TRACE_SPANS_TOTAL.labels(result)._value.get()


@contextmanager
def exporting(send: Any, **options: Any) -> Iterator[Exporter]:
    exporter = Exporter(send, {"service.name": "strongroom", "process.pid": 7}, **{"queue": 8192, **options})
    exporter.start()
    tracing.start(exporter, sample=1.0, follow=True)
    try:
        yield exporter
    finally:
        tracing.stop()
        exporter.close()


@pytest.mark.parametrize("face", FACES)
def test_spans_arrive_as_they_were(face: str) -> None:
    serve, connect = FACES[face]
    with serve() as receiver:
        send = connect(receiver.endpoint, lambda: {"X-Token": "abc"}, ca_file=None, timeout=30)
        before, began = counted("exported"), time.time_ns()
        with exporting(send, interval=0.05):
            with tracing.serve([SAMPLED]) as root:
                root.name = "GET /api/v1/wallets"
                with tracing.span("bind", tracing.CLIENT) as inner:
                    inner.note(network="ethereum", http_status=200)
                with pytest.raises(KeyError), tracing.span("fails"):
                    raise KeyError("a secret")
            [root_span] = receiver.wait(lambda spans: [each for each in spans if each.parent == "00f067aa0ba902b7"])
        ended = time.time_ns()
        assert counted("exported") == before + 3
    spans = {span.name: span for span in receiver.spans}
    assert spans.keys() == {"GET /api/v1/wallets", "bind", "fails"}
    assert {span.trace for span in receiver.spans} == {TRACE}
    assert {spans["bind"].parent, spans["fails"].parent} == {root_span.id}
    assert (root_span.kind, spans["bind"].kind, spans["fails"].kind) == (2, 3, 1)
    assert spans["bind"].attributes == {"strongroom.network": "ethereum", "http.response.status_code": 200}
    assert spans["fails"].attributes == {"error.type": "KeyError"}
    assert [spans[name].failed for name in ("bind", "fails")] == [False, True]
    assert (root_span.flags, spans["bind"].flags) == (0x301, 0x101)
    for span in receiver.spans:
        assert began - 5_000_000 <= span.began <= span.ended <= ended + 5_000_000
    assert receiver.resources[0] == {"service.name": "strongroom", "process.pid": 7}
    assert {name.lower(): value for name, value in receiver.headers[0].items()}["x-token"] == "abc"
    assert b"secret" not in b"".join(receiver.raw)


def test_links_arrive() -> None:
    with otlp.over_grpc() as receiver:
        send = over_grpc(receiver.endpoint, dict, ca_file=None, timeout=30)
        with exporting(send, interval=0.05):
            with tracing.serve([SAMPLED]), tracing.span("wait") as span:
                pass
            waiting = type("Waiting", (), {"span": span})
            with tracing.join("commit", [waiting]):
                pass
            commit = receiver.wait(lambda spans: [each for each in spans if each.name == "commit"])[0]
    assert [trace for trace, _ in commit.links] == [TRACE]


def test_names_and_values_that_are_not_ours_do_not_leave() -> None:
    hostile = ["line\nfeed", "x" * 97, "ключ", "a=b;c", "", "https://user:pw@node.example/key?x"]
    with otlp.over_grpc() as receiver:
        send = over_grpc(receiver.endpoint, dict, ca_file=None, timeout=30)
        with exporting(send, interval=0.05):
            for each in hostile:
                with tracing.serve([SAMPLED]) as root:
                    root.name = each
                    root.note(network=each, of_nobody="ok")
                    root.fail(each)
            receiver.wait(lambda spans: len(spans) == len(hostile))
    assert {span.name for span in receiver.spans} == {"unnamed"}
    assert all(span.attributes == {} for span in receiver.spans)


def spans(count: int) -> None:
    for _ in range(count):
        with tracing.serve([SAMPLED]):
            pass


@pytest.mark.parametrize("face", FACES)
def test_a_receiver_that_is_away_costs_the_spans_and_nothing_else(face: str) -> None:
    send = FACES[face][1](f"http://127.0.0.1:{free_port()}", dict, ca_file=None, timeout=30)
    failed, lost = counted("failed"), counted("not_begun")
    with exporting(send, interval=0.01, queue=600):
        spans(5000)
        assert counted("not_begun") - lost >= 3000
        until(lambda: counted("failed") > failed)
    assert counted("failed") - failed + counted("not_begun") - lost <= 5000


def test_a_receiver_that_hangs_holds_up_nobody() -> None:
    hold = threading.Event()
    with otlp.over_grpc() as receiver:
        receiver.answer = lambda: hold.wait(60)
        send = over_grpc(receiver.endpoint, dict, ca_file=None, timeout=60)
        lost, cut = counted("not_begun"), counted("no_room")
        with exporting(send, interval=0.01, queue=600) as exporter:
            spans(2000)
            assert counted("not_begun") - lost >= 2000 - 600 - 512
            with tracing.serve([SAMPLED]):
                pass
            waiting = len(exporter._queue)
            for _ in range(600 - waiting + 3):
                exporter.take(exporter._queue[0])
            assert counted("no_room") == cut + 3
            assert len(exporter._queue) <= 600
            hold.set()
            receiver.wait(lambda found: len(found) >= 600)


@pytest.mark.parametrize("face", FACES)
def test_a_refusal_that_passes_is_tried_again_and_one_that_does_not_is_not(face: str) -> None:
    serve, connect = FACES[face]
    with serve() as receiver:
        answers = [Refusal(), Refusal(grpc.StatusCode.PERMISSION_DENIED, 403)]
        asked = []

        def answer() -> None:
            asked.append(1)
            if len(asked) in (1, 3):
                raise answers[len(asked) // 2]

        receiver.answer = answer
        send = connect(receiver.endpoint, dict, ca_file=None, timeout=30)
        failed = counted("failed")
        with exporting(send, interval=0.01):
            spans(1)
            receiver.wait(lambda found: len(found) == 1)
            assert counted("failed") == failed
            spans(1)
            until(lambda: counted("failed") == failed + 1)
            assert len(asked) == 3
            spans(1)
            receiver.wait(lambda found: len(found) == 2)


def test_what_the_receiver_rejects_is_counted() -> None:
    with otlp.over_grpc() as receiver:
        receiver.rejects = 2
        send = over_grpc(receiver.endpoint, dict, ca_file=None, timeout=30)
        before = counted("rejected"), counted("exported")
        with exporting(send, interval=30):
            spans(3)
        assert (counted("rejected"), counted("exported")) == (before[0] + 2, before[1] + 1)


def test_a_full_disk_under_the_exemplars_does_not_end_the_exports() -> None:
    written = []

    def full(batch: Sequence[tracing.Span]) -> None:
        written.append(len(batch))
        raise OSError(errno.ENOSPC, "No space left on device")

    with otlp.over_grpc() as receiver:
        send = over_grpc(receiver.endpoint, dict, ca_file=None, timeout=30)
        with exporting(send, interval=0.01, exported=full):
            spans(1)
            until(lambda: written == [1])
            spans(1)
            until(lambda: written == [1, 1])


def test_what_waits_at_the_end_is_sent() -> None:
    with otlp.over_http() as receiver:
        send = over_http(receiver.endpoint, dict, ca_file=None, timeout=30)
        with exporting(send, interval=60):
            spans(700)
        assert len(receiver.spans) == 700


def test_over_tls_only_the_authority_that_is_configured_counts(tmp_path: Path) -> None:
    authority, ca_file = Authority(), tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate)
    issued = authority.server()
    with otlp.over_grpc(credentials=grpc.ssl_server_credentials([(issued.key, issued.certificate)])) as receiver:
        endpoint = f"https://127.0.0.1:{receiver.port}"
        with exporting(over_grpc(endpoint, dict, ca_file=ca_file, timeout=30), interval=0.01):
            spans(1)
            receiver.wait(lambda found: len(found) == 1)
        failed = counted("failed")
        with exporting(over_grpc(endpoint, dict, ca_file=None, timeout=5), interval=0.01) as exporter:
            spans(1)
            exporter.close(60)
        assert counted("failed") == failed + 1
        assert len(receiver.spans) == 1
