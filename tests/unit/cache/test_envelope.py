"""Entries that somebody else wrote are recognised."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from strongroom.cache.base import MAX_SIZE, CacheKey, Entry, Kind
from strongroom.cache.envelope import Envelopes, Forged

ENVELOPES = Envelopes(b"k" * 32)
KEY = CacheKey(Kind.ADDRESS, UUID(int=1), "0/0")
ENTRY = Entry(b"the value", 2_000_000_000_000)
SEALED = ENVELOPES.seal(KEY, ENTRY)


def test_what_was_sealed_opens() -> None:
    assert ENVELOPES.open(KEY, SEALED) == ENTRY
    empty = Entry(b"", 0)
    assert ENVELOPES.open(KEY, ENVELOPES.seal(KEY, empty)) == empty


@pytest.mark.parametrize("bit", range(8))
def test_every_bit_counts(bit: int) -> None:
    for place in range(len(SEALED)):
        changed = bytearray(SEALED)
        changed[place] ^= 1 << bit
        with pytest.raises(Forged):
            ENVELOPES.open(KEY, bytes(changed))


def test_every_length_counts() -> None:
    for size in range(len(SEALED)):
        with pytest.raises(Forged):
            ENVELOPES.open(KEY, SEALED[:size])
    for longer in (SEALED + b"\0", SEALED * 2, bytes(200_000)):
        with pytest.raises(Forged):
            ENVELOPES.open(KEY, longer)


@pytest.mark.parametrize("change", [{"kind": Kind.BALANCE}, {"owner": UUID(int=2)}, {"name": "0/1"}, {"name": ""}])
def test_an_entry_opens_in_its_place_only(change: dict[str, object]) -> None:
    elsewhere = replace(KEY, **change)  # type: ignore[arg-type]
    with pytest.raises(Forged):
        ENVELOPES.open(elsewhere, SEALED)
    assert ENVELOPES.place(elsewhere) != ENVELOPES.place(KEY)


def test_another_secret_opens_nothing_and_looks_elsewhere() -> None:
    other = Envelopes(b"o" * 32)
    with pytest.raises(Forged):
        other.open(KEY, SEALED)
    assert other.place(KEY) != ENVELOPES.place(KEY)
    assert other.members(KEY.owner) != ENVELOPES.members(KEY.owner)


def test_what_is_larger_than_its_kind_is_not_ours_whatever_its_mac_says() -> None:
    with pytest.raises(Forged):
        ENVELOPES.open(KEY, ENVELOPES.seal(KEY, Entry(bytes(MAX_SIZE[Kind.ADDRESS] + 1), 0)))


def test_the_key_is_not_printed() -> None:
    assert "k" * 32 not in repr(ENVELOPES)
