"""The Compute Budget program: what inclusion may cost. No account is touched by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.chains.solana.programs.base import Fields, Instruction
from strongroom.codecs import base58

PROGRAM: Final = base58.decode("ComputeBudget111111111111111111111111111111")
MAX_UNITS: Final = 1_400_000
"""Compute units that one transaction gets at most."""
DEFAULT_UNITS: Final = 200_000
"""Compute units that an instruction gets at most if nothing is asked for."""
UNITS: Final = 2
PRICE: Final = 3
SIZES: Final = {1: 4, UNITS: 4, PRICE: 8, 4: 4}
"""Bytes of the number that each request asks for."""


@dataclass(frozen=True, slots=True)
class Budget:
    units: int | None = None
    """Compute units asked for."""
    price: int = 0
    """Micro-lamports per compute unit."""

    def priority_fee(self, instructions: int) -> int:
        """Lamports at most; ``instructions``: how many there are beside those of this program."""
        units = min(DEFAULT_UNITS * instructions, MAX_UNITS) if self.units is None else min(self.units, MAX_UNITS)
        return -(-units * self.price // 1_000_000)


def read(instructions: Iterable[Instruction]) -> Budget:
    """Raises ValueError on what a validator refuses: an unknown or a repeated request."""
    asked: dict[int, int] = {}
    for each in instructions:
        fields = Fields(each.data)
        tag = fields.uint(1)
        if tag not in SIZES or tag in asked:
            raise ValueError("a compute budget instruction is unknown or occurs twice")
        asked[tag] = fields.uint(SIZES[tag])
    return Budget(asked.get(UNITS), asked.get(PRICE, 0))
