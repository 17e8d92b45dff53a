"""The Stake program (solana-stake-interface, StakeInstruction)."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.networks import SYMBOL
from strongroom.chains.solana.programs.base import Fields, Instruction, Step, trailing
from strongroom.codecs import base58
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action

PROGRAM: Final = base58.decode("Stake11111111111111111111111111111111111111")

_AUTHORIZE: Final = {1: "authorize", 8: "authorizeWithSeed", 10: "authorizeChecked", 11: "authorizeCheckedWithSeed"}
_MOVES: Final = {3: "split", 4: "withdraw", 16: "moveStake", 17: "moveLamports"}
_OTHERS: Final = {
    0: "initialize", 2: "delegateStake", 5: "deactivate", 6: "setLockup", 7: "merge", 9: "initializeChecked",
    12: "setLockupChecked", 13: "getMinimumDelegation", 14: "deactivateDelinquent",
}  # fmt: skip
_WITH_FIELDS: Final = frozenset({0, 6, 8, 11, 12})
"""Instructions that have more fields than are read here."""


def read(instruction: Instruction) -> Step | None:
    fields = Fields(instruction.data)
    tag = fields.uint(4)
    names = [each.text for each in instruction.accounts]
    if tag in _MOVES and len(names) >= 2:
        action = Action(
            kind="transfer" if tag == 4 else "stake",
            from_address=names[0],
            to=names[1],
            amount=str(fields.uint(8)),
            asset=SYMBOL,
            method=_MOVES[tag],
            contract=base58.encode(PROGRAM),
        )
        return Step(action, trailing(fields))
    if tag in _AUTHORIZE and names:
        details = {"new_authority": base58.encode(fields.key())} if tag in (1, 8) else {"accounts": names}
        return Step(_stake(_AUTHORIZE[tag], names[0], details), (caution("stake_authority"),))
    if tag in _OTHERS:
        details = {"accounts": names}
        more = () if tag in _WITH_FIELDS else trailing(fields)
        return Step(_stake(_OTHERS[tag], names[0] if names else None, details), more)
    return None


def _stake(
    method: str, account: str | None, details: dict[str, object] | dict[str, str] | dict[str, list[str]]
) -> Action:
    return Action(kind="stake", to=account, method=method, contract=base58.encode(PROGRAM), details={**details})
