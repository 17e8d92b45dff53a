from __future__ import annotations

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from strongroom.codecs import rlp

# ethereum/tests, RLPTests/rlptest.json and the examples of the Yellow Paper.
PUBLISHED = [
    (b"", "80"),
    (b"\0", "00"),
    (b"\x7f", "7f"),
    (b"\x80", "8180"),
    (b"dog", "83646f67"),
    (
        b"Lorem ipsum dolor sit amet, consectetur adipisicing elit",
        "b838" + b"Lorem ipsum dolor sit amet, consectetur adipisicing elit".hex(),
    ),
    ([], "c0"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    ([b"a" * 60], "f83e" + "b83c" + "61" * 60),
]

# ethereum/tests, RLPTests/invalidRLPTest.json, and neighbours.
INVALID = {
    "empty": "",
    "trailing byte": "8000",
    "two items": "c0c0",
    "byte below 0x80 as a string": "8101",
    "string cut short": "83646f",
    "list cut short": "c883636174",
    "item past its list": "c28363617400",
    "length missing": "b8",
    "length cut short": "b901",
    "length with a leading zero": "b90038" + "61" * 56,
    "long form of a short string": "b837" + "61" * 55,
    "long form of a short list": "f803c0c0c0",
    "length of 2^64": "bfffffffffffffffff",
    "list length of 2^64": "ffffffffffffffffff",
}


@pytest.mark.parametrize(("item", "encoded"), PUBLISHED)
def test_published(item: rlp.Item, encoded: str) -> None:
    assert rlp.encode(item).hex() == encoded
    assert rlp.decode(bytes.fromhex(encoded)) == item


@pytest.mark.parametrize("encoded", INVALID.values(), ids=INVALID)
def test_what_is_not_canonical_is_refused(encoded: str) -> None:
    with pytest.raises(rlp.RlpError):
        rlp.decode(bytes.fromhex(encoded))


def test_limits() -> None:
    deep = b"\xc0"
    for _ in range(rlp.MAX_DEPTH - 1):
        deep = rlp.encode([rlp.decode(deep)])
    assert rlp.decode(deep) is not None
    with pytest.raises(rlp.RlpError):
        rlp.decode(rlp.encode([rlp.decode(deep)]))
    with pytest.raises(rlp.RlpError):
        rlp.decode(b"\xc1" * 100_000 + b"\xc0")
    with pytest.raises(rlp.RlpError):
        rlp.decode(rlp.encode([b"\1"] * rlp.MAX_ITEMS))
    assert rlp.decode(rlp.encode([b"\1"] * (rlp.MAX_ITEMS - 1)))


@pytest.mark.parametrize("item", [b"\0", b"\0\1", []])
def test_an_integer_has_no_leading_zeros_and_is_no_list(item: rlp.Item) -> None:
    with pytest.raises(rlp.RlpError):
        rlp.to_uint(item)


@given(st.integers(0, 2**300))
def test_integers_round_trip(value: int) -> None:
    assert rlp.to_uint(rlp.uint(value)) == value


items = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=4), max_leaves=20)


@given(items)
def test_agrees_with_pyrlp(item: rlp.Item) -> None:
    encoded = rlp.encode(item)
    assert encoded == oracle.encode(item)


@given(st.binary(max_size=40))
def test_decodes_only_what_it_encodes(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except rlp.RlpError:
        return
    assert rlp.encode(item) == data
