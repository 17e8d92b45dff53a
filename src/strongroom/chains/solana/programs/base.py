"""What a program's reader is given and what it says: one instruction, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.chains.solana.wire import Reader
from strongroom.codecs import base58
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action, Caution


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an instruction. Its key is not known where a lookup table holds it."""

    key: bytes | None
    signer: bool
    writable: bool
    table: bytes = b""
    index: int = 0
    """Place in the lookup table."""

    @property
    def text(self) -> str:
        return f"{base58.encode(self.table)}[{self.index}]" if self.key is None else base58.encode(self.key)


@dataclass(frozen=True, slots=True)
class Instruction:
    program: bytes
    accounts: tuple[Account, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """What one instruction does."""

    action: Action
    cautions: tuple[Caution, ...] = ()
    understood: bool = True
    """False: what it does is not known here, and the limit ``unknown_calls`` counts it."""


ReadProgram = Callable[[Instruction], Step | None]
"""None: the program has no such instruction that is known here. Raises ValueError where it is certain to fail."""


class EndsEarly(ValueError):
    """The data of an instruction is shorter than its fields: its program will refuse it."""


class Fields(Reader):
    """The fields of instruction data. Raises EndsEarly."""

    def take(self, size: int) -> bytes:
        try:
            return super().take(size)
        except ValueError:
            raise EndsEarly("the data of an instruction ends early") from None

    def key(self) -> bytes:
        return self.take(32)

    def text(self) -> bytes:
        """A bincode string: its length in eight bytes, then UTF-8."""
        return self.take(self.uint(8))


def trailing(fields: Fields) -> tuple[Caution, ...]:
    """Programs ignore what follows the fields that they read, so it must not hide them here either."""
    return (caution("noncanonical_call"),) if fields.rest else ()


def unknown(instruction: Instruction, name: str | None, code: str) -> Step:
    """An instruction that is shown with its program and accounts, since more is not known of it."""
    details = {
        "program": base58.encode(instruction.program),
        "accounts": [
            {"account": each.text, "signer": each.signer, "writable": each.writable} for each in instruction.accounts
        ],
        "data": instruction.data[:256].hex(),
    }
    action = Action(
        kind="program_call",
        contract=base58.encode(instruction.program),
        method=name,
        data_size=len(instruction.data),
        details=details,
    )
    return Step(action, (caution(code),), understood=False)
