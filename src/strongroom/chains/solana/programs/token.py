"""SPL Token and Token-2022 (TokenInstruction in spl-token-interface and spl-token-2022-interface).

Both programs share the instructions up to 24. Higher ones are extensions of Token-2022. Instructions that move tokens
or let others move them are read field by field. The others are only named. Confidential transfers hide their amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.chains.solana.programs.base import Account, Fields, Instruction, Step, trailing, unknown
from strongroom.codecs import base58
from strongroom.codecs.solana import TOKEN_2022
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action, Caution

TRANSFER_CHECKED: Final = 12
UNLIMITED: Final = 2**63
"""The smallest allowance that counts as unlimited."""

_TRANSFER_FEE: Final = 26
_EXTENSIONS_FROM: Final = 25


@dataclass(frozen=True, slots=True)
class _Layout:
    """The names of an instruction's accounts in order, and its fields with their sizes in bytes."""

    method: str
    kind: str
    accounts: tuple[str, ...]
    fields: tuple[tuple[str, int], ...] = ()


_AMOUNT: Final = (("amount", 8),)
_CHECKED: Final = (("amount", 8), ("decimals", 1))

_LAYOUTS: Final = {
    0: _Layout("initializeMint", "token_setup", ("mint",), (("decimals", 1),)),
    1: _Layout("initializeAccount", "token_setup", ("account", "mint", "owner")),
    2: _Layout("initializeMultisig", "token_setup", ("account",), (("threshold", 1),)),
    3: _Layout("transfer", "token_transfer", ("source", "destination", "authority"), _AMOUNT),
    4: _Layout("approve", "token_approve", ("source", "delegate", "authority"), _AMOUNT),
    5: _Layout("revoke", "token_revoke", ("source", "authority")),
    7: _Layout("mintTo", "token_mint", ("mint", "destination", "authority"), _AMOUNT),
    8: _Layout("burn", "token_burn", ("source", "mint", "authority"), _AMOUNT),
    9: _Layout("closeAccount", "token_close", ("source", "destination", "authority")),
    10: _Layout("freezeAccount", "token_freeze", ("account", "mint", "authority")),
    11: _Layout("thawAccount", "token_thaw", ("account", "mint", "authority")),
    TRANSFER_CHECKED: _Layout(
        "transferChecked", "token_transfer", ("source", "mint", "destination", "authority"), _CHECKED
    ),
    13: _Layout("approveChecked", "token_approve", ("source", "mint", "delegate", "authority"), _CHECKED),
    14: _Layout("mintToChecked", "token_mint", ("mint", "destination", "authority"), _CHECKED),
    15: _Layout("burnChecked", "token_burn", ("source", "mint", "authority"), _CHECKED),
    16: _Layout("initializeAccount2", "token_setup", ("account", "mint"), (("owner", 32),)),
    17: _Layout("syncNative", "token_sync", ("account",)),
    18: _Layout("initializeAccount3", "token_setup", ("account", "mint"), (("owner", 32),)),
    19: _Layout("initializeMultisig2", "token_setup", ("account",), (("threshold", 1),)),
    20: _Layout("initializeMint2", "token_setup", ("mint",), (("decimals", 1),)),
    21: _Layout("getAccountDataSize", "token_query", ("mint",)),
    22: _Layout("initializeImmutableOwner", "token_setup", ("account",)),
    23: _Layout("amountToUiAmount", "token_query", ("mint",), _AMOUNT),
    24: _Layout("uiAmountToAmount", "token_query", ("mint",)),
}
_WITH_FEE: Final = _Layout(
    "transferCheckedWithFee",
    "token_transfer",
    ("source", "mint", "destination", "authority"),
    (("amount", 8), ("decimals", 1), ("fee", 8)),
)
_HOOKED: Final = frozenset({"transferChecked", "transferCheckedWithFee"})
"""Transfers that can call a program of the mint's choice (the extension TransferHook of Token-2022)."""
_SET_AUTHORITY: Final = 6
_AUTHORITIES: Final = {0: "mintTokens", 1: "freezeAccount", 2: "accountOwner", 3: "closeAccount"}
_OPEN_ENDED: Final = frozenset({0, 2, 19, 20, 21, 24})
"""Instructions that have more fields than are read here, so that further bytes are no reason for a caution."""


def read(instruction: Instruction) -> Step | None:
    fields = Fields(instruction.data)
    tag = fields.uint(1)
    if tag == _SET_AUTHORITY:
        return _set_authority(instruction, fields)
    if tag == _TRANSFER_FEE and instruction.data[1:2] == b"\1" and instruction.program == TOKEN_2022:
        fields.uint(1)
        return _by_layout(instruction, fields, _WITH_FEE)
    layout = _LAYOUTS.get(tag)
    if layout is not None:
        return _by_layout(instruction, fields, layout, open_ended=tag in _OPEN_ENDED)
    if tag >= _EXTENSIONS_FROM:
        return unknown(instruction, f"extension {tag}", "unknown_instruction")
    return None


def _by_layout(instruction: Instruction, fields: Fields, layout: _Layout, *, open_ended: bool = False) -> Step | None:
    if len(instruction.accounts) < len(layout.accounts):
        return None
    found = {name: account.text for name, account in zip(layout.accounts, instruction.accounts, strict=False)}
    values = {name: fields.take(size) for name, size in layout.fields}
    numbers = {name: int.from_bytes(value, "little") for name, value in values.items() if len(value) <= 8}
    amount = numbers.pop("amount", None)
    details: dict[str, object] = {
        **found,
        **numbers,
        **{name: base58.encode(value) for name, value in values.items() if len(value) > 8},
        "program": base58.encode(instruction.program),
    }
    if "fee" in details:
        details["fee"] = str(details["fee"])
    action = Action(
        kind=layout.kind,
        from_address=found.get("source"),
        to=found.get("destination") or found.get("account"),
        amount=None if amount is None else str(amount),
        asset=found.get("mint"),
        spender=found.get("delegate"),
        contract=base58.encode(instruction.program),
        method=layout.method,
        details=details,
    )
    cautions = (*_cautions(layout, found, amount), *(() if open_ended else trailing(fields)))
    if hooked := _for_hook(instruction, layout):
        details["hook_accounts"] = [account.text for account in hooked]
        cautions = (*cautions, caution("unknown_program"))
    return Step(action, cautions, understood=not hooked, handed=hooked)


def _for_hook(instruction: Instruction, layout: _Layout) -> tuple[Account, ...]:
    """The accounts that the program passes on to the mint's hook. The signers of a multisig authority follow the other
    accounts too, but they all sign, and a hook needs its own account, which cannot."""
    more = instruction.accounts[len(layout.accounts) :]
    if instruction.program != TOKEN_2022 or layout.method not in _HOOKED or all(account.signer for account in more):
        return ()
    return more


def _cautions(layout: _Layout, found: dict[str, str], amount: int | None) -> tuple[Caution, ...]:
    if layout.kind == "token_approve":
        approval = caution("token_approval")
        if amount is not None and amount >= UNLIMITED:
            return approval, caution("unlimited_approval")
        return (approval,)
    if layout.kind == "token_close" and found["destination"] != found["authority"]:
        return (caution("close_to_other"),)
    if layout.kind == "token_transfer" and found["source"] == found["destination"]:
        return (caution("to_self"),)
    return ()


def _set_authority(instruction: Instruction, fields: Fields) -> Step | None:
    if len(instruction.accounts) < 2:
        return None
    kind = fields.uint(1)
    new = base58.encode(fields.key()) if fields.uint(1) else None
    name = _AUTHORITIES.get(kind, f"extension {kind}")
    account, authority = instruction.accounts[:2]
    details: dict[str, object] = {
        "authority_type": name,
        "account": account.text,
        "authority": authority.text,
        "new_authority": new,
        "program": base58.encode(instruction.program),
    }
    action = Action(
        kind="token_set_authority",
        to=new,
        contract=base58.encode(instruction.program),
        method="setAuthority",
        details=details,
    )
    return Step(action, (caution("set_authority"), *trailing(fields)))
