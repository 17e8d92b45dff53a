"""The traces of every operation over REST and gRPC, as a real OTLP receiver gets them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom.entrypoints.http.app import PREFIX
from strongroom.errors import every_error
from strongroom.operations.registry import OPERATIONS
from strongroom.storage.base import Unit, Wake
from strongroom.telemetry.metrics import TRACE_SPANS_TOTAL
from tests.parity.story import RAW_KEY, STORY, tell
from tests.support import otlp
from tests.support.otlp import Received, Receiver, Refusal
from tests.support.redis import RedisServer
from tests.support.server import free_port
from tests.support.service import OPERATION, RPC, Face, NewService

SERVER = 2
FAULTS = {error.code for error in every_error() if "code" in vars(error) and error.http_status >= 500}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with otlp.over_grpc() as receiver:
        yield receiver


def tracing(receiver: Receiver, **more: str) -> dict[str, str]:
    on = {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": receiver.endpoint, "TRACING__SAMPLE": "1"}
    return {
        **on,
        "VAULT__TIMEOUT": "30",
        **more,
    }  # Vault may be slow on a busy machine, and these tests are about spans


def trace_of(request_id: str) -> str:
    return f"{int(request_id.removeprefix('step-')) + 1:032x}"


def counted(result: str) -> float:
    return float(TRACE_SPANS_TOTAL.labels(result)._value.get())


def follow(face: Any) -> None:
    """As a caller does that traces its own work."""
    face.headers_for = lambda request_id: (
        {"traceparent": f"00-{trace_of(request_id)}-00000000000000aa-01"} if request_id.startswith("step-") else {}
    )


def root_of(spans: list[Received]) -> Received:
    [root] = [span for span in spans if span.kind == SERVER]
    return root


def name_over(face: Face, operation: str) -> str:
    row = OPERATION[operation]
    return f"{row.method} {PREFIX}{row.path}" if face.name == "http" else f"{RPC.full_name}/{row.rpc}"


@pytest.mark.parametrize("over", ["http", "grpc"])
async def test_each_operation_is_a_trace_of_its_steps(new_service: NewService, receiver: Receiver, over: str) -> None:
    async with new_service(**tracing(receiver)) as service:
        [face] = [face for face in service.faces if face.name == over]
        follow(face)
        await tell(service, face)
        key = service.key
    traces: dict[str, list[Received]] = {}
    for span in receiver.spans:
        traces.setdefault(span.trace, []).append(span)

    assert {step.operation for step in STORY if step.code == "ok"} == {operation.name for operation in OPERATIONS}
    steps: dict[str, set[str]] = {}
    for number, step in enumerate(STORY):
        spans = traces[trace_of(f"step-{number}")]
        root = root_of(spans)
        assert (root.name, root.parent, root.flags) == (name_over(face, step.operation), "00000000000000aa", 0x301)
        assert root.attributes["strongroom.operation"] == step.operation
        assert root.attributes["strongroom.code"] == step.code
        assert root.failed == (step.code in FAULTS), (step, root)
        by_id = {span.id: span for span in spans}
        assert len(by_id) == len(spans)
        for span in spans:
            if span is not root:
                parent = by_id[span.parent]
                assert parent.began <= span.began, (span, parent)
                assert span.ended <= root.ended, (span, root)
        if step.code == "ok":
            steps.setdefault(step.operation, set()).update(span.name for span in spans)
    for operation in OPERATIONS:
        named = steps[operation.name]
        assert {"authenticate", "limits", "bind"} <= named, operation.name
        if operation.opens_key and operation.mutates and operation.batch is None:
            assert {"T1", "commit.wait", "T2"} <= named, (operation.name, named)
    assert {"sign", "unwrap"} <= steps["transactions.sign"] | steps["messages.sign"]

    everything = b"".join(receiver.raw)
    for secret in ("test test", "junk", RAW_KEY, key, key.split("_")[2], "/wallets/0"):
        assert secret.encode() not in everything


@pytest.mark.parametrize("over", ["http", "grpc"])
async def test_a_signature_shows_its_commits(new_service: NewService, receiver: Receiver, over: str) -> None:
    async with new_service(**tracing(receiver)) as service:
        [face] = [face for face in service.faces if face.name == over]
        follow(face)
        await tell(service, face)
    number = next(n for n, step in enumerate(STORY) if (step.operation, step.code) == ("transactions.sign", "ok"))
    spans = receiver.of(trace_of(f"step-{number}"))
    root = root_of(spans)
    [first] = [span for span in spans if span.name == "T1"]
    [last] = [span for span in spans if span.name == "T2"]
    [sign] = [span for span in spans if span.name == "sign"]
    assert {first.parent, last.parent, sign.parent} == {root.id}
    assert first.ended <= sign.began <= sign.ended <= last.began
    for phase in (first, last):
        [waiting] = [span for span in spans if span.name == "commit.wait" and span.parent == phase.id]
        [(trace, of)] = waiting.links
        [commit] = [span for span in receiver.of(trace) if span.id == of]
        assert (commit.name, commit.parent) == ("commit", "")
        assert (waiting.trace, waiting.id) in commit.links
        assert commit.attributes["strongroom.units"] >= 1
        [written] = [span for span in receiver.of(trace) if span.name == "sql.write"]
        assert written.parent == commit.id
        assert waiting.began <= commit.began <= written.began <= written.ended <= commit.ended <= waiting.ended


async def test_a_call_with_a_key_shows_the_query_that_it_shared(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(**tracing(receiver)) as service:
        follow(service.http)
        made = await service.http.call(
            "wallets.create", {}, key=service.key, idempotency_key="key-1", request_id="step-1"
        )
        assert made.code == "ok"
    spans = receiver.of(trace_of("step-1"))
    [looked] = [span for span in spans if span.name == "idempotency"]
    [waiting] = [span for span in spans if span.name == "idempotency.wait"]
    assert waiting.parent == looked.id
    [(trace, of)] = waiting.links
    [query] = [span for span in receiver.of(trace) if span.id == of]
    assert (query.name, query.parent) == ("idempotency.keys", "")
    assert (waiting.trace, waiting.id) in query.links
    [read] = [span for span in receiver.of(trace) if span.name == "sql.read"]
    assert read.parent == query.id
    assert waiting.began <= query.began <= read.began <= read.ended <= query.ended <= waiting.ended


@pytest.mark.needs("redis")
async def test_vault_and_redis_are_asked_below_the_step_that_needs_them(
    new_service: NewService, receiver: Receiver, patient_redis: RedisServer, stack: str
) -> None:
    settings = tracing(receiver, REDIS__URL=patient_redis.url, SIGNER__TTL="0")
    async with new_service(**settings) as service:
        made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=service.key)
        follow(service.http)
        command = {
            "wallet_id": made.result["id"],
            "network": "ethereum",
            "message": "x",
            "format": "eip191",
            "encoding": "text",
        }
        assert (await service.http.call("messages.sign", command, key=service.key, request_id="step-0")).code == "ok"
    spans = receiver.of(trace_of("step-0"))
    [unwrap] = [span for span in spans if span.name == "unwrap"]
    [sign] = [span for span in spans if span.name == "sign"]
    assert unwrap.parent == sign.id
    assert [span.parent for span in spans if span.name == "vault"] == [unwrap.id] * (stack == "production")
    [limits] = [span for span in spans if span.name == "limits"]
    assert limits.id in {span.parent for span in spans if span.name == "redis"}


async def test_refusals_name_the_trace(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(**tracing(receiver)) as service:
        for number, face in enumerate(service.faces):
            follow(face)
            request_id = f"step-{number}"
            refused = await face.call("wallets.get", {"wallet_id": "nonsense"}, key=service.key, request_id=request_id)
            assert refused.code != "ok"
            assert trace_of(request_id).encode() in refused.raw
        missing = await service.http.client.get("/nowhere", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-00"})
        assert missing.json()["trace_id"] == "ab" * 16


async def test_metrics_name_a_trace_where_their_format_can(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(**tracing(receiver)) as service:
        for number, face in enumerate(service.faces):
            follow(face)
            assert (await face.call("networks.list", {}, key=service.key, request_id=f"step-{number}")).code == "ok"
        await asyncio.to_thread(receiver.wait, lambda spans: len([each for each in spans if each.kind == SERVER]) == 2)
        named: set[str] = set()
        async with asyncio.timeout(60):
            while len(named) < 2:  # they are known as soon as the receiver has responded
                headers = {"X-API-Key": service.key, "Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}
                answer = await service.http.client.get("/metrics", headers=headers)
                named = set(re.findall(r'_bucket\{.*\} .* # \{trace_id="(\w+)"\}', answer.text))
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert named == {trace_of("step-0"), trace_of("step-1")}
        plain = await service.http.client.get("/metrics", headers={"X-API-Key": service.key})
        assert plain.headers["content-type"].startswith("text/plain")
        assert "trace_id" not in plain.text


async def test_probes_leave_no_trace(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(**tracing(receiver)) as service:
        headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "x-api-key": service.key}
        for path in ("/health", f"{PREFIX}/health", "/health/live", "/health/ready", "/metrics", "/openapi.json"):
            assert (await service.http.client.get(path, headers=headers)).status_code == 200
        assert (await service.http.client.get("/nowhere", headers=headers)).status_code == 404
    assert [span.name for span in receiver.of("ab" * 16)] == ["GET unmatched"]


async def test_without_tracing_nothing_is_loaded_or_told(new_service: NewService, receiver: Receiver) -> None:
    async with new_service() as service:
        for face in service.faces:
            follow(face)
            refused = await face.call("wallets.get", {"wallet_id": "nonsense"}, key=service.key, request_id="step-1")
            assert b"trace_id" not in refused.raw
    assert receiver.spans == []


@pytest.mark.parametrize("how", ["away", "slow", "refusing"])
async def test_no_answer_waits_for_a_receiver(new_service: NewService, receiver: Receiver, how: str) -> None:
    """The slow one responds after the service has ended. Whoever waited for it would wait for ever."""
    asked, ended = threading.Event(), threading.Event()

    def answer() -> None:
        asked.set()
        if how == "refusing":
            raise Refusal
        ended.wait()

    receiver.answer = answer
    settings = tracing(receiver, TRACING__QUEUE="512")
    if how == "away":
        settings["TRACING__ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
    try:
        async with new_service(**settings) as service:
            begun = counted("not_begun")
            for number in range(400):  # more than the queue holds
                face = service.faces[number % 2]
                assert (await face.call("networks.list", {}, key=service.key)).code == "ok"
            if how != "away":
                assert await asyncio.to_thread(asked.wait, 60)
            if how == "slow":
                assert receiver.spans == []
                assert counted("not_begun") > begun
    finally:
        ended.set()


async def node(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[dict[str, str]]) -> None:
    """A fake node that responds with nothing readable, and keeps the headers."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
    heard.append({name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)})
    writer.write(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("over", ["http", "grpc"])
async def test_a_node_is_told_of_the_trace_if_that_is_configured(
    new_service: NewService, receiver: Receiver, tmp_path: Path, over: str, told: bool
) -> None:
    heard: list[dict[str, str]] = []
    server = await asyncio.start_server(lambda reader, writer: node(reader, writer, heard), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = tmp_path / "strongroom.toml"
    config.write_text(
        f'[[sources]]\nnetwork = "ethereum"\nname = "own"\nkind = "evm"\nurl = "http://127.0.0.1:{port}/secret-path"\n'
        f"traceparent = {str(told).lower()}\n"
    )
    async with server, new_service(**tracing(receiver), CONFIG=str(config)) as service:
        [face] = [face for face in service.faces if face.name == over]
        follow(face)
        found = await face.call("networks.head", {"network": "ethereum"}, key=service.key, request_id="step-0")
        assert found.code == "node_unavailable"
    spans = receiver.of(trace_of("step-0"))
    root = root_of(spans)
    by_id = {span.id: span for span in spans}
    calls = [span for span in spans if span.name == "node.http"]
    assert calls
    for call in calls:
        above = [by_id[call.parent]]
        while above[-1].parent in by_id:
            above.append(by_id[above[-1].parent])
        assert above[-1] is root
        asked = next(span for span in above if span.name == "node")
        assert asked.attributes["strongroom.network"] == "ethereum"
        assert asked.attributes["strongroom.source"] == "own"
        assert call.kind == 3
        assert call.attributes == {"http.request.method": "POST", "http.response.status_code": 503}
    if told:
        assert {each["traceparent"] for each in heard} <= {f"00-{call.trace}-{call.id}-01" for call in calls}
        assert len(heard) == len(calls)
    else:
        assert not any("traceparent" in each for each in heard)
    assert b"secret-path" not in b"".join(receiver.raw)


async def test_background_work_is_a_trace_of_its_own(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(**tracing(receiver), TASKS__POLL="0.5") as service:
        await service.admin.committer.commit(Unit(wakes=[Wake("verify", "audit")]))
        await asyncio.to_thread(receiver.wait, lambda spans: [span for span in spans if span.name == "task verify"])
    task = next(span for span in receiver.spans if span.name == "task verify")
    assert task.parent == ""
    assert task.attributes == {
        "strongroom.task.kind": "verify", "strongroom.task.attempts": 1, "strongroom.task.outcome": "ok",
    }  # fmt: skip
    assert {span.name for span in receiver.of(task.trace)} > {task.name, "commit.wait"}
