"""Decoding, preparing and assembling, with what is accepted and what is refused before anything is signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from strongroom.codecs import rlp
from strongroom.domain.signing import Algorithm, Policy
from strongroom.errors import InternalError, InvalidTransaction, WrongKey
from tests.unit.chains.evm.evm_cases import (
    ACCESS_LIST,
    AUTHORIZATION,
    BLOB,
    DEFAULT,
    DYNAMIC,
    ETHEREUM,
    EVERY,
    EVM,
    FROM,
    HASH,
    LEGACY,
    OURS,
    PERMISSIVE,
    SET_CODE,
    TO,
    our_key,
    serialised,
    sign,
    signature,
)


@pytest.mark.parametrize("form", EVERY.values(), ids=map(str, EVERY))
def test_both_forms_of_every_type_give_the_same_signature(form: dict[str, Any]) -> None:
    signed = sign(form)
    assert sign(serialised(form)) == signed
    assert signed.complete
    assert signed.details["type"] == form["type"]
    assert signed.details["from"] == FROM
    assert ("sidecar" in signed.details) == (form["type"] == "0x3")


@pytest.mark.parametrize("form", EVERY.values(), ids=map(str, EVERY))
def test_the_type_is_inferred_as_clients_do(form: dict[str, Any]) -> None:
    bare = {name: value for name, value in form.items() if name != "type"}
    assert EVM.decode(ETHEREUM, bare).transaction == EVM.decode(ETHEREUM, form).transaction


def test_quantities_in_other_forms_mean_the_same() -> None:
    form = DYNAMIC | {"type": 2, "nonce": 9, "value": "1000000000000000000", "gas": 21000, "chainId": "1"}
    assert EVM.decode(ETHEREUM, form).transaction == EVM.decode(ETHEREUM, DYNAMIC).transaction


def test_what_may_be_left_out() -> None:
    bare = {name: value for name, value in DYNAMIC.items() if name not in ("value", "data", "type")}
    assert EVM.decode(ETHEREUM, bare).transaction.value == 0
    creation = {name: value for name, value in DYNAMIC.items() if name != "to"} | {"input": "0x00", "data": "0x00"}
    assert EVM.decode(ETHEREUM, creation).transaction.to is None


def test_v_stands_in_for_y_parity() -> None:
    plain = {name: value for name, value in AUTHORIZATION.items() if name != "yParity"}
    for v in ("0x0", "0x1b"):
        form = SET_CODE | {"authorizationList": [plain | {"v": v}]}
        assert EVM.decode(ETHEREUM, form).transaction == EVM.decode(ETHEREUM, SET_CODE).transaction
    padded = SET_CODE | {"authorizationList": [AUTHORIZATION | {"r": "0x" + "00" * 31 + "01"}]}
    assert EVM.decode(ETHEREUM, padded).transaction == EVM.decode(ETHEREUM, SET_CODE).transaction


@pytest.mark.parametrize("name", ["nonce", "gas", "chainId", "maxFeePerGas", "maxPriorityFeePerGas", "to"])
def test_what_may_not_be_left_out(name: str) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        EVM.decode(ETHEREUM, {key: value for key, value in DYNAMIC.items() if key != name})
    assert refusal.value.field == f"unsigned_tx.{name}"


@pytest.mark.parametrize("name", ["nonce", "gas", "gasPrice"])
def test_what_may_not_be_left_out_of_legacy(name: str) -> None:
    with pytest.raises(InvalidTransaction):
        EVM.decode(ETHEREUM, {key: value for key, value in LEGACY.items() if key != name})


BAD_QUANTITIES: list[Any] = [
    -1, 1.0, 1.5, True, False, None, [], {}, 2**256,
    "", " ", "0x", "0X1", "0x01", "0x00", "-1", "-0x1", "+1", "1.0", "1e3", "1_000", " 1", "1 ", "01", "0b1", "0o7",
    "1n",     "１", "٣", "0xg", "0x1" + "0" * 64, str(2**256), "NaN", "Infinity",
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_QUANTITIES, ids=repr)
@pytest.mark.parametrize("name", ["value", "nonce", "gas", "maxFeePerGas", "chainId", "type"])
def test_quantities_that_are_none(name: str, value: Any) -> None:
    if name == "type" and value is None:
        return  # it is inferred
    with pytest.raises(InvalidTransaction) as refusal:
        EVM.decode(ETHEREUM, DYNAMIC | {name: value})
    assert refusal.value.field == f"unsigned_tx.{name}"
    assert str(value) not in refusal.value.message or str(value) in ("", " ", "0x", "1", "2")


FIELDS_THAT_ARE_NONE: list[dict[str, Any]] = [
    {"to": ""},
    {"to": "0x"},
    {"to": " "},
    {"to": "0x0"},
    {"to": TO[:-2]},
    {"to": TO[2:]},
    {"to": "0X" + TO[2:]},
    {"to": "vitalik.eth"},
    {"to": "TJRyWwFs9wTFGZg3JbrVriFbNfCug5tDeC"},
    {"to": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"},
    {"to": 0},
    {"to": [TO]},
    {"from": "0x00"},
    {"data": "0x1"},
    {"data": "12"},
    {"data": "0x0g"},
    {"data": "0x 0"},
    {"data": 0},
    {"data": "0x01", "input": "0x02"},
    {"input": "0x02"},
    {"gasPrice": "0x1"},
    {"gasLimit": "0x5209"},
    {"gasLimit": "x"},
    {"gas": "x", "gasLimit": "x"},
    {"value": None},
    {"sig": "0x00"},
    {"signature": {}},
    {"hash": "0x" + "00" * 32},
    {"unknown": None},
    {"account": TO},
    {"customData": {}},
    {"nonce": {"type": "BigNumber", "hex": "-0x01"}},
    {"nonce": {"type": "BigNumber", "hex": "0x"}},
    {"nonce": {"type": "BigNumber", "hex": "1"}},
    {"nonce": {"type": "BigNumber", "hex": "0x" + "0" * 65}},
    {"nonce": {"type": "BigNumber", "hex": 1}},
    {"nonce": {"type": "BigNumber", "hex": "0x1", "more": 1}},
    {"nonce": {"hex": "0x1"}},
    {"nonce": {}},
    {"unknown": 1},
    {"v": "0x0"},
    {"hash": "0x00"},
    {"maxFeePerBlobGas": "0x1"},
    {"authorizationList": []},
    {"accessList": {TO: []}},
    {"accessList": {}},
    {"accessList": [1]},
    {"accessList": [[TO, [], []]]},
    {"accessList": [[TO]]},
    {"accessList": [[[], TO]]},
    {"accessList": [{"address": TO}]},
    {"accessList": [{"address": TO, "storageKeys": [], "more": 1}]},
    {"accessList": [{"address": TO[:-2], "storageKeys": []}]},
    {"accessList": [{"address": TO, "storageKeys": ["0x01"]}]},
    {"accessList": [{"address": TO, "storageKeys": "0x"}]},
    {"accessList": [{"address": TO, "storageKeys": [1]}]},
    {"type": "0x5"},
    {"type": "0x7f"},
    {"type": "0x02"},
    {"type": "EIP1559"},
    {"type": "legacy"},
    {"type": "eip2930"},
    {"type": "0x0"},
    {"type": "0x1"},
]


@pytest.mark.parametrize("change", FIELDS_THAT_ARE_NONE, ids=repr)
def test_fields_that_are_none(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        EVM.decode(ETHEREUM, DYNAMIC | change)
    assert refusal.value.field is not None
    # A wrong type is reported at the first field that does not belong to it.
    assert refusal.value.field.removeprefix("unsigned_tx.") in ({*DYNAMIC, *change} - {""})


@pytest.mark.parametrize("name", ["", "x" * 41, "a b", "a.b", "é", "1a", "a\n"])
def test_an_unknown_field_whose_name_is_no_plain_word_is_refused_without_its_name(name: str) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        EVM.decode(ETHEREUM, DYNAMIC | {name: 1})
    assert refusal.value.field == "unsigned_tx"


PAIRS = [[TO, ["0x" + "00" * 32]]]


@pytest.mark.parametrize(
    ("form", "spelling"),
    [
        # web3.py
        (DYNAMIC | {"to": None, "data": "0x00"}, {"to": "0x"}),
        (DYNAMIC | {"to": None, "data": "0x00"}, {"to": ""}),
        (LEGACY | {"to": None, "data": "0x00"}, {"to": "", "data": None, "input": "0x00"}),
        # viem
        (DYNAMIC, {"type": "eip1559"}),
        (LEGACY, {"type": "legacy"}),
        (ACCESS_LIST, {"type": "eip2930"}),
        (BLOB, {"type": "eip4844"}),
        (SET_CODE, {"type": "eip7702"}),
        (SET_CODE, {"authorizationList": [AUTHORIZATION | {"v": "27", "yParity": 0, "chainId": 1, "nonce": 1}]}),
        # ethers v6, Transaction.toJSON
        (
            DYNAMIC,
            {
                "type": 2, "nonce": 9, "gas": None, "gasLimit": "21000", "gasPrice": None,
                "value": "1000000000000000000",
                "maxPriorityFeePerGas": "1000000000", "maxFeePerGas": "2000000000", "chainId": "1", "sig": None,
                "accessList": [],
            },
        ),
        (LEGACY, {"type": 0, "accessList": None, "maxFeePerGas": None, "maxPriorityFeePerGas": None, "sig": None}),
        (LEGACY, {"accessList": []}),
        (DYNAMIC, {"type": None, "from": None, "data": None}),
        (DYNAMIC, {"maxFeePerBlobGas": None, "blobVersionedHashes": None, "authorizationList": None, "hash": None}),
        (ACCESS_LIST, {"accessList": PAIRS}),
        (
            SET_CODE,
            {
                "authorizationList": [
                    {
                        "chainId": "1", "address": AUTHORIZATION["address"], "nonce": "1",
                        "signature": {
                            "_type": "signature", "networkV": None, "r": "0x" + "00" * 31 + "01",
                            "s": "0x" + "00" * 31 + "01", "v": 27,
                        },
                    }
                ]
            },
        ),
        # ethers v5
        (DYNAMIC, {"nonce": {"type": "BigNumber", "hex": "0x09"}, "gasLimit": {"type": "BigNumber", "hex": "0x5208"}}),
        (DYNAMIC, {"v": None, "r": None, "s": None, "signature": None, "yParity": None}),
        (DYNAMIC, {"gasLimit": "21000", "input": "0x"}),
        (DYNAMIC, {"customData": None, "blockNumber": None, "kzg": None, "account": None}),
    ],
)  # fmt: skip
def test_the_spellings_of_clients_mean_the_same(form: dict[str, Any], spelling: dict[str, Any]) -> None:
    assert EVM.decode(ETHEREUM, form | spelling).transaction == EVM.decode(ETHEREUM, form).transaction


def test_a_field_of_another_type_of_transaction_is_named() -> None:
    for form, name in ((DYNAMIC, "gasPrice"), (LEGACY, "maxFeePerGas"), (ACCESS_LIST, "blobVersionedHashes")):
        with pytest.raises(InvalidTransaction) as refusal:
            EVM.decode(ETHEREUM, form | {name: "0x1"})
        assert refusal.value.field == f"unsigned_tx.{name}"


@pytest.mark.parametrize(
    "entry",
    [
        1,
        {},
        {name: value for name, value in AUTHORIZATION.items() if name != "r"},
        {name: value for name, value in AUTHORIZATION.items() if name != "yParity"},
        AUTHORIZATION | {"more": 1},
        AUTHORIZATION | {"v": "0x1c"},
        AUTHORIZATION | {"yParity": "0x2"},
        AUTHORIZATION | {"yParity": "0x1b"},
        AUTHORIZATION | {"s": "0x" + "ff" * 33},
        AUTHORIZATION | {"address": "0x"},
        AUTHORIZATION | {"nonce": -1},
    ],
    ids=repr,
)
def test_authorizations_that_are_none(entry: Any) -> None:
    with pytest.raises(InvalidTransaction):
        EVM.decode(ETHEREUM, SET_CODE | {"authorizationList": [entry]})


@pytest.mark.parametrize("hashes", [None, "0x", [HASH[:-2]], [1], [HASH + "00"]], ids=repr)
def test_blob_hashes_that_are_none(hashes: Any) -> None:
    with pytest.raises(InvalidTransaction):
        EVM.decode(ETHEREUM, BLOB | {"blobVersionedHashes": hashes})


def test_serialised_forms_that_are_none() -> None:
    good = serialised(DYNAMIC)
    fields = list(rlp.to_list(rlp.decode(bytes.fromhex(good[4:]))))
    others = [
        "",
        "0x",
        "0x02",
        good[2:],
        good.upper(),
        good + "00",
        good[:-2],
        "0x05" + good[4:],
        "0x00" + good[4:],
        "0x01" + good[4:],
        "0x03" + good[4:],
        "0x" + good[4:],
        "0xc0",
        "0x80",
        *("0x02" + rlp.encode(fields[:place] + fields[place + 1 :]).hex() for place in range(9)),
        *("0x02" + rlp.encode([*fields[:place], [], *fields[place + 1 :]]).hex() for place in range(8)),
        *("0x02" + rlp.encode([*fields[:place], b"\0\1", *fields[place + 1 :]]).hex() for place in (0, 1, 2, 3, 4, 6)),
        "0x02" + rlp.encode([*fields[:5], bytes(19), *fields[6:]]).hex(),
    ]
    for text in others:
        with pytest.raises(InvalidTransaction):
            EVM.decode(ETHEREUM, text)


@pytest.mark.parametrize("form", EVERY.values(), ids=map(str, EVERY))
def test_a_signed_transaction_is_not_signed_again(form: dict[str, Any]) -> None:
    with pytest.raises(InvalidTransaction, match="already signed"):
        EVM.decode(ETHEREUM, sign(form).raw)


def test_before_eip155() -> None:
    form = {name: value for name, value in LEGACY.items() if name != "chainId"}
    signed = sign(form, policy=PERMISSIVE)
    assert signed == sign(serialised(form), policy=PERMISSIVE)
    assert signed.details["v"] in ("0x1b", "0x1c")


def test_what_is_prepared() -> None:
    prepared = EVM.prepare(EVM.decode(ETHEREUM, DYNAMIC | {"from": FROM}), OURS)
    [item], [guard] = prepared.to_sign, prepared.guards
    assert item.algorithm is Algorithm.ECDSA
    assert item.public_key == our_key().public_key
    assert (guard.keyspace, guard.chain_id, guard.address, guard.sequence) == ("evm", "eip155:1", FROM[2:].lower(), "9")
    assert guard.payload_hash == item.payload
    assert prepared.summary.payload_hash == "0x" + item.payload.hex()


def test_from_is_a_hint_and_must_be_ours() -> None:
    decoded = EVM.decode(ETHEREUM, DYNAMIC | {"from": FROM})
    assert [hint.address for hint in decoded.key_hints] == [our_key().address]
    assert EVM.decode(ETHEREUM, DYNAMIC).key_hints == ()
    other = our_key(b"\1" * 32)
    two = OURS | {other.public_key: other}
    assert EVM.prepare(decoded, two).to_sign[0].public_key == our_key().public_key
    for hinted, ours in ((decoded, {other.public_key: other}), (EVM.decode(ETHEREUM, DYNAMIC), two)):
        with pytest.raises(WrongKey):
            EVM.prepare(hinted, ours)


def test_what_came_in_is_what_is_signed() -> None:
    decoded = EVM.decode(ETHEREUM, serialised(DYNAMIC))
    assert decoded.serialised is not None
    with pytest.raises(InvalidTransaction, match="canonical"):
        EVM.prepare(replace(decoded, serialised=decoded.serialised + b"\0"), OURS)


@pytest.mark.parametrize("form", EVERY.values(), ids=map(str, EVERY))
def test_a_signature_that_does_not_hold_does_not_leave(form: dict[str, Any]) -> None:
    prepared = EVM.prepare(EVM.decode(ETHEREUM, form), OURS)
    [good] = signature(prepared)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = good[:32] + (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([good[64] ^ 1])
    bad = [
        [],
        [good, good],
        [b""],
        [good[:64]],
        [good[:64] + bytes([good[64] ^ 1])],
        [good[:64] + b"\2"],
        [bytes([good[0] ^ 1]) + good[1:]],
        [good[:63] + bytes([good[63] ^ 1]) + good[64:]],
        [high],
        [bytes(65)],
        [b"\xff" * 64 + b"\0"],
        signature(prepared, b"\1" * 32),
    ]
    for made in bad:
        with pytest.raises(InternalError):
            EVM.assemble(prepared, made)


def test_another_chains_objects_are_not_taken() -> None:
    prepared = EVM.prepare(EVM.decode(ETHEREUM, DYNAMIC), OURS)
    with pytest.raises(InternalError):
        EVM.assemble_message(prepared, signature(prepared))
    with pytest.raises(InternalError):
        EVM.assemble(replace(prepared, template=None), signature(prepared))


ZERO: dict[str, Any] = {"chainId": 1, "nonce": 0, "gas": 0, "value": 0, "data": "0x", "to": "0x" + "11" * 20}
NO_FEES: dict[str, Any] = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "accessList": []}
NO_AUTHORITY = {"chainId": 0, "address": "0x" + "00" * 20, "nonce": 0, "yParity": 0, "r": "0x0", "s": "0x0"}


@pytest.mark.parametrize(
    "form",
    [
        {"type": "0x0", "gasPrice": 0},
        {"type": "0x1", "gasPrice": 0, "accessList": [{"address": "0x" + "00" * 20, "storageKeys": []}]},
        {"type": "0x2", **NO_FEES},
        {"type": "0x3", **NO_FEES, "maxFeePerBlobGas": 0, "blobVersionedHashes": ["0x01" + "00" * 31]},
        {"type": "0x4", **NO_FEES, "authorizationList": [NO_AUTHORITY]},
    ],
    ids=lambda form: form["type"],
)
def test_zeros_that_are_stated_are_signed_as_they_came(form: dict[str, Any]) -> None:
    limitless = Policy(dict.fromkeys(DEFAULT.limits))
    assert sign(ZERO | form, policy=limitless).raw == sign(serialised(ZERO | form), policy=limitless).raw
