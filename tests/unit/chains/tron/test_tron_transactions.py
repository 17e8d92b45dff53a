"""Transactions are read in one way only, shown completely, and signed as they are."""

from __future__ import annotations

import copy
import json
from hashlib import sha256
from typing import Any

import pytest

from strongroom.chains.tron import wire
from strongroom.domain.signing import Signed
from strongroom.errors import InvalidTransaction, OptionRequired, Refused, WrongKey
from tests.support.fake_tron import FakeTron
from tests.support.server import ROOT
from tests.unit.chains.tron.tron_cases import (
    ANYTHING,
    BLOCK,
    EXPIRATION,
    MAINNET,
    NILE,
    OTHER,
    OTHER_HEX,
    OTHER_PRIVATE,
    OWNER,
    OWNER_HEX,
    PRIVATE,
    TRON,
    USDT,
    built,
    call,
    node_form,
    our_key,
    ours,
    sign,
)

VECTORS = ROOT / "tests/vectors/data"
RAW = TRON.decode(MAINNET, built()).reading.raw_data


def refuses(unsigned: Any, *words: str) -> None:
    with pytest.raises(InvalidTransaction) as refusal:
        TRON.prepare(TRON.decode(MAINNET, unsigned), ours())
    assert all(word in refusal.value.message for word in words), refusal.value.message


def with_raw(**changes: Any) -> dict[str, Any]:
    form = node_form(built())
    form["raw_data"] |= changes
    return form


def test_what_is_taken_for_a_nodes_form_here_is_one() -> None:
    published = json.loads((VECTORS / "tron.signing.json").read_text())["vectors"]
    for unsigned in (vector["input"]["unsigned"] for vector in published):
        assert node_form(unsigned["raw_data_hex"]) == unsigned
    for visible in (False, True):
        created = FakeTron(EXPIRATION - 60_000).create(OWNER, OTHER, 5, visible=visible)
        assert node_form(created["raw_data_hex"], visible=visible) == created


@pytest.mark.parametrize("visible", [False, True])
def test_both_forms_of_a_node_are_read(visible: bool) -> None:
    form = node_form(built("TransferAssetContract", asset_name="1002000", to_address=OTHER, amount=7), visible=visible)
    value = form["raw_data"]["contract"][0]["parameter"]["value"]
    assert value["asset_name"] == ("1002000" if visible else b"1002000".hex())
    assert value["to_address"] == (OTHER if visible else OTHER_HEX)
    signed = sign(form)
    assert signed.details["transaction"] == {**form, "signature": [signed.details["signature"]]}
    assert signed.tx_id == sha256(bytes.fromhex(form["raw_data_hex"])).hexdigest() == form["txID"]


@pytest.mark.parametrize("visible", [False, True])
def test_a_flag_that_contradicts_the_addresses_is_refused(visible: bool) -> None:
    form = node_form(built(), visible=visible) | {"visible": not visible}
    refuses(form, "visible")
    del form["visible"]  # false where it is left out, as nodes have it
    if visible:
        refuses(form, "visible")


def test_the_bytes_alone_say_everything() -> None:
    expected = sign(built())
    for unsigned in (RAW.hex(), {"raw_data_hex": RAW.hex()}, node_form(built()) | {"ret": []}):
        assert sign(unsigned).raw == expected.raw


@pytest.mark.parametrize(
    "place", ["txID", "raw_data_hex", "amount", "to_address", "timestamp", "data", "Permission_id"]
)
def test_whatever_differs_between_bytes_json_and_id_is_refused(place: str) -> None:
    form = node_form(built(more={"memo": "x", "timestamp": 1}))
    entry = form["raw_data"]["contract"][0]
    if place == "txID":
        form["txID"] = "00" * 32
    elif place == "raw_data_hex":
        form["raw_data_hex"] = RAW.hex()
    elif place == "Permission_id":
        entry["Permission_id"] = 2
    elif place in ("timestamp", "data"):
        form["raw_data"][place] = 2 if place == "timestamp" else "79"
    else:
        entry["parameter"]["value"][place] = 2 if place == "amount" else "41" + "33" * 20
    refuses(form)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ("a201060123456789ab", "not supported"),  # field 20
        ("620131", "not supported"),  # scripts
        ("5200", "out of order"),
        ("900100", "default value"),  # a fee limit of zero
        ("9001c0843d9001c0843d", "twice"),
        ("900180808080808080808001", "negative"),
        ("9001c0848000", "shortest"),
        ("900180808080808080808080", "ends too early"),
        ("9201", "ends too early"),
        ("90", "ends too early"),
        ("91010000000000000000", "Protocol Buffers"),
        ("00", "Protocol Buffers"),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(tail: str, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        TRON.decode(MAINNET, RAW.hex() + tail)
    assert words in refusal.value.message or "does not have its type" in refusal.value.message


def test_what_a_contract_holds_is_canonical_too() -> None:
    field = wire.Field
    inner = (
        field(1, "owner_address", wire.Form.ADDRESS),
        field(2, "to_address", wire.Form.ADDRESS),
        field(3, "amount", wire.Form.INT64),
    )
    owner, to = bytes.fromhex(OWNER_HEX), bytes.fromhex(OTHER_HEX)
    good = wire.write(inner, {"owner_address": owner, "to_address": to, "amount": 1})
    swapped = b"\x12\x15" + to + b"\x0a\x15" + owner + b"\x18\x01"
    for value in (good + b"\x20\x01", good[:-2] + b"\x18\x00", swapped, good + b"\x18\x01", good[:-1]):
        with pytest.raises(wire.WireError):
            wire.read(inner, value)
    assert wire.read(inner, good) == {"owner_address": owner, "to_address": to, "amount": 1}


def test_more_than_one_contract_and_unknown_contracts_are_refused() -> None:
    form = node_form(built())
    [entry] = form["raw_data"]["contract"]
    for contracts in ([], [entry, entry], [{**entry, "type": "CreateSmartContract"}], entry, None):
        refuses({**form, "raw_data": {**form["raw_data"], "contract": contracts}})
    at = RAW.index(b"\x5a")
    twice = RAW[:at] + RAW[at:] * 2
    refuses(twice.hex(), "exactly one contract")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"raw": "0x02f8"},
        {"to": "0x52", "value": "0x1", "nonce": "0x0"},
        {"raw_data": {}},
        node_form(built()) | {"raw_data_hex": "0x" + RAW.hex()},
        node_form(built()) | {"raw_data_hex": RAW.hex()[:-1]},
        node_form(built()) | {"more": 1},
        node_form(built()) | {"visible": 1},
        {"transaction": node_form(built())},
        {"transaction": node_form(built()), "result": {"code": "CONTRACT_VALIDATE_ERROR"}},
        {"Error": "class org.tron.core.exception.ContractValidateException"},
        with_raw(ref_block_num=1),
        with_raw(scripts="00"),
        with_raw(expiration=1.5),
        with_raw(expiration=True),
        with_raw(expiration="0" + str(EXPIRATION)),
        with_raw(fee_limit=-1),
        with_raw(fee_limit=2**63),
        "0x" + RAW.hex(),
        RAW.hex() + "0",
        "",
        "zz",
        "0x02f8b00180847735940084b2d05e00830130b9946b17",
    ],
    ids=lambda form: json.dumps(form)[:60],
)
def test_what_is_no_transaction_is_refused(form: Any) -> None:
    with pytest.raises(Refused):
        TRON.decode(MAINNET, form)


def test_amounts_beyond_2_53_are_exact_as_numbers_and_as_text() -> None:
    for amount in (2**53 + 1, 2**63 - 1):
        signed = {sign(built(to_address=OTHER, amount=given)).raw for given in (amount, str(amount))}
        assert len(signed) == 1
        [action] = TRON.summarise(TRON.decode(MAINNET, built(to_address=OTHER, amount=amount)), None).actions
        assert action.amount == str(amount)
    with pytest.raises(InvalidTransaction):
        TRON.decode(MAINNET, built(to_address=OTHER, amount=2**63))


class TestOurOwnForm:
    """Built here from contract, reference block and expiration."""

    def test_a_block_id_gives_its_reference(self) -> None:
        block_id = f"{0x0123456789ABCDEF:016x}" + "a1b2c3d4e5f60718" + "00" * 16
        form = {"contract": built()["contract"], "block_id": block_id, "expiration": EXPIRATION}
        transaction = TRON.decode(MAINNET, form).transaction
        assert transaction.ref_block_bytes.hex() == "cdef"
        assert transaction.ref_block_hash.hex() == "a1b2c3d4e5f60718"

    def test_a_call_is_built_from_its_function_and_arguments(self) -> None:
        data = "a9059cbb" + "00" * 12 + OTHER_HEX[2:] + f"{25_000_000:064x}"
        expected = sign(call(data)).raw
        trigger = {"type": "TriggerSmartContract", "owner_address": OWNER, "contract_address": USDT}
        function = {"function_selector": "transfer(address,uint256)"}
        for given in (
            {**function, "parameter": data[8:]},
            {**function, "arguments": [OTHER, "25000000"]},
            {**function, "arguments": [OTHER_HEX, 25_000_000]},
        ):
            form = {"contract": {**trigger, **given}, **BLOCK, "fee_limit": "100000000"}
            assert sign(form).raw == expected

    @pytest.mark.parametrize(
        "change",
        [
            {"contract": None},
            {"contract": {"type": "CreateSmartContract"}},
            {"contract": {"type": ["TransferContract"]}},
            {"contract": built()["contract"] | {"more": 1}},
            {"contract": built()["contract"] | {"to_address": "0x" + OTHER_HEX[2:]}},
            {"contract": built()["contract"] | {"function_selector": "transfer(address,uint256)"}},
            {"contract": call("00")["contract"] | {"function_selector": "a()"}},
            {"contract": call("00")["contract"] | {"data": None, "function_selector": "a(uint257)", "parameter": ""}},
            {"block_id": "00" * 32},
            {"block_id": "00" * 31, "ref_block_bytes": None},
            {"ref_block_bytes": "00"},
            {"ref_block_hash": "00" * 7},
            {"expiration": 0},
            {"memo": "a", "data": "61"},
            {"memo": "\ud800"},
            {"visible": True},
        ],
        ids=str,
    )
    def test_what_it_does_not_say_clearly_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(InvalidTransaction):
            TRON.decode(MAINNET, built() | change)

    def test_many_arguments_cost_no_time(self) -> None:
        trigger = {"type": "TriggerSmartContract", "owner_address": OWNER, "contract_address": USDT}
        for given in (
            {"function_selector": "a(uint256[])", "arguments": [["1"] * 100_000]},
            {"function_selector": "a(" + ",".join(["uint256"] * 100_000) + ")", "arguments": []},
            {"function_selector": "a" * 300 + "()", "parameter": ""},
        ):
            with pytest.raises(InvalidTransaction):
                TRON.decode(MAINNET, {"contract": {**trigger, **given}, **BLOCK})


class TestSeveralSigners:
    """With a permission of the account, or with the owner permission if a caller asks for it by name."""

    FORM = node_form(built(sender=OTHER, to_address=OWNER, amount=5, Permission_id=2))

    def test_a_permission_lets_any_key_sign_and_is_not_complete(self) -> None:
        signed = sign(self.FORM)
        assert signed.complete is False
        assert signed.details["permission_id"] == 2
        assert signed.details["signed_by"] == [OWNER]
        summary = TRON.summarise(TRON.decode(MAINNET, self.FORM), None)
        assert (summary.from_address, summary.details["permission_id"]) == (OTHER, 2)

    def test_signatures_of_others_stay_and_ours_comes_after_them(self) -> None:
        first = sign(self.FORM, private=OTHER_PRIVATE)
        by_json, by_hex = (sign(unsigned) for unsigned in (first.details["transaction"], first.raw))
        assert by_json.raw == by_hex.raw
        assert by_json.details["signatures"] == [first.details["signature"], by_json.details["signature"]]
        assert by_json.details["signed_by"] == [OTHER, OWNER]
        assert by_json.tx_id == first.tx_id

    def test_a_key_signs_once(self) -> None:
        with pytest.raises(WrongKey):
            sign(sign(self.FORM).details["transaction"])
        twice = copy.deepcopy(sign(self.FORM).details["transaction"])
        assert isinstance(twice, dict)
        twice["signature"] *= 2
        refuses(twice, "twice")

    @pytest.mark.parametrize("made", ["00" * 65, "11" * 64, "11" * 64 + "42", 7, None, "0x" + "11" * 65])
    def test_signatures_that_do_not_hold_are_refused(self, made: Any) -> None:
        refuses({**self.FORM, "signature": [made]})

    def test_under_the_owner_permission_it_must_be_asked_for(self) -> None:
        other = sign(built(sender=OTHER, to_address=OWNER, amount=5), private=OTHER_PRIVATE)
        with pytest.raises(WrongKey):
            sign(other.details["transaction"])
        signed = sign(other.details["transaction"], policy=ANYTHING)
        assert (signed.complete, signed.details["signed_by"]) == (False, [OTHER, OWNER])
        mine = copy.deepcopy(other.details["transaction"])
        with pytest.raises(WrongKey):
            sign(mine, private=OTHER_PRIVATE, policy=ANYTHING)  # it has signed
        beside = sign(built(), private=OTHER_PRIVATE, policy=ANYTHING).details["transaction"]
        with pytest.raises(OptionRequired):
            sign(beside)
        assert sign(beside, policy=ANYTHING).details["signed_by"] == [OTHER, OWNER]

    def test_another_key_than_the_owners_is_refused(self) -> None:
        with pytest.raises(WrongKey):
            sign(built(), private=OTHER_PRIVATE)


class TestIdentify:
    @staticmethod
    def forms(signed: Signed) -> list[str]:
        return [signed.raw, json.dumps(signed.details["transaction"])]

    def test_ids_and_expiry_of_anyones_transaction(self) -> None:
        signed = sign(built(sender=OTHER, to_address=OWNER, amount=1), private=OTHER_PRIVATE)
        for text in self.forms(signed):
            for network in (MAINNET, NILE):
                ids = TRON.identify(network, text)
                assert ids.tx_ids == (signed.tx_id,)
                assert ids.expiry is not None
                assert int(ids.expiry.timestamp()) * 1000 == EXPIRATION
                assert ids.consumes == ()

    def test_a_contract_that_is_not_signed_here_is_known_all_the_same(self) -> None:
        from btclib_secp256k1 import recovery

        from strongroom.chains.tron import transaction

        at = RAW.index(b"\x5a")
        foreign = RAW[:at] + b"\x5a\x02\x08\x1e"  # a CreateSmartContract without anything
        compact, number = recovery.sign(sha256(foreign).digest(), PRIVATE)
        made = compact + bytes([number])
        raw = transaction.serialise(foreign, [made]).hex()
        as_json = json.dumps(
            {"raw_data_hex": foreign.hex(), "raw_data": {"?": 1}, "signature": [made.hex()], "ret": []}
        )
        for text in (raw, as_json):
            assert TRON.identify(MAINNET, text).tx_ids == (sha256(foreign).hexdigest(),)

    def test_what_is_not_signed_or_not_whole_is_refused(self) -> None:
        signed = sign(built())
        form = signed.details["transaction"]
        assert isinstance(form, dict)
        changed = copy.deepcopy(form)
        changed["raw_data"]["contract"][0]["parameter"]["value"]["amount"] = 7
        for text in (
            RAW.hex(),
            "",
            "{",
            "{}",
            "[]",
            "{" * 100_000,
            signed.raw[:-2],
            signed.raw + "00",
            json.dumps({**form, "signature": []}),
            json.dumps({**form, "signature": ["00" * 65]}),
            json.dumps({**form, "signature": form["signature"] * 6}),
            json.dumps({**form, "txID": "00" * 32}),
            json.dumps(changed),
            json.dumps(form).replace('"visible"', '"txID": "00", "visible"'),
            "0a" + f"{1 << 14:x}",
        ):
            with pytest.raises(InvalidTransaction):
                TRON.identify(MAINNET, text)


def test_the_key_of_another_address_is_not_taken_for_ours() -> None:
    decoded = TRON.decode(MAINNET, built())
    [hint] = decoded.key_hints
    assert hint.address == our_key().address
    both = {**ours(), **ours(OTHER_PRIVATE)}
    with pytest.raises(WrongKey):
        TRON.prepare(decoded, both)
