"""Bags of cells, the serialised form of a tree of cells (TVM whitepaper, A.3; ``crypto/tl/boc.tlb``).

The reader accepts every form in use, with or without an index, a checksum, and hashes next to cells. It refuses bags
that do not have exactly one root, and bytes or cells that are left over, unreachable, out of order or padded.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from strongroom.chains.ton.cell import Cell, CellError
from strongroom.codecs import base64text
from strongroom.codecs.crc import crc32c

MAX_BYTES: Final = 65_535
"""The longest external message (``max_ext_msg_size``), and so the longest part of one."""
MAX_CELLS: Final = 2_048
"""Nodes accept 8,192 (``max_msg_cells``), but that many fit into a message only if most of them are empty."""

_MAGIC: Final = bytes.fromhex("b5ee9c72")
_MAGIC_INDEX: Final = bytes.fromhex("68ff65f3")
_MAGIC_INDEX_CRC: Final = bytes.fromhex("acc3a728")
_HASH_AND_DEPTH: Final = 34
_WITH_HASHES: Final = 16
_LEVEL: Final = 0b1110_0000


@dataclass(frozen=True, slots=True)
class _Header:
    reference_size: int
    cells: int
    index: tuple[int, ...] | None
    """The end of each cell, counted from the start of the cells, if the bag has an index."""
    root: int
    start: int
    end: int


_RawCell = tuple[bytes, int, Sequence[int], bool, bytes | None]
"""Data, bits, references, whether it is exotic, and the stored hash with depth if there is one."""


class Budget:
    """The number of cells that may still be read. The parts of one message share it."""

    def __init__(self) -> None:
        self.cells = MAX_CELLS


def from_base64(text: str, budget: Budget | None = None) -> Cell:
    """The root of a bag in standard base64. Raises CellError."""
    if len(text) > MAX_BYTES // 3 * 4:
        raise CellError("a bag of cells must have at most 65535 bytes")
    try:
        raw = base64text.decode(text)
    except ValueError as error:
        raise CellError(str(error)) from None
    return read(raw, budget)


def to_base64(root: Cell) -> str:
    return base64.b64encode(write(root)).decode()


def read(raw: bytes, budget: Budget | None = None) -> Cell:
    """The root of a bag. The time is linear in the length. Raises CellError."""
    if len(raw) > MAX_BYTES:
        raise CellError("a bag of cells must have at most 65535 bytes")
    reader = _Bytes(raw)
    header = _header(reader)
    budget = budget or Budget()
    if header.cells > budget.cells:
        raise CellError("the bags of one message must have at most 2048 cells in all")
    budget.cells -= header.cells
    return _tree(_cells(reader, header), header.root)


def write(root: Cell) -> bytes:
    """The canonical bag, with each cell once, parents before children, a checksum and no index, as in @ton/core."""
    order = _topological(root)
    index = {cell.hash: place for place, cell in enumerate(order)}
    size = max(1, -(-len(order).bit_length() // 8))
    body = b"".join(
        cell.descriptors + cell.data + b"".join(index[ref.hash].to_bytes(size, "big") for ref in cell.refs)
        for cell in order
    )
    offset = max(1, -(-len(body).bit_length() // 8))
    head = _MAGIC + bytes((0x40 | size, offset)) + len(order).to_bytes(size, "big") + (1).to_bytes(size, "big")
    head += bytes(size) + len(body).to_bytes(offset, "big") + bytes(size)
    return head + body + crc32c(head + body)


def size(root: Cell) -> int:
    """The bytes that `write` returns, or a few more. `MAX_BYTES` + 1 if there are too many cells."""
    order = _topological(root)
    if len(order) > MAX_CELLS:
        return MAX_BYTES + 1
    return 32 + sum(2 + len(cell.data) + 2 * len(cell.refs) for cell in order)


class _Bytes:
    __slots__ = ("at", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, size: int) -> bytes:
        found = self.raw[self.at : self.at + size]
        if len(found) != size:
            raise CellError("a bag of cells ends too early")
        self.at += size
        return found

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def _header(reader: _Bytes) -> _Header:
    magic = reader.take(4)
    if magic not in (_MAGIC, _MAGIC_INDEX, _MAGIC_INDEX_CRC):
        raise CellError("these bytes are not a bag of cells")
    flags = reader.uint(1)
    size = flags & 7
    plain = magic == _MAGIC
    indexed, checked, cached = (
        (bool(flags & 0x80), bool(flags & 0x40), bool(flags & 0x20)) if plain else (True, magic != _MAGIC_INDEX, False)
    )
    if (flags & 0x18 if plain else flags & 0xF8) or (cached and not indexed) or not 1 <= size <= 4:
        raise CellError("a bag of cells has unknown flags")
    offset = reader.uint(1)
    if not 1 <= offset <= 8:
        raise CellError("the offsets of a bag of cells must have 1 to 8 bytes")
    cells, roots, absent = (reader.uint(size) for _ in range(3))
    if not 1 <= cells <= MAX_CELLS:
        raise CellError("a bag of cells must have 1 to 2048 cells")
    if roots != 1 or absent:
        raise CellError("a bag of cells must have exactly one root and no absent cell")
    total = reader.uint(offset)
    root = reader.uint(size) if plain else 0
    index = tuple(reader.uint(offset) >> cached for _ in range(cells)) if indexed else None
    start, end = reader.at, reader.at + total
    if len(reader.raw) != end + 4 * checked:
        raise CellError("a bag of cells does not have the length that it states")
    if checked and crc32c(reader.raw[:end]) != reader.raw[end:]:
        raise CellError("the checksum of a bag of cells is wrong")
    return _Header(size, cells, index, root, start, end)


def _cells(reader: _Bytes, header: _Header) -> list[_RawCell]:
    found = []
    for position in range(header.cells):
        found.append(_cell(reader, header, position))
        if header.index is not None and header.index[position] != reader.at - header.start:
            raise CellError("the index of a bag of cells does not fit its cells")
    if reader.at != header.end:
        raise CellError("the cells of a bag do not have the length that it states")
    return found


def _cell(reader: _Bytes, header: _Header, position: int) -> _RawCell:
    kind, size = reader.take(2)
    references = kind & 7
    if references > 4 or kind & _LEVEL:
        raise CellError("a cell must have at most four references, and a message must have no pruned cells")
    stored = reader.take(_HASH_AND_DEPTH) if kind & _WITH_HASHES else None
    data = reader.take(-(-size // 2))
    length = 8 * len(data)
    if size % 2:
        last = data[-1]
        spare = (last & -last).bit_length()
        if not 1 <= spare <= 7:  # 8 would be a byte without any bit
            raise CellError("the last byte of a cell lacks its closing bit")
        length -= spare
    each = header.reference_size
    text = reader.take(each * references)
    refs = [int.from_bytes(text[at : at + each], "big") for at in range(0, len(text), each)]
    if refs and not (min(refs) > position and max(refs) < header.cells):
        raise CellError("a cell refers to a cell that does not come after it")
    return data, length, refs, bool(kind & 8), stored


def _tree(found: list[_RawCell], root: int) -> Cell:
    """Build the tree from the end, because children come after their parents."""
    if root >= len(found):
        raise CellError("the root of a bag of cells is missing")
    reached = {root}
    for position, raw in enumerate(found):
        if position in reached:
            reached.update(raw[2])
    if len(reached) != len(found):
        raise CellError("a bag of cells has cells that its root does not reach")
    built: dict[int, Cell] = {}
    for position in range(len(found) - 1, -1, -1):
        data, length, refs, exotic, stored = found[position]
        cell = built[position] = Cell(data, length, [built[ref] for ref in refs], exotic=exotic)
        if stored is not None and stored != cell.hash + cell.depth.to_bytes(2, "big"):
            raise CellError("a stored hash of a cell is wrong")
    return built[root]


def _topological(root: Cell) -> list[Cell]:
    """Each cell once, parents before children, and the first reference before the others."""
    done: set[bytes] = set()
    order: list[Cell] = []
    stack: list[tuple[Cell, bool]] = [(root, False)]
    while stack:
        cell, left = stack.pop()
        if left:
            order.append(cell)
        elif cell.hash not in done:
            done.add(cell.hash)
            stack.append((cell, True))
            stack += [(ref, False) for ref in cell.refs]  # the last reference is visited first
    return order[::-1]
