"""Other implementations accept what the running service signed, and the service accepts what they signed."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from strongroom.chains.evm.chain import Evm
from tests.integration.conftest import Service
from tests.oracles import ethereum as oracle
from tests.support import node
from tests.support.service import NewService

ROUNDS = 300
TEXTS = ["", "0x12", "Sign in to example.org\n\nNonce: 7", "é漢🗝"]
BYTES = [b"", b"\x12", bytes(range(256))]
SPOKEN = [(text, "text") for text in TEXTS] + [("0x" + data.hex(), "hex") for data in BYTES]


def _data(message: str, encoding: str) -> bytes:
    return message.encode() if encoding == "text" else bytes.fromhex(message[2:])


def _for_viem(message: str, encoding: str) -> Any:
    return message if encoding == "text" else {"raw": message}


async def _wallet(service: Service) -> tuple[str, str]:
    wallet = await service.ask("wallets.create", networks=["ethereum"])
    return wallet["id"], wallet["addresses"][0]["address"]


@pytest.mark.needs("viem")
async def test_others_take_our_messages(service: Service) -> None:
    draw = random.Random(191)
    wallet_id, address = await _wallet(service)
    jobs = []
    for message, encoding in SPOKEN:
        signed = await service.ask(
            "messages.sign",
            wallet_id=wallet_id,
            network="ethereum",
            format="eip191",
            message=message,
            encoding=encoding,
        )
        signature, data = signed["signature"], _data(message, encoding)
        changed = oracle.one_bit_changed(draw, signature, oracle.R_AND_S)
        assert oracle.message_signer(data, signature) == address
        assert oracle.message_signer(data, changed) != address
        job = {"job": "verifyMessage", "address": address, "message": _for_viem(message, encoding)}
        jobs += [{**job, "signature": signature}, {**job, "signature": changed}]
    assert node.run("verify.mjs", jobs) == [True, False] * len(SPOKEN)


@pytest.mark.needs("viem")
async def test_others_take_our_typed_data(service: Service) -> None:
    draw = random.Random(712)
    wallet_id, address = await _wallet(service)
    documents = [oracle.typed_data(draw) for _ in range(10)]
    jobs = []
    for document in documents:
        signed = await service.ask("typed_data.sign", wallet_id=wallet_id, network="ethereum", typed_data=document)
        changed = oracle.one_bit_changed(draw, signed["signature"], oracle.R_AND_S)
        assert oracle.typed_data_signer(document, signed["signature"]) == address
        assert oracle.typed_data_signer(document, changed) != address
        job = {"job": "verifyTypedData", "address": address, "typedData": document}
        jobs += [{**job, "signature": signed["signature"]}, {**job, "signature": changed}]
    assert node.run("verify.mjs", jobs) == [True, False] * len(documents)


@pytest.mark.needs("viem")
async def test_we_take_the_messages_of_others(service: Service) -> None:
    draw = random.Random(4361)
    private = oracle.private_key(draw)
    address, key = oracle.address(private), "0x" + private.hex()
    jobs = [{"job": "signMessage", "key": key, "message": _for_viem(*each)} for each in SPOKEN]
    for (message, encoding), viems in zip(SPOKEN, node.run("verify.mjs", jobs), strict=True):
        for signature in (viems, oracle.sign_message(_data(message, encoding), private)):
            await _takes(service, draw, signature, "messages.verify", address=address,
                         format="eip191", message=message, encoding=encoding)  # fmt: skip


@pytest.mark.needs("viem")
async def test_we_take_the_typed_data_of_others(service: Service) -> None:
    draw = random.Random(2612)
    private = oracle.private_key(draw)
    address, key = oracle.address(private), "0x" + private.hex()
    documents = [oracle.typed_data(draw) for _ in range(10)]
    jobs = [{"job": "signTypedData", "key": key, "typedData": document} for document in documents]
    for document, viems in zip(documents, node.run("verify.mjs", jobs), strict=True):
        for signature in (viems, oracle.sign_typed_data(document, private)):
            await _takes(service, draw, signature, "typed_data.verify", address=address, typed_data=document)


async def _takes(service: Service, draw: random.Random, signature: str, operation: str, **question: Any) -> None:
    """As it is, and not with any bit changed, not even of v, of which we accept only two pairs of values."""
    verdict = await service.ask(operation, network="ethereum", **question, signature=signature)
    assert verdict["valid"] is True
    changed = oracle.one_bit_changed(draw, signature)
    outcome = await service.outcome(operation, network="ethereum", **question, signature=changed)
    assert outcome.code == "invalid_message" or outcome.result["valid"] is False


async def test_three_hundred_random_keys_agree_with_eth_account(permissive: Service) -> None:
    """Address, transaction, message and typed data, byte for byte."""
    draw = random.Random(300)
    for round_ in range(ROUNDS):
        private = oracle.private_key(draw)
        wallet = await permissive.ask(
            "wallets.import", kind="raw_key", keyspace="evm", format="hex", key=private.hex(), networks=["ethereum"]
        )
        assert wallet["addresses"][0]["address"] == oracle.address(private)
        key = {"wallet_id": wallet["id"], "network": "ethereum"}

        form = oracle.transaction(draw, round_ % 5, private)
        asked_for = {"allow": ["creation_without_code"]}
        signed = await permissive.ask("transactions.sign", **key, unsigned_tx=form, options=asked_for)
        assert (signed["signed_tx"], signed["tx_id"]) == oracle.sign_transaction(form, private)

        data = draw.randbytes(draw.randint(0, 200))
        spoken = {"format": "eip191", "message": data.hex(), "encoding": "hex"}
        assert (await permissive.ask("messages.sign", **key, **spoken))["signature"] == oracle.sign_message(
            data, private
        )

        document = oracle.typed_data(draw)
        typed = await permissive.ask("typed_data.sign", **key, typed_data=document)
        assert typed["signature"] == oracle.sign_typed_data(document, private)


@pytest.mark.parametrize("is_large", [False, True])
async def test_large_messages_are_read_in_a_thread_before_an_account_is_opened_too(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    loop, threads = threading.get_ident(), []
    prepare = Evm.prepare_message

    def noted(*given: Any) -> Any:
        threads.append(threading.get_ident())
        return prepare(*given)

    monkeypatch.setattr(Evm, "prepare_message", noted)
    message = {"format": "eip191", "encoding": "text", "message": "x" * (20_000 if is_large else 20)}
    async with new_service() as service:
        wallet = await service.http.call("wallets.create", {"networks": []}, key=service.key)
        asked = {"wallet_id": wallet.result["id"], "network": "ethereum", **message}
        signed = await service.http.call("messages.sign", asked, key=service.key)
    assert signed.code == "ok", signed
    assert len(threads) == 2, "once with a stand-in's key, and once with the wallet's"
    assert (loop not in threads) is is_large
