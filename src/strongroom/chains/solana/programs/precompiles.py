"""Programs that verify signatures. Each of these signatures costs as much as one of the transaction."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs.base import Instruction, Step
from strongroom.codecs import base58
from strongroom.domain.summary import Action

PROGRAMS: Final = tuple(
    base58.decode(text)
    for text in (
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "Secp256r1SigVerify1111111111111111111111111",
    )
)


def signatures(instruction: Instruction) -> int:
    """The number of signatures that the instruction verifies, which is its first byte."""
    return instruction.data[0] if instruction.program in PROGRAMS and instruction.data else 0


def read(instruction: Instruction) -> Step:
    details = {"signatures": signatures(instruction)}
    return Step(Action(kind="signature_check", contract=base58.encode(instruction.program), details=details))
