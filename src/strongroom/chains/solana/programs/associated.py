"""The Associated Token Account program. It gives a wallet one account per mint, whose address needs no look-up."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs.base import Fields, Instruction, Step, trailing
from strongroom.codecs import base58
from strongroom.codecs.solana import ASSOCIATED, TOKEN_PROGRAMS, associated_address
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action, Caution

CREATE: Final = 0
CREATE_IDEMPOTENT: Final = 1
_RECOVER_NESTED: Final = 2

_MISMATCH = caution("associated_account_mismatch")


def read(instruction: Instruction) -> Step | None:
    fields = Fields(instruction.data)
    tag = fields.uint(1) if instruction.data else CREATE
    count = {CREATE: 6, CREATE_IDEMPOTENT: 6, _RECOVER_NESTED: 7}.get(tag)
    if count is None or len(instruction.accounts) < count:
        return None
    if instruction.accounts[count - 1].key not in TOKEN_PROGRAMS:
        return None  # the program in its place is called, sets the rent that the payer pays, and keeps it
    if tag == _RECOVER_NESTED:
        nested, _, target, _, _, owner, _ = instruction.accounts[:7]
        action = Action(
            kind="token_close",
            from_address=nested.text,
            to=target.text,
            contract=base58.encode(ASSOCIATED),
            method="recoverNested",
            details={"authority": owner.text},
        )
        return Step(action, trailing(fields))
    return _created(instruction, tag, trailing(fields))


def _created(instruction: Instruction, tag: int, cautions: tuple[Caution, ...]) -> Step:
    payer, made, owner, mint, _, program = instruction.accounts[:6]
    found = None
    if owner.key and mint.key and program.key:
        found = associated_address(owner.key, mint.key, program.key)
    is_of_owner = made.key is not None and made.key == found
    if not is_of_owner and None not in (found, made.key):
        cautions = (_MISMATCH, *cautions)
    action = Action(
        kind="token_account_creation",
        from_address=payer.text,
        to=made.text,
        asset=mint.text,
        contract=base58.encode(ASSOCIATED),
        method="createIdempotent" if tag else "create",
        details={
            "owner": owner.text,
            "mint": mint.text,
            "program": program.text,
            "is_of_owner": is_of_owner,
        },
    )
    return Step(action, cautions)
