"""Callers that want the same thing at the same moment, over REST and gRPC, all get it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from strongroom.operations.keyring import Keyring
from strongroom.operations.places import Place
from tests.support.service import RunningService

ONCE: dict[str, dict[str, Any]] = {
    "api_keys.revoke": {},
    "wallets.archive": {},
    "wallets.unarchive": {},
    "wallets.update": {"label": "one"},
    "addresses.derive": {"network": "ethereum", "scheme": "ledger-live", "index": 3},
    "accounts.get": {"network": "ethereum", "account": 44},
    "messages.sign": {"network": "ethereum", "format": "eip191", "message": "hello", "encoding": "text"},
}


@pytest.mark.parametrize("operation", ONCE)
async def test_everybody_gets_the_same(service: RunningService, operation: str) -> None:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    key = await service.http.call("api_keys.create", {"name": "x", "scopes": ["admin"]}, key=service.key)
    mine = {"key_id": key.result["id"]} if operation == "api_keys.revoke" else {"wallet_id": made.result["id"]}
    answers = await asyncio.gather(
        *(service.faces[n % 2].call(operation, mine | ONCE[operation], key=service.key) for n in range(10))
    )
    assert {answer.code for answer in answers} == {"ok"}
    created = [{**answer.result, "created_at": None} for answer in answers]
    assert all(result == created[0] for result in created)


async def test_each_of_two_revocations_is_audited_as_done(service: RunningService) -> None:
    key = await service.http.call("api_keys.create", {"name": "x", "scopes": ["admin"]}, key=service.key)
    mine = {"key_id": key.result["id"]}
    await asyncio.gather(*(face.call("api_keys.revoke", mine, key=service.key) for face in service.faces * 3))
    records = await service.audit(operation="api_keys.revoke")
    assert {record["outcome"] for record in records} == {"requested", "succeeded"}
    first, *others = [record["details"] for record in records if record["outcome"] == "succeeded"]
    assert first["wrote"]["api_keys"] == [{"id": key.result["id"], "revoked": True}]
    assert "already_done" not in first
    assert others
    assert others == [{"already_done": True, "wrote": {"epoch": 1}}] * len(others)


async def test_many_open_an_account_by_different_addresses(service: RunningService) -> None:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    where = {"wallet_id": made.result["id"], "network": "ethereum", "scheme": "ledger-live", "account": 0}
    answers = await asyncio.gather(
        *(service.faces[n % 2].call("addresses.derive", where | {"index": n}, key=service.key) for n in range(10))
    )
    assert {answer.code for answer in answers} == {"ok"}
    assert len({answer.result["address"] for answer in answers}) == 10


async def test_an_index_that_is_derived_while_it_is_handed_out_is_asked_for_again(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    where = {"wallet_id": made.result["id"], "network": "ethereum", "scheme": "ledger-live"}
    reserve = Keyring.reserve

    async def slow(keyring: Keyring, call: object, first: Place) -> Place:
        place = await reserve(keyring, call, first)  # type: ignore[arg-type]
        monkeypatch.setattr(Keyring, "reserve", reserve)
        await service.grpc.call("addresses.derive", where | {"index": place.at.index}, key=service.key)
        return place

    monkeypatch.setattr(Keyring, "reserve", slow)
    assert (await service.http.call("addresses.derive", where | {"index": 0}, key=service.key)).code == "ok"
    raced = await service.http.call("addresses.next", where, key=service.key, idempotency_key="next")
    assert (raced.code, raced.retries) == ("operation_in_flight", True)
    again = await service.http.call("addresses.next", where, key=service.key, idempotency_key="next")
    assert again.code == "ok"


async def test_every_address_that_was_handed_out_while_its_account_was_opened_can_be_looked_up(
    service: RunningService,
) -> None:
    made = await service.http.call("wallets.create", {"words": 12, "networks": ["ethereum"]}, key=service.key)
    where = {"wallet_id": made.result["id"], "network": "ethereum", "account": 7}
    answers = await asyncio.gather(
        *(service.faces[n % 2].call("addresses.derive", where | {"index": n}, key=service.key) for n in range(10))
    )
    assert {answer.code for answer in answers} == {"ok"}
    for answer in answers:
        asked = {"network": "ethereum", "address": answer.result["address"]}
        assert (await service.http.call("addresses.find", asked, key=service.key)).code == "ok"
