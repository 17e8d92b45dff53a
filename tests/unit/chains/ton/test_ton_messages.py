"""Statements that are signed for applications, and their verification."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from strongroom.chains.ton import addresses, boc
from strongroom.chains.ton.cell import Cell
from strongroom.domain.signing import Message
from strongroom.errors import InvalidAddress, InvalidMessage
from tests.oracles import ton as oracle
from tests.unit.chains.ton.ton_cases import KEY, MAINNET, PUBLIC, TESTNET, TON, ours, statement

CELL = {"type": "cell", "schema": "a#_ = A;", "cell": boc.to_base64(Cell())}
CONTENTS: list[tuple[str, Any]] = [
    ("ton-proof", "nonce"),
    ("ton-proof", ""),
    ("ton-sign-data", {"type": "text", "text": "✓"}),
    ("ton-sign-data", {"type": "binary", "bytes": "AP8="}),
    ("ton-sign-data", CELL),
]


def sign(message: Message, scheme: str = "raw-v5r1") -> tuple[str, str]:
    """Signature and address."""
    prepared, _ = TON.prepare_message(MAINNET, message, ours(scheme))
    [asked] = prepared.to_sign
    made = TON.assemble_message(prepared, [KEY.sign(asked.payload)])
    return made.signature, made.address


def verify(message: Message, signature: str, address: str, key: str | None = PUBLIC.hex()) -> bool:
    return TON.verify_message(MAINNET, replace(message, public_key=key), signature, address)


@pytest.mark.parametrize(("format_name", "payload"), CONTENTS)
@pytest.mark.parametrize("scheme", ["raw-v5r1", "raw-v4r2", "raw-v3r2"])
def test_what_is_signed_verifies_and_nothing_else_does(format_name: str, payload: Any, scheme: str) -> None:
    message = statement(payload, format_name)
    signature, address = sign(message, scheme)
    assert verify(message, signature, address)
    for other in (
        statement(payload, format_name, domain="example.org"),
        statement(payload, format_name, timestamp=1795881601),
        statement({"type": "text", "text": "other"}, "ton-sign-data"),
        Message("ton-personal", data=b"nonce"),
    ):
        assert not verify(other, signature, address)
    flipped = bytearray(base64.b64decode(signature))
    flipped[0] ^= 1
    assert not verify(message, base64.b64encode(flipped).decode(), address)


@pytest.mark.parametrize(("format_name", "payload"), CONTENTS)
def test_a_cell_may_be_for_a_contract(format_name: str, payload: Any) -> None:
    _, cautions = TON.prepare_message(MAINNET, statement(payload, format_name), ours())
    assert [each.code for each in cautions] == (["unknown_typed_data"] if payload is CELL else [])


def test_a_proof_is_the_hash_of_its_specification() -> None:
    message = statement('{"a": 1}')
    prepared, _ = TON.prepare_message(MAINNET, message, ours())
    [key] = ours().values()
    raw = addresses.raw(key.address)
    assert prepared.to_sign[0].payload == oracle.proof_hash(raw, "example.com", 1795881600, '{"a": 1}')


def test_an_address_that_is_not_of_the_key_proves_nothing() -> None:
    message = statement("nonce")
    signature, address = sign(message)
    stranger = "0:" + "11" * 32
    for asked in (stranger, addresses.shown(MAINNET, addresses.read(MAINNET, stranger).canonical)):
        with pytest.raises(InvalidMessage) as refusal:
            verify(message, signature, asked)
        assert refusal.value.field == "public_key"
    with pytest.raises(InvalidMessage):
        TON.verify_message(TESTNET, replace(message, public_key=PUBLIC.hex()), signature, address)
    for key in (None, "", "00", "zz" * 32, PUBLIC.hex() + "00"):
        with pytest.raises(InvalidMessage):
            verify(message, signature, address, key)
    with pytest.raises(InvalidAddress):
        verify(message, signature, "nobody")


@pytest.mark.parametrize("signature", ["", "00", "A" * 86, "é", "0x" + "00" * 64])
def test_what_is_no_signature(signature: str) -> None:
    _, address = sign(statement("nonce"))
    with pytest.raises(InvalidMessage) as refusal:
        verify(statement("nonce"), signature, address)
    assert refusal.value.field == "signature"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Message("raw", data=bytes(32)), "format"),
        (Message("ton-proof", data=bytes(32)), "format"),
        (statement("a", domain=""), "domain"),
        (statement("a", domain="a" * 129), "domain"),
        (statement("a", domain="a\0b"), "domain"),
        (statement("a", domain=5), "domain"),
        (statement("a", domain="\ud800"), "domain"),
        (statement("a", timestamp=-1), "timestamp"),
        (statement("a", timestamp="1"), "timestamp"),
        (statement("a", timestamp=True), "timestamp"),
        (statement({"type": "text", "text": "a"}), "payload"),
        (statement("a", "ton-sign-data"), "payload"),
        (statement({"type": "hash", "hash": "00"}, "ton-sign-data"), "payload"),
        (statement({"type": ["text"], "text": "a"}, "ton-sign-data"), "payload"),
        (statement({"type": "text", "text": "a", "more": 1}, "ton-sign-data"), "payload"),
        (statement({"type": "text", "text": 5}, "ton-sign-data"), "payload.text"),
        (statement({"type": "binary", "bytes": "AP_-"}, "ton-sign-data"), "payload.bytes"),
        (statement({"type": "binary", "bytes": "AP9="}, "ton-sign-data"), "payload.bytes"),
        (statement(CELL | {"cell": "aGVsbG8="}, "ton-sign-data"), "payload.cell"),
        (statement(CELL | {"schema": 1}, "ton-sign-data"), "payload.schema"),
        (statement("a" * 49_153), "payload"),
    ],
)
def test_what_is_no_statement_is_refused_by_its_field(message: Message, field: str) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        TON.prepare_message(MAINNET, message, ours())
    assert refusal.value.field == field


def test_what_is_signed_is_never_a_hash_that_the_caller_chose() -> None:
    """Each text begins with bytes that no wallet contract accepts as a transfer, or is not a hash."""
    prepared, _ = TON.prepare_message(MAINNET, Message("ton-personal", data=bytes(32)), ours())
    assert prepared.to_sign[0].payload.startswith(b"\xff\xffton-safe-sign-magic")
    assert len(prepared.to_sign[0].payload) != 32
