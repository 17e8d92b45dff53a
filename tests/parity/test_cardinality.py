"""Callers decide no label. Whatever they send, the metrics have only series from a fixed list."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from strongroom.entrypoints.http.app import PREFIX
from strongroom.errors import every_error
from strongroom.operations.registry import OPERATIONS
from tests.parity.test_access import command_of
from tests.support.grpc_calls import unary
from tests.support.service import RPC, GrpcFace, HttpFace, RunningService

MARK = "hostile"
CODES = {error.code for error in every_error() if "code" in vars(error)} | {"ok", "cancelled"}
ROUTES = {PREFIX + operation.path for operation in OPERATIONS}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
WORDS = {
    "operation": {operation.name for operation in OPERATIONS} | {"metrics.read", "health.read"},
    "code": CODES | {code.name for code in grpc.StatusCode},
    "method": METHODS | {operation.rpc for operation in OPERATIONS},
    "status": {str(status.value) for status in HTTPStatus},
}


def hostile() -> str:
    """Text that nobody sent before."""
    return MARK + secrets.token_hex(8) + random.choice(["", '"', "\n", "{}", "\\", "é", "/" * 9, " " * 99])


def spoilt(command: Any) -> Iterator[dict[str, Any]]:
    """The command itself, and the command with each of its fields made hostile."""
    yield dict(command)
    for name in command:
        yield {**command, name: hostile()}
    yield {**command, hostile(): hostile()}
    yield {name: hostile() for name in command}


Series = dict[str, set[tuple[tuple[str, str], ...]]]


@pytest.fixture
def others() -> Series:
    """The series of other tests in this process, some of which have operations of their own."""
    return series()


def series() -> Series:
    return {
        family.name: {
            tuple(sorted((name, str(value)) for name, value in each.labels.items())) for each in family.samples
        }
        for family in REGISTRY.collect()
        if family.name.startswith("strongroom_")
    }


def check(others: Series) -> None:
    for metric, found in series().items():
        for labels in found - others.get(metric, set()):
            for name, value in labels:
                assert MARK not in value, (metric, labels)
                if name in WORDS:
                    assert value in WORDS[name], (metric, labels)
        assert len(found) < 20_000, metric
    routes = {dict(labels)["route"] for labels in series()["strongroom_http_requests"] if labels}
    assert {route for route in routes if route.startswith(PREFIX)} <= ROUTES | {PREFIX + "/health"}


async def over_http(face: HttpFace, operation: str, command: dict[str, Any], key: str) -> None:
    row = next(each for each in OPERATIONS if each.name == operation)
    path = row.path.replace("{", "").replace("}", hostile().encode().hex())
    headers = {
        "X-API-Key": key, "X-Request-ID": hostile().strip().encode().hex(), "Idempotency-Key": secrets.token_hex(8),
        "User-Agent": hostile().encode().hex(),
        "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        "X-Forwarded-For": f"10.0.{random.randrange(255)}.{random.randrange(255)}", "Content-Type": "application/json",
    }  # fmt: skip
    for method in (row.method, MARK.upper() + secrets.token_hex(4)):
        await face.client.request(method, PREFIX + path, headers=headers, content=json.dumps(command))


async def over_grpc(face: GrpcFace, operation: str, key: str) -> None:
    name = next(each.rpc for each in OPERATIONS if each.name == operation)
    for method in (name, MARK + secrets.token_hex(4)):
        send = unary(face.channel, f"/{RPC.full_name}/{method}")
        with pytest.raises(grpc.aio.AioRpcError):
            await send(b"\x0a\x08" + hostile().encode(), metadata=[("x-api-key", key), ("x-request-id", MARK)])


async def test_hostile_input_over_every_operation_makes_no_series(service: RunningService, others: Series) -> None:
    grown: list[int] = []
    for _ in range(3):
        for operation in OPERATIONS:
            for command in spoilt(command_of(operation.name)):
                for face in service.faces:
                    with suppress(TypeError, ValueError):  # no protobuf message has such a field
                        await face.call(operation.name, command, key=service.key, request_id=secrets.token_hex(8))
            await over_http(service.http, operation.name, {hostile(): hostile()}, service.key)
            await over_grpc(service.grpc, operation.name, service.key)
        check(others)
        grown.append(sum(map(len, series().values())))
    assert grown[2] - grown[1] < 50, "what is hostile anew makes new series"
