from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.domain.brief import MOST_BYTES, brief

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3000),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=50), inner, max_size=20),
    max_leaves=60,
)


@given(st.dictionaries(st.text(max_size=2000), TREES, max_size=20))
@settings(max_examples=150, deadline=None)
def test_it_is_json_of_an_object_and_never_longer(tree: dict[str, Any]) -> None:
    whole = msgspec.json.encode(tree)
    made = brief(tree)
    assert len(made) <= MOST_BYTES
    if len(whole) <= MOST_BYTES:
        assert made == whole
    else:
        cut = json.loads(made)["cut"]
        assert cut == {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}


def test_what_is_small_is_kept_whatever_stands_before_it() -> None:
    made = json.loads(brief({"summary": {"to": "x" * 1_000_000, "fee": "12"}, "tx_id": "0xab", "complete": True}))
    assert (made["tx_id"], made["complete"], made["summary"]["fee"]) == ("0xab", True, "12")


def test_a_string_ends_in_the_digest_of_what_was_left_out() -> None:
    text = "".join(chr(0x61 + n % 26) for n in range(10_000))
    kept, digest = json.loads(brief({"a": text}))["a"].split("…sha256:")
    assert text.startswith(kept)
    assert digest == hashlib.sha256(text[len(kept) :].encode()).hexdigest()


def test_of_a_list_the_first_are_kept() -> None:
    made = json.loads(brief({"outputs": [{"address": f"{n:040}", "amount": str(n)} for n in range(10_000)]}))
    assert len(made["outputs"]) > 20
    assert made["outputs"] == [{"address": f"{n:040}", "amount": str(n)} for n in range(len(made["outputs"]))]
