"""Text that a log or a traceback should not show by accident."""

from __future__ import annotations


class SecretText(str):
    """A mnemonic, or a key that is shown once. It is the text itself; only its ``repr`` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecretText(…)"
