"""eth-account gives the same bytes, and refuses a signed transaction with one bit changed."""

from __future__ import annotations

import random
from typing import Any

from strongroom.chains.evm.schemes import SCHEMES
from strongroom.domain.signing import Message, SignedMessage
from tests.oracles import ethereum as oracle
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, PERMISSIVE, our_key, sign, signature

ROUNDS = 300


def _sign_message(message: Message, private: bytes) -> SignedMessage:
    key = our_key(private)
    prepared, _ = EVM.prepare_message(ETHEREUM, message, {key.public_key: key})
    return EVM.assemble_message(prepared, signature(prepared, private))


def test_addresses_agree() -> None:
    draw = random.Random(55)
    for _ in range(ROUNDS):
        private = oracle.private_key(draw)
        rendered = EVM.render(ETHEREUM, SCHEMES["raw"], our_key(private).public_key)
        assert rendered.address == oracle.address(private)


def test_transactions_agree() -> None:
    draw = random.Random(155)
    for round_ in range(ROUNDS):
        private = oracle.private_key(draw)
        form = oracle.transaction(draw, round_ % 5, private)
        signed = sign(form, private=private, policy=PERMISSIVE)
        assert (signed.raw, signed.tx_id) == oracle.sign_transaction(form, private)
        assert oracle.transaction_signer(signed.raw) == oracle.address(private)
        changed = oracle.one_bit_changed(draw, signed.raw)
        assert oracle.transaction_signer(changed) != oracle.address(private)


def test_messages_agree() -> None:
    draw = random.Random(191)
    for _ in range(ROUNDS):
        private, data = oracle.private_key(draw), draw.randbytes(draw.randint(0, 200))
        signed = _sign_message(Message("eip191", data=data), private)
        assert signed.signature == oracle.sign_message(data, private)
        changed = oracle.one_bit_changed(draw, signed.signature, oracle.R_AND_S)
        assert oracle.message_signer(data, signed.signature) == signed.address
        assert oracle.message_signer(data, changed) != signed.address


def test_typed_data_agrees() -> None:
    draw = random.Random(712)
    for _ in range(ROUNDS):
        private, document = oracle.private_key(draw), oracle.typed_data(draw)
        signed = _sign_message(Message("eip712", document=document), private)
        assert signed.signature == oracle.sign_typed_data(document, private)
        changed = oracle.one_bit_changed(draw, signed.signature, oracle.R_AND_S)
        assert oracle.typed_data_signer(document, signed.signature) == signed.address
        assert oracle.typed_data_signer(document, changed) != signed.address


def test_authorizations_agree() -> None:
    draw = random.Random(7702)
    for _ in range(ROUNDS):
        private = oracle.private_key(draw)
        theirs: dict[str, Any] = oracle.authorization(draw, private)
        document = {"chain_id": theirs["chainId"], "address": theirs["address"], "nonce": theirs["nonce"]}
        details = _sign_message(Message("eip7702", document=document), private).details
        assert hex(int(str(details["y_parity"]))) == theirs["yParity"]
        assert [int(str(details[name]), 16) for name in "rs"] == [int(theirs[name], 16) for name in "rs"]
