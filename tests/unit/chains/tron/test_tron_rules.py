"""Rules, limits, hazards and cautions, and the summary of each contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from strongroom.domain.signing import Policy, SignOptions
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired
from tests.unit.chains.tron.tron_cases import (
    ANYTHING,
    DEFAULT,
    EXPIRATION,
    MAINNET,
    NILE,
    NOW,
    OTHER,
    OTHER_HEX,
    OWNER,
    OWNER_HEX,
    PERMISSIVE,
    TRON,
    USDT,
    built,
    call,
    check,
    codes,
    our_key,
    ours,
    sign,
)

ZERO = "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"
TO = "00" * 12 + OTHER_HEX[2:]
PREFIXED = "00" * 11 + OTHER_HEX
FULL = "ff" * 32
OPERATIONS = "7fff1fc0033e03" + "00" * 25


def key(address: str = OTHER, weight: int = 1) -> dict[str, Any]:
    return {"address": address, "weight": weight}


def permission(**changes: Any) -> dict[str, Any]:
    return {"type": "Active", "threshold": 1, "operations": OPERATIONS, "keys": [key()], **changes}


def permissions(**changes: Any) -> Any:
    owner = {"type": "Owner", "permission_name": "owner", "threshold": 2, "keys": [key(), key(OWNER)]}
    return built("AccountPermissionUpdateContract", **{"owner": owner, "actives": [permission()], **changes})


def summary(unsigned: Any) -> Any:
    return TRON.summarise(TRON.decode(MAINNET, unsigned), None)


@pytest.mark.parametrize(
    "unsigned",
    [
        built(to_address=OTHER, amount=0),
        built(to_address=OTHER),
        built(to_address=OWNER, amount=1),
        built("TransferAssetContract", asset_name="1002000", to_address=OWNER, amount=1),
        built("TransferAssetContract", asset_name="1002000", to_address=OTHER),
        *(built("TransferAssetContract", asset_name=name, to_address=OTHER, amount=1)
          for name in ("", "USDT", "01002000", "1000000", "١٠٠٢٠٠٠", "1" * 20)),
        built("VoteWitnessContract"),
        built("VoteWitnessContract", votes=[]),
        built("VoteWitnessContract", votes=[{"vote_address": OTHER, "vote_count": 1}] * 31),
        built("VoteWitnessContract", votes=[{"vote_address": OTHER, "vote_count": 0}]),
        built("FreezeBalanceV2Contract", frozen_balance=0),
        built("UnfreezeBalanceV2Contract", resource="ENERGY"),
        built("DelegateResourceContract", balance=1, receiver_address=OWNER),
        built("DelegateResourceContract", balance=1, receiver_address=OTHER, resource="TRON_POWER"),
        built("UnDelegateResourceContract", balance=0, receiver_address=OTHER),
        built("AccountCreateContract", account_address=OWNER),
        built("AccountCreateContract", account_address=OTHER, type="Contract"),
        call("a9059cbb" + TO + FULL, token_id=1_002_000),
        call("a9059cbb" + TO + FULL, call_token_value=1),
        call("a9059cbb" + TO + FULL, call_token_value=1, token_id=7),
        built("TriggerSmartContract", contract_address=USDT, data="a9059cbb" + TO + FULL),
    ],
)  # fmt: skip
def test_what_the_network_would_refuse_is_refused(unsigned: Any) -> None:
    with pytest.raises(InvalidTransaction):
        check(unsigned)


@pytest.mark.parametrize("missing", ["to_address", "owner_address"])
def test_an_address_that_is_missing_is_named(missing: str) -> None:
    form = built()
    del form["contract"][missing]
    with pytest.raises(InvalidTransaction, match=missing):
        TRON.decode(MAINNET, form)


class TestLimits:
    @staticmethod
    def at(seconds: float) -> None:
        TRON.check(TRON.decode(MAINNET, built()), ours(), DEFAULT, NOW + timedelta(seconds=seconds))

    def test_expired_and_about_to_expire(self) -> None:
        self.at(59)
        for seconds in (59.5, 60, 61, 10**9):
            with pytest.raises(InvalidTransaction, match="expired"):
                self.at(seconds)

    def test_more_than_a_day_ahead(self) -> None:
        self.at(60 - 86_400)
        with pytest.raises(LimitExceeded):
            self.at(60 - 86_400.1)

    def test_times_beyond_the_calendar_are_refused_and_not_a_crash(self) -> None:
        for expiration in (2**63 - 1, 253_402_300_800_000):
            form = built(more={"expiration": expiration, "timestamp": 2**63 - 1})
            with pytest.raises(LimitExceeded):
                check(form)
            assert sign(form, policy=PERMISSIVE).details["expiration"] == expiration

    def test_fee_limit(self) -> None:
        for fee_limit, allowed in ((1, True), (15_000_000_000, True), (15_000_000_001, False)):
            form = call("00" * 4) | {"fee_limit": fee_limit}
            if allowed:
                check(form)
            else:
                with pytest.raises(LimitExceeded):
                    check(form)
        assert "high_fee" in codes(check(call("00" * 4) | {"fee_limit": 1_000_000_000}))
        with pytest.raises(LimitExceeded):
            check(built(more={"fee_limit": 2**63 - 1}))

    def test_size_and_memo(self) -> None:
        check(built(more={"memo": "x" * 1024}))
        with pytest.raises(LimitExceeded):
            check(built(more={"memo": "x" * 1025}))
        with pytest.raises(LimitExceeded):
            check(call("00" * 65_536))
        check(call("00" * 65_536), PERMISSIVE)
        with pytest.raises(InvalidTransaction):
            TRON.decode(MAINNET, call("00" * 204_800))

    def test_unknown_calls(self) -> None:
        strict = Policy({**TRON.limits, "unknown_calls": 0})
        check(call("a9059cbb" + TO + FULL), strict)
        assert codes(check(call("a9059cbb" + TO + FULL + "00"), strict)) == ["noncanonical_call"]
        for data in ("", "12345678", "a9059cbb" + TO):
            assert "unknown_call" in codes(check(call(data)))
            with pytest.raises(LimitExceeded):
                check(call(data), strict)

    def test_all_can_be_turned_off(self) -> None:
        form = built("TriggerSmartContract", contract_address=USDT, data="a9059cbb" + TO + FULL)
        TRON.check(TRON.decode(MAINNET, form), ours(), PERMISSIVE, NOW + timedelta(days=10_000))

    def test_one_that_has_expired_can_be_looked_at(self) -> None:
        decoded = TRON.decode(MAINNET, built())
        assert codes(TRON.check(decoded, None, DEFAULT, NOW + timedelta(days=1))) == ["expired"]
        assert codes(TRON.check(decoded, None, DEFAULT, NOW - timedelta(days=9))) == []


LOST = {
    "to_zero_address": (
        built(to_address=ZERO, amount=1),
        built("TransferAssetContract", asset_name="1002000", to_address=ZERO, amount=1),
        call("a9059cbb" + "00" * 32 + FULL),
    ),
    "to_token_contract": (call("a9059cbb" + "00" * 12 + "a614f803b6fd780986a42c78ec9c7f77e6ded13c" + FULL),),
}


class TestHazards:
    @pytest.mark.parametrize(("name", "unsigned"), [(name, one) for name, every in LOST.items() for one in every])
    def test_what_is_lost_for_certain_must_be_asked_for(self, name: str, unsigned: Any) -> None:
        with pytest.raises(OptionRequired, match=name):
            check(unsigned)
        assert codes(check(unsigned, Policy(TRON.limits, SignOptions(allow=frozenset({name}))))) == [name]

    def test_new_permissions_must_be_asked_for(self) -> None:
        with pytest.raises(OptionRequired, match="permission_update"):
            check(permissions())
        assert codes(check(permissions(), ANYTHING)) == ["permission_update"]
        [action] = summary(permissions()).actions
        assert action.kind == "permission_update"
        assert action.details["owner"]["threshold"] == 2
        assert action.details["actives"][0]["keys"] == [key()]

    @pytest.mark.parametrize(
        "changes",
        [
            {"owner": None},
            {"actives": []},
            {"actives": [permission()] * 9},
            {"actives": [permission(keys=[])]},
            {"actives": [permission(keys=[key()] * 2)]},
            {"actives": [permission(keys=[key(weight=0)])]},
            {"actives": [permission(threshold=2)]},
            {"actives": [permission(threshold=0)]},
            {"actives": [permission(operations="00" * 31)]},
            {"actives": [permission(operations="")]},
            {"actives": [permission(type="Owner")]},
            {"actives": [permission(parent_id=1)]},
            {"witness": permission()},
        ],
        ids=str,
    )
    def test_permissions_that_the_network_refuses_or_that_nobody_can_meet(self, changes: dict[str, Any]) -> None:
        form = permissions(**changes)
        if changes.get("owner", 1) is None:
            del form["contract"]["owner"]
        with pytest.raises(InvalidTransaction):
            check(form, ANYTHING)


@pytest.mark.parametrize(
    ("unsigned", "expected"),
    [
        (built(), []),
        (built(more={"memo": "x"}), ["memo"]),
        (built(to_address=OTHER, amount=1, Permission_id=2), ["account_permission"]),
        (call("a9059cbb" + TO + FULL), []),
        (call("a9059cbb" + PREFIXED + FULL), ["prefixed_address"]),
        (call("a9059cbb" + "00" * 12 + OWNER_HEX[2:] + FULL), ["to_self"]),
        (call("095ea7b3" + TO + FULL), ["unlimited_approval"]),
        (call("095ea7b3" + TO + "00" * 31 + "01"), []),
        (call("d73dd623" + TO + FULL), ["unlimited_approval"]),
        (call("66188463" + TO + FULL), []),
        (call("39509351" + TO + FULL), ["unlimited_approval"]),
        (call("23b872dd" + TO + PREFIXED + FULL), ["prefixed_address"]),
        (call("a22cb465" + TO + "00" * 31 + "01"), ["approval_for_all"]),
        (call("a9059cbb" + TO + FULL, call_value=1), ["call_with_value"]),
        (call("12345678"), ["unknown_call"]),
        (built("DelegateResourceContract", balance=1, receiver_address=OTHER, lock=True), ["locked_delegation"]),
    ],
)  # fmt: skip
def test_cautions(unsigned: Any, expected: list[str]) -> None:
    assert codes(check(unsigned)) == expected


@pytest.mark.parametrize(
    ("unsigned", "actions"),
    [
        (built(), [("transfer", OTHER, "1000000", "TRX")]),
        (built("TransferAssetContract", asset_name="1002000", to_address=OTHER, amount=7),
         [("token_transfer", OTHER, "7", "1002000")]),
        (call("a9059cbb" + TO + f"{25:064x}"), [("token_transfer", OTHER, "25", USDT)]),
        (call("a9059cbb" + PREFIXED + f"{25:064x}"), [("token_transfer", OTHER, "25", USDT)]),
        (call("23b872dd" + TO + PREFIXED + f"{25:064x}"), [("token_transfer_from", OTHER, "25", USDT)]),
        (call("a9059cbb" + TO + f"{25:064x}", call_value=9, call_token_value=8, token_id=1_002_000),
         [("token_transfer", OTHER, "25", USDT), ("transfer", USDT, "9", "TRX"),
          ("token_transfer", USDT, "8", "1002000")]),
        (call("", call_value=9), [("contract_call", None, None, None), ("transfer", USDT, "9", "TRX")]),
        (call("095ea7b3" + TO + f"{25:064x}"), [("token_approve", None, "25", USDT)]),
        (call("d73dd623" + TO + f"{25:064x}"), [("token_approve", None, "25", USDT)]),
        (built("FreezeBalanceV2Contract", frozen_balance=5), [("stake", None, "5", "TRX")]),
        (built("UnfreezeBalanceV2Contract", unfreeze_balance=5, resource="ENERGY"), [("unstake", None, "5", "TRX")]),
        (built("DelegateResourceContract", balance=5, receiver_address=OTHER),
         [("delegate_resource", OTHER, "5", "TRX")]),
        (built("UnDelegateResourceContract", balance=5, receiver_address=OTHER),
         [("undelegate_resource", OTHER, "5", "TRX")]),
        (built("VoteWitnessContract", votes=[{"vote_address": OTHER, "vote_count": 5}] * 2),
         [("vote", OTHER, None, None)] * 2),
        (built("AccountCreateContract", account_address=OTHER), [("account_creation", OTHER, None, None)]),
        (built("WithdrawBalanceContract", owner_address=OWNER), [("withdraw_rewards", None, None, "TRX")]),
        (built("WithdrawExpireUnfreezeContract", owner_address=OWNER), [("withdraw_unstaked", None, None, "TRX")]),
        (built("CancelAllUnfreezeV2Contract", owner_address=OWNER), [("cancel_unstaking", None, None, "TRX")]),
    ],
)  # fmt: skip
def test_summaries(unsigned: Any, actions: list[tuple[Any, ...]]) -> None:
    shown = summary(unsigned)
    assert [(each.kind, each.to, each.amount, each.asset) for each in shown.actions] == actions
    assert shown.from_address == OWNER
    assert shown.type == unsigned["contract"]["type"]
    assert shown.payload_hash == "0x" + shown.details["tx_id"] == "0x" + str(sign(unsigned).tx_id)


def test_details_of_a_summary() -> None:
    shown = summary(call("d73dd623" + TO + f"{25:064x}"))
    [action] = shown.actions
    assert (action.spender, action.contract, action.method) == (OTHER, USDT, "increaseApproval")
    assert shown.details["fee_limit"] == shown.fee.limit == shown.fee.amount == "100000000"
    assert shown.details["expiration"] == EXPIRATION
    assert shown.details["expires_at"] == "2026-01-01T00:01:00.000Z"
    signed = sign(built())
    assert summary(built()).details["bandwidth"] == len(signed.raw) // 2 + 64
    locked = summary(built("DelegateResourceContract", balance=1, receiver_address=OTHER, lock=True, lock_period=9))
    assert locked.actions[0].details == {"resource": "BANDWIDTH", "lock": True, "lock_period": "9"}


@pytest.mark.parametrize(
    ("memo", "text"),
    [("invoice 7", "invoice 7"), ("счёт ✓", "счёт ✓"), ("a\nb", None), ("\u202egnp.exe", None), ("\u200b", None)],
)
def test_a_memo_is_shown_as_text_only_where_that_shows_all_of_it(memo: str, text: str | None) -> None:
    details = summary(built(more={"memo": memo})).details
    assert details["memo_hex"] == memo.encode().hex()
    assert details.get("memo") == text


def test_a_memo_that_is_not_text_is_shown_in_hex() -> None:
    details = summary(built(more={"data": "deadff"})).details
    assert (details["memo_hex"], "memo" in details) == ("deadff", False)


def test_the_guard_is_the_transaction_id() -> None:
    decoded = TRON.decode(NILE, built())
    [guard] = TRON.prepare(decoded, ours()).guards
    assert (guard.keyspace, guard.chain_id, guard.address) == ("tron", "tron:0xcd8690dc", our_key().address.hex())
    assert guard.sequence == guard.payload_hash.hex() == decoded.tx_id.hex()
    assert replace(guard, payload_hash=b"") != guard
