"""Batches of restricted keys: each item is judged by itself, as if it had been sent alone."""

from __future__ import annotations

from typing import Any

from tests.parity.aiming import codes
from tests.parity.story import MISSING, transfer
from tests.parity.test_restricted import ETH, GWEI_FEE, restricted, wallet
from tests.support.service import OTHER_TENANT, NewService, Outcome, RunningService, unwraps

ONE = 10**18


def item(wallet_id: str, nonce: int, **more: Any) -> dict[str, Any]:
    changes = {name: more.pop(name) for name in ("value", "data", "gas", "to") if name in more}
    unsigned = transfer(nonce=hex(nonce), **changes)
    return {"wallet_id": wallet_id, "network": "ethereum", "unsigned_tx": unsigned, **more}


def each(answer: Outcome) -> list[str]:
    assert answer.code == "ok", answer
    return [one["error"]["code"] if one["status"] == "error" else "ok" for one in answer.result["results"]]


async def test_items_outside_are_refused_one_by_one_and_the_others_are_done(service: RunningService) -> None:
    mine, hidden = await wallet(service), await wallet(service)
    theirs = await service.new_key(tenant=OTHER_TENANT)
    made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=theirs)
    call = {"gas": "0x186a0", "value": "0x0", "data": "0x12345678"}
    for first, face in zip((0, 10), service.faces, strict=True):
        key = await restricted(service, wallets=[mine], networks=["ethereum"], max_values={ETH: str(ONE + GWEI_FEE)})
        answer = await face.call("transactions.sign_batch", {"items": [
            item(mine, first),
            item(hidden, 0),
            item(made.result["id"], 0),
            item(MISSING, 0),
            item(mine, first + 1, network="polygon"),
            item(mine, first + 2, value=hex(ONE + 1)),
            item(mine, first + 3, **call),
            item(mine, first + 4, options={"replaces": "0x00"}, value=hex(ONE + 1)),
            item(mine, first + 5),
        ]}, key=key, request_id=f"mixed-{face.name}")  # fmt: skip
        assert each(answer) == [
            "ok", "not_found", "not_found", "not_found", "unknown_network", "limit_exceeded", "limit_exceeded",
            "limit_exceeded", "ok",
        ], face.name  # fmt: skip
        errors = [one.get("error") for one in answer.result["results"]]
        assert errors[1] == errors[2] == errors[3], "what is hidden looks like what is missing"
        told = [
            record["details"].get("reason")
            for record in await service.audit(operation="transactions.sign", outcome="denied")
            if record["request_id"] == f"mixed-{face.name}"
        ]
        assert sorted(told) == sorted(
            ["restriction: wallets"] * 3 + ["restriction: networks"] + ["restriction: max_values"] * 3
        )


async def test_items_of_the_other_batches(service: RunningService) -> None:
    mine, hidden = await wallet(service), await wallet(service)
    of_wallet = await restricted(service, wallets=[mine])
    of_network = await restricted(service, networks=["tron"])
    opened = unwraps()
    for face in service.faces:
        ask = {"wallet_id": hidden, "network": "ethereum", "count": 3}
        assert each(await face.call("addresses.next_batch", ask, key=of_wallet)) == ["not_found"] * 3
        assert each(await face.call("addresses.next_batch", ask, key=of_network)) == ["unknown_network"] * 3
        assert each(await face.call("wallets.create_batch", {"count": 2}, key=of_wallet)) == ["forbidden"] * 2
    assert unwraps() == opened
    for face in service.faces:
        items = [{"networks": ["tron"]}, {"networks": ["tron", "ethereum"]}, {"networks": ["nowhere"]}]
        answer = await face.call("wallets.create_batch", {"items": items}, key=of_network)
        assert each(answer) == ["ok", "unknown_network", "unknown_network"]
        fine = await face.call("addresses.next_batch", ask | {"wallet_id": mine}, key=of_wallet)
        assert each(fine) == ["ok"] * 3


async def test_rates_count_items(new_service: NewService, counting: dict[str, str]) -> None:
    async with new_service(**counting) as service:
        mine, other = await wallet(service), await wallet(service)
        key = await restricted(service, rates={"sign": "5/day"})
        for n, expected in enumerate((["ok"] * 3, "rate_limited", ["ok"] * 2, "rate_limited")):
            face = service.faces[n % 2]
            size = 3 if n < 2 else 2
            answer = await face.call(
                "transactions.sign_batch", {"items": [item(mine, n * 10 + at) for at in range(size)]}, key=key
            )
            assert (each(answer) if answer.code == "ok" else answer.code) == expected, n

        limited = {"wallet_id": mine, "rates": {"sign": "2/day"}}
        assert (await service.http.call("wallets.limit", limited, key=service.key)).code == "ok"
        for n, face in enumerate(service.faces):
            items = [item(mine, 100 + n), item(other, n)]
            assert each(await face.call("transactions.sign_batch", {"items": items}, key=service.key)) == ["ok"] * 2
        for n, face in enumerate(service.faces):
            items = [item(mine, 110 + n), item(other, 10 + n), item(MISSING, 0)]
            answer = await face.call("transactions.sign_batch", {"items": items}, key=service.key)
            assert each(answer) == ["rate_limited", "ok", "not_found"], "the wallet whose rate is used up"


async def test_a_hidden_wallet_is_not_charged_for_who_may_not_see_it(
    new_service: NewService, counting: dict[str, str]
) -> None:
    """Otherwise a key without rights could keep others from using it."""
    async with new_service(**counting) as service:
        mine, hidden = await wallet(service), await wallet(service)
        key = await restricted(service, wallets=[mine])
        limited = {"wallet_id": hidden, "rates": {"sign": "2/day", "read": "2/day"}}
        assert (await service.http.call("wallets.limit", limited, key=service.key)).code == "ok"
        for face in service.faces:
            for _ in range(3):
                assert (await face.call("wallets.get", {"wallet_id": hidden}, key=key)).code == "not_found"
                refused = await face.call("transactions.sign_batch", {"items": [item(hidden, 0)]}, key=key)
                assert each(refused) == ["not_found"]
        for n, face in enumerate(service.faces):
            assert (await face.call("wallets.get", {"wallet_id": hidden}, key=service.key)).code == "ok"
            signed = await face.call("transactions.sign_batch", {"items": [item(hidden, n)]}, key=service.key)
            assert each(signed) == ["ok"]


async def test_a_batch_that_cannot_be_read_is_charged(new_service: NewService, counting: dict[str, str]) -> None:
    async with new_service(**counting) as service:
        key = await restricted(service, rates={"create": "2/day"})
        for face in service.faces:
            assert (
                await face.call("wallets.create_batch", {"items": [{}], "count": 1}, key=key)
            ).code == "invalid_field"
        for face in service.faces:
            assert (await face.call("wallets.create_batch", {"count": 1}, key=key)).code == "rate_limited"


async def test_an_idempotency_key_of_another_key_gives_nothing(service: RunningService) -> None:
    """Neither what was made with it, nor that it was used."""
    mine = await wallet(service)
    key = await restricted(service, wallets=[mine], max_values={ETH: "1"})
    single = {"wallet_id": mine, "network": "ethereum", "unsigned_tx": transfer()}
    for face, name, command in (
        (service.http, "transactions.sign", single),
        (service.grpc, "transactions.sign_batch", {"items": [single | {"unsigned_tx": transfer(nonce="0x1")}]}),
    ):
        assert codes(await face.call(name, command, key=service.key, idempotency_key=name)) == {"ok"}
        for each_face in service.faces:
            again = await each_face.call(name, command, key=key, idempotency_key=name)
            assert codes(again) == {"limit_exceeded"}, name
            elsewhere = await each_face.call(name, command, key=service.key, idempotency_key=name)
            assert codes(elsewhere) == {"ok"}


async def test_other_spellings_of_a_hidden_wallet_are_hidden(service: RunningService) -> None:
    mine, hidden = await wallet(service), await wallet(service)
    key = await restricted(service, wallets=[mine])
    for text in (hidden.upper(), hidden.replace("-", "")):
        for face in service.faces:
            for name in ("wallets.get", "addresses.list"):
                refused = await face.call(name, {"wallet_id": text}, key=key)
                assert refused.code in ("not_found", "malformed_request"), (face.name, text, refused)
    for text in (f"{mine}/../{hidden}", f"../wallets/{hidden}", f"{mine}/..%2f{hidden}", f"{hidden}\u200b"):
        for face in service.faces:
            refused = await face.call("wallets.get", {"wallet_id": text}, key=key)
            assert refused.code in ("malformed_request", "route_not_found", "invalid_field"), (face.name, text, refused)
