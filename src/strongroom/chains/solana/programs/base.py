"""The interface of program readers. A reader takes an instruction and returns what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.chains.solana.wire import Reader
from strongroom.codecs import base58
from strongroom.domain.cautions import caution
from strongroom.domain.summary import Action, Caution


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an instruction. Its key is unknown if it comes from a lookup table."""

    key: bytes | None
    signer: bool
    writable: bool
    table: bytes = b""
    index: int = 0
    """Index in the lookup table."""

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
    """False if it is not known what the instruction does. The limit ``unknown_calls`` counts these."""
    handed: tuple[Account, ...] = ()
    """The accounts that a program which is not understood may use."""


ReadProgram = Callable[[Instruction], Step | None]
"""Returns None for an unknown instruction of the program. Raises ValueError if the instruction is certain to fail."""


class EndsEarly(ValueError):
    """The data of an instruction is shorter than its fields, so its program will refuse it."""


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
        """The bytes of a bincode string, which has its length in eight bytes and then UTF-8."""
        return self.take(self.uint(8))


def trailing(fields: Fields) -> tuple[Caution, ...]:
    """The caution for bytes after the last field. Programs ignore such bytes, so they must not hide the fields here."""
    return (caution("noncanonical_call"),) if fields.rest else ()


def unknown(instruction: Instruction, name: str | None, code: str) -> Step:
    """The step of an unknown instruction, which is shown with its program, its accounts and its data."""
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
    return Step(action, (caution(code),), understood=False, handed=instruction.accounts)
