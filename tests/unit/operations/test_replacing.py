"""`replaces` over REST and gRPC. A replacement must exclude the transaction that it names, and is refused otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from strongroom.chains.bitcoin import script
from strongroom.codecs.bip144 import TxOut
from tests.support.service import Face, RunningService
from tests.unit.operations.test_signing_keys import WORDS, spending

TO = "0x000000000000000000000000000000000000dEaD"
FACES = ["http", "grpc"]
A, B, C = [f"m/84'/0'/0'/0/{index}" for index in range(3)]


class Signer:
    """A wallet of its own, over one face."""

    def __init__(self, service: RunningService, face: Face) -> None:
        self.service = service
        self.face = face
        self.wallet = ""
        self.index: int | None = None

    async def sign(self, network: str, unsigned: Any, **options: Any) -> str:
        """The transaction id, or the code of the refusal."""
        command = {"wallet_id": self.wallet, "network": network, "unsigned_tx": unsigned, "options": options}
        if self.index is not None:
            command["index"] = self.index
        answer = await self.face.call("transactions.sign", command, key=self.service.key)
        if answer.code == "ok":
            tx_id: str = answer.result["tx_id"]
            return tx_id
        assert (answer.code, answer.field) == ("already_signed", "options.replaces"), answer
        self.message = answer.message
        return answer.code

    async def evm(self, nonce: int, value: int, **options: Any) -> str:
        unsigned = {
            "type": "0x2", "chainId": "0x1", "nonce": hex(nonce), "gas": "0x5208", "maxFeePerGas": "0x77359400",
            "maxPriorityFeePerGas": "0x3b9aca00", "to": TO, "value": hex(value),
        }  # fmt: skip
        return await self.sign("ethereum", unsigned, **options)

    async def bitcoin(self, spent: Sequence[str], paid: int, **options: Any) -> str:
        return await self.sign("bitcoin", spending(spent, [TxOut(paid, script.p2wpkh(b"\7" * 20))]), **options)


@pytest.fixture(params=FACES)
async def signer(service: RunningService, request: pytest.FixtureRequest) -> Signer:
    face = next(face for face in service.faces if face.name == request.param)
    made = Signer(service, face)
    imported = await face.call("wallets.import", {"kind": "bip39", "mnemonic": WORDS}, key=service.key)
    made.wallet = imported.result["id"]
    return made


async def test_a_transaction_of_another_nonce_is_not_replaced(signer: Signer) -> None:
    first = await signer.evm(0, 1)
    assert await signer.evm(1, 2, replaces=first) == "already_signed"
    assert await signer.evm(1, 2, replaces=first, allow_resign=True) == "already_signed"
    assert (await signer.evm(1, 2)).startswith("0x")


async def test_what_was_never_signed_is_not_replaced(signer: Signer) -> None:
    assert await signer.evm(0, 1, replaces="0x" + 64 * "1") == "already_signed"
    assert await signer.bitcoin([A], 50_000, replaces=64 * "1") == "already_signed"
    first = await signer.evm(0, 1)
    assert await signer.evm(0, 1, replaces=first) == "already_signed"
    assert await signer.evm(0, 2, replaces="0x" + 64 * "1") == "already_signed"


async def test_a_transaction_that_spends_none_of_the_same_outputs_replaces_nothing(signer: Signer) -> None:
    first = await signer.bitcoin([A, B], 50_000)
    assert await signer.bitcoin([C], 50_000, replaces=first) == "already_signed"
    assert await signer.bitcoin([C], 50_000) != "already_signed"


async def test_a_transaction_is_replaced_once(signer: Signer) -> None:
    first = await signer.bitcoin([A, B], 50_000)
    second = await signer.bitcoin([A], 50_000, replaces=first)
    assert await signer.bitcoin([B], 50_000, replaces=first) == "already_signed"
    assert await signer.bitcoin([B], 50_000, replaces=second) == "already_signed"
    assert await signer.bitcoin([B], 50_000) == "already_signed"
    third = await signer.bitcoin([A, B], 40_000, replaces=second)
    assert await signer.bitcoin([A, C], 40_000, replaces=third) != "already_signed"


async def test_a_replacement_shares_an_output_with_all_before_it(signer: Signer) -> None:
    first = await signer.bitcoin([A], 50_000)
    second = await signer.bitcoin([A, B], 50_000, replaces=first)
    assert await signer.bitcoin([B], 50_000, replaces=second) == "already_signed"
    assert await signer.bitcoin([A], 40_000, replaces=second) != "already_signed"


async def test_two_transactions_are_not_replaced_by_naming_one(signer: Signer) -> None:
    first, second = await signer.bitcoin([A], 50_000), await signer.bitcoin([B], 50_000)
    assert await signer.bitcoin([A, B], 50_000, replaces=first) == "already_signed"
    assert await signer.bitcoin([A, B], 50_000, replaces=second) == "already_signed"


async def test_a_chain_of_replacements_and_each_of_them_again(signer: Signer) -> None:
    first = await signer.evm(0, 1)
    second = await signer.evm(0, 2, replaces=first)
    assert await signer.evm(0, 2, replaces=first) == second
    assert await signer.evm(0, 2) == second
    third = await signer.evm(0, 3, replaces=second)
    assert await signer.evm(0, 4, replaces=first) == "already_signed"
    assert await signer.evm(0, 4, replaces=second) == "already_signed"
    assert third in signer.message if signer.message else False
    assert (await signer.evm(0, 4, allow_resign=True)).startswith("0x")


async def test_two_senders_may_replace_by_the_same_bytes(signer: Signer) -> None:
    other = Signer(signer.service, signer.face)
    made = await signer.face.call("wallets.create", {}, key=signer.service.key)
    other.wallet = made.result["id"]
    for each in (signer, other):
        first = await each.evm(0, 1)
        second = await each.evm(0, 2, replaces=first)
        assert (await each.evm(0, 3, replaces=second)).startswith("0x")


async def test_another_sender_does_not_join_a_replacement_with_the_same_payload(signer: Signer) -> None:
    """The digest of an EVM transaction is the same for every sender."""
    first = await signer.evm(0, 1)
    assert (await signer.evm(0, 2, replaces=first)).startswith("0x")
    other = {"wallet_id": signer.wallet, "network": "ethereum", "index": 1}
    assert (await signer.face.call("addresses.derive", other, key=signer.service.key)).code == "ok"
    signer.index = 1
    assert await signer.evm(0, 2, replaces=first) == "already_signed"
    assert (await signer.evm(0, 2)).startswith("0x")
