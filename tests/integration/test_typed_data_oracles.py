"""Four libraries hash typed data as we do, including fields that are not signed and nulls."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from strongroom.codecs import eip712
from tests.oracles import ethereum as oracle
from tests.support import node

pytestmark = pytest.mark.needs("viem")

DOCUMENTS = 300
EXTRA: list[Any] = [None, 1, "x", [], {}, True, "0x00"]


def document(draw: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A random document, and the same document without anything that is not signed."""
    bare = oracle.typed_data(draw)
    fields = [field for field in bare["types"]["EIP712Domain"] if draw.random() < 0.7]
    bare["types"]["EIP712Domain"] = fields
    full = copy.deepcopy(bare)
    named = {field["name"] for field in fields}
    bare["domain"] = {name: value for name, value in bare["domain"].items() if name in named}
    for name in full["domain"].keys() - named:
        choice = draw.randrange(3)
        if choice == 0:
            del full["domain"][name]
        elif choice == 1:
            full["domain"][name] = None
    if draw.random() < 0.5:
        full["domain"]["more"] = draw.choice(EXTRA)
        full["domain"]["salt"] = None
    if draw.random() < 0.5:
        full["message"]["more"] = draw.choice(EXTRA)
        full["message"]["beneath"]["more"] = draw.choice(EXTRA)
    return full, bare


def test_digests_agree() -> None:
    draw = random.Random(7127)
    made = [document(draw) for _ in range(DOCUMENTS)]
    answers = node.run("digests.mjs", [full for full, _ in made])
    unsigned = 0
    for (full, bare), answer in zip(made, answers, strict=True):
        theirs = encode_typed_data(full_message=copy.deepcopy(bare))
        digest = "0x" + keccak(b"\x19" + theirs.version + theirs.header + theirs.body).hex()
        typed = eip712.parse(full)
        assert answer == {"sigUtil": digest, "viem": digest, "ethers": digest}
        assert "0x" + typed.digest.hex() == digest
        assert typed.has_unsigned_fields == (full != bare)
        unsigned += typed.has_unsigned_fields
    assert DOCUMENTS // 4 < unsigned < DOCUMENTS
