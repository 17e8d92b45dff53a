"""Secret values that cannot be printed, compared by value, pickled or serialised."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Secret text that only ``reveal()`` returns, such as a mnemonic, a passphrase or a caller's private key."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __len__(self) -> int:
        return len(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class SecretBytes:
    """Secret bytes in a buffer that ``wipe()`` or the end of a ``with`` block overwrites.

    This shortens the life of one copy only. Python and the operating system may hold others, for example in
    the arguments of a C call, in slices or in swap.
    """

    __slots__ = ("_buffer",)

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        self._buffer = bytearray(value)

    def reveal(self) -> bytearray:
        """The buffer itself, not a copy. Do not keep a reference to it."""
        return self._buffer

    def wipe(self) -> None:
        self._buffer[:] = bytes(len(self._buffer))

    def __enter__(self) -> SecretBytes:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "SecretBytes(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __len__(self) -> int:
        return len(self._buffer)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
