"""Values that must not be seen: they do not print, compare, pickle or serialise."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Text that only ``reveal()`` gives away: a mnemonic, a passphrase, a private key as a caller sent it."""

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
    """Bytes in a buffer that is overwritten by ``wipe()`` or at the end of a ``with`` block.

    This shortens the life of the one copy that we own. Python may have made others (an argument of a C call, an
    interned slice, swap): no more than that is promised.
    """

    __slots__ = ("_buffer",)

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        self._buffer = bytearray(value)

    def reveal(self) -> bytearray:
        """The buffer itself, not a copy; do not keep it."""
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
