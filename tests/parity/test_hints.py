"""The hints that come with an error: the limit, its setting, what was expected, the earlier transaction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.story import ELSEWHERE, MNEMONIC, transfer
from tests.support.service import Face, NewService, Outcome, RunningService

HASH = "0x" + "5a" * 32


@pytest.fixture(params=["http", "grpc"])
def face(request: pytest.FixtureRequest, service: RunningService) -> Face:
    return service.http if request.param == "http" else service.grpc


async def wallet(service: RunningService) -> str:
    made = await service.http.call(
        "wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}, key=service.key
    )
    return str(made.result["id"])


async def signed(service: RunningService, face: Face, **command: Any) -> Outcome:
    given = {"wallet_id": await wallet(service), "network": "ethereum", **command}
    return await face.call("transactions.sign", given, key=service.key)


async def test_the_chain_id_that_was_expected(service: RunningService, face: Face) -> None:
    outcome = await signed(service, face, unsigned_tx=transfer(chainId="0x89"))
    assert (outcome.code, outcome.field) == ("invalid_transaction", "unsigned_tx.chainId")
    assert outcome.hints == {"expected": "1", "received": "137"}
    assert outcome.message == "chainId is not that of the network ethereum, which is 1"
    given = {"wallet_id": await wallet(service), "network": "ethereum", "typed_data": ELSEWHERE}
    typed = await face.call("typed_data.sign", given, key=service.key)
    assert typed.hints == {"expected": "1"}


async def test_the_limit_and_where_it_is_set(new_service: NewService) -> None:
    async with new_service(CHAINS__EVM__MAX_GAS="30000") as service:
        for face in service.faces:
            outcome = await signed(service, face, unsigned_tx=transfer(gas=hex(50_000)))
            assert (outcome.code, outcome.field) == ("limit_exceeded", "unsigned_tx.gas")
            setting = "STRONGROOM_CHAINS__EVM__MAX_GAS"
            assert outcome.hints == {"limit": "30000", "received": "50000", "setting": setting}
            decoded = await face.call(
                "transactions.decode",
                {"network": "ethereum", "unsigned_tx": transfer(gas=hex(50_000))},
                key=service.key,
            )
            assert decoded.hints == outcome.hints


async def test_the_transaction_that_holds_the_nonce(service: RunningService, face: Face) -> None:
    given = {"wallet_id": await wallet(service), "network": "ethereum"}
    first = await face.call("transactions.sign", given | {"unsigned_tx": transfer()}, key=service.key)
    other = await face.call("transactions.sign", given | {"unsigned_tx": transfer(value="0x2")}, key=service.key)
    assert other.code == "already_signed"
    assert other.hints == {"tx_id": first.result["tx_id"]}


@pytest.mark.parametrize("network", ["ethereum", "bitcoin", "solana", "tron", "ton"])
@pytest.mark.parametrize("text", [HASH, HASH[2:]])
async def test_a_bare_hash_is_called_one(service: RunningService, network: str, text: str) -> None:
    outcome = await service.http.call("transactions.decode", {"network": network, "unsigned_tx": text}, key=service.key)
    assert outcome.code == "invalid_transaction"
    assert outcome.message is not None
    assert outcome.message.startswith("these 32 bytes look like a hash")


@pytest.mark.parametrize(
    ("given", "ours"), [("gas_limit", "gas"), ("chain_id", "chainId"), ("max_fee_per_gas", "maxFeePerGas")]
)
async def test_a_field_that_a_client_library_spells_differently(
    service: RunningService, face: Face, given: str, ours: str
) -> None:
    outcome = await signed(service, face, unsigned_tx=transfer() | {given: "0x1"})
    assert (outcome.code, outcome.field) == ("invalid_transaction", f"unsigned_tx.{given}")
    assert outcome.hints == {"did_you_mean": ours}


async def test_names_that_are_accepted_are_listed(service: RunningService, face: Face) -> None:
    network = await face.call("networks.head", {"network": "nowhere"}, key=service.key)
    assert {"ethereum", "bitcoin"} <= set(network.hints["allowed"].split(", "))
    given = {"wallet_id": await wallet(service), "network": "bitcoin", "scheme": "bip99"}
    scheme = await face.call("addresses.next", given, key=service.key)
    assert (scheme.code, "bip84" in scheme.hints["allowed"]) == ("unknown_scheme", True)
    message = {"network": "ton", "format": "eip191", "message": "hello", "encoding": "text"}
    for name, more in (
        ("messages.sign", {"wallet_id": given["wallet_id"]}),
        ("messages.verify", {"address": "x", "signature": "x"}),
    ):
        formats = await face.call(name, message | more, key=service.key)
        assert (formats.code, formats.field) == ("invalid_message", "format")
        assert formats.hints == {"allowed": "ton-personal, ton-proof, ton-sign-data"}
        assert formats.message is not None
        assert formats.message.endswith("format must be one of ton-personal, ton-proof, ton-sign-data")
    audit = await face.call("audit.list", {"operation": "nope"}, key=service.key)
    assert (audit.code, audit.field) == ("invalid_field", "operation")
    assert {"transactions.sign", "keys.rewrap"} <= set(audit.hints["allowed"].split(", "))
    rates = await face.call("wallets.limit", {"wallet_id": given["wallet_id"], "rates": {"x": "off"}}, key=service.key)
    assert {"sign", "read"} <= set(rates.hints["allowed"].split(", "))
    scopes = await face.call("api_keys.create", {"name": "x", "scopes": ["wallets:raed"]}, key=service.key)
    assert (scopes.code, scopes.field) == ("invalid_field", "scopes")
    assert {"wallets:read", "sign:transaction"} <= set(scopes.hints["allowed"].split(", "))
