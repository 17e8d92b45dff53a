"""The three sighashes against the vectors of those who defined them.

``data/sighash.json`` is Bitcoin Core's src/test/data/sighash.json: 500 random transactions and scripts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.chains.bitcoin.sighash import HashType, Precomputed, legacy, segwit_v0, taproot
from strongroom.codecs.bip144 import TxOut, parse

DATA = Path(__file__).parents[3] / "vectors" / "data"
CORE = json.loads((Path(__file__).parent / "data" / "sighash.json").read_text())[1:]

TWO_INPUTS = (
    "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655"
    "c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac"
    "7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000"
)
NESTED = (
    "0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b000000001976a91"
    "4a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac9204"
    "0000"
)
ONE_OUTPUT = (
    "0100000002fe3dc9208094f3ffd12645477b3dc56f60ec4fa8e6f5d67c565d1c6b9216b36e0000000000ffffffff0815cf020f013ed6cf91d29f4"
    "202e8a58726b1ac6c79da47c23d1bee0a6925f80000000000ffffffff0100f2052a010000001976a914a30741f8145e5acadf23f751864167f32e"
    "0963f788ac00000000"
)
SEPARATED = (
    "21026dccc749adc2a9d0d89497ac511f760f45c47dc5ed9cf352a58ac706453880aeadab210255a9626aebf5e29c0e6538428ba0d1dcf6ca98ffd"
    "f086aa8ced5e0d0215ea465ac"
)
SIX = (
    "010000000136641869ca081e70f394c6948e8af409e18b619df2ed74aa106c1ca29787b96e0100000000ffffffff0200e9a435000000001976a91"
    "4389ffce9cd9ae88dcc0631e88a821ffdbe9bfe2688acc0832f05000000001976a9147480a33f950689af511e6e84c138dbbd3c3ee41588ac0000"
    "0000"
)
SIX_OF_SIX = (
    "56210307b8ae49ac90a048e9b53357a2354b3334e9c8bee813ecb98e99a7e07e8c3ba32103b28f0c28bfab54554ae8c658ac5c3e0ce6e79ad3363"
    "31f78c428dd43eea8449b21034b8113d703413d57761b8b9781957b8c0ac1dfe69f492580ca4195f50376ba4a21033400f6afecb833092a9a21cf"
    "df1ed1376e58c5d1f47de74683123987e967a8f42103a6d48b1131e94ba04d9737d61acdaa1322008af9602b3b14862c07a1789aac162102d8b66"
    "1b0b3302ee2f162b09e07a55ad5dfbe673a9f01d9f0c19617681024306b56ae"
)
BIP143 = [
    (TWO_INPUTS, 1, "76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac", 600_000_000, HashType.ALL,
     "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670"),
    (NESTED, 0, "76a91479091972186c449eb1ded22b78e40d009bdf008988ac", 1_000_000_000, HashType.ALL,
     "64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6"),
    (ONE_OUTPUT, 1, SEPARATED, 4_900_000_000, HashType.SINGLE,
     "82dde6e4f1e94d02c2b7ad03d2115d691f48d064e9d52f58194a6637e4194391"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.ALL,
     "185c0be5263dce5b4bb50a047973c1b6272bfbd0103a89444597dc40b248ee7c"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.NONE,
     "e9733bc60ea13c95c6527066bb975a2ff29a925e80aa14c213f686cbae5d2f36"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.SINGLE,
     "1e1f1c303dc025bd664acb72e583e933fae4cff9148bf78c157d1e8f78530aea"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.ALL_ANYONECANPAY,
     "2a67f03e63a6a422125878b40b82da593be8d4efaafe88ee528af6e5a9955c6e"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.NONE_ANYONECANPAY,
     "781ba15f3779d5542ce8ecb5c18716733a5ee42a6f51488ec96154934e2c890a"),
    (SIX, 0, SIX_OF_SIX, 987_654_321, HashType.SINGLE_ANYONECANPAY,
     "511e8e52ed574121fc1b654970395502128263f62662e076dc6baf05c2e6a99b"),
]  # fmt: skip
"""The examples of BIP-143: unsigned transaction, input, script code, value, type, sighash."""
BIP341 = [
    vector
    for vector in json.loads((DATA / "bitcoin.signing.json").read_text())["vectors"]
    if vector["group"] == "btc.sign.sighash"
]


@pytest.mark.parametrize("index", range(0, len(CORE), 100))
def test_legacy(index: int) -> None:
    for raw, script, at, hash_type, expected in CORE[index : index + 100]:
        transaction = parse(bytes.fromhex(raw))
        shared = Precomputed(transaction)
        for precomputed in (None, shared, shared):
            found = legacy(transaction, at, bytes.fromhex(script), hash_type, precomputed)
            assert found[::-1].hex() == expected


def test_legacy_single_without_its_output() -> None:
    """Consensus signs the number one; `checks` refuses to."""
    assert legacy(parse(bytes.fromhex(ONE_OUTPUT)), 1, b"", HashType.SINGLE) == b"\1" + bytes(31)


@pytest.mark.parametrize(("raw", "index", "code", "value", "hash_type", "expected"), BIP143)
def test_segwit(raw: str, index: int, code: str, value: int, hash_type: HashType, expected: str) -> None:
    transaction = parse(bytes.fromhex(raw))
    shared = Precomputed(transaction)
    for precomputed in (None, shared, shared):
        found = segwit_v0(transaction, index, bytes.fromhex(code), value, hash_type, precomputed)
        assert found.hex() == expected


@pytest.mark.parametrize("vector", BIP341, ids=lambda vector: vector["id"])
def test_taproot(vector: dict[str, Any]) -> None:
    given = vector["input"]
    transaction = parse(bytes.fromhex(given["unsigned_tx_hex"]))
    spent = [TxOut(each["amount_sat"], bytes.fromhex(each["script_pubkey_hex"])) for each in given["prevouts"]]
    shared = Precomputed(transaction, spent)
    for precomputed in (None, shared, shared):
        found = taproot(transaction, given["input_index"], spent, given["sighash_type"], precomputed)
        assert found.hex() == vector["expected"]["sighash_hex"]


def test_taproot_refuses() -> None:
    transaction = parse(bytes.fromhex(ONE_OUTPUT))
    spent = [TxOut(1, b"")] * 2
    for index, given, hash_type in (
        (0, spent[:1], HashType.DEFAULT),
        (1, spent, HashType.SINGLE),
        (1, spent, HashType.SINGLE_ANYONECANPAY),
        (0, spent, 4),
        (0, spent, 0x80),
    ):
        with pytest.raises(ValueError, match=r"Taproot|SINGLE|HashType"):
            taproot(transaction, index, given, hash_type)


def test_labels() -> None:
    assert [each.label for each in HashType][-3:] == ["ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"]
