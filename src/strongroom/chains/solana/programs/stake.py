"""The Stake program (solana-stake-interface, StakeInstruction)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from strongroom.chains.solana.networks import SYMBOL
from strongroom.chains.solana.programs.base import Fields, Instruction, Step, trailing
from strongroom.codecs import base58
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action

PROGRAM: Final = base58.decode("Stake11111111111111111111111111111111111111")

_AUTHORIZE: Final = {1: "authorize", 8: "authorizeWithSeed", 10: "authorizeChecked", 11: "authorizeCheckedWithSeed"}
_MOVES: Final = {3: "split", 4: "withdraw", 16: "moveStake", 17: "moveLamports"}
_INITIALIZE: Final = {0: "initialize", 9: "initializeChecked"}
_LOCK: Final = {6: "setLockup", 12: "setLockupChecked"}
_OTHERS: Final = {
    2: "delegateStake", 5: "deactivate", 7: "merge", 13: "getMinimumDelegation", 14: "deactivateDelinquent",
}  # fmt: skip


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
        details: dict[str, object] = {"accounts": names}
        if tag in (1, 8):
            details = {"new_authority": base58.encode(fields.key())}
        return Step(_stake(_AUTHORIZE[tag], names[0], details), (caution("stake_authority"),))
    if tag in _INITIALIZE and len(names) >= (4 if tag == 9 else 1):
        return Step(_stake(_INITIALIZE[tag], names[0], _owners(fields, names, checked=tag == 9)), trailing(fields))
    if tag in _LOCK and len(names) >= 2:
        details = {"authority": names[1], **_lockup(fields, names, checked=tag == 12)}
        return Step(_stake(_LOCK[tag], names[0], details), (caution("stake_authority"), *trailing(fields)))
    if tag in _OTHERS:
        return Step(_stake(_OTHERS[tag], names[0] if names else None, {"accounts": names}), trailing(fields))
    return None


def _owners(fields: Fields, names: Sequence[str], *, checked: bool) -> dict[str, object]:
    """The keys that may delegate and withdraw the stake, and the lockup. The checked form names accounts and has no
    lockup.
    """
    if checked:
        return {"staker": names[2], "withdrawer": names[3]}
    staker, withdrawer = (base58.encode(fields.key()) for _ in range(2))
    time, epoch, custodian = fields.uint(8), fields.uint(8), base58.encode(fields.key())
    lockup = {"lockup_time": str(time), "lockup_epoch": str(epoch), "custodian": custodian} if time or epoch else {}
    return {"staker": staker, "withdrawer": withdrawer, **lockup}


def _lockup(fields: Fields, names: Sequence[str], *, checked: bool) -> dict[str, object]:
    """Until when nothing may be withdrawn without the custodian, as far as it changes."""
    found: dict[str, object] = {name: str(fields.uint(8)) for name in ("lockup_time", "lockup_epoch") if fields.uint(1)}
    if checked:
        return {**found, **({"custodian": names[2]} if len(names) > 2 else {})}
    return {**found, **({"custodian": base58.encode(fields.key())} if fields.uint(1) else {})}


def _stake(method: str, account: str | None, details: Mapping[str, object]) -> Action:
    return Action(kind="stake", to=account, method=method, contract=base58.encode(PROGRAM), details={**details})
