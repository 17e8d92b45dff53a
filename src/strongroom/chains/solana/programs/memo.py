"""Both versions of the Memo program, which puts text into a transaction."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs.base import Instruction, Step
from strongroom.codecs import base58
from strongroom.domain.summary import Action

PROGRAM: Final = base58.decode("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
PROGRAMS: Final = (PROGRAM, base58.decode("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"))


def read(instruction: Instruction) -> Step:
    """Raises ValueError if the data is not UTF-8, which the program refuses."""
    try:
        text = instruction.data.decode()
    except UnicodeDecodeError:
        raise ValueError("a memo is not UTF-8") from None
    return Step(Action(kind="memo", method="memo", data_size=len(instruction.data), details={"memo": text}))
