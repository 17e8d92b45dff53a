"""The Compute Budget program, which sets what inclusion may cost and touches no account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.chains.solana.programs.base import Fields, Instruction
from strongroom.codecs import base58

PROGRAM: Final = base58.decode("ComputeBudget111111111111111111111111111111")
MAX_UNITS: Final = 1_400_000
"""The most compute units of a transaction."""
DEFAULT_UNITS: Final = 200_000
"""The most compute units per instruction of another program if the transaction requests no limit."""
REQUEST_UNITS: Final = 3_000
"""The compute units per instruction of this program if the transaction requests no limit (SIMD-0170)."""
UNITS: Final = 2
PRICE: Final = 3
SIZES: Final = {1: 4, UNITS: 4, PRICE: 8, 4: 4}
"""Bytes of the number in each request."""


@dataclass(frozen=True, slots=True)
class Budget:
    units: int | None = None
    """The requested compute units."""
    price: int = 0
    """Micro-lamports per compute unit."""
    requests: int = 0
    """The number of instructions of this program."""

    def priority_fee(self, instructions: int) -> int:
        """The most lamports that the priority fee can be, with this number of instructions of other programs."""
        default = DEFAULT_UNITS * instructions + REQUEST_UNITS * self.requests
        units = min(default if self.units is None else self.units, MAX_UNITS)
        return -(-units * self.price // 1_000_000)


def read(instructions: Iterable[Instruction]) -> Budget:
    """Raises ValueError on unknown and repeated requests, which validators refuse."""
    asked: dict[int, int] = {}
    for each in instructions:
        fields = Fields(each.data)
        tag = fields.uint(1)
        if tag not in SIZES or tag in asked:
            raise ValueError("a compute budget instruction is unknown or occurs twice")
        asked[tag] = fields.uint(SIZES[tag])
    return Budget(asked.get(UNITS), asked.get(PRICE, 0), len(asked))
