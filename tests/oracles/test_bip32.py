"""The oracle itself, by the vectors of BIP-32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.bip32 import Node

DATA = Path(__file__).parents[1] / "vectors" / "data" / "common.bip32.json"
VECTORS: list[dict[str, Any]] = json.loads(DATA.read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]) -> None:
    path, expected = vector["input"]["path"], vector["expected"]
    node = Node.from_seed(bytes.fromhex(vector["input"]["seed_hex"])).below(path.removeprefix("m").strip("/"))
    assert node.xpub == expected["xpub"]
    assert node.fingerprint.hex() == expected["fingerprint_hex"]
    assert node == Node.from_text(expected["xprv"])
    assert Node.from_text(expected["xpub"]).xpub == expected["xpub"]


def test_public_derivation() -> None:
    by_path = {vector["input"]["path"]: vector["expected"] for vector in VECTORS if "tv2" in vector["id"]}
    assert Node.from_text(by_path["m"]["xpub"]).below("0").xpub == by_path["m/0"]["xpub"]


def test_a_changed_key_is_refused() -> None:
    text = VECTORS[0]["expected"]["xpub"]
    with pytest.raises(ValueError, match="checksum"):
        Node.from_text(text[:-1] + ("2" if text[-1] != "2" else "3"))
