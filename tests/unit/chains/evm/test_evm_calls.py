"""Calls that hide other calls or themselves. Everything that lets money out is reported."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import eth_abi
import pytest
from eth_utils.abi import function_signature_to_4byte_selector
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.codecs import abi, calls
from strongroom.codecs.effects import SENTINELS, UNLIMITED
from strongroom.codecs.known import CALLS, Inside
from strongroom.domain.signing import Policy
from strongroom.domain.summary import Action
from strongroom.errors import LimitExceeded
from tests.support.calldata import encode_call
from tests.unit.chains.evm.evm_cases import ETHEREUM, EVM, FROM, OURS, PERMISSIVE, TOKEN, check
from tests.unit.chains.evm.test_evm_summaries import CALL, OTHER

ALL = 2**256 - 1
PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
SAFE = "0x1c511d88ba898b4D9cd9113D13B9c360a02Fcea1"
MULTI_SEND = "0x9641d764fc13c8B624c04430C7356C1C7C8102e2"
"""MultiSendCallOnly 1.4.1 of Safe."""
REFUSE = Policy({**PERMISSIVE.limits, "unknown_calls": 0}, PERMISSIVE.options)


def data(signature: str, *args: Any) -> bytes:
    """Encoded by eth-abi."""
    kinds = abi.split(signature[signature.index("(") + 1 : -1])
    return bytes(function_signature_to_4byte_selector(signature)) + eth_abi.encode(kinds, args)


def actions(payload: bytes, to: str = TOKEN, value: int = 0) -> list[Action]:
    return EVM.summarise(EVM.decode(ETHEREUM, _form(payload, to, value)), OURS).actions


def codes(payload: bytes, to: str = TOKEN, value: int = 0) -> list[str]:
    return [caution.code for caution in check(_form(payload, to, value), PERMISSIVE)]


def _form(payload: bytes, to: str, value: int) -> dict[str, Any]:
    return CALL | {"to": to, "data": "0x" + payload.hex(), "value": hex(value), "gas": hex(5 * 10**6)}


APPROVE = data("approve(address,uint256)", OTHER, ALL)
TRANSFER = data("transfer(address,uint256)", OTHER, 5)
HARMLESS = data("approve(address,uint256)", OTHER, 7)


def wrapped(inner: bytes) -> Iterator[tuple[str, bytes]]:
    """The same call to TOKEN inside every kind of call that makes calls."""
    yield "multicall", data("multicall(bytes[])", [inner])
    yield "with a deadline", data("multicall(uint256,bytes[])", 5, [HARMLESS, inner])
    yield "with a block", data("multicall(bytes32,bytes[])", bytes(32), [inner])
    yield "aggregate", data("aggregate((address,bytes)[])", [(TOKEN, inner)])
    yield "aggregate3", data("aggregate3((address,bool,bytes)[])", [(TOKEN, True, inner)])
    yield "aggregate3Value", data("aggregate3Value((address,bool,uint256,bytes)[])", [(TOKEN, True, 0, inner)])
    yield "tryAggregate", data("tryAggregate(bool,(address,bytes)[])", False, [(TOKEN, inner)])
    yield "safe", safe(TOKEN, inner)
    packed = b"".join(
        b"\0" + bytes.fromhex(TOKEN[2:]) + bytes(32) + len(each).to_bytes(32, "big") + each
        for each in (HARMLESS, inner)
    )
    yield "multiSend", data("multiSend(bytes)", packed)
    yield "multiSend of a safe", safe(MULTI_SEND, data("multiSend(bytes)", packed), operation=1)
    yield "execute", data("execute(address,uint256,bytes)", TOKEN, 0, inner)
    yield "executeBatch", data("executeBatch(address[],uint256[],bytes[])", [TOKEN], [0], [inner])
    yield "executeBatch of tuples", data("executeBatch((address,uint256,bytes)[])", [(TOKEN, 0, inner)])
    single = bytes.fromhex(TOKEN[2:]) + bytes(32) + inner
    yield "erc7579", data("execute(bytes32,bytes)", bytes(32), single)
    batch = eth_abi.encode(["(address,uint256,bytes)[]"], [[(TOKEN, 0, inner)]])
    yield "erc7579 batch", data("execute(bytes32,bytes)", b"\1" + bytes(31), batch)
    forward = (FROM, TOKEN, 0, 10**6, 5, inner, b"")
    yield "forwarder", data("execute((address,address,uint256,uint256,uint48,bytes,bytes))", forward)
    yield "meta transaction", data("executeMetaTransaction(address,bytes,bytes32,bytes32,uint8)", FROM, inner, *VRS)
    yield "twice", data("multicall(bytes[])", [data("multicall(bytes[])", [inner])])


VRS = (bytes(32), bytes(32), 27)


def safe(to: str, inner: bytes, operation: int = 0, value: int = 0) -> bytes:
    return data(
        "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
        *(to, value, inner, operation, 0, 0, 0, "0x" + "00" * 20, "0x" + "00" * 20, b""),
    )


@pytest.mark.parametrize(
    ("name", "payload"), [*wrapped(APPROVE)], ids=lambda each: each if isinstance(each, str) else ""
)
def test_an_approval_is_found_wherever_it_is(name: str, payload: bytes) -> None:
    assert "unlimited_approval" in codes(payload)
    assert "unknown_call" not in codes(payload)
    found = [(each.spender, each.amount, each.contract) for each in actions(payload) if each.kind == "token_approve"]
    assert (OTHER, str(ALL), TOKEN) in found
    assert check(_form(payload, TOKEN, 0), REFUSE)


@pytest.mark.parametrize(
    ("name", "payload"), [*wrapped(b"\x12\x34\x56\x78")], ids=lambda each: each if isinstance(each, str) else ""
)
def test_an_unknown_call_is_found_wherever_it_is(name: str, payload: bytes) -> None:
    assert "unknown_call" in codes(payload)
    with pytest.raises(LimitExceeded, match="unknown_calls") as refusal:
        check(_form(payload, TOKEN, 0), REFUSE)
    assert refusal.value.field == "unsigned_tx.data"


@pytest.mark.parametrize(
    ("name", "payload"),
    [*wrapped(TRANSFER), ("alone", APPROVE)],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_bytes_after_the_arguments_hide_nothing(name: str, payload: bytes) -> None:
    draw = random.Random(4)
    plain, said = actions(payload), codes(payload)
    for size in (1, 4, 31, 32, 33, 64):
        longer = payload + draw.randbytes(size)
        assert actions(longer) == plain
        assert sorted(codes(longer)) == sorted([*said, "noncanonical_call"])


def test_bytes_after_the_arguments_of_a_call_inside_are_said_too() -> None:
    assert "noncanonical_call" in codes(data("multicall(bytes[])", [APPROVE + b"bc_key"]))


@pytest.mark.parametrize(
    "amount", [ALL, 2**255, 2**255 - 1, 2**160 - 1, 2**128 - 1, 2**96 - 1, 2**95, 2**64 - 1, 2**63 - 1]
)
def test_what_means_all_there_is_is_unlimited(amount: int) -> None:
    assert codes(data("approve(address,uint256)", OTHER, amount)) == ["unlimited_approval"]
    assert codes(data("increaseAllowance(address,uint256)", OTHER, amount)) == ["unlimited_approval"]
    assert codes(data("decreaseAllowance(address,uint256)", OTHER, amount)) == []


@pytest.mark.parametrize("amount", [0, 1, 10**18, 2**64, 2**64 - 2, 10**9 * 10**18, UNLIMITED - 1])
def test_amounts_that_people_have_are_not(amount: int) -> None:
    assert amount not in SENTINELS
    assert codes(data("approve(address,uint256)", OTHER, amount)) == []


EXPIRY = 2**48 - 1


@pytest.mark.parametrize(
    ("payload", "to", "expected", "said"),
    [
        (
            data("approve(address,address,uint160,uint48)", TOKEN, OTHER, 2**160 - 1, EXPIRY),
            PERMIT2,
            {"kind": "token_approve", "spender": OTHER, "amount": str(2**160 - 1), "asset": TOKEN, "contract": PERMIT2,
             "details": {"expiration": str(EXPIRY)}},
            ["unlimited_approval"],
        ),
        (
            data("transferFrom(address,address,uint160,address)", FROM, OTHER, 5, TOKEN),
            PERMIT2,
            {"kind": "token_transfer_from", "from_address": FROM, "to": OTHER, "amount": "5", "asset": TOKEN},
            [],
        ),
        (
            data("permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)", FROM,
                 ((TOKEN, 9, 8, 7), OTHER, 6), b""),
            PERMIT2,
            {"kind": "token_approve", "from_address": FROM, "spender": OTHER, "amount": "9", "asset": TOKEN,
             "details": {"expiration": "8", "deadline": "6"}},
            [],
        ),
        (
            data("permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)",
                 ((TOKEN, 9), 1, 6), (OTHER, 4), FROM, b""),
            PERMIT2,
            {"kind": "token_transfer_from", "from_address": FROM, "to": OTHER, "amount": "4", "asset": TOKEN},
            [],
        ),
        (
            data("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)", FROM, OTHER, 0, 99, True, 27,
                 bytes(32), bytes(32)),
            TOKEN,
            {"kind": "token_approve", "from_address": FROM, "spender": OTHER,
             "details": {"deadline": "99", "allowed": True}},
            ["unlimited_approval"],
        ),
        (data("approveAndCall(address,uint256,bytes)", OTHER, ALL, b"x"), TOKEN,
         {"kind": "token_approve", "spender": OTHER, "amount": str(ALL)}, ["unlimited_approval"]),
        (data("transferAndCall(address,uint256,bytes)", OTHER, 5, b"x"), TOKEN,
         {"kind": "token_transfer", "to": OTHER, "amount": "5"}, []),
        (data("authorizeOperator(address)", OTHER), TOKEN,
         {"kind": "token_approve", "spender": OTHER}, ["approval_for_all"]),
        (data("send(address,uint256,bytes)", OTHER, 5, b""), TOKEN,
         {"kind": "token_transfer", "to": OTHER, "amount": "5"}, []),
        (data("setApprovalForAll(address,bool)", OTHER, True), TOKEN,
         {"kind": "token_approve", "spender": OTHER, "details": {"all": True}}, ["approval_for_all"]),
        (data("transferOwnership(address)", OTHER), TOKEN,
         {"kind": "contract_call", "method": "transferOwnership", "details": {"new_owner": OTHER}},
         ["ownership_change"]),
        (data("upgradeTo(address)", OTHER), TOKEN,
         {"kind": "contract_call", "details": {"implementation": OTHER}}, ["contract_upgrade"]),
        (data("upgradeToAndCall(address,bytes)", OTHER, b"x"), TOKEN, {"method": "upgradeToAndCall"},
         ["contract_upgrade"]),
        (data("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 5, 4, [TOKEN, OTHER], FROM, 9),
         OTHER,
         {"kind": "swap", "to": FROM,
          "details": {"amount": "5", "least": "4", "path": [TOKEN, OTHER], "deadline": "9"}}, []),
    ],
)  # fmt: skip
def test_calls_that_let_money_out(payload: bytes, to: str, expected: dict[str, Any], said: list[str]) -> None:
    [action] = actions(payload, to)
    assert {name: getattr(action, name) for name in expected} == expected
    assert codes(payload, to) == said


def test_lists_of_permit2_are_an_action_each() -> None:
    batch = data(
        "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)",
        *(FROM, ([(TOKEN, 1, 2, 3), (OTHER, 2**160 - 1, 2, 3)], OTHER, 6), b""),
    )
    assert [(each.asset, each.amount) for each in actions(batch)] == [(TOKEN, "1"), (OTHER, str(2**160 - 1))]
    assert codes(batch) == ["unlimited_approval"]
    moved = data(
        "permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)",
        *(([(TOKEN, 9), (OTHER, 9)], 1, 6), [(OTHER, 1), (SAFE, 2)], FROM, b""),
    )
    assert [(each.asset, each.to, each.amount) for each in actions(moved)] == [(TOKEN, OTHER, "1"), (OTHER, SAFE, "2")]
    uneven = data(
        "permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)",
        *(([(TOKEN, 9), (OTHER, 9), (SAFE, 9)], 1, 6), [(OTHER, 1), (SAFE, 2)], FROM, b""),
    )
    assert codes(uneven) == ["unknown_call"]


def test_a_call_inside_is_by_whoever_makes_it() -> None:
    def makers(payload: bytes) -> set[str | None]:
        return {each.from_address for each in actions(payload, SAFE) if each.kind == "token_transfer"}

    assert makers(data("multicall(bytes[])", [TRANSFER])) == {FROM}
    assert makers(safe(TOKEN, TRANSFER)) == {SAFE}
    assert makers(data("aggregate3((address,bool,bytes)[])", [(TOKEN, True, TRANSFER)])) == {SAFE}
    request = (OTHER, TOKEN, 0, 10**6, 5, TRANSFER, b"")
    assert makers(data("execute((address,address,uint256,uint256,uint48,bytes,bytes))", request)) == {OTHER}


def test_code_that_runs_as_the_account_is_not_understood() -> None:
    assert codes(safe(OTHER, TRANSFER, operation=1)) == ["delegate_call", "unknown_call"]
    assert codes(safe(OTHER, b"", operation=1)) == ["delegate_call", "unknown_call"]
    assert codes(safe(OTHER, TRANSFER, operation=2)) == ["unknown_call"]
    delegated = data("execute(bytes32,bytes)", b"\xff" + bytes(31), bytes.fromhex(OTHER[2:]) + TRANSFER)
    assert codes(delegated) == ["delegate_call", "unknown_call"]


def test_only_code_of_safe_itself_is_trusted_to_be_multisend_when_it_runs_as_the_account() -> None:
    one = b"\0" + bytes.fromhex(TOKEN[2:]) + bytes(32) + len(HARMLESS).to_bytes(32, "big") + HARMLESS
    batch = data("multiSend(bytes)", one)
    assert codes(safe(MULTI_SEND, batch, operation=1)) == ["delegate_call"]
    assert codes(safe(OTHER, batch, operation=1)) == ["delegate_call", "unknown_call"]
    by_mode = data("execute(bytes32,bytes)", b"\xff" + bytes(31), bytes.fromhex(OTHER[2:]) + batch)
    assert codes(by_mode) == ["delegate_call", "unknown_call"]
    with pytest.raises(LimitExceeded, match="unknown_calls"):
        check(_form(safe(OTHER, batch, operation=1), TOKEN, 0), REFUSE)


def test_coins_that_calls_inside_send_are_shown() -> None:
    payload = safe(OTHER, b"", value=7)
    assert [(each.kind, each.from_address, each.to, each.amount, each.asset) for each in actions(payload, SAFE)][1] == (
        *("transfer", SAFE, OTHER, "7", "ETH"),
    )
    assert "to_zero_address" in codes(safe("0x" + "00" * 20, b"", value=7))


def test_the_universal_router_is_read_command_by_command() -> None:
    permit = eth_abi.encode(
        ["((address,uint160,uint48,uint48),address,uint256)", "bytes"],
        [((TOKEN, 2**160 - 1, 1, 2), OTHER, 3), b""],
    )
    me, router = "0x" + "00" * 19 + "01", "0x" + "00" * 19 + "02"
    swap = eth_abi.encode(["address", "uint256", "uint256", "bytes", "bool"], [router, 5, 4, b"path", True])
    unwrap = eth_abi.encode(["address", "uint256"], [me, 4])
    payload = data("execute(bytes,bytes[],uint256)", bytes([0x0A, 0x80, 0x0C]), [permit, swap, unwrap], 9)
    assert [each.method for each in actions(payload, OTHER)] == [
        *("execute", "PERMIT2_PERMIT", "V3_SWAP_EXACT_IN", "UNWRAP_WETH"),
    ]
    assert [each.to for each in actions(payload, OTHER)] == [None, None, OTHER, FROM]
    assert codes(payload, OTHER) == ["unlimited_approval"]
    plan = eth_abi.encode(["bytes", "bytes[]"], [b"\x0a", [permit]])
    assert "unlimited_approval" in codes(data("execute(bytes,bytes[])", b"\x21", [plan]), OTHER)
    for commands, inputs in ((b"\x10", [b""]), (b"\x0a", []), (b"\x0a", [b"short"]), (b"\x3f", [permit])):
        assert "unknown_call" in codes(data("execute(bytes,bytes[])", commands, inputs), OTHER)


def test_work_and_depth_are_bounded() -> None:
    deep = APPROVE
    for _ in range(calls.MAX_DEPTH + 1):
        deep = data("multicall(bytes[])", [deep])
    assert codes(deep) == ["unknown_call"]
    assert len(actions(data("multicall(bytes[])", [HARMLESS] * 63))) == 64
    assert codes(data("multicall(bytes[])", [HARMLESS] * 63)) == []
    assert codes(data("multicall(bytes[])", [HARMLESS] * 64)) == ["unknown_call"]
    many = data("transferFrom((address,address,uint160,address)[])", [(FROM, OTHER, 1, TOKEN)] * 100)
    assert "unknown_call" in codes(many)
    assert len(actions(many)) <= calls.MAX_CALLS
    # Lists that all point to the same place, 2^16 items in 2 kB.
    bomb = (32).to_bytes(32, "big") + (60).to_bytes(32, "big") + (60 * 32).to_bytes(32, "big") * 60 + bytes(320)
    assert codes(bytes(function_signature_to_4byte_selector("multicall(bytes[])")) + bomb) is not None


_SAMPLES = [HARMLESS, APPROVE, TRANSFER, *(payload for _, payload in wrapped(APPROVE))]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_called_is_read_or_unknown_and_never_fails(draw: st.DataObject) -> None:
    payload = bytearray(draw.draw(st.sampled_from(_SAMPLES)))
    for _ in range(draw.draw(st.integers(0, 4))):
        payload[draw.draw(st.integers(0, len(payload) - 1))] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(0, len(payload)))
    read = calls.read_call(calls.Call(bytes(20), bytes(payload[:cut] if draw.draw(st.booleans()) else payload)))
    assert read.effects
    assert (read.unknown > 0) == ("unknown_call" in read.cautions)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_encoding_is_canonical_if_encoding_its_values_gives_it_back(draw: st.DataObject) -> None:
    kinds = ["(address,uint160,bytes)[]", "bytes[]", "bool", "int16", "bytes4"]
    good = eth_abi.encode(kinds, [[(OTHER, 5, b"abc")], [b"", b"x" * 40], True, -3, b"abcd"])
    changed = bytearray(good + draw.draw(st.binary(max_size=3)))
    for _ in range(draw.draw(st.integers(0, 2))):
        changed[draw.draw(st.integers(0, len(changed) - 1))] = draw.draw(st.sampled_from([0, 1, 2, 32, 64, 255]))
    try:
        values, canonical = abi.read(kinds, bytes(changed))
    except ValueError:
        return
    assert canonical == (eth_abi.encode(kinds, values) == bytes(changed))


def test_every_entry_that_makes_calls_is_tried_here() -> None:
    tried = {payload[:4] for _, payload in wrapped(APPROVE)}
    untried = {
        calls.canonical(known.signature)
        for known in CALLS
        if known.inside is Inside.CALLS and abi.selector(calls.canonical(known.signature)) not in tried
    }
    for signature in untried:
        parameters = calls.parameters(next(k.signature for k in CALLS if calls.canonical(k.signature) == signature))
        payload = encode_call(signature, [_argument(each) for each in parameters])
        assert "unlimited_approval" in codes(payload), signature


def _argument(parameter: calls.Parameter) -> Any:
    """An approval of everything for ``data``, TOKEN for ``target``, and nothing for the rest."""
    if parameter.parts is not None:
        item = [_argument(each) for each in parameter.parts]
        return [item] if parameter.kind.endswith("[]") else item
    value: Any = {"data": APPROVE, "target": TOKEN}.get(parameter.name)
    kind = parameter.kind.removesuffix("[]")
    if value is None:
        value = {"bool": False, "address": bytes(20), "bytes": b"", "bytes32": bytes(32)}.get(kind, 0)
    return [value] if parameter.kind.endswith("[]") else value
