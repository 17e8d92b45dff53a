"""JSON is read in one pass: what is too deep or too much is refused by counting, not by trying."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.entrypoints.json_tree import MAX_DEPTH, MAX_VALUES, read_json
from strongroom.errors import MalformedRequest

MIB = 1 << 20
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def seconds(raw: bytes) -> float:
    began = time.thread_time()
    with pytest.raises(MalformedRequest):
        read_json(raw)
    return time.thread_time() - began


@pytest.mark.parametrize(
    "unit", [b'\\"', b'"', b"\\", b"{", b"[]", b'{"a":', b'"",', b"{},", b"1,"], ids=lambda unit: unit.decode()
)
def test_what_it_takes_grows_with_the_size_and_not_with_its_square(unit: bytes) -> None:
    begin = b"{" * 33 + b'"'
    small, large = (min(seconds(begin + unit * (size // len(unit))) for _ in range(5)) for size in (MIB // 16, MIB))
    assert large < 16 * small * 4 + 0.01, "quadratic would be 256 times"


def test_depth_is_counted_outside_of_strings() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert read_json(deepest) is not None
    for raw in (b"[" + deepest + b"]", b'{"a":' + deepest + b"}", b"[" + deepest + b',"]]]]"]'):
        with pytest.raises(MalformedRequest, match="nested deeper than 32 levels"):
            read_json(raw)
    brackets = '["' + "[{" * 100 + '", "\\"' + "]}" * 100 + '\\\\"]'
    assert read_json(brackets.encode()) == json.loads(brackets)


def test_depth_of_mixed_brackets_is_exact() -> None:
    for depth in range(1, MAX_DEPTH + 3):
        raw = b'[{"a":' * (depth // 2) + b"[]" * (depth % 2) + b"1" * (1 - depth % 2) + b"}]" * (depth // 2)
        if depth <= MAX_DEPTH:
            read_json(raw)
        else:
            with pytest.raises(MalformedRequest, match="deep"):
                read_json(raw)


def test_values_are_counted_outside_of_strings() -> None:
    assert len(read_json(b"[" + b",".join([b"1"] * (MAX_VALUES - 2)) + b"]")) == MAX_VALUES - 2
    with pytest.raises(MalformedRequest, match="more than 50000 values"):
        read_json(b"[" + b",".join([b"1"] * (MAX_VALUES + 1)) + b"]")
    with pytest.raises(MalformedRequest, match="more than 10 values"):
        read_json(b'{"a":[1,2,3,4,5,6,7,8,9,10]}', max_values=10)
    assert read_json(b'["' + b",:[{" * 200_000 + b'"]') == [",:[{" * 200_000]


def test_long_integers_are_refused() -> None:
    assert read_json(b"[" + b"9" * 100 + b"]") == [10**100 - 1]
    with pytest.raises(MalformedRequest, match="more than 100 digits"):
        read_json(b"[" + b"9" * 101 + b"]")


@settings(max_examples=200)
@given(documents)
def test_it_reads_what_the_standard_library_reads(document: object) -> None:
    text = json.dumps(document)
    if "\\ud" in text.lower():
        return  # half surrogates have a test of their own
    assert read_json(text.encode()) == document
