"""The programs that are understood. To add one, write a module with a ``read`` function and add a line here."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs import associated, lookup, memo, precompiles, stake, system, token
from strongroom.chains.solana.programs.base import EndsEarly, Instruction, ReadProgram, Step, unknown
from strongroom.codecs import solana

PROGRAMS: Final[dict[bytes, ReadProgram]] = {
    system.PROGRAM: system.read,
    solana.TOKEN: token.read,
    solana.TOKEN_2022: token.read,
    solana.ASSOCIATED: associated.read,
    stake.PROGRAM: stake.read,
    lookup.PROGRAM: lookup.read,
    **dict.fromkeys(memo.PROGRAMS, memo.read),
    **dict.fromkeys(precompiles.PROGRAMS, precompiles.read),
}


def read(instruction: Instruction) -> Step:
    """What an instruction does, if it is understood. Raises ValueError if it is certain to fail."""
    reader = PROGRAMS.get(instruction.program)
    if reader is None:
        return unknown(instruction, None, "unknown_program")
    try:
        found = reader(instruction)
    except EndsEarly:
        found = None
    if found is None:
        return unknown(instruction, None, "unknown_instruction")
    return found
