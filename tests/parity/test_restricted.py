"""Restricted API keys. What a key may not see is treated as if it did not exist, over REST and gRPC.

The matrix is made from the registry, so an operation that names wallets or networks is covered without being listed
here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest

from strongroom.access.scopes import SCOPES
from strongroom.entrypoints.binding import bind
from strongroom.operations.registry import OPERATIONS, Operation
from strongroom.operations.sight import Touches
from tests.parity.story import MISSING, MNEMONIC, PERMIT, STRANGER, transfer
from tests.parity.test_access import command_of
from tests.support.service import NewService, RunningService, key_id

NOWHERE = "no-such-network"
ETH = "eip155:1/slip44:60"
TOKEN = "0x" + "7e" * 20
GWEI_FEE = 21_000 * 2_000_000_000
"""The fee of `transfer`, in wei."""
FILTERED = {
    "wallets.list", "networks.list", "api_keys.create", "api_keys.list", "api_keys.revoke", "tasks.list", "tasks.retry",
    "tasks.cancel",
}  # fmt: skip
"""Operations that name no wallet or network, so each has its own test below."""


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[RunningService]:
    """Without a rate limit for what a test does often."""
    async with new_service(RATES__BROADCAST="off", RATES__CHAIN="off") as service:
        yield service


def touches(operation: Operation) -> Touches:
    command = msgspec.to_builtins(command_of(operation.name), builtin_types=(bytes,))
    return operation.touches(bind(command, operation.command))


WITH_WALLET = [each.name for each in OPERATIONS if each.batch is None and touches(each).wallets]
WITH_NETWORK = [each.name for each in OPERATIONS if each.batch is None and touches(each).networks]


async def restricted(service: RunningService, *, key: str | None = None, scopes: Any = None, **restriction: Any) -> str:
    made = await service.http.call(
        "api_keys.create",
        {"name": "restricted", "scopes": sorted(scopes or SCOPES), "restriction": restriction},
        key=key or service.key,
    )
    assert made.code == "ok", made
    return str(made.result["api_key"])


async def wallet(service: RunningService, **command: Any) -> str:
    made = await service.http.call("wallets.create", {"networks": ["ethereum"], **command}, key=service.key)
    assert made.code == "ok", made
    return str(made.result["id"])


async def denials(service: RunningService, operation: str) -> list[str]:
    return [
        record["details"]["reason"]
        for record in await service.audit(operation=operation)
        if record["outcome"] == "denied"
    ]


def test_every_operation_says_what_it_touches() -> None:
    """An operation that names neither must be listed here and have its own test."""
    silent = {each.name for each in OPERATIONS} - set(WITH_WALLET) - set(WITH_NETWORK)
    for operation in OPERATIONS:
        if operation.batch is not None:
            continue  # its items are operations that are covered here
        fields = set(operation.command.__struct_fields__)
        if "wallet_id" in fields:
            command = msgspec.defstruct("Any", [("wallet_id", UUID)])(UUID(int=1))
            assert operation.touches(command).wallets == {UUID(int=1)}, operation.name
        if "network" in fields:
            command = msgspec.defstruct("Any", [("network", str)])("x")
            assert operation.touches(command).networks == ("x",), operation.name
    silent -= {each.name for each in OPERATIONS if each.batch is not None or touches(each).whole}
    assert silent - {"wallets.create", "wallets.import", "audit.list", "addresses.list"} == FILTERED


async def test_key_of_this_client_network_is_a_key(service: RunningService) -> None:
    near = await restricted(service, client_networks=["127.0.0.0/8", "::1"])
    for face in service.faces:
        assert (await face.call("networks.list", {}, key=near)).code == "ok"


async def test_lists_hold_what_the_key_sees_in_pages_of_full_size(service: RunningService) -> None:
    made = [await wallet(service) for _ in range(5)]
    key = await restricted(service, wallets=[made[0], made[2], made[4]])
    for face in service.faces:
        first = await face.call("wallets.list", {"limit": 2}, key=key)
        assert [each["id"] for each in first.result["wallets"]] == [made[0], made[2]]
        rest = await face.call("wallets.list", {"limit": 2, "cursor": first.result["next_cursor"]}, key=key)
        assert [each["id"] for each in rest.result["wallets"]] == [made[4]]
        assert "next_cursor" not in rest.result
        records = (await face.call("audit.list", {"limit": 200}, key=key)).result["records"]
        assert {each["wallet_id"] for each in records} == {made[0], made[2], made[4]}
        assert (await face.call("wallets.create", {}, key=key)).code == "forbidden"
        assert (await face.call("wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC}, key=key)).code == "forbidden"


async def test_look_ups_find_what_the_key_sees(service: RunningService) -> None:
    made = await service.http.call("wallets.create", {"networks": ["ethereum", "tron"]}, key=service.key)
    mine, first = made.result["id"], made.result["addresses"][0]["address"]
    other = await wallet(service)
    seen, hidden = await restricted(service, wallets=[mine]), await restricted(service, wallets=[other])
    tron = await restricted(service, networks=["tron"])
    for face in service.faces:
        find = {"network": "ethereum", "address": first}
        assert (await face.call("addresses.find", find, key=seen)).code == "ok"
        outside = await face.call("addresses.find", find, key=hidden)
        missing = await face.call("addresses.find", find | {"address": STRANGER}, key=hidden)
        assert outside.shared == missing.shared
        assert outside.code == "not_found"
        listed = (await face.call("addresses.list", {"wallet_id": mine}, key=tron)).result["addresses"]
        assert {each["network"] for each in listed} == {"tron"}
        networks = (await face.call("networks.list", {}, key=tron)).result["networks"]
        assert [each["name"] for each in networks] == ["tron"]
        for record in (await face.call("audit.list", {"limit": 200}, key=tron)).result["records"]:
            assert record.get("network") in (None, "tron")


async def test_keys_and_work_of_others_are_not_there(service: RunningService) -> None:
    mine = await wallet(service)
    key = await restricted(service, wallets=[mine])
    child = (
        await service.http.call("api_keys.create", {"name": "child", "scopes": ["admin", "wallets:read"]}, key=key)
    ).result
    assert child["restriction"]["wallets"] == [mine]
    grandchild = (
        await service.grpc.call("api_keys.create", {"name": "below", "scopes": ["wallets:read"]}, key=child["api_key"])
    ).result
    for face in service.faces:
        first = (await face.call("api_keys.list", {"limit": 2}, key=key)).result
        rest = (await face.call("api_keys.list", {"limit": 2, "cursor": first["next_cursor"]}, key=key)).result
        ids = [each["id"] for each in first["api_keys"] + rest["api_keys"]]
        assert ids == [str(key_id(key)), child["id"], grandchild["id"]]
        outside = await face.call("api_keys.revoke", {"key_id": str(key_id(service.key))}, key=key)
        missing = await face.call("api_keys.revoke", {"key_id": MISSING}, key=key)
        assert outside.code == "not_found"
        assert outside.shared == missing.shared
        assert (await face.call("tasks.list", {}, key=key)).result.get("tasks", []) == []
        for name in ("tasks.retry", "tasks.cancel"):
            assert (await face.call(name, {"kind": "verify", "key": "audit"}, key=key)).code == "not_found"
    assert (await service.http.call("api_keys.revoke", {"key_id": grandchild["id"]}, key=key)).code == "ok"


WIDER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"networks": ["tron"]}, {"networks": ["tron", "ethereum"]}),
    ({"client_networks": ["127.0.0.0/8"]}, {"client_networks": ["126.0.0.0/7"]}),
    ({"client_networks": ["127.0.0.0/8"]}, {"client_networks": ["::1"]}),
    ({"rates": {"sign": "10/minute"}}, {"rates": {"sign": "10/second"}}),
    ({"rates": {"sign": "10/minute"}}, {"rates": {"sign": "off"}}),
    ({"unknown_calls": "refuse"}, {"rates": {"read": "off"}}),
    ({"max_values": {ETH: "5"}}, {"max_values": {ETH: "6"}}),
    ({"max_values": {ETH: "5"}}, {"max_values": {"eip155:137/slip44:60": "1"}}),
]


@pytest.mark.parametrize(("own", "asked"), WIDER, ids=str)
async def test_restricted_key_makes_no_wider_one(service: RunningService, own: Any, asked: Any) -> None:
    key = await restricted(service, **own)
    for face in service.faces:
        made = await face.call("api_keys.create", {"name": "x", "scopes": ["admin"], "restriction": asked}, key=key)
        assert made.code in ("forbidden", "unknown_network"), made
        assert made.code == "forbidden" or "networks" in own
        inherits = await face.call("api_keys.create", {"name": "x", "scopes": ["admin"]}, key=key)
        assert inherits.code == "ok"
        shown = (await service.http.call("api_keys.list", {"limit": 200}, key=service.key)).result["api_keys"]
        maker = next(each for each in shown if each["id"] == str(key_id(key)))
        assert inherits.result["restriction"] == maker["restriction"]


NARROWER: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"networks": ["tron", "ethereum"]}, {"networks": ["eth"]}, {"networks": ["eip155:1"]}),
    ({"client_networks": ["127.0.0.0/8"]}, {"client_networks": ["127.0.0.1"]}, {"client_networks": ["127.0.0.1/32"]}),
    ({"rates": {"sign": "9/hour"}}, {"rates": {"read": "1/hour"}}, {"rates": {"sign": "9/hour", "read": "1/hour"}}),
    ({"unknown_calls": "refuse"}, {"max_values": {ETH: "1"}}, {"unknown_calls": "refuse", "max_values": {ETH: "1"}}),
    ({"max_values": {ETH: "5"}}, {"max_values": {ETH: "4"}}, {"max_values": {ETH: "4"}}),
]  # fmt: skip


@pytest.mark.parametrize(("own", "asked", "expected"), NARROWER, ids=str)
async def test_restricted_key_makes_narrower_ones(
    service: RunningService, own: Any, asked: Any, expected: dict[str, Any]
) -> None:
    key = await restricted(service, **own)
    for face in service.faces:
        made = await face.call("api_keys.create", {"name": "x", "scopes": ["admin"], "restriction": asked}, key=key)
        assert made.code == "ok", made
        told = {name: value for name, value in made.result["restriction"].items() if value}
        assert told == expected


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"networks": [NOWHERE]}, "unknown_network"),
        ({"wallets": [MISSING]}, "not_found"),
        ({"client_networks": ["10.0.0.1/8"]}, "invalid_field"),
        ({"client_networks": ["0.0.0.0/0"]}, "invalid_field"),
        ({"client_networks": ["everywhere"]}, "invalid_field"),
        ({"rates": {"sign": "many"}}, "invalid_field"),
        ({"rates": {"everything": "1/second"}}, "invalid_field"),
        ({"unknown_calls": "allow"}, "invalid_field"),
        ({"max_values": {"ETH": "1"}}, "invalid_field"),
        ({"max_values": {ETH: "-1"}}, "invalid_field"),
        ({"max_values": {ETH: "1e3"}}, "invalid_field"),
        ({"max_values": {"eip155:1/erc20:0x12": "1"}}, "invalid_field"),
        ({"max_values": {"ton:mainnet/jetton:x": "1"}}, "invalid_field"),
    ],
    ids=str,
)
async def test_restriction_that_says_nothing_of_ours(service: RunningService, asked: Any, code: str) -> None:
    command = {"name": "x", "scopes": ["admin"], "restriction": asked}
    answers = [await face.call("api_keys.create", command, key=service.key) for face in service.faces]
    assert {answer.code for answer in answers} == {code}, answers
    assert answers[0].shared == answers[1].shared


async def sign(service: RunningService, key: str, name: str, wallet_id: str, **command: Any) -> list[str]:
    said = {"wallet_id": wallet_id, "network": "ethereum", **command}
    return [(await face.call(name, said, key=key)).code for face in service.faces]


async def test_no_more_than_its_values_leaves_a_wallet(service: RunningService) -> None:
    mine = await wallet(service)
    one = 10**18
    key = await restricted(service, max_values={ETH: str(one + GWEI_FEE)})
    less = await restricted(service, max_values={ETH: str(one + GWEI_FEE - 1)})
    none = await restricted(service, max_values={f"eip155:1/erc20:{TOKEN}": "1"})
    call = transfer(nonce="0x1", gas="0x186a0", value="0x0", data="0x12345678")
    token = "0xa9059cbb" + STRANGER[2:].rjust(64, "0") + f"{7:064x}"
    approval = "0x095ea7b3" + STRANGER[2:].rjust(64, "0") + f"{7:064x}"
    asset = f"eip155:1/erc20:{TOKEN}"
    tokens = await restricted(service, max_values={ETH: str(one), asset: "7"})
    few = await restricted(service, max_values={ETH: str(one), asset: "6"})
    for code, signer, unsigned in (
        ("ok", key, transfer()),
        ("limit_exceeded", less, transfer()),
        ("limit_exceeded", none, transfer(value="0x0")),
        ("limit_exceeded", key, call),
        ("limit_exceeded", key, transfer(nonce="0x2", gas="0x186a0", value="0x0", to=TOKEN, data=token)),
        ("ok", tokens, transfer(nonce="0x3", gas="0x186a0", value="0x0", to=TOKEN, data=token)),
        ("limit_exceeded", few, transfer(nonce="0x4", gas="0x186a0", value="0x0", to=TOKEN, data=token)),
        ("ok", tokens, transfer(nonce="0x5", gas="0x186a0", value="0x0", to=TOKEN, data=approval)),
        ("limit_exceeded", few, transfer(nonce="0x6", gas="0x186a0", value="0x0", to=TOKEN, data=approval)),
        ("limit_exceeded", key, transfer(nonce="0x7", gas="0x186a0", to=None, data="0x6000")),
    ):
        assert await sign(service, signer, "transactions.sign", mine, unsigned_tx=unsigned) == [code] * 2, unsigned
    assert set(await denials(service, "transactions.sign")) <= {"restriction: max_values", "restriction: unknown_calls"}
    text = {"format": "eip191", "message": "hello", "encoding": "text"}
    assert await sign(service, key, "messages.sign", mine, **text) == ["ok"] * 2
    assert await sign(service, key, "typed_data.sign", mine, typed_data=PERMIT) == ["limit_exceeded"] * 2
    delegation = {"chain_id": "1", "contract": STRANGER, "nonce": "9"}
    assert await sign(service, key, "authorizations.sign", mine, **delegation) == ["limit_exceeded"] * 2


async def test_key_that_refuses_what_it_cannot_read(service: RunningService) -> None:
    mine = await wallet(service)
    key = await restricted(service, unknown_calls="refuse")
    call = transfer(gas="0x186a0", value="0x0", data="0x12345678")
    assert await sign(service, key, "transactions.sign", mine, unsigned_tx=call) == ["limit_exceeded"] * 2
    assert await sign(service, key, "transactions.sign", mine, unsigned_tx=transfer()) == ["ok"] * 2
    assert (
        await sign(service, service.key, "transactions.sign", mine, unsigned_tx={**call, "nonce": "0x1"}) == ["ok"] * 2
    )


async def test_key_of_one_network_signs_nothing_for_all(service: RunningService) -> None:
    mine = await wallet(service)
    key = await restricted(service, networks=["ethereum"])
    everywhere = {"chain_id": "0", "contract": STRANGER, "nonce": "3"}
    assert await sign(service, key, "authorizations.sign", mine, **everywhere) == ["limit_exceeded"] * 2
    assert await sign(service, key, "authorizations.sign", mine, **{**everywhere, "chain_id": "1"}) == ["ok"] * 2


async def test_rates_of_a_key_and_of_a_wallet(new_service: NewService) -> None:
    async with new_service() as service:
        mine, other = await wallet(service), await wallet(service)
        slow = await restricted(service, rates={"read": "2/day"})
        get = {"wallet_id": mine}
        codes = [(await face.call("wallets.get", get, key=slow)).code for face in (*service.faces, *service.faces)]
        assert codes == ["ok", "ok", "rate_limited", "rate_limited"]
        limited = {"wallet_id": mine, "rates": {"read": "1/day"}}
        for face in service.faces:
            assert (await face.call("wallets.limit", limited, key=slow)).code == "forbidden"
            changed = await face.call("wallets.limit", limited, key=service.key)
            assert (changed.code, changed.result["rates"]) == ("ok", {"read": "1/day"})
        codes = [(await face.call("wallets.get", get, key=service.key)).code for face in service.faces]
        assert codes == ["ok", "rate_limited"]
        assert (await service.http.call("wallets.get", {"wallet_id": other}, key=service.key)).code == "ok"
        assert (await service.http.call("wallets.limit", get | {"rates": {}}, key=service.key)).code == "ok"
        assert (await service.http.call("wallets.get", get, key=service.key)).code == "ok"


async def test_new_restricted_key_is_the_same_in_the_answer_to_a_repeated_request(service: RunningService) -> None:
    command = {"name": "x", "scopes": ["admin"], "restriction": {"rates": {"sign": "1/day"}}}
    first = await service.http.call("api_keys.create", command, key=service.key, idempotency_key="once")
    again = await service.grpc.call("api_keys.create", command, key=service.key, idempotency_key="once")
    assert (again.result["id"], again.result["restriction"]) == (first.result["id"], first.result["restriction"])
    other = command | {"restriction": {"rates": {"sign": "2/day"}}}
    answer = await service.http.call("api_keys.create", other, key=service.key, idempotency_key="once")
    assert answer.code == "idempotency_mismatch"
