"""Rates, deadlines, and input that only REST or only gRPC can express: the same refusal, and nothing half done."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest

from strongroom.keys.seeded import SeededSigner
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import transfer
from tests.parity.test_access import command_of
from tests.support.grpc_calls import unary
from tests.support.service import RPC, NewService, RunningService


@pytest.mark.parametrize("limited", sorted({operation.limit for operation in OPERATIONS}))
async def test_rate_is_one_window_for_both_faces(new_service: NewService, limited: str) -> None:
    setting = {f"RATES__{limited.upper()}": "2/day"}
    async with new_service(**setting) as service:
        names = [operation.name for operation in OPERATIONS if operation.limit == limited]
        command = command_of(names[0])
        for face in service.faces:
            assert (await face.call(names[0], command, key=service.key)).code != "rate_limited"
        refused = [await face.call(name, command_of(name), key=service.key) for name in names for face in service.faces]
        assert {answer.code for answer in refused} == {"rate_limited"}
        assert {answer.retries for answer in refused} == {True}
        assert len({answer.message for answer in refused}) == 1

        mate = await service.new_key()
        assert (await service.grpc.call(names[0], command, key=mate)).code != "rate_limited"
        elsewhere = next(operation.name for operation in OPERATIONS if operation.limit != limited)
        assert (await service.http.call(elsewhere, command_of(elsewhere), key=service.key)).code != "rate_limited"


async def test_who_is_not_known_uses_up_nothing(new_service: NewService) -> None:
    async with new_service(RATES__READ="1/day") as service:
        for face in service.faces:
            assert (await face.call("networks.list", {}, key=None)).code == "unauthenticated"
        assert (await service.grpc.call("networks.list", {}, key=service.key)).code == "ok"


@pytest.fixture
def stuck_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(SeededSigner, "create", never)


async def ends(service: RunningService) -> list[tuple[str, str]]:
    return [
        (record["outcome"], record.get("details", {}).get("error", ""))
        for record in await service.audit(operation="wallets.create")
    ]


async def test_operation_that_takes_too_long(new_service: NewService, stuck_signer: None) -> None:
    async with new_service(TIMEOUTS__OPERATION="0.15") as service:
        by_http, by_grpc = [await face.call("wallets.create", {}, key=service.key) for face in service.faces]
        assert by_http.shared == by_grpc.shared
        assert by_http.code == "deadline_exceeded"
        assert (by_http.status, by_grpc.status) == (504, grpc.StatusCode.DEADLINE_EXCEEDED)
        assert await ends(service) == [("requested", ""), ("failed", "cancelled")] * 2


async def test_caller_who_goes_away(service: RunningService, stuck_signer: None) -> None:
    """The call is cancelled, and what it began is settled as failed."""
    method = unary(service.grpc.channel, f"/{RPC.full_name}/CreateWallet")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(b"", metadata=[("x-api-key", service.key)], timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(120):
        while len(await ends(service)) != 2:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.02)
    assert await ends(service) == [("requested", ""), ("failed", "cancelled")]


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("/wallets", {"words": "12"}, "malformed_request", "words"),
        ("/wallets", {"words": 12.0}, "malformed_request", "words"),
        ("/wallets", {"words": True}, "malformed_request", "words"),
        ("/wallets", {"nothing": 1}, "malformed_request", None),
        ("/wallets", {"networks": "ethereum"}, "malformed_request", "networks"),
        ("/wallets/import", {}, "malformed_request", "kind"),
        ("/networks/ethereum/decode", {"unsigned_tx": 1}, "malformed_request", "unsigned_tx"),
        ("/networks/ethereum/decode", {"unsigned_tx": transfer(value=1.5)}, "invalid_transaction", None),
        ("/networks/ethereum/decode", {"unsigned_tx": transfer(gas=1e3)}, "invalid_transaction", None),
    ],
    ids=str,
)
async def test_wrong_types_of_json(
    service: RunningService, path: str, body: dict[str, Any], code: str, field: str | None
) -> None:
    answer = await service.http.client.post(
        f"/api/v1{path}",
        headers={"X-API-Key": service.key, "Content-Type": "application/json"},
        content=json.dumps(body),
    )
    problem = answer.json()
    assert problem["code"] == code
    if field is not None:
        assert problem["field"] == field
    assert await service.audit() == []


@pytest.mark.parametrize(
    "raw", [b"\xfa\x3f\x01x", b"\x10\xff", b"\x0a\xff", b"\x12\x01x"], ids=["unknown", "cut", "long", "wire type"]
)
async def test_wrong_bytes_of_protobuf(service: RunningService, raw: bytes) -> None:
    method = unary(service.grpc.channel, f"/{RPC.full_name}/CreateWallet")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(raw, metadata=[("x-api-key", service.key)])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await service.audit() == []
