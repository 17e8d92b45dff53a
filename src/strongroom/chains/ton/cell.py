"""Cells of at most 1023 bits and four references, identified by their representation hash (TVM whitepaper, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

MAX_BITS: Final = 1023
MAX_REFS: Final = 4
MAX_DEPTH: Final = 512
"""The greatest depth that nodes accept in an external message."""
LIBRARY: Final = 2
"""The type of the only exotic cell allowed in a message, a reference to a library of 8 + 256 bits."""


class CellError(ValueError):
    """What is wrong with a cell. The message repeats nothing of the input."""


class Cell:
    """An immutable cell. ``data`` has its bits in whole bytes. An incomplete byte is padded by a 1 and zeros.

    Raises CellError if no cell can be like this.
    """

    __slots__ = ("data", "depth", "exotic", "hash", "length", "refs")

    def __init__(self, data: bytes = b"", length: int = 0, refs: Sequence[Cell] = (), *, exotic: bool = False) -> None:
        if length > MAX_BITS or len(refs) > MAX_REFS:
            raise CellError("a cell must have at most 1023 bits and four references")
        self.data, self.length, self.refs, self.exotic = data, length, tuple(refs), exotic
        if exotic:
            _check_exotic(self)
        self.depth: int = 1 + max([ref.depth for ref in refs]) if refs else 0
        if self.depth > MAX_DEPTH:
            raise CellError("the cells are deeper than 512")
        content = self.descriptors + data
        if refs:
            content += b"".join([ref.depth.to_bytes(2, "big") for ref in refs])
            content += b"".join([ref.hash for ref in refs])
        self.hash: bytes = sha256(content).digest()

    @classmethod
    def of(cls, bits: int, length: int, refs: Sequence[Cell] = ()) -> Cell:
        """The cell with these bits, given as an integer."""
        spare = -length % 8
        padded = bits << spare | (1 << spare - 1 if spare else 0)
        return cls(padded.to_bytes((length + spare) // 8, "big"), length, refs)

    @property
    def bits(self) -> int:
        return int.from_bytes(self.data, "big") >> -self.length % 8

    @property
    def descriptors(self) -> bytes:
        """The two bytes of references and kind and of the data's size. The level is 0, as no cell is pruned."""
        return bytes((len(self.refs) + 8 * self.exotic, self.length // 8 + len(self.data)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)


def _check_exotic(cell: Cell) -> None:
    if cell.length != 264 or cell.refs or cell.data[0] != LIBRARY:
        raise CellError("the only exotic cells that a message may have are library references")


class Builder:
    """Builds a cell. Raises CellError if the cell overflows or a number does not fit into its bits."""

    __slots__ = ("_bits", "length", "refs")

    def __init__(self) -> None:
        self._bits = 0
        self.length = 0
        self.refs: list[Cell] = []

    def uint(self, value: int, length: int) -> Builder:
        if not 0 <= value < 1 << length:
            raise CellError(f"a number does not fit into {length} bits")
        if self.length + length > MAX_BITS:
            raise CellError("a cell must have at most 1023 bits")
        self._bits = self._bits << length | value
        self.length += length
        return self

    def bit(self, value: bool) -> Builder:
        return self.uint(int(value), 1)

    def raw(self, data: bytes) -> Builder:
        return self.uint(int.from_bytes(data, "big"), 8 * len(data))

    def coins(self, amount: int) -> Builder:
        """A VarUInteger 16, which is a length of 4 bits and then that many bytes. Below 2^120."""
        size = -(-amount.bit_length() // 8)
        if amount < 0 or size > 15:
            raise CellError("an amount must be at least 0 and below 2^120")
        return self.uint(size, 4).uint(amount, 8 * size)

    def address(self, canonical: bytes | None) -> Builder:
        """An addr_std of 33 canonical bytes, or addr_none."""
        if canonical is None:
            return self.uint(0, 2)
        return self.uint(0b100, 3).raw(canonical)

    def ref(self, cell: Cell) -> Builder:
        if len(self.refs) == MAX_REFS:
            raise CellError("a cell must have at most four references")
        self.refs.append(cell)
        return self

    def maybe_ref(self, cell: Cell | None) -> Builder:
        return self.bit(False) if cell is None else self.bit(True).ref(cell)

    def inline(self, cell: Cell) -> Builder:
        """The bits and references of another cell."""
        self.uint(cell.bits, cell.length)
        for ref in cell.refs:
            self.ref(ref)
        return self

    def fits(self, cell: Cell, *, spare: int) -> bool:
        """Whether a cell can be inlined with ``spare`` more bits."""
        bits, refs = self.length + spare + cell.length, len(self.refs) + len(cell.refs)
        return bits <= MAX_BITS and refs <= MAX_REFS and not cell.exotic

    def cell(self) -> Cell:
        return Cell.of(self._bits, self.length, self.refs)


class Slice:
    """Reads a cell from its start. Raises CellError if too little is left."""

    __slots__ = ("_bits", "_ref", "_refs", "left")

    def __init__(self, cell: Cell) -> None:
        if cell.exotic:
            raise CellError("an exotic cell is in the place of data")
        self._bits = cell.bits
        self._refs = cell.refs
        self.left = cell.length
        """Number of bits that are not read yet."""
        self._ref = 0

    @property
    def refs_left(self) -> int:
        return len(self._refs) - self._ref

    def peek(self, length: int) -> int:
        if length > self.left:
            raise CellError("a cell ends too early")
        return self._bits >> self.left - length & (1 << length) - 1

    def uint(self, length: int) -> int:
        value = self.peek(length)
        self.left -= length
        return value

    def bit(self) -> bool:
        return self.uint(1) == 1

    def raw(self, size: int) -> bytes:
        return self.uint(8 * size).to_bytes(size, "big")

    def coins(self) -> int:
        """An amount in nanotons. Raises CellError if it has leading zero bytes."""
        size = self.uint(4)
        amount = self.uint(8 * size)
        if size and not amount >> 8 * (size - 1):
            raise CellError("an amount has leading zeros")
        return amount

    def address(self) -> bytes | None:
        """33 canonical bytes, or None for addr_none."""
        tag = self.uint(2)
        if tag == 0b00:
            return None
        if tag != 0b10 or self.bit():
            raise CellError("an address must be empty or a standard one")
        return self.raw(33)

    def ref(self) -> Cell:
        if not self.refs_left:
            raise CellError("a reference is missing")
        self._ref += 1
        return self._refs[self._ref - 1]

    def maybe_ref(self) -> Cell | None:
        return self.ref() if self.bit() else None

    def rest(self) -> Cell:
        """The unread rest as a cell."""
        cell = Cell.of(self._bits & (1 << self.left) - 1, self.left, self._refs[self._ref :])
        self.left, self._ref = 0, len(self._refs)
        return cell

    def end(self) -> None:
        if self.left or self.refs_left:
            raise CellError("a cell has more data than expected")
