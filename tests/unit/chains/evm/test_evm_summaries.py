"""What a summary says that a transaction does, and the cautions."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.codecs import eip55
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.signing import Message, Policy, SignOptions
from strongroom.domain.summary import Action, Fee
from strongroom.errors import OptionRequired
from tests.support.calldata import encode_call
from tests.unit.chains.evm.evm_cases import (
    AUTHORIZATION,
    BLOB,
    DYNAMIC,
    ETHEREUM,
    EVM,
    FROM,
    OURS,
    SET_CODE,
    TO,
    TOKEN,
    check,
    our_key,
    serialised,
    signature,
)

OTHER = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
ZERO = "0x" + "00" * 20
CALL = DYNAMIC | {"to": TOKEN, "gas": hex(300_000), "value": "0x0"}
TO_SHOWN = eip55.checksum(bytes.fromhex(TO[2:]))


def call(signature_: str, *args: Any) -> dict[str, Any]:
    return CALL | {"data": "0x" + encode_call(signature_, args).hex()}


def actions(form: dict[str, Any]) -> list[Action]:
    return EVM.summarise(EVM.decode(ETHEREUM, form), OURS).actions


def codes(form: dict[str, Any]) -> list[str]:
    return [caution.code for caution in check(form)]


def test_a_transfer() -> None:
    summary = EVM.summarise(EVM.decode(ETHEREUM, DYNAMIC), OURS)
    assert (summary.network, summary.type, summary.sequence) == ("ethereum", "eip1559", "9")
    assert summary.from_address == FROM
    assert summary.fee == Fee(amount="42000000000000", asset="ETH", rate="2000000000", limit="21000")
    assert summary.actions == [
        Action(kind="transfer", from_address=FROM, to=TO_SHOWN, amount="1000000000000000000", asset="ETH")
    ]
    assert codes(DYNAMIC) == []


def test_without_a_key_the_sender_is_what_the_form_says() -> None:
    assert EVM.summarise(EVM.decode(ETHEREUM, DYNAMIC), None).from_address is None
    assert EVM.summarise(EVM.decode(ETHEREUM, DYNAMIC | {"from": OTHER}), None).from_address == OTHER


TOKENS: dict[str, Any] = {"contract": TOKEN, "asset": TOKEN}


@pytest.mark.parametrize(
    ("form", "action"),
    [
        (
            call("transfer(address,uint256)", OTHER, 5),
            Action(kind="token_transfer", from_address=FROM, to=OTHER, amount="5", method="transfer", **TOKENS),
        ),
        (
            call("approve(address,uint256)", OTHER, 5),
            Action(kind="token_approve", from_address=FROM, spender=OTHER, amount="5", method="approve", **TOKENS),
        ),
        (
            call("transferFrom(address,address,uint256)", OTHER, TO, 5),
            Action(
                kind="token_transfer_from", from_address=OTHER, to=TO_SHOWN, amount="5", method="transferFrom", **TOKENS
            ),
        ),
        (
            call(
                "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
                OTHER,
                TO,
                5,
                6,
                27,
                bytes(32),
                bytes(32),
            ),
            Action(
                kind="token_approve",
                from_address=OTHER,
                spender=TO_SHOWN,
                amount="5",
                method="permit",
                details={"deadline": "6"},
                **TOKENS,
            ),
        ),
        (
            call("setApprovalForAll(address,bool)", OTHER, True),
            Action(
                kind="token_approve",
                from_address=FROM,
                spender=OTHER,
                method="setApprovalForAll",
                details={"all": True},
                **TOKENS,
            ),
        ),
        (
            call("safeTransferFrom(address,address,uint256)", FROM, OTHER, 7),
            Action(
                kind="token_transfer_from",
                from_address=FROM,
                to=OTHER,
                method="safeTransferFrom",
                details={"token_id": "7", "amount": "1"},
                **TOKENS,
            ),
        ),
        (
            call("safeTransferFrom(address,address,uint256,uint256,bytes)", FROM, OTHER, 7, 3, b""),
            Action(
                kind="token_transfer_from",
                from_address=FROM,
                to=OTHER,
                method="safeTransferFrom",
                details={"token_id": "7", "amount": "3"},
                **TOKENS,
            ),
        ),
        (
            call("safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)", FROM, OTHER, [7, 8], [3, 4], b""),
            Action(
                kind="token_transfer_from",
                from_address=FROM,
                to=OTHER,
                method="safeBatchTransferFrom",
                details={"token_ids": ["7", "8"], "amounts": ["3", "4"]},
                **TOKENS,
            ),
        ),
        (
            CALL | {"data": "0x12345678"},
            Action(kind="contract_call", from_address=FROM, contract=TOKEN, method="0x12345678", data_size=4),
        ),
        (
            CALL | {"data": "0xa9059cbb"},
            Action(kind="contract_call", from_address=FROM, contract=TOKEN, method="0xa9059cbb", data_size=4),
        ),
    ],
)
def test_calls(form: dict[str, Any], action: Action) -> None:
    assert actions(form) == [action]


def test_arguments_that_are_not_canonical_are_read_all_the_same() -> None:
    form = call("transfer(address,uint256)", OTHER, 5)
    dirty = form["data"][:10] + "01" + form["data"][12:]
    for data in (dirty, form["data"] + "00"):
        assert actions(form | {"data": data}) == actions(form)
        assert codes(form | {"data": data}) == ["noncanonical_call"]


def test_arguments_that_are_cut_short_make_an_unknown_call() -> None:
    form = call("transfer(address,uint256)", OTHER, 5)
    short = form | {"data": form["data"][:-2]}
    assert [(action.kind, action.method) for action in actions(short)] == [("contract_call", "0xa9059cbb")]
    assert codes(short) == ["unknown_call"]


def test_value_that_goes_with_a_call_is_an_action_of_its_own() -> None:
    form = CALL | {"data": "0x12345678", "value": "0x5"}
    assert [(action.kind, action.amount) for action in actions(form)] == [("contract_call", None), ("transfer", "5")]
    assert codes(form) == ["call_with_value", "unknown_call"]


def test_a_contract_is_created() -> None:
    # CREATE of the first transaction of a known key: eth-account and ethers agree.
    form = DYNAMIC | {"to": None, "data": "0x6001", "value": "0x0", "gas": hex(100_000)}
    [action] = actions(form)
    assert (action.kind, action.data_size) == ("contract_creation", 2)
    assert action.contract is not None
    assert codes(form) == ["contract_creation"]
    assert EVM.summarise(EVM.decode(ETHEREUM, form), None).actions[0].contract is None


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (call("approve(address,uint256)", OTHER, 2**256 - 1), ["unlimited_approval"]),
        (call("increaseAllowance(address,uint256)", OTHER, 2**255), ["unlimited_approval"]),
        (call("decreaseAllowance(address,uint256)", OTHER, 2**256 - 1), []),
        (call("approve(address,uint256)", OTHER, 10**24), []),
        (call("setApprovalForAll(address,bool)", OTHER, True), ["approval_for_all"]),
        (call("setApprovalForAll(address,bool)", OTHER, False), []),
        (call("transfer(address,uint256)", TOKEN, 0), ["to_token_contract"]),
        (call("transfer(address,uint256)", ZERO, 0), ["to_zero_address"]),
        (call("transfer(address,uint256)", FROM, 1), ["to_self"]),
        (call("transfer(address,uint256)", OTHER, 1) | {"value": "0x1"}, ["call_with_value"]),
        (DYNAMIC | {"to": FROM}, ["to_self"]),
        (DYNAMIC | {"to": ZERO, "value": "0x0"}, ["to_zero_address"]),
        (DYNAMIC | {"maxFeePerGas": hex(3 * 10**12)}, ["high_fee"]),
    ],
)
def test_cautions(form: dict[str, Any], expected: list[str]) -> None:
    assert codes(form) == expected


@pytest.mark.parametrize(
    ("form", "hazard"),
    [
        *(
            (DYNAMIC | {"gas": hex(100_000), "to": None, "value": value} | data, "creation_without_code")
            for value in ("0x0", "0x1", "0xde0b6b3a7640000")
            for data in ({}, {"data": "0x"}, {"input": "0x"})
        ),
        (DYNAMIC | {"to": ZERO}, "to_zero_address"),
        (CALL | {"to": ZERO, "value": "0x1", "data": "0x12345678"}, "to_zero_address"),
        (call("transfer(address,uint256)", ZERO, 1), "to_zero_address"),
        (call("transferFrom(address,address,uint256)", FROM, ZERO, 1), "to_zero_address"),
        (call("safeTransferFrom(address,address,uint256)", FROM, ZERO, 0), "to_zero_address"),
        (call("transfer(address,uint256)", TOKEN, 1), "to_token_contract"),
        (call("transferFrom(address,address,uint256)", FROM, TOKEN, 1), "to_token_contract"),
    ],
)
def test_a_certain_loss_is_refused_unless_an_option_names_it(form: dict[str, Any], hazard: str) -> None:
    plain = {name: value for name, value in form.items() if name != "data" or "input" not in form}
    for unsigned in (plain, serialised(plain)):
        with pytest.raises(OptionRequired, match=hazard) as refusal:
            check(unsigned)
        assert refusal.value.field in ("unsigned_tx.to", "unsigned_tx.data")
        allowed = check(unsigned, Policy(EVM.limits, SignOptions(allow=frozenset({hazard}))))
        assert hazard in [caution.code for caution in allowed]
        with pytest.raises(OptionRequired):
            check(unsigned, Policy(EVM.limits, SignOptions(allow=frozenset(HAZARDS) - {hazard})))


def test_blobs_are_counted() -> None:
    assert actions(BLOB)[0].details == {"blobs": 1}
    called = BLOB | {"data": "0x12345678", "gas": hex(10**5)}
    assert actions(called)[0].details == {"blobs": 1}


def test_delegations() -> None:
    prepared, _ = EVM.prepare_message(
        ETHEREUM, Message("eip7702", document={"chain_id": 0, "address": OTHER, "nonce": 3}), OURS
    )
    details = EVM.assemble_message(prepared, signature(prepared)).details
    entry = {"chainId": "0x0", "address": OTHER, "nonce": "0x3", "yParity": details["y_parity"]}
    entry |= {"r": details["r"], "s": details["s"]}
    form = SET_CODE | {"authorizationList": [entry]}
    assert actions(form)[1] == Action(
        kind="authorization", from_address=FROM, contract=OTHER, details={"chain_id": "0", "nonce": "3"}
    )
    assert codes(form | {"nonce": "0x2"}) == ["delegation", "authorization_any_chain"]
    high = entry | {"s": hex(2**255 + 1)}
    elsewhere = AUTHORIZATION | {"chainId": "0x5", "r": "0x" + "ff" * 32}
    bad = SET_CODE | {"authorizationList": [high, elsewhere], "gas": hex(10**5)}
    assert [action.from_address for action in actions(bad)[1:]] == [None, None]
    assert codes(bad) == [
        "delegation",
        "authorization_any_chain",
        "authorization_other_chain",
        "authorization_unsigned",
    ]
    assert our_key().address.hex() == FROM[2:].lower()
