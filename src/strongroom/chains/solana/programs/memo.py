"""The Memo program, in both its versions: text that stands in the transaction."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.programs.base import Instruction, Step
from strongroom.codecs import base58
from strongroom.domain.summary import Action

PROGRAM: Final = base58.decode("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
PROGRAMS: Final = (PROGRAM, base58.decode("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"))


def read(instruction: Instruction) -> Step:
    """Raises ValueError: the program takes UTF-8 only."""
    try:
        text = instruction.data.decode()
    except UnicodeDecodeError:
        raise ValueError("a memo is not UTF-8") from None
    return Step(Action(kind="memo", method="memo", data_size=len(instruction.data), details={"memo": text}))
