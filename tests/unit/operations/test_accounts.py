"""Account keys on Bitcoin: every form of them, the cosigner's account that has no addresses, and single keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bip_utils import Bip39SeedGenerator, Bip44Changes, Bip84, Bip84Coins

from strongroom.chains.bitcoin import schemes
from tests.support.service import Outcome, RunningService

WORDS = "abandon " * 11 + "about"
FINGERPRINT = "73c5da0a"
# Bitcoin Core, src/test/data/key_io_valid.json
COMPRESSED_TEST = "cPisAUdLvqqAr6MYtXnrWvgvyUAwuNyuTvZkDGw6miPhZdaiSDNH"
UNCOMPRESSED_TEST = "92ZdE5HoLafywnTBbzPxbvRmp75pSfzvdU3XaZGh1cToipgdHVh"


async def restored(service: RunningService) -> str:
    made = await service.http.call("wallets.import", {"kind": "bip39", "mnemonic": WORDS}, key=service.key)
    wallet_id: str = made.result["id"]
    return wallet_id


async def ask(service: RunningService, operation: str, face: int = 0, /, **command: Any) -> Outcome:
    return await service.faces[face].call(operation, command, key=service.key)


@pytest.mark.parametrize("face", [0, 1])
async def test_the_account_of_a_wallet(service: RunningService, face: int) -> None:
    wallet_id = await restored(service)
    oracle = Bip84.FromSeed(Bip39SeedGenerator(WORDS).Generate(), Bip84Coins.BITCOIN).Purpose().Coin().Account(0)
    answer = await ask(service, "accounts.get", face, wallet_id=wallet_id, network="bitcoin")
    descriptor = answer.result.pop("descriptor")
    # BIP-84, "Test vectors"
    zpub = (
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGut"
        "ZYs"
    )
    xpub = answer.result["extended_public_key"]
    assert answer.result == {
        "wallet_id": wallet_id,
        "network": "bitcoin",
        "scheme": "bip84",
        "account": 0,
        "path": "m/84'/0'/0'",
        "extended_public_key": xpub,
        "master_fingerprint": FINGERPRINT,
        "slip132": zpub,
        "next_index": 1,
    }
    assert oracle.PublicKey().ToExtended() == zpub
    assert descriptor == f"wpkh([{FINGERPRINT}/84h/0h/0h]{xpub}/<0;1>/*)#qf45pmyh"
    address = await ask(service, "addresses.derive", face, wallet_id=wallet_id, network="bitcoin", index=9, change=1)
    assert address.result["address"] == oracle.Change(Bip44Changes.CHAIN_INT).AddressIndex(9).PublicKey().ToAddress()


async def test_test_networks_have_tpub(service: RunningService) -> None:
    wallet_id = await restored(service)
    for network in ("bitcoin-testnet3", "bitcoin-testnet4", "bitcoin-signet", "bitcoin-regtest"):
        account = (await ask(service, "accounts.get", wallet_id=wallet_id, network=network)).result
        assert account["path"] == "m/84'/1'/0'"
        assert (account["extended_public_key"][:4], account["slip132"][:4]) == ("tpub", "vpub")
        assert f"[{FINGERPRINT}/84h/1h/0h]tpub" in account["descriptor"]


async def test_evm_accounts_are_as_they_were(service: RunningService) -> None:
    wallet_id = await restored(service)
    account = (await ask(service, "accounts.get", wallet_id=wallet_id, network="ethereum")).result
    assert account["extended_public_key"].startswith("xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7L")
    assert account.keys().isdisjoint({"slip132", "descriptor"})


@pytest.mark.parametrize("face", [0, 1])
async def test_a_cosigners_account_opens_but_has_no_addresses(service: RunningService, face: int) -> None:
    wallet_id = await restored(service)
    where = {"wallet_id": wallet_id, "network": "bitcoin", "scheme": "bip48"}
    for operation in ("addresses.derive", "addresses.next"):
        assert (await ask(service, operation, face, **where)).shared[:3] == ("unknown_scheme", None, "scheme")
    opened = await asyncio.gather(*(ask(service, "accounts.get", face, **where, account=1) for _ in range(5)))
    assert {answer.code for answer in opened} <= {"ok", "operation_in_flight"}
    account = (await ask(service, "accounts.get", face, **where, account=1)).result
    assert account["path"] == "m/48'/0'/1'/2'"
    assert account["slip132"].startswith("Zpub")
    assert "descriptor" not in account
    for operation in ("addresses.derive", "addresses.next"):
        answer = await ask(service, operation, face, **where, account=1)
        assert answer.shared[:3] == ("unknown_scheme", None, "scheme")
    listed = await ask(service, "addresses.list", face, wallet_id=wallet_id, scheme="bip48")
    assert (listed.code, listed.result.get("addresses")) == ("ok", None)


async def imported(service: RunningService, keyspace: str, key: str, form: str = "wif") -> Outcome:
    return await ask(service, "wallets.import", kind="raw_key", keyspace=keyspace, format=form, key=key)


async def test_a_wif_key_takes_every_script(service: RunningService) -> None:
    made = await imported(service, "bitcoin-test", COMPRESSED_TEST)
    assert made.code == "ok", made
    found = {}
    for scheme in ("raw-p2pkh", "raw-p2sh-p2wpkh", "raw-p2wpkh", "raw-p2tr"):
        answer = await ask(
            service, "addresses.derive", wallet_id=made.result["id"], network="bitcoin-regtest", scheme=scheme
        )
        found[scheme] = answer.result["forms"]["script_pubkey"]
        public_key = bytes.fromhex(answer.result["public_key"])
        known = schemes.SCHEMES["bitcoin-test"][scheme]
        assert found[scheme] == schemes.script_of(known, public_key).hex()
    assert len(set(found.values())) == 4
    first = await ask(service, "addresses.derive", wallet_id=made.result["id"], network="bitcoin-regtest")
    assert first.result["forms"]["script_pubkey"] == found["raw-p2wpkh"]
    refused = await ask(service, "accounts.get", wallet_id=made.result["id"], network="bitcoin-regtest")
    assert refused.code == "unknown_scheme"


@pytest.mark.parametrize(
    ("keyspace", "key", "form", "code", "field"),
    [
        ("bitcoin", COMPRESSED_TEST, "wif", "invalid_key", "key"),
        ("bitcoin-test", UNCOMPRESSED_TEST, "wif", "invalid_key", "key"),
        ("bitcoin-test", COMPRESSED_TEST[:-1] + "J", "wif", "invalid_key", "key"),
        ("bitcoin-test", COMPRESSED_TEST, "hex", "invalid_key", "key"),
        ("evm", COMPRESSED_TEST, "wif", "invalid_field", "format"),
    ],
)
async def test_a_wif_key_that_is_refused(
    service: RunningService, keyspace: str, key: str, form: str, code: str, field: str
) -> None:
    refused = await imported(service, keyspace, key, form)
    assert (refused.code, refused.field) == (code, field)
    assert key not in (refused.message or "")
