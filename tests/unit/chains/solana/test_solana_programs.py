"""What the summary says about instructions, and that no encoding hides it."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AssignParams,
    TransferParams,
    TransferWithSeedParams,
    WithdrawNonceAccountParams,
    allocate,
    assign,
    transfer,
    transfer_with_seed,
    withdraw_nonce_account,
)

from strongroom.chains.solana.programs import budget, registry
from strongroom.chains.solana.programs.base import Account, Instruction, Step
from strongroom.chains.solana.programs.stake import PROGRAM as STAKE
from strongroom.codecs.solana import ASSOCIATED, TOKEN, TOKEN_2022, TOKEN_PROGRAMS

A, B, C, D = (bytes((number,)) * 32 for number in (1, 2, 3, 4))
A_TEXT, B_TEXT, C_TEXT = (str(Pubkey(key)) for key in (A, B, C))


def of(theirs: object) -> Instruction:
    """An instruction that solders made."""
    accounts = tuple(Account(bytes(m.pubkey), m.is_signer, m.is_writable) for m in theirs.accounts)  # type: ignore[attr-defined]
    return Instruction(bytes(theirs.program_id), accounts, bytes(theirs.data))  # type: ignore[attr-defined]


def tokens(data: bytes, *keys: bytes, program: bytes = TOKEN) -> Instruction:
    return Instruction(program, tuple(Account(key, False, True) for key in keys), data)


def codes(step: Step) -> set[str]:
    return {caution.code for caution in step.cautions}


def amount(value: int) -> bytes:
    return value.to_bytes(8, "little")


@pytest.mark.parametrize(
    "made",
    [
        transfer(TransferParams(from_pubkey=Pubkey(A), to_pubkey=Pubkey(B), lamports=5)),
        transfer_with_seed(
            TransferWithSeedParams(
                from_pubkey=Pubkey(A), from_base=Pubkey(C), from_seed="seed", from_owner=Pubkey(D),
                to_pubkey=Pubkey(B), lamports=5,
            )
        ),
        withdraw_nonce_account(
            WithdrawNonceAccountParams(
                nonce_pubkey=Pubkey(A), authorized_pubkey=Pubkey(C), to_pubkey=Pubkey(B), lamports=5
            )
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("extra", [b"", b"\0", bytes(64)])
def test_what_moves_coins_is_a_transfer_whatever_follows(made: object, extra: bytes) -> None:
    plain = of(made)
    step = registry.read(Instruction(plain.program, plain.accounts, plain.data + extra))
    action = step.action
    assert (action.kind, action.from_address, action.to, action.amount) == ("transfer", A_TEXT, B_TEXT, "5")
    assert codes(step) == ({"noncanonical_call"} if extra else set())


@pytest.mark.parametrize("extra", [b"", b"\0", bytes(64)])
@pytest.mark.parametrize("program", TOKEN_PROGRAMS)
@pytest.mark.parametrize(
    ("data", "keys", "kind", "shown", "expected"),
    [
        (b"\3" + amount(7), (A, B, C), "token_transfer", (A_TEXT, B_TEXT, "7"), set()),
        (b"\x0c" + amount(7) + b"\6", (A, D, B, C), "token_transfer", (A_TEXT, B_TEXT, "7"), set()),
        (b"\4" + amount(7), (A, B, C), "token_approve", (A_TEXT, None, "7"), {"token_approval"}),
        (
            b"\x0d" + amount(2**64 - 1) + b"\6",
            (A, D, B, C),
            "token_approve",
            (A_TEXT, None, str(2**64 - 1)),
            {"token_approval", "unlimited_approval"},
        ),
        (b"\x09", (A, B, C), "token_close", (A_TEXT, B_TEXT, None), {"close_to_other"}),
        (b"\x09", (A, C, C), "token_close", (A_TEXT, C_TEXT, None), set()),
        (b"\x08" + amount(7), (A, D, C), "token_burn", (A_TEXT, None, "7"), set()),
        (b"\x07" + amount(7), (D, B, C), "token_mint", (None, B_TEXT, "7"), set()),
        (b"\6\2\1" + B, (A, C), "token_set_authority", (None, B_TEXT, None), {"set_authority"}),
    ],
)
def test_what_moves_tokens_or_lets_others_move_them_is_shown_whatever_follows(
    data: bytes, keys: tuple[bytes, ...], kind: str, shown: tuple[str | None, ...], expected: set[str],
    program: bytes, extra: bytes,
) -> None:  # fmt: skip
    step = registry.read(tokens(data + extra, *keys, program=program))
    assert step.understood
    assert (step.action.kind, step.action.from_address, step.action.to, step.action.amount) == (kind, *shown)
    assert codes(step) == expected | ({"noncanonical_call"} if extra else set())


def test_a_transfer_with_a_fee_is_one_in_token_2022_only() -> None:
    data = b"\x1a\1" + amount(9) + b"\6" + amount(2)
    step = registry.read(tokens(data, A, D, B, C, program=TOKEN_2022))
    assert (step.action.kind, step.action.amount, step.action.details["fee"]) == ("token_transfer", "9", "2")
    assert not registry.read(tokens(data, A, D, B, C)).understood


@pytest.mark.parametrize("data", [b"", b"\3", b"\3" + bytes(7), b"\x1b\5" + bytes(80), b"\xff\0", b"\x2c", b"\6\2\1"])
def test_what_is_not_read_says_so(data: bytes) -> None:
    for program in TOKEN_PROGRAMS:
        step = registry.read(tokens(data, A, B, C, program=program))
        assert not step.understood
        assert codes(step) == {"unknown_instruction"}
        assert step.action.details["accounts"][0]["account"] == A_TEXT


def test_an_unknown_program_is_shown_with_its_accounts() -> None:
    step = registry.read(Instruction(D, (Account(A, True, True), Account(None, False, True, B, 3)), b"\1\2"))
    assert not step.understood
    assert codes(step) == {"unknown_program"}
    assert [each["account"] for each in step.action.details["accounts"]] == [A_TEXT, f"{B_TEXT}[3]"]


def test_assign_warns() -> None:
    step = registry.read(of(assign(AssignParams(pubkey=Pubkey(A), owner=Pubkey(B)))))
    assert codes(step) == {"account_assign"}
    assert step.action.details["owner"] == B_TEXT


def test_reserving_space_warns() -> None:
    """An account with data can neither pay fees nor send coins."""
    step = registry.read(of(allocate(AllocateParams(pubkey=Pubkey(A), space=1))))
    assert codes(step) == {"account_assign"}


@pytest.mark.parametrize("data", [b"\x0c" + amount(7) + b"\6", b"\x1a\1" + amount(7) + b"\6" + amount(2)])
def test_a_transfer_that_calls_a_hook_is_not_understood(data: bytes) -> None:
    """Token-2022 hands the further accounts to a program of the mint's choice, with the rights that they have."""
    plain = (*(Account(key, False, True) for key in (A, D, B)), Account(C, True, False))
    payer, validation = Account(A, True, True), Account(D, False, False)
    step = registry.read(Instruction(TOKEN_2022, (*plain, payer, validation), data))
    assert not step.understood
    assert (step.action.kind, step.action.amount, step.handed) == ("token_transfer", "7", (payer, validation))
    assert step.action.details["hook_accounts"] == [A_TEXT, str(Pubkey(D))]
    assert codes(step) == {"unknown_program"}
    for accounts in (plain, (*plain, payer, Account(D, True, False))):  # the latter are the signers of a multisig
        step = registry.read(Instruction(TOKEN_2022, accounts, data))
        assert (step.understood, step.handed) == (True, ())


def test_the_associated_token_account_program_calls_the_token_program_that_it_is_given() -> None:
    """It lets that program say how large the account is, and so how much the payer pays."""
    for tag, at in ((0, 5), (1, 5), (2, 6)):
        accounts = [Account(A, True, True)] * 7
        for program, expected in ((TOKEN, True), (TOKEN_2022, True), (D, False), (None, False)):
            accounts[at] = Account(program, False, False)
            assert registry.read(Instruction(ASSOCIATED, tuple(accounts), bytes((tag,)))).understood == expected


def test_an_account_from_a_lookup_table_is_not_said_to_be_wrong() -> None:
    looked_up = Account(None, False, True, D, 3)
    for place in (1, 2, 3):
        accounts = [Account(key, False, False) for key in (A, A, B, C, D, TOKEN)]
        assert codes(registry.read(Instruction(ASSOCIATED, tuple(accounts), b""))) == {"associated_account_mismatch"}
        accounts[place] = looked_up
        assert codes(registry.read(Instruction(ASSOCIATED, tuple(accounts), b""))) == set()


def stake(tag: int, data: bytes, *keys: bytes) -> Instruction:
    accounts = tuple(Account(key, False, True) for key in keys)
    return Instruction(STAKE, accounts, tag.to_bytes(4, "little") + data)


def test_who_gets_a_new_stake_is_shown() -> None:
    step = registry.read(stake(0, B + C + bytes(48), A, D))
    assert step.action.details == {"staker": B_TEXT, "withdrawer": C_TEXT}
    step = registry.read(stake(0, B + C + amount(5) + amount(0) + A, A, D))
    assert step.action.details == {
        "staker": B_TEXT, "withdrawer": C_TEXT, "lockup_time": "5", "lockup_epoch": "0", "custodian": A_TEXT,
    }  # fmt: skip
    step = registry.read(stake(9, b"", A, D, B, C))
    assert step.action.details == {"staker": B_TEXT, "withdrawer": C_TEXT}


@pytest.mark.parametrize(
    ("tag", "data", "keys", "expected"),
    [
        (6, b"\0\1" + amount(9) + b"\1" + C, (A, B), {"lockup_epoch": "9", "custodian": C_TEXT}),
        (6, b"\1" + amount(7) + b"\0\0", (A, B), {"lockup_time": "7"}),
        (12, b"\0\1" + amount(9), (A, B, C), {"lockup_epoch": "9", "custodian": C_TEXT}),
        (12, b"\0\1" + amount(9), (A, B), {"lockup_epoch": "9"}),
    ],
)
def test_locking_a_stake_warns(tag: int, data: bytes, keys: tuple[bytes, ...], expected: dict[str, str]) -> None:
    """Until then it can only be withdrawn with the custodian, who may be a stranger."""
    step = registry.read(stake(tag, data, *keys))
    assert step.action.details == {"authority": B_TEXT, **expected}
    assert codes(step) == {"stake_authority"}


def test_what_inclusion_can_cost() -> None:
    """This is the priority fee, rounded up. The 5,000 lamports per signature are counted elsewhere."""
    limit = Instruction(budget.PROGRAM, (), b"\2" + (200_000).to_bytes(4, "little"))
    price = Instruction(budget.PROGRAM, (), b"\3" + amount(5_000_000))
    assert budget.read([limit, price]).priority_fee(1) == 1_000_000
    assert budget.read([price]).priority_fee(2) == (2 * 200_000 + 3_000) * 5
    assert budget.read([price]).priority_fee(0) == 3_000 * 5
    assert budget.read([price]).priority_fee(50) == 1_400_000 * 5
    assert budget.read([Instruction(budget.PROGRAM, (), b"\3" + amount(1))]).priority_fee(1) == 1
    assert budget.read([]).priority_fee(9) == 0
    for wrong in ([price, price], [Instruction(budget.PROGRAM, (), b"\x09")], [Instruction(budget.PROGRAM, (), b"")]):
        with pytest.raises(ValueError, match=r"unknown|ends early"):
            budget.read(wrong)
