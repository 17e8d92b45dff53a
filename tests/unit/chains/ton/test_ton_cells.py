"""Cells and bags of cells. What the reader accepts and refuses, and that other libraries read and write the same."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytoniq_core import Cell as TheirCell

from strongroom.chains.ton import boc
from strongroom.chains.ton.cell import MAX_DEPTH, Builder, Cell, CellError, Slice
from strongroom.codecs.crc import crc16, crc32c
from tests.support.ton import Machine

LIBRARY = bytes([2]) + bytes(range(32))


def random_cell(rng: random.Random, depth: int = 5) -> Cell:
    if rng.random() < 0.05:
        return Cell(bytes([2]) + rng.randbytes(32), 264, exotic=True)
    bits = rng.choice((0, 1, 7, 8, 9, rng.randrange(1024), 1023))
    refs = [random_cell(rng, depth - 1) for _ in range(rng.randrange(5) if depth and rng.random() < 0.7 else 0)]
    return Cell.of(rng.getrandbits(bits) if bits else 0, bits, refs)


def tree(rng: random.Random) -> Cell:
    while True:
        found = random_cell(rng)
        if boc.size(found) <= boc.MAX_BYTES and not found.exotic:
            return found


def test_checksums_are_those_of_their_catalogue() -> None:
    """reveng.sourceforge.io: CRC-16/XMODEM and CRC-32/ISCSI of "123456789"."""
    assert crc16(b"123456789").hex() == "31c3"
    assert crc32c(b"123456789") == (0xE3069283).to_bytes(4, "little")


def test_the_empty_cell_has_the_hash_that_everybody_knows() -> None:
    assert Cell().hash.hex() == "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"


def test_three_hundred_random_cells_agree_with_pytoniq_core() -> None:
    rng = random.Random(5)
    for _ in range(300):
        cell = tree(rng)
        theirs = TheirCell.one_from_boc(boc.write(cell))
        assert theirs.hash == cell.hash
        assert boc.read(boc.write(cell)) == cell
        for checksum in (False, True):
            assert boc.read(theirs.to_boc(hash_crc32=checksum)) == cell


@pytest.mark.needs("ton-sandbox")
def test_three_hundred_random_cells_agree_with_ton_core_byte_for_byte() -> None:
    rng = random.Random(6)
    with Machine() as machine:
        for _ in range(300):
            cell = tree(rng)
            theirs = machine.ask("cell", boc=boc.to_base64(cell))
            others = theirs.pop("others")  # with an index or without, with a checksum or without
            assert theirs == {"hash": cell.hash.hex(), "depth": cell.depth, "boc": boc.to_base64(cell)}
            assert {boc.from_base64(other) for other in others} == {cell}
            assert len(set(others)) == 4


def pair() -> bytes:
    """A root of 8 bits over a leaf of 4, with a checksum."""
    return boc.write(Builder().uint(7, 8).ref(Builder().uint(1, 4).cell()).cell())


def with_checksum(raw: bytes) -> bytes:
    return raw[:-4] + crc32c(raw[:-4])


def changed(at: int, value: int) -> bytes:
    raw = bytearray(pair())
    raw[at] = value
    return with_checksum(bytes(raw))


#  0..3 magic, 4 flags and size, 5 offset size, 6 cells, 7 roots, 8 absent, 9 total, 10 root, 11.. cells
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "ends too early"),
        (b"hello", "not a bag of cells"),
        (pair() + b"\0", "the length that"),
        (pair()[:-1], "the length that"),
        (pair()[:-1] + b"\0", "checksum"),
        (changed(4, 0x41 | 0x08), "flags"),
        (changed(4, 0x41 | 0x20), "flags"),
        (changed(4, 0x40), "flags"),
        (changed(5, 0), "offsets"),
        (changed(5, 9), "offsets"),
        (changed(6, 0), "1 to 2048 cells"),
        (changed(7, 2), "one root"),
        (changed(8, 1), "one root"),
        (changed(9, 1), "the length that"),
        (changed(10, 2), "root of a bag"),
        (changed(10, 1), "does not reach"),
        (changed(11, 0x21), "pruned"),
        (changed(11, 5), "four references"),
        (changed(11, 0), "does not come after"),
        (changed(14, 0), "does not come after"),
        (changed(14, 2), "does not come after"),
        (changed(17, 0x00), "lacks its closing bit"),
        (changed(15, 8), "exotic"),
    ],
)
def test_what_is_no_exact_bag_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        boc.read(raw)


def test_an_index_that_does_not_fit_the_cells_is_refused() -> None:
    """pytoniq-core 0.2.1 writes the lengths of cells instead of their ends."""
    raw = TheirCell.one_from_boc(pair()).to_boc(has_idx=True)
    with pytest.raises(CellError, match="index"):
        boc.read(raw)


def test_a_cell_that_nothing_refers_to_is_refused() -> None:
    raw = bytearray(pair())
    raw[6] = 3
    raw[9] += 2
    raw[-4:-4] = bytes(2)
    with pytest.raises(CellError, match="does not reach"):
        boc.read(with_checksum(bytes(raw)))


def test_hashes_beside_cells_are_checked() -> None:
    leaf = Builder().uint(1, 8).cell()
    for stored, holds in ((leaf.hash, True), (bytes(32), False)):
        content = bytes((0x10, 2)) + stored + bytes(2) + leaf.data
        raw = bytes.fromhex("b5ee9c72") + bytes((0x01, 1, 1, 1, 0, len(content), 0)) + content
        if holds:
            assert boc.read(raw) == leaf
        else:
            with pytest.raises(CellError, match="stored hash of a cell is wrong"):
                boc.read(raw)


@pytest.mark.parametrize(
    "text", ["b5ee9c7241010201000a000108000000070100020845588bc9", "te6cc", "*", "é", "te6c====", ""]
)
def test_what_is_not_base64_of_a_bag_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        boc.from_base64(text)


def test_base64_with_bits_left_over_is_refused() -> None:
    text = base64.b64encode(boc.write(Cell())).decode()
    assert text.endswith("=")
    other = text.rstrip("=")[:-1] + chr(ord(text.rstrip("=")[-1]) + 1) + "=" * text.count("=")
    with pytest.raises(CellError, match="canonical"):
        boc.from_base64(other)


def test_a_library_is_hashed_as_what_it_is_and_nothing_else_exotic_is_taken() -> None:
    library = Cell(LIBRARY, 264, exotic=True)
    assert library.hash != Cell(LIBRARY, 264).hash
    assert boc.read(boc.write(library)) == library
    for kind in (1, 3, 4):
        with pytest.raises(CellError, match="library"):
            Cell(bytes([kind]) + bytes(32), 264, exotic=True)
    with pytest.raises(CellError, match="exotic"):
        Slice(library)


def test_depth_and_number_of_cells_are_bounded() -> None:
    cell = Cell()
    for _ in range(MAX_DEPTH):
        cell = Builder().ref(cell).cell()
    with pytest.raises(CellError, match="512"):
        Builder().ref(cell).cell()
    budget = boc.Budget()
    text = boc.to_base64(cell)
    for _ in range(boc.MAX_CELLS // (MAX_DEPTH + 1)):
        boc.from_base64(text, budget)
    with pytest.raises(CellError, match="2048"):
        boc.from_base64(text, budget)


def test_numbers_that_do_not_fit_are_refused() -> None:
    for builder in (
        lambda: Builder().uint(2, 1),
        lambda: Builder().uint(-1, 8),
        lambda: Builder().coins(2**120),
        lambda: Builder().coins(-1),
        lambda: Builder().uint(0, 1023).bit(False),
    ):
        with pytest.raises(CellError):
            builder()


@pytest.mark.parametrize(
    ("bits", "reason"),
    [("0001" + "00000000", "leading zeros"), ("0001", "too early")],
)
def test_amounts_are_written_in_one_way(bits: str, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        Slice(Cell.of(int(bits, 2), len(bits))).coins()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for content in (raw, pair()[:11] + raw):
        try:
            found = boc.read(content)
        except CellError:
            continue
        assert boc.read(boc.write(found)) == found
