"""Typed data. For known types the summary has amount, recipient and deadline. Unknown types are reported."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak

from strongroom.codecs.known import TYPES
from strongroom.domain.asset import coin_of
from strongroom.domain.restriction import Restriction
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution, Summary
from strongroom.errors import LimitExceeded
from strongroom.operations.caps import check_message
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, FROM, OURS, TOKEN
from tests.unit.chains.evm.test_evm_calls import APPROVE, PERMIT2, SAFE, TRANSFER, safe
from tests.unit.chains.evm.test_evm_summaries import OTHER

DOMAIN_TYPES = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
DOMAIN = {"chainId": 1, "verifyingContract": PERMIT2}
ALL160 = str(2**160 - 1)
WORD = "0x" + "11" * 32
ZERO = "0x" + "00" * 20


def document(encoded: str, message: dict[str, Any], domain: dict[str, Any] = DOMAIN) -> dict[str, Any]:
    """Typed data of a type as EIP-712 encodes it."""
    types = {"EIP712Domain": [{"name": name, "type": kind} for name, kind in DOMAIN_TYPES.items() if name in domain]}
    for struct in encoded.rstrip(")").split(")"):
        name, _, fields = struct.partition("(")
        pairs = [field.split(" ") for field in fields.split(",")]
        types[name] = [{"name": field, "type": kind} for kind, field in pairs]
    return {"types": types, "primaryType": encoded.partition("(")[0], "domain": domain, "message": message}


def said(typed_data: dict[str, Any]) -> tuple[list[Action], list[str]]:
    prepared, cautions = EVM.prepare_message(ETHEREUM, Message("eip712", document=typed_data), OURS)
    return prepared.summary.actions, [caution.code for caution in cautions]


COIN = coin_of(ETHEREUM).id


def counted(actions: list[Action], codes: list[str]) -> dict[str, int] | None:
    """The lowest amounts with which a restricted key may sign, or None if it may not sign at all."""

    def allowed(most: dict[str, int]) -> bool:
        try:
            check_message(Restriction(max_values=most), ETHEREUM, EVM, summary, cautions)
        except LimitExceeded:
            return False
        return True

    summary = Summary(network="ethereum", type="eip712", actions=actions)
    cautions = [Caution(code=code, message="") for code in codes]
    total = sum(int(each.amount or 0) for each in actions if each.asset == "ETH")
    assert not total or not allowed({COIN: total - 1})
    return {COIN: total} if allowed({COIN: total}) else None


def known(beginning: str) -> str:
    [found] = [known.encoded for known in TYPES if known.encoded.startswith(beginning)]
    return found


DETAILS = {"token": TOKEN, "amount": "5", "expiration": "7", "nonce": 0}
PERMITTED = {"token": TOKEN, "amount": "5"}
ERC3009 = {"from": FROM, "to": OTHER, "value": "5", "validAfter": 0, "validBefore": "9", "nonce": WORD}
ITEM = {"itemType": 1, "token": TOKEN, "identifierOrCriteria": 0, "startAmount": "5", "endAmount": "5"}
NFT = ITEM | {"itemType": 2, "identifierOrCriteria": "42", "startAmount": "1", "endAmount": "1"}
COINS = ITEM | {"itemType": 0, "token": ZERO, "recipient": FROM}
ORDER: dict[str, Any] = {
    "offerer": FROM, "zone": ZERO, "offer": [NFT], "consideration": [COINS], "orderType": 0, "startTime": 1,
    "endTime": "9", "zoneHash": WORD, "salt": 1, "conduitKey": WORD, "counter": 0,
}  # fmt: skip
REQUEST = {"from": FROM, "to": TOKEN, "value": 0, "gas": 100_000, "nonce": 0}
SAFE_TX = {
    "to": TOKEN, "value": 0, "data": "0x", "operation": 0, "safeTxGas": 0, "baseGas": 0, "gasPrice": 0,
    "gasToken": ZERO, "refundReceiver": ZERO, "nonce": 0,
}  # fmt: skip
DELEGATION = {"delegate": OTHER, "delegator": FROM, "authority": WORD, "salt": 0}
FORWARD = "ForwardRequest(address from,address to,uint256 value,uint256 gas,uint256 nonce,"
SAFE_TYPE = "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 base"
CALLED = "0x" + APPROVE.hex()
WITNESS = "Order witness)Order(uint256 id)TokenPermissions(address token,uint256 amount)"


@pytest.mark.parametrize(
    ("typed_data", "expected", "codes"),
    [
        (
            document(
                known("Permit(address owner"),
                {"owner": FROM, "spender": OTHER, "value": "5", "nonce": 0, "deadline": "9"},
            ),
            {"from_address": FROM, "spender": OTHER, "amount": "5", "asset": PERMIT2, "deadline": "9"},
            ["spending_permission"],
        ),
        (
            document(
                known("Permit(address holder"),
                {"holder": FROM, "spender": OTHER, "nonce": 0, "expiry": "9", "allowed": True},
            ),
            {"from_address": FROM, "spender": OTHER, "allowed": True, "deadline": "9"},
            ["spending_permission", "unlimited_approval"],
        ),
        (
            document(known("Permit(address spender"), {"spender": OTHER, "tokenId": 42, "nonce": 0, "deadline": "9"}),
            {"spender": OTHER, "token_id": "42", "deadline": "9"},
            ["spending_permission"],
        ),
        (
            document(
                known("PermitForAll"), {"owner": FROM, "operator": OTHER, "approved": True, "nonce": 0, "deadline": 9}
            ),
            {"spender": OTHER, "all": True, "deadline": "9"},
            ["spending_permission", "approval_for_all"],
        ),
        (
            document(known("PermitSingle"), {"details": DETAILS, "spender": OTHER, "sigDeadline": 9}),
            {"spender": OTHER, "amount": "5", "asset": TOKEN, "expiration": "7", "deadline": "9"},
            ["spending_permission"],
        ),
        (
            document(
                known("PermitSingle"), {"details": DETAILS | {"amount": ALL160}, "spender": OTHER, "sigDeadline": 9}
            ),
            {"amount": ALL160},
            ["spending_permission", "unlimited_approval"],
        ),
        (
            document(
                known("PermitTransferFrom"), {"permitted": PERMITTED, "spender": OTHER, "nonce": 0, "deadline": 9}
            ),
            {"spender": OTHER, "amount": "5", "asset": TOKEN, "deadline": "9"},
            ["spending_permission"],
        ),
        (
            document(
                known("PermitWitnessTransferFrom") + WITNESS,
                {"permitted": PERMITTED, "spender": OTHER, "nonce": 0, "deadline": 9, "witness": {"id": 3}},
            ),
            {"spender": OTHER, "amount": "5", "asset": TOKEN, "deadline": "9"},
            ["spending_permission"],
        ),
        *(
            (
                document(known(name), ERC3009),
                {"from_address": FROM, "to": OTHER, "amount": "5", "asset": PERMIT2, "deadline": "9"},
                ["spending_permission"],
            )
            for name in ("TransferWithAuthorization", "ReceiveWithAuthorization")
        ),
        (
            document(known("CancelAuthorization"), {"authorizer": FROM, "nonce": WORD}),
            {"method": "CancelAuthorization"},
            [],
        ),
        (
            document(
                known("Delegation(address delegate,"), DELEGATION | {"caveats": [{"enforcer": SAFE, "terms": "0x"}]}
            ),
            {"from_address": FROM, "spender": OTHER, "caveats": "1", "enforcers": [SAFE]},
            ["spending_permission"],
        ),
        (
            document(known("Delegation(address delegate,"), DELEGATION | {"caveats": []}),
            {"spender": OTHER, "caveats": "0"},
            ["spending_permission", "unlimited_delegation"],
        ),
        (
            document(known("Delegation(address delegatee"), {"delegatee": OTHER, "nonce": 0, "expiry": 9}),
            {"deadline": "9"},
            [],
        ),
    ],
)
def test_one_permission_is_said_of_the_message_itself(
    typed_data: dict[str, Any], expected: dict[str, Any], codes: list[str]
) -> None:
    [action], cautions = said(typed_data)
    shown = {name: getattr(action, name) for name in action.__struct_fields__} | action.details
    assert {name: shown[name] for name in expected} == expected
    assert action.kind == "typed_data"
    assert cautions == codes


def test_each_token_of_a_batch_is_an_action() -> None:
    more = DETAILS | {"token": OTHER, "amount": ALL160}
    actions, cautions = said(
        document(known("PermitBatch("), {"details": [DETAILS, more], "spender": SAFE, "sigDeadline": 9})
    )
    assert (actions[0].kind, actions[0].spender, actions[0].details["deadline"]) == ("typed_data", SAFE, "9")
    assert [(each.kind, each.asset, each.amount, each.spender) for each in actions[1:]] == [
        ("token_approve", TOKEN, "5", SAFE),
        ("token_approve", OTHER, ALL160, SAFE),
    ]
    assert cautions == ["spending_permission", "unlimited_approval"]


def test_an_order_shows_what_is_given_and_what_is_got() -> None:
    fee = COINS | {"recipient": OTHER, "startAmount": "1", "endAmount": "2"}
    actions, cautions = said(document(known("OrderComponents"), ORDER | {"consideration": [COINS, fee]}))
    assert [(each.kind, each.from_address, each.to, each.amount, each.asset) for each in actions[1:]] == [
        ("offer", FROM, None, "1", TOKEN),
        ("consideration", None, FROM, "5", "ETH"),
        ("consideration", None, OTHER, "1", "ETH"),
    ]
    assert actions[1].details == {"token_id": "42", "deadline": "9"}
    assert actions[3].details == {"end_amount": "2", "deadline": "9"}
    assert cautions == ["spending_permission"]


def test_an_order_that_asks_nothing_for_its_maker_says_so() -> None:
    for consideration in ([], [COINS | {"recipient": OTHER}]):
        order = ORDER | {"consideration": consideration}
        assert "nothing_in_return" in said(document(known("OrderComponents"), order))[1]


@pytest.mark.parametrize(
    ("witness", "values"),
    [
        ("address operator)", {"operator": SAFE}),
        ("uint256 validUntil)", {"validUntil": 1}),
        ("uint256 tokenId)", {"tokenId": 1}),
        (
            "Order details)Order(uint256 amount,address token,address spender,uint256 deadline)",
            {"details": {"amount": 1, "token": SAFE, "spender": SAFE, "deadline": 1}},
        ),
    ],
)
def test_a_witness_says_nothing_about_what_is_permitted(witness: str, values: dict[str, Any]) -> None:
    """The spender chooses the names in its witness, and could name one like an amount."""
    encoded = known("PermitWitnessTransferFrom") + witness + "TokenPermissions(address token,uint256 amount)"
    message = {"permitted": PERMITTED, "spender": OTHER, "nonce": 0, "deadline": 9}
    [action], cautions = said(document(encoded, message | values))
    assert (action.spender, action.amount, action.asset) == (OTHER, "5", TOKEN)
    assert (action.details["deadline"], "token_id" in action.details) == ("9", False)
    assert cautions == ["spending_permission"]
    batch = known("PermitBatchWitnessTransferFrom") + witness + "TokenPermissions(address token,uint256 amount)"
    permitted = [PERMITTED, PERMITTED | {"amount": "6"}]
    actions, _ = said(document(batch, message | values | {"permitted": permitted}))
    assert [(each.spender, each.amount, each.asset) for each in actions[1:]] == [
        (OTHER, "5", TOKEN),
        (OTHER, "6", TOKEN),
    ]


def test_a_struct_that_only_ends_like_a_known_one_is_unknown() -> None:
    encoded = known("PermitWitnessTransferFrom") + "XTokenPermissions witness)"
    encoded += "TokenPermissions(address token,uint256 value)XTokenPermissions(address token,uint256 amount)"
    other = {"token": TOKEN, "amount": "7"}
    message = {"permitted": {"token": TOKEN, "value": "5"}, "spender": OTHER, "nonce": 0, "deadline": 9}
    assert "unknown_typed_data" in said(document(encoded, message | {"witness": other}))[1]


def test_orders_in_bulk_are_shown_one_by_one() -> None:
    encoded = "BulkOrder(OrderComponents[2][2] tree)" + known("OrderComponents").partition(")")[2]
    encoded += known("OrderComponents").partition(")")[0] + ")"
    tree = [[ORDER, ORDER | {"consideration": []}], [ORDER, None]]
    actions, cautions = said(document(encoded, {"tree": tree}))
    assert [each.kind for each in actions].count("offer") == 3
    assert cautions == ["spending_permission", "nothing_in_return"]
    other = encoded.replace("uint256 startAmount", "uint128 startAmount")
    assert "unknown_typed_data" in said(document(other, {"tree": tree}))[1]
    elsewhere = encoded.replace(" tree)", " orders)")
    assert "unknown_typed_data" in said(document(elsewhere, {"orders": tree}))[1]
    more = encoded.replace(" tree)", " tree,OrderComponents[2] orders)")
    assert "unknown_typed_data" in said(document(more, {"tree": tree, "orders": tree[0]}))[1]


@pytest.mark.parametrize(
    "typed_data",
    [
        document(known(FORWARD + "bytes data)"), REQUEST | {"data": CALLED}),
        document(known(FORWARD + "uint48"), REQUEST | {"deadline": 9, "data": CALLED}),
        document(
            known("MetaTransaction"),
            {"nonce": 0, "from": FROM, "functionSignature": CALLED},
            {"chainId": 1, "verifyingContract": TOKEN},
        ),
        document(known(SAFE_TYPE), SAFE_TX | {"data": CALLED}),
        document(
            known("PackedUserOperation"),
            {
                "sender": SAFE,
                "nonce": 0,
                "initCode": "0x",
                "callData": "0x" + safe(TOKEN, APPROVE).hex(),
                "accountGasLimits": WORD,
                "preVerificationGas": 0,
                "gasFees": WORD,
                "paymasterAndData": "0x",
            },
        ),
    ],
)
def test_a_call_that_another_makes_for_the_signer_is_read(typed_data: dict[str, Any]) -> None:
    actions, cautions = said(typed_data)
    found = [(each.spender, each.amount, each.contract) for each in actions if each.kind == "token_approve"]
    assert found == [(OTHER, str(2**256 - 1), TOKEN)]
    assert cautions == ["spending_permission", "unlimited_approval"]


def test_a_delegatecall_of_a_safe_and_an_unknown_call_are_said() -> None:
    encoded = known(SAFE_TYPE)
    assert said(document(encoded, SAFE_TX | {"data": "0x12345678", "operation": 1}))[1] == [
        *("spending_permission", "delegate_call", "unknown_call"),
    ]
    # Safes before 1.3 sign no chain id.
    old = document(encoded, SAFE_TX | {"data": "0x" + TRANSFER.hex()}, {"verifyingContract": SAFE})
    assert said(old)[1] == ["spending_permission", "no_chain_binding"]
    coins = said(document(encoded, SAFE_TX | {"value": "7"}))[0][1]
    assert (coins.kind, coins.from_address, coins.to, coins.amount) == ("transfer", PERMIT2, TOKEN, "7")


def test_what_a_safe_refunds_is_an_action_and_cannot_be_counted() -> None:
    """Whoever executes the transaction gets gas price times gas, in a token of the caller's choice."""
    old = known(SAFE_TYPE).replace("baseGas", "dataGas")
    for encoded, name in ((known(SAFE_TYPE), "baseGas"), (old, "dataGas")):
        safe_tx = {key: value for key, value in SAFE_TX.items() if key != "baseGas"} | {name: 10**30}
        actions, cautions = said(document(encoded, safe_tx))
        assert [each.kind for each in actions] == ["typed_data", "transfer"]
        assert counted(actions, cautions) == {COIN: 0}
        paid = safe_tx | {"gasPrice": 7, "gasToken": TOKEN, "refundReceiver": OTHER}
        actions, cautions = said(document(encoded, paid))
        refund = actions[2]
        assert (refund.kind, refund.from_address, refund.to, refund.asset) == ("refund", PERMIT2, OTHER, TOKEN)
        assert refund.details == {"gas_price": "7", "base_gas": str(10**30)}
        assert counted(actions, cautions) is None
        coins = said(document(encoded, safe_tx | {"gasPrice": 7}))[0][2]
        assert (coins.kind, coins.to, coins.asset) == ("refund", None, "ETH")


def test_the_fee_of_a_user_operation_is_counted_if_the_account_pays_it() -> None:
    encoded = known("PackedUserOperation")
    operation = {
        "sender": SAFE, "nonce": 0, "initCode": "0x", "callData": "0x", "preVerificationGas": 3,
        "accountGasLimits": f"0x{1:032x}{2:032x}", "gasFees": f"0x{9:032x}{10**20:032x}", "paymasterAndData": "0x",
    }  # fmt: skip
    actions, cautions = said(document(encoded, operation))
    assert (actions[-1].kind, actions[-1].from_address, actions[-1].amount) == ("fee", SAFE, str(6 * 10**20))
    assert counted(actions, cautions) == {COIN: 6 * 10**20}
    actions, cautions = said(document(encoded, operation | {"paymasterAndData": OTHER + "00" * 32}))
    assert actions[0].details["paymaster"] == OTHER
    assert counted(actions, cautions) == {COIN: 0}
    short = said(document(encoded, operation | {"paymasterAndData": "0x12"}))
    assert "unknown_typed_data" in short[1]


def test_the_call_that_creates_an_account_is_read_too() -> None:
    operation = {
        "sender": SAFE, "nonce": 0, "initCode": OTHER + "12345678", "callData": "0x", "preVerificationGas": 0,
        "accountGasLimits": WORD, "gasFees": "0x" + "00" * 32, "paymasterAndData": "0x",
    }  # fmt: skip
    actions, cautions = said(document(known("PackedUserOperation"), operation))
    assert (actions[1].kind, actions[1].contract, actions[1].method) == ("contract_call", OTHER, "0x12345678")
    assert cautions == ["spending_permission", "unknown_call"]
    assert "unknown_typed_data" in said(document(known("PackedUserOperation"), operation | {"initCode": "0x12"}))[1]


def test_what_is_not_known_says_so_whether_a_contract_is_named_or_not() -> None:
    """zkSync's transactions are messages with a domain that has no verifying contract."""
    encoded = "Gift(address spender,uint256 amount,uint256 deadline)"
    message = {"spender": OTHER, "amount": str(2**256 - 1), "deadline": 9}
    [action], cautions = said(document(encoded, message))
    assert (action.spender, action.details["amount"], action.details["deadline"]) == (OTHER, str(2**256 - 1), "9")
    assert cautions == ["unlimited_approval", "unknown_typed_data"]
    assert said(document(encoded, message | {"amount": 1}, {"chainId": 1}))[1] == ["unknown_typed_data"]
    nowhere = said(document(encoded, message | {"amount": 1}, {"name": "x"}))[1]
    assert nowhere == ["unknown_typed_data", "no_chain_binding"]


def test_a_known_name_with_other_fields_is_unknown_and_still_a_permission() -> None:
    for encoded in (
        known("Permit(address owner").replace("uint256 value", "uint128 value"),
        known("Permit(address owner").replace(",uint256 deadline", ""),
        known("Permit(address owner").replace("address spender", "address operator"),
    ):
        values = {"owner": FROM, "value": "5", "nonce": 0, "deadline": 9, "spender": OTHER, "operator": OTHER}
        message = {name: value for name, value in values.items() if f" {name}" in encoded}
        [action], cautions = said(document(encoded, message))
        assert action.spender == OTHER
        assert cautions == ["spending_permission", "unknown_typed_data"]


def test_fields_that_are_not_signed_are_not_shown() -> None:
    single = document(known("PermitSingle"), {"details": DETAILS, "spender": OTHER, "sigDeadline": 9})
    single["message"] |= {"to": SAFE, "amount": 7, "details": DETAILS | {"spender": SAFE}}
    single["domain"] = DOMAIN | {"name": "Permit2", "salt": None}
    [action], cautions = said(single)
    assert (action.to, action.amount, action.spender) == (None, "5", OTHER)
    assert action.details["domain"] == DOMAIN
    assert cautions == ["spending_permission", "unsigned_fields"]


def test_a_chain_id_that_is_not_signed_does_not_bind() -> None:
    unbound = document(known("CancelAuthorization"), {"authorizer": FROM, "nonce": WORD}, {"verifyingContract": TOKEN})
    unbound["domain"] = unbound["domain"] | {"chainId": 1}
    assert said(unbound)[1] == ["no_chain_binding", "unsigned_fields"]


def test_a_contract_that_is_not_signed_is_said() -> None:
    typed_data = document("Login(string text)", {"text": "hi"}, {"chainId": 1})
    assert said(typed_data)[1] == ["unknown_typed_data"]
    typed_data["domain"] = DOMAIN
    assert said(typed_data)[1] == ["unknown_typed_data", "unsigned_fields"]


def test_long_texts_are_cut_in_the_summary_and_told_apart() -> None:
    def shown(name: str) -> str:
        typed_data = document("Login(string text)", {"text": "hi"}, {"name": name, "chainId": 1})
        return str(said(typed_data)[0][0].details["domain"]["name"])

    assert shown("x" * 256) == "x" * 256
    assert shown("x" * 257) == "x" * 256 + "… keccak256 0x" + keccak(text="x" * 257).hex()
    assert len(shown("x" * 900_000)) < 400
    assert shown("x" * 900_000) != shown("x" * 900_001)


def test_null_structs_do_not_fail() -> None:
    order = ORDER | {"offer": [None, NFT], "consideration": [None]}
    assert "nothing_in_return" in said(document(known("OrderComponents"), order))[1]
    caveats = said(document(known("Delegation(address delegate,"), DELEGATION | {"caveats": [None]}))
    assert caveats[0][0].details["caveats"] == "1"
    single = document(known("PermitSingle"), {"details": None, "spender": OTHER, "sigDeadline": 9})
    assert said(single)[0][0].spender == OTHER
    batch = document(known("PermitBatch("), {"details": [None, DETAILS], "spender": OTHER, "sigDeadline": 9})
    assert said(batch)[0][0].amount == "5"
