"""Batches on a complete service: a result for each item, whatever is wrong with the others, and what a repeat does."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom.operations.counters import Counters
from strongroom.telemetry.metrics import COMMIT_SECONDS, KEYWRAP_CALLS_TOTAL
from tests.support import openbao, postgres, stack
from tests.support.openbao import OpenBao
from tests.support.other_chains import transactions
from tests.support.service import NewService, RunningService, running

MNEMONIC = "test test test test test test test test test test test junk"
STRANGER = "0x3535353535353535353535353535353535353535"
MISSING = "00000000-0000-4000-8000-000000000000"
PATIENT = {"TIMEOUTS__OPERATION": "300", "RATES__SIGN": "off", "RATES__CREATE": "off", "RATES__ADDRESS": "off"}


def transfer(nonce: int, **changes: Any) -> dict[str, Any]:
    return {
        "type": "0x2", "chainId": "0x1", "nonce": hex(nonce), "gas": "0x5208", "maxFeePerGas": "0x77359400",
        "maxPriorityFeePerGas": "0x3b9aca00", "to": STRANGER, "value": "0x1", **changes,
    }  # fmt: skip


async def imported(service: RunningService, passphrase: str = "") -> str:
    fields = {"kind": "bip39", "mnemonic": MNEMONIC, "passphrase": passphrase, "networks": ["ethereum"]}
    found = await service.http.call("wallets.import", fields, key=service.key)
    assert found.code == "ok", found
    return str(found.result["id"])


def codes(answer: Any) -> list[str]:
    assert answer.code == "ok", answer
    return [each["status"] if each["status"] == "ok" else each["error"]["code"] for each in answer.result["results"]]


def vault_calls() -> float:
    return sum(
        sample.value
        for family in KEYWRAP_CALLS_TOTAL.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["call"] in ("encrypt", "decrypt", "wrap", "unwrap")
    )


async def test_a_thousand_with_bad_ones_of_every_kind(new_service: NewService) -> None:
    async with new_service(**PATIENT) as service:
        wallet, archived = await imported(service), await imported(service, "old")
        await service.http.call("wallets.archive", {"wallet_id": archived}, key=service.key)
        on = {"wallet_id": wallet, "network": "ethereum"}
        bad: list[tuple[str, dict[str, Any]]] = [
            ("invalid_transaction", on | {"unsigned_tx": "0x02c0"}),
            ("invalid_transaction", on | {"unsigned_tx": transfer(1, extra="0x1")}),
            ("limit_exceeded", on | {"unsigned_tx": transfer(1, maxFeePerGas=hex(10**15))}),
            ("not_found", on | {"unsigned_tx": transfer(1), "wallet_id": MISSING}),
            ("wallet_archived", on | {"unsigned_tx": transfer(1), "wallet_id": archived}),
            ("unknown_network", on | {"unsigned_tx": transfer(1), "network": "nowhere"}),
            ("unknown_scheme", on | {"unsigned_tx": transfer(1), "scheme": "nothing"}),
            ("address_not_derived", on | {"unsigned_tx": transfer(1), "scheme": "ledger-live", "index": 7}),
            ("wrong_key", on | {"unsigned_tx": transfer(1, **{"from": STRANGER})}),
            ("invalid_address", on | {"unsigned_tx": transfer(1), "address": "0x00"}),
        ]
        told = [("ok", on | {"unsigned_tx": transfer(100 + n)}) for n in range(990)] + bad
        random.Random(7).shuffle(told)
        items = [item | {"ref": f"item-{n}"} for n, (_, item) in enumerate(told)]
        expected = [code for code, _ in told]

        answer = await service.http.call("transactions.sign_batch", {"items": items}, key=service.key,
                                         idempotency_key="payouts")  # fmt: skip
        assert [each["ref"] for each in answer.result["results"]] == [item["ref"] for item in items]
        found = codes(answer)
        different = [(n, *pair) for n, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]]
        assert different == []
        for item, result in zip(items, answer.result["results"], strict=True):
            if result["status"] == "ok":
                nonce = int(item["unsigned_tx"]["nonce"], 16)
                assert result["result"]["summary"]["sequence"] == str(nonce), "of its own item and no other"

        again = await service.grpc.call("transactions.sign_batch", {"items": items}, key=service.key,
                                        idempotency_key="payouts")  # fmt: skip
        assert again.result == answer.result, "what was done is not done again"
        other = await service.http.call("transactions.sign_batch", {"items": items[1:]}, key=service.key,
                                        idempotency_key="payouts")  # fmt: skip
        assert other.code == "idempotency_mismatch"
        rivals = [item | {"unsigned_tx": {**item["unsigned_tx"], "value": "0x2"}} for item in items[:20]
                  if isinstance(item["unsigned_tx"], dict)]  # fmt: skip
        assert "ok" not in codes(
            await service.http.call("transactions.sign_batch", {"items": rivals}, key=service.key)
        ), "guards hold for items as for single requests"


async def test_addresses_are_each_handed_out_once(new_service: NewService) -> None:
    async with new_service(**PATIENT) as service:
        wallet = await imported(service)
        for network, count in (("ethereum", 300), ("solana", 30), ("bitcoin", 30), ("tron", 30)):
            ask = {"wallet_id": wallet, "network": network, "count": count}
            first = await service.http.call("addresses.next_batch", ask, key=service.key, idempotency_key=network)
            more = await service.grpc.call("addresses.next_batch", ask, key=service.key)
            assert set(codes(first) + codes(more)) == {"ok"}
            given = [each["result"]["address"] for each in (*first.result["results"], *more.result["results"])]
            assert len(set(given)) == 2 * count
            again = await service.http.call("addresses.next_batch", ask, key=service.key, idempotency_key=network)
            assert again.result == first.result


def commits() -> float:
    [count] = [
        sample.value
        for family in COMMIT_SECONDS.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
    ]
    return float(count)


@pytest.mark.parametrize("network", ["ethereum", "bitcoin", "tron"])
async def test_addresses_that_follow_from_a_public_node_are_committed_together(
    new_service: NewService, network: str
) -> None:
    async with new_service(**PATIENT) as service:
        wallet = await imported(service)
        await service.http.call("addresses.next", {"wallet_id": wallet, "network": network}, key=service.key)
        before = commits()
        ask = {"wallet_id": wallet, "network": network, "count": 500, "label": "July"}
        answer = await service.http.call("addresses.next_batch", ask, key=service.key, idempotency_key="many")
        assert set(codes(answer)) == {"ok"}
        assert commits() - before <= 10, "the batch's own row, the counter, and a hundred items each"
        views = [each["result"] for each in answer.result["results"]]
        assert [each["index"] for each in views] == list(range(views[0]["index"], views[0]["index"] + 500))
        for view in (views[0], views[250], views[499]):
            where = {"wallet_id": wallet, "network": network, "index": view["index"]}
            stored = await service.http.call("addresses.derive", where, key=service.key)
            assert stored.result == view, "what one request would have been given"
        records = [each for each in await service.audit(operation="addresses.next") if each["outcome"] == "succeeded"]
        newest = records[-1]["details"]
        assert newest["wrote"]["addresses"][0][2] == views[-1]["index"], "an audit record for each"
        assert len({each["operation_id"] for each in records}) == len(records) >= 190


async def test_addresses_that_others_were_given_meanwhile_are_passed_over(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with new_service(**PATIENT) as service:
        wallet = await imported(service)
        ask = {"wallet_id": wallet, "network": "ethereum", "count": 150}
        first = await service.http.call("addresses.next_batch", ask, key=service.key)

        async def stale(*_: Any) -> list[int]:
            return list(
                range(100, 250)
            )  # as if the counter had been set back: the first fifty belong to another call now

        monkeypatch.setattr(Counters, "take_many", stale)
        more = await service.http.call("addresses.next_batch", ask, key=service.key)
        assert set(codes(first) + codes(more)) == {"ok"}
        given = [each["result"]["address"] for each in (*first.result["results"], *more.result["results"])]
        assert len(set(given)) == 300


@pytest.mark.parametrize("face", ["http", "grpc"])
async def test_chains_are_mixed_in_one_batch(new_service: NewService, face: str) -> None:
    async with new_service(**PATIENT) as service:
        made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=service.key)
        wallet = made.result["id"]
        call = service.http.call if face == "http" else service.grpc.call
        first = {
            network: (
                await call("addresses.derive", {"wallet_id": wallet, "network": network}, key=service.key)
            ).result["address"]
            for network in ("tron", "solana", "ton")
        }
        told = [*transactions(first, int(time.time())), ("ethereum", transfer(1))]
        items = [{"wallet_id": wallet, "network": network, "unsigned_tx": unsigned} for network, unsigned in told]
        wrong = [item | {"wallet_id": MISSING} for item in items]
        mixed = [each for pair in zip(items, wrong, strict=True) for each in pair]
        answer = await call("transactions.sign_batch", {"items": mixed}, key=service.key)
        assert codes(answer) == ["ok", "not_found"] * len(items), answer.result["results"][0]["error"]["detail"]
        assert {item["network"] for item in items} == {"ethereum", "tron", "solana", "ton"}
        for item, result in zip(items, answer.result["results"][::2], strict=True):
            alone = await call("transactions.sign", item, key=service.key)
            assert alone.code == "ok", alone
            for name in ("signed_tx", "tx_id", "summary"):
                assert result["result"].get(name) == alone.result.get(name), "what one request would have been given"


@pytest.fixture(scope="module")
def vault() -> Iterator[OpenBao]:
    with openbao.running() as server:
        yield server


@pytest.mark.needs("postgresql", "openbao")
async def test_vault_is_called_for_many_at_once_and_may_die_in_the_middle(tmp_path: Path, vault: OpenBao) -> None:
    with postgres.running() as database:
        settings = stack.settings(database, database.create_database(migrated=True), vault)
        settings |= {"VAULT__TIMEOUT": "20", "VAULT__DEADLINE": "20"}  # a repeated call would be counted twice
        async with running(tmp_path, {**settings, **PATIENT, "PROFILE": "production"}) as service:
            before = vault_calls()
            ask: dict[str, Any] = {"count": 1000, "words": 12, "networks": ["ethereum"]}
            made = await service.http.call("wallets.create_batch", ask, key=service.key, idempotency_key="make")
            assert Counter(codes(made)) == {"ok": 1000}
            assert vault_calls() - before <= 10
            wallets = [each["result"]["id"] for each in made.result["results"]]
            before = vault_calls()
            ask = {"wallet_id": wallets[0], "network": "ethereum", "count": 1000}
            assert set(codes(await service.http.call("addresses.next_batch", ask, key=service.key))) == {"ok"}
            assert vault_calls() == before

            # When Vault goes away, the seeds of the first are open and the others are not.
            items = [
                {"wallet_id": wallet, "network": "ethereum", "unsigned_tx": transfer(0)} for wallet in wallets[:100]
            ]
            opened = await service.http.call("transactions.sign_batch", {"items": [
                item | {"unsigned_tx": transfer(1)} for item in items[:50]]}, key=service.key)  # fmt: skip
            assert set(codes(opened)) == {"ok"}
            vault.seal()
            try:
                cut = await service.http.call("transactions.sign_batch", {"items": items}, key=service.key,
                                              idempotency_key="cut")  # fmt: skip
            finally:
                vault.unseal()
            assert codes(cut) == ["ok"] * 50 + ["keywrap_unavailable"] * 50
            for _ in range(100):
                rest = await service.http.call("transactions.sign_batch", {"items": items}, key=service.key,
                                               idempotency_key="cut")  # fmt: skip
                if set(codes(rest)) == {"ok"}:
                    break
            assert set(codes(rest)) == {"ok"}, "the repeat finishes them"
            assert rest.result["results"][:50] == cut.result["results"][:50]
