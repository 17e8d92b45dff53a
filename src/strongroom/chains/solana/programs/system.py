"""The System program for coins, new accounts and nonce accounts (solana-system-interface, SystemInstruction)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from strongroom.chains.solana.networks import SYMBOL
from strongroom.chains.solana.programs.base import Account, Fields, Instruction, Step, trailing
from strongroom.codecs import base58
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action, Caution

PROGRAM: Final = bytes(32)
TRANSFER: Final = 2
ADVANCE_NONCE: Final = 4

_ASSIGN = caution("account_assign")


def read(instruction: Instruction) -> Step | None:
    fields = Fields(instruction.data)
    reader = _READERS.get(fields.uint(4))
    if reader is None or len(instruction.accounts) < reader[0]:
        return None
    action, cautions = reader[1](fields, instruction.accounts)
    return Step(action, (*cautions, *trailing(fields)))


_Read = Callable[[Fields, tuple[Account, ...]], tuple[Action, tuple[Caution, ...]]]


def _create(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    lamports, space, owner = fields.uint(8), fields.uint(8), fields.key()
    return _created(accounts[0].text, accounts[1].text, lamports, space, owner), ()


def _create_with_seed(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    fields.key()
    fields.text()
    lamports, space, owner = fields.uint(8), fields.uint(8), fields.key()
    return _created(accounts[0].text, accounts[1].text, lamports, space, owner), ()


def _created(funder: str, made: str, lamports: int, space: int, owner: bytes) -> Action:
    return Action(
        kind="account_creation",
        from_address=funder,
        to=made,
        amount=str(lamports),
        asset=SYMBOL,
        method="createAccount",
        details={"owner": base58.encode(owner), "space": str(space)},
    )


def _assign(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _assigned(accounts[0], fields.key()), (_ASSIGN,)


def _assign_with_seed(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    fields.key()
    fields.text()
    return _assigned(accounts[0], fields.key()), (_ASSIGN,)


def _allocate_with_seed(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    fields.key()
    fields.text()
    fields.uint(8)
    return _assigned(accounts[0], fields.key()), (_ASSIGN,)


def _assigned(account: Account, owner: bytes) -> Action:
    return Action(
        kind="account_assign", from_address=account.text, method="assign", details={"owner": base58.encode(owner)}
    )


def _transfer(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _moved("transfer", accounts[0], accounts[1], fields.uint(8)), ()


def _transfer_with_seed(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    lamports = fields.uint(8)
    fields.text()
    fields.key()
    return _moved("transferWithSeed", accounts[0], accounts[2], lamports), ()


def _withdraw_nonce(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _moved("withdrawNonceAccount", accounts[0], accounts[1], fields.uint(8)), ()


def _moved(method: str, source: Account, target: Account, lamports: int) -> Action:
    return Action(
        kind="transfer",
        from_address=source.text,
        to=target.text,
        amount=str(lamports),
        asset=SYMBOL,
        method=method,
    )


def _advance_nonce(_: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _nonce("advanceNonceAccount", accounts[0], authority=accounts[2].text), ()


def _initialize_nonce(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _nonce("initializeNonceAccount", accounts[0], authority=base58.encode(fields.key())), ()


def _authorize_nonce(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _nonce("authorizeNonceAccount", accounts[0], authority=base58.encode(fields.key())), (
        caution("nonce_authority"),
    )


def _upgrade_nonce(_: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    return _nonce("upgradeNonceAccount", accounts[0]), ()


def _nonce(method: str, account: Account, **details: str) -> Action:
    return Action(kind="nonce", method=method, to=account.text, details={**details})


def _allocate(fields: Fields, accounts: tuple[Account, ...]) -> tuple[Action, tuple[Caution, ...]]:
    space = str(fields.uint(8))
    made = Action(kind="account_allocation", to=accounts[0].text, method="allocate", details={"space": space})
    return made, (_ASSIGN,)


_READERS: Final[dict[int, tuple[int, _Read]]] = {
    0: (2, _create),
    1: (1, _assign),
    TRANSFER: (2, _transfer),
    3: (2, _create_with_seed),
    ADVANCE_NONCE: (3, _advance_nonce),
    5: (5, _withdraw_nonce),
    6: (3, _initialize_nonce),
    7: (2, _authorize_nonce),
    8: (1, _allocate),
    9: (2, _allocate_with_seed),
    10: (2, _assign_with_seed),
    11: (3, _transfer_with_seed),
    12: (1, _upgrade_nonce),
}
"""The number of accounts that each instruction needs, and its reader."""
