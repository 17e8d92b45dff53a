"""The Address Lookup Table program (solana-address-lookup-table-interface, ProgramInstruction)."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs.base import Fields, Instruction, Step
from strongroom.codecs import base58
from strongroom.domain.summary import Action

PROGRAM: Final = base58.decode("AddressLookupTab1e1111111111111111111111111")
_METHODS: Final = {0: "createLookupTable", 1: "freezeLookupTable", 2: "extendLookupTable", 3: "deactivateLookupTable"}
_EXTEND: Final = 2
_CLOSE: Final = 4


def read(instruction: Instruction) -> Step | None:
    fields = Fields(instruction.data)
    tag = fields.uint(4)
    names = [each.text for each in instruction.accounts]
    if tag == _CLOSE and len(names) >= 3:
        details: dict[str, object] = {"authority": names[1], "recipient": names[2]}
        return Step(_action("closeLookupTable", names[0], details))
    if tag not in _METHODS or len(names) < 2:
        return None
    details = {"authority": names[1]}
    if tag == _EXTEND:
        details["addresses"] = [base58.encode(fields.key()) for _ in range(fields.uint(8))]
    return Step(_action(_METHODS[tag], names[0], details))


def _action(method: str, table: str, details: dict[str, object]) -> Action:
    return Action(kind="lookup_table", to=table, method=method, contract=base58.encode(PROGRAM), details=details)
