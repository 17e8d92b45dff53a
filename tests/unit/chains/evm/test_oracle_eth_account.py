"""eth-account as a second implementation: transactions of every type, typed data, messages, authorizations."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from strongroom.codecs import eip55
from strongroom.domain.signing import Message
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, PERMISSIVE, our_key, sign, signature

ROUNDS = 300


def _bytes(draw: random.Random, size: int) -> str:
    return "0x" + draw.randbytes(size).hex()


def _number(draw: random.Random, bits: int) -> str:
    return hex(draw.getrandbits(draw.randint(1, bits)))


def _form(draw: random.Random, kind: int, private: bytes) -> dict[str, Any]:
    form: dict[str, Any] = {
        "type": hex(kind),
        "chainId": "0x1",
        "nonce": _number(draw, 32),
        "gas": _number(draw, 40),
        "to": eip55.checksum(draw.randbytes(20)),
        "value": _number(draw, 255),
        "data": _bytes(draw, draw.choice([0, 1, 4, 55, 56, 68, 300])),
    }
    if kind < 3 and draw.random() < 0.2:
        form["to"] = None
    if kind < 2:
        form["gasPrice"] = _number(draw, 60)
    else:
        form |= {"maxFeePerGas": hex(draw.getrandbits(40) + 2**40), "maxPriorityFeePerGas": _number(draw, 40)}
    if kind:
        form["accessList"] = [
            {"address": eip55.checksum(draw.randbytes(20)), "storageKeys": [_bytes(draw, 32)] * draw.randint(0, 3)}
            for _ in range(draw.randint(0, 3))
        ]
    if kind == 3:
        hashes = ["0x01" + draw.randbytes(31).hex() for _ in range(draw.randint(1, 6))]
        form |= {"maxFeePerBlobGas": _number(draw, 40), "blobVersionedHashes": hashes}
    if kind == 4:
        form["authorizationList"] = [_authorization(draw, private)]
    return form


def _authorization(draw: random.Random, private: bytes) -> dict[str, Any]:
    """Made by ours, so that theirs is asked to take it too."""
    document = {"chain_id": 1, "address": eip55.checksum(draw.randbytes(20)), "nonce": draw.getrandbits(30)}
    key = our_key(private)
    prepared, _ = EVM.prepare_message(ETHEREUM, Message("eip7702", document=document), {key.public_key: key})
    details = EVM.assemble_message(prepared, signature(prepared, private)).details
    theirs = Account.sign_authorization(
        {"chainId": 1, "address": document["address"], "nonce": document["nonce"]}, private
    )
    assert (details["y_parity"], int(str(details["r"]), 16)) == (theirs.y_parity, theirs.r)
    return {
        "chainId": "0x1",
        "address": document["address"],
        "nonce": hex(int(str(document["nonce"]))),
        "yParity": hex(int(str(details["y_parity"]))),
        "r": details["r"],
        "s": details["s"],
    }


def _theirs(form: dict[str, Any]) -> dict[str, Any]:
    """eth-account wants no null, and numbers for the parts of an authorization."""
    theirs = {
        name: value for name, value in form.items() if value is not None and not (name == "type" and value == "0x0")
    }
    if form["to"] is None:
        theirs["to"] = ""
    if "authorizationList" in form:
        numbers = {"chainId", "nonce", "yParity", "r", "s"}
        theirs["authorizationList"] = [
            {name: int(value, 16) if name in numbers else value for name, value in entry.items()}
            for entry in form["authorizationList"]
        ]
    return theirs


def test_transactions_agree_byte_for_byte() -> None:
    draw = random.Random(155)
    for round_ in range(ROUNDS):
        private = draw.randbytes(32)
        form = _form(draw, round_ % 5, private)
        signed = sign(form, private=private, policy=PERMISSIVE)
        theirs = Account.sign_transaction(_theirs(form), private)
        assert signed.raw == theirs.raw_transaction.to_0x_hex()
        assert signed.tx_id == theirs.hash.to_0x_hex()
        if round_ % 5 != 4:  # eth-account cannot recover type 4 with our kind of authorization list
            assert Account.recover_transaction(signed.raw) == signed.details["from"]


def test_one_bit_changed_is_another_sender_or_nothing() -> None:
    draw = random.Random(156)
    for round_ in range(40):
        private = draw.randbytes(32)
        signed = sign(_form(draw, round_ % 4, private), private=private, policy=PERMISSIVE)
        raw = bytearray.fromhex(signed.raw[2:])
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        try:
            sender = Account.recover_transaction(bytes(raw))
        except Exception:  # noqa: BLE001 - eth-account fails in many ways on what is no transaction
            continue
        assert sender != signed.details["from"]


def test_messages_agree() -> None:
    draw = random.Random(191)
    for _ in range(100):
        private, data = draw.randbytes(32), draw.randbytes(draw.randint(0, 200))
        key = our_key(private)
        prepared, _ = EVM.prepare_message(ETHEREUM, Message("eip191", data=data), {key.public_key: key})
        signed = EVM.assemble_message(prepared, signature(prepared, private))
        theirs = Account.sign_message(encode_defunct(data), private)
        assert signed.signature == theirs.signature.to_0x_hex()
        assert Account.recover_message(encode_defunct(data), signature=signed.signature) == signed.address


@pytest.mark.parametrize("seed", range(20))
def test_typed_data_agrees(seed: int) -> None:
    draw = random.Random(seed)
    private = draw.randbytes(32)
    key = our_key(private)
    document = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "amounts", "type": "uint256[]"},
                {"name": "memo", "type": "bytes"},
            ],
        },
        "primaryType": "Permit",
        "domain": {"name": "Token", "chainId": 1},
        "message": {
            "owner": eip55.checksum(draw.randbytes(20)),
            "amounts": [draw.getrandbits(256) for _ in range(draw.randint(0, 4))],
            "memo": _bytes(draw, draw.randint(0, 50)),
        },
    }
    prepared, _ = EVM.prepare_message(ETHEREUM, Message("eip712", document=document), {key.public_key: key})
    signed = EVM.assemble_message(prepared, signature(prepared, private))
    theirs = Account.sign_message(encode_typed_data(full_message=document), private)
    assert signed.signature == theirs.signature.to_0x_hex()
