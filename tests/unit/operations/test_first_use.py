"""A new wallet opens the requested accounts. Others are opened at first use, and a refused request opens nothing."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.chains.bitcoin import script
from strongroom.codecs.bip144 import TxOut
from tests.parity.story import PERMIT
from tests.support.service import Face, RunningService, unwraps
from tests.unit.operations.test_signing_keys import WORDS, spending

TO = "0x000000000000000000000000000000000000dEaD"
TRANSFER = {
    "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
    "maxPriorityFeePerGas": "0x3b9aca00", "to": TO, "value": "0x1",
}  # fmt: skip
ETHEREUM = {"network": "ethereum"}
USES: dict[str, tuple[str, dict[str, Any]]] = {
    "transaction": ("transactions.sign", ETHEREUM | {"unsigned_tx": TRANSFER}),
    "psbt": ("transactions.sign", {"network": "bitcoin", "unsigned_tx": spending(["m/84'/0'/0'/0/0"])}),
    "message": ("messages.sign", ETHEREUM | {"format": "eip191", "message": "hello", "encoding": "text"}),
    "bitcoin message": (
        "messages.sign", {"network": "bitcoin", "format": "bip322", "message": "hello", "encoding": "text"},
    ),
    "typed data": ("typed_data.sign", ETHEREUM | {"typed_data": PERMIT}),
    "authorization": ("authorizations.sign", ETHEREUM | {"chain_id": "1", "contract": TO, "nonce": "0"}),
    "account 3": ("transactions.sign", ETHEREUM | {"unsigned_tx": TRANSFER, "account": 3}),
    "index 5": ("transactions.sign", ETHEREUM | {"unsigned_tx": TRANSFER, "index": 5}),
    "path": ("transactions.sign", ETHEREUM | {"unsigned_tx": TRANSFER, "path": "m/44'/60'/2'/0/1"}),
}  # fmt: skip
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "fee": ("transactions.sign", ETHEREUM | {"unsigned_tx": TRANSFER | {"gas": "0x0"}}, "invalid_transaction"),
    "form": ("transactions.sign", ETHEREUM | {"unsigned_tx": "0x02"}, "invalid_transaction"),
    "dust": (
        "transactions.sign",
        {
            "network": "bitcoin",
            "unsigned_tx": spending(["m/84'/0'/0'/0/0"], [TxOut(1, script.p2wpkh(b"\7" * 20))]),
        },
        "limit_exceeded",
    ),
    "authorization": (
        "authorizations.sign", ETHEREUM | {"chain_id": "5", "contract": TO, "nonce": "0"}, "invalid_message",
    ),
    "typed data": ("typed_data.sign", ETHEREUM | {"typed_data": PERMIT | {"types": {}}}, "invalid_message"),
    "hardened index": (
        "transactions.sign",
        ETHEREUM | {"unsigned_tx": TRANSFER, "scheme": "ledger-live", "index": 5},
        "address_not_derived",
    ),
}  # fmt: skip


@pytest.fixture(params=["http", "grpc"])
def face(service: RunningService, request: pytest.FixtureRequest) -> Face:
    return next(face for face in service.faces if face.name == request.param)


async def new_wallet(service: RunningService, face: Face) -> str:
    made = await face.call("wallets.import", {"kind": "bip39", "mnemonic": WORDS}, key=service.key)
    wallet_id: str = made.result["id"]
    return wallet_id


async def addresses(service: RunningService, face: Face, wallet: str) -> list[str]:
    listed = await face.call("addresses.list", {"wallet_id": wallet}, key=service.key)
    return [each["network"] for each in listed.result.get("addresses", [])]


@pytest.mark.parametrize("networks", [[], ["ethereum"], ["polygon", "ethereum"], ["bitcoin", "ethereum"]], ids=str)
async def test_no_account_is_opened_that_nobody_asked_for(
    service: RunningService, face: Face, networks: list[str]
) -> None:
    made = await face.call("wallets.create", {"networks": networks}, key=service.key)
    assert [each["network"] for each in made.result.get("addresses", [])] == networks
    listed = await addresses(service, face, made.result["id"])
    assert len(listed) == len({"bitcoin" if name == "bitcoin" else "evm" for name in networks})


@pytest.mark.parametrize("use", USES)
async def test_first_use_opens_the_account_as_an_audited_step(service: RunningService, face: Face, use: str) -> None:
    wallet = await new_wallet(service, face)
    operation, command = USES[use]
    for count in (2, 1):
        before = len(await service.audit(operation=operation))
        answer = await face.call(operation, {"wallet_id": wallet, **command}, key=service.key)
        assert answer.code == "ok", answer
        records = (await service.audit(operation=operation))[before:]
        assert [record["outcome"] for record in records].count("succeeded") == count
    assert len(await addresses(service, face, wallet)) == 1


async def test_an_address_of_another_wallet_opens_the_default_account_once(service: RunningService, face: Face) -> None:
    """Whether it is the first address of that account shows only then."""
    wallet = await new_wallet(service, face)
    message = ETHEREUM | {"format": "eip191", "message": "hello", "encoding": "text", "address": TO}
    before = unwraps()
    for _ in range(3):
        answer = await face.call("messages.sign", {"wallet_id": wallet, **message}, key=service.key)
        assert answer.code == "wrong_key", answer
        assert unwraps() == before + 1
    assert await addresses(service, face, wallet) == ["ethereum"]
    [first] = (await face.call("addresses.list", {"wallet_id": wallet}, key=service.key)).result["addresses"]
    message |= {"address": first["address"]}
    assert (await face.call("messages.sign", {"wallet_id": wallet, **message}, key=service.key)).code == "ok"


@pytest.mark.parametrize("refusal", REFUSED)
async def test_a_refusal_opens_nothing(service: RunningService, face: Face, refusal: str) -> None:
    wallet = await new_wallet(service, face)
    operation, command, code = REFUSED[refusal]
    before = unwraps()
    answer = await face.call(operation, {"wallet_id": wallet, **command}, key=service.key)
    assert answer.code == code, answer
    assert unwraps() == before
    assert await service.audit(operation=operation) == []
    assert await addresses(service, face, wallet) == []


async def test_a_key_that_has_signed_is_the_same_key_again(service: RunningService, face: Face) -> None:
    """It is remembered by what named it, of which there are several."""
    wallet = await new_wallet(service, face)
    asked: list[dict[str, Any]] = [
        {"path": f"m/44'/60'/{account}'/0/{index}"} for account, index in ((0, 0), (0, 1), (1, 0))
    ] + [{"scheme": "ledger-live", "index": 1}, {"scheme": "ledger-legacy"}]  # fmt: skip
    expected = []
    for each in asked:
        got = await face.call("addresses.derive", {"wallet_id": wallet, "network": "ethereum", **each}, key=service.key)
        expected.append(got.result["address"])
    named: list[dict[str, Any]] = [{}, {"index": 1}, {"account": 1}, *asked[3:], *asked[:3]]
    named += [{"address": each} for each in expected]
    signers = [*expected, *expected[:3], *expected]
    for nonce in range(3):
        for place, signer in zip(named, signers, strict=True):
            unsigned = TRANSFER | {"nonce": hex(nonce)}
            command = ETHEREUM | {"wallet_id": wallet, "unsigned_tx": unsigned, **place}
            answer = await face.call("transactions.sign", command, key=service.key)
            assert (answer.code, answer.result["details"]["from"]) == ("ok", signer), place
            theirs = TRANSFER | {"nonce": hex(nonce), "from": signer}
            answer = await face.call("transactions.sign", command | {"unsigned_tx": theirs}, key=service.key)
            assert (answer.code, answer.result["details"]["from"]) == ("ok", signer), place
