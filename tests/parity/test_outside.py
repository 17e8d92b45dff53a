"""Every operation, called by a restricted key for what is outside its restriction: status, body and audit, REST and
gRPC.

The commands are made from the registry, so a new operation is covered without further work. `test_restricted` tests
what lists and look-ups leave out, and how values are counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from strongroom.operations.registry import OPERATIONS, Operation
from tests.parity.aiming import aimed, audited_as, codes, takes
from tests.parity.story import MISSING, STRANGER, transfer
from tests.parity.test_restricted import restricted, touches, wallet
from tests.support.service import NewService, Outcome, RunningService, unwraps

NOWHERE = "no-such-network"
EVERY_STATUS = {
    "unauthenticated": (401, grpc.StatusCode.UNAUTHENTICATED),
    "forbidden": (403, grpc.StatusCode.PERMISSION_DENIED),
    "not_found": (404, grpc.StatusCode.NOT_FOUND),
    "unknown_network": (422, grpc.StatusCode.INVALID_ARGUMENT),
    "limit_exceeded": (422, grpc.StatusCode.FAILED_PRECONDITION),
    "rate_limited": (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
    "ok": (200, grpc.StatusCode.OK),
}
BEFORE_ITS_ITEMS = {"unauthenticated", "rate_limited"}
"""A batch is refused as a whole for these."""
WHOLE = "a caller restricted to certain wallets or networks cannot act for the whole tenant"
MOVES_NOTHING = {"messages.sign"}
"""A text: no value can leave by it, and there is nothing to decode."""
UNREADABLE: dict[str, Any] = {
    "unsigned_tx": transfer(gas="0x186a0", value="0x0", data="0x12345678"),
    "typed_data": {
        "types": {"EIP712Domain": [{"name": "chainId", "type": "uint256"}], "Odd": [{"name": "to", "type": "address"}]},
        "primaryType": "Odd",
        "domain": {"chainId": 1},
        "message": {"to": STRANGER},
    },
}
WHOLE_TENANT = {each.name for each in OPERATIONS if each.batch is None and touches(each).whole}
SIGNING = [each for each in OPERATIONS if each.scope.startswith("sign:")]
WITH_WALLET = [each for each in OPERATIONS if "wallet_id" in takes(each)]
WITH_NETWORK = [each for each in OPERATIONS if takes(each) & {"network", "networks"} and each.name not in WHOLE_TENANT]


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[RunningService]:
    """Without rate limits for what a test does often."""
    async with new_service(RATES__BROADCAST="off", RATES__CHAIN="off") as service:
        yield service


async def refused(
    service: RunningService, operation: Operation, command: dict[str, Any], key: str, code: str, reason: str | None
) -> list[Outcome]:
    """Calls over REST and gRPC, which must refuse alike. Only the items of a batch that was run are refused
    one by one.
    """
    answers = []
    for face, status in zip(service.faces, EVERY_STATUS[code], strict=True):
        answer = await face.call(operation.name, command, key=key, request_id=operation.name)
        assert codes(answer) == {code}, (operation.name, face.name, answer)
        if answer.code != "ok":
            assert answer.status == status, (operation.name, face.name)
        answers.append(answer)
    assert answers[0].shared == answers[1].shared, operation.name
    place = operation.name if code in BEFORE_ITS_ITEMS else audited_as(operation)
    records = [
        (each["outcome"], each["details"].get("reason"))
        for each in await service.audit(operation=place)
        if each["request_id"] == operation.name
    ]
    times = len(answers[0].result["results"]) if answers[0].code == "ok" else 1
    assert records == ([] if reason is None else [("denied", reason)] * 2 * times), operation.name
    return answers


def on(network: str) -> dict[str, Any]:
    return {"network": network, "networks": [network]}


async def test_a_wallet(service: RunningService) -> None:
    seen, hidden = await wallet(service), await wallet(service)
    key = await restricted(service, wallets=[seen])
    opened = unwraps()
    for operation in WITH_WALLET:
        command = aimed(operation, wallet_id=hidden)
        outside = await refused(service, operation, command, key, "not_found", "restriction: wallets")
        for face, answer in zip(service.faces, outside, strict=True):
            missing = await face.call(
                operation.name, aimed(operation, wallet_id=MISSING), key=key, request_id=operation.name
            )
            assert answer.raw == missing.raw, "what is hidden must look like what is missing"
    assert unwraps() == opened


async def test_a_network(service: RunningService) -> None:
    mine = await wallet(service)
    opened = unwraps()
    for operation in WITH_NETWORK:
        key = await restricted(service, networks=["tron"])
        command = aimed(operation, wallet_id=mine, **on("ethereum"))
        await refused(service, operation, command, key, "unknown_network", "restriction: networks")
        for text in ("ethereum", "eth", "eip155:1"):
            for face in service.faces:
                answer = await face.call(operation.name, aimed(operation, wallet_id=mine, **on(text)), key=key)
                missing = await face.call(operation.name, aimed(operation, wallet_id=mine, **on(NOWHERE)), key=key)
                assert answer.raw == missing.raw, (operation.name, text)
    assert unwraps() == opened


async def test_the_whole_tenant(service: RunningService) -> None:
    keys = [await restricted(service, networks=["tron"]), await restricted(service, wallets=[await wallet(service)])]
    for operation in OPERATIONS:
        if operation.batch is None and touches(operation).whole:
            await refused(service, operation, aimed(operation), keys[0], "forbidden", WHOLE)
            for face in service.faces:
                assert (await face.call(operation.name, aimed(operation), key=keys[1])).code == "forbidden"


async def test_a_client_network(service: RunningService) -> None:
    for operation in OPERATIONS:
        key = await restricted(service, client_networks=["192.0.2.0/24", "2001:db8::/32"])
        await refused(
            service, operation, aimed(operation), key, "unauthenticated", "address outside the key's client networks"
        )


async def test_a_rate(service: RunningService) -> None:
    """It is used up by a call that cannot be read, because that call counts too."""
    for operation in OPERATIONS:
        key = await restricted(service, rates={operation.limit: "1/day"})
        spent = await service.http.call(operation.name, aimed(operation) | {"nothing": "x"}, key=key)
        assert spent.code in ("malformed_request", "invalid_field"), (operation.name, spent)
        answers = await refused(service, operation, aimed(operation), key, "rate_limited", None)
        assert all(answer.retries for answer in answers)


@pytest.mark.parametrize("what", ["max_values", "unknown_calls"])
async def test_an_effect(service: RunningService, what: str) -> None:
    mine = await wallet(service)
    restriction: Any = {"max_values": {"eip155:1/slip44:60": "1"}, "unknown_calls": "refuse"}[what]
    key = await restricted(service, **{what: restriction})
    for operation in SIGNING:
        command = aimed(operation, wallet_id=mine, **(UNREADABLE if what == "unknown_calls" else {}))
        if operation.name in MOVES_NOTHING:
            for face in service.faces:
                assert (await face.call(operation.name, command, key=key)).code == "ok"
            continue
        opened = unwraps()
        await refused(service, operation, command, key, "limit_exceeded", f"restriction: {what}")
        assert unwraps() == opened, operation.name
