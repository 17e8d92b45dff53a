"""Runs the common vectors (amounts, BIP-32, BIP-39, SLIP-0010, what must be refused) against the code.

``RUNNERS[group](vector)`` raises AssertionError if the code disagrees with the vector, and also if the vector has
something that the runner does not know. Nothing is skipped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from strongroom.codecs import bip32
from strongroom.codecs.bip144 import MAX_MONEY
from strongroom.domain.amount import MAX_AMOUNT, format_units, parse_units
from strongroom.domain.scheme import HARDENED
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidKey, InvalidMnemonic, InvalidPath, StrongroomError
from strongroom.keys import bip39, derivation, slip10

Vector = dict[str, Any]
Run = Callable[[dict[str, Any], dict[str, Any]], None]

SOME_SEED = bytes(range(16))
MOST = {"BTC": MAX_MONEY, "TRX": 2**63 - 1, "SOL": 2**64 - 1, "TON": 2**120 - 1}
"""Base units that a chain can hold of its own asset."""


def runner(
    inputs: set[str], expected: set[str], optional: Collection[str] = ()
) -> Callable[[Run], Callable[[Vector], None]]:
    """A function of a vector: all of ``inputs`` and ``expected`` must be there, and nothing else but ``optional``."""

    def decorate(run: Run) -> Callable[[Vector], None]:
        @wraps(run)
        def checked(vector: Vector) -> None:
            assert inputs <= vector["input"].keys() <= inputs | set(optional), (
                "input keys that this runner does not know"
            )
            assert vector["expected"].keys() == expected, "expected keys that this runner does not know"
            try:
                run(vector["input"], vector["expected"])
            except (StrongroomError, ValueError, KeyError) as error:
                raise AssertionError(f"refused: {error}") from error

        return checked

    return decorate


def only(given: Any, *allowed: str) -> None:
    """A runner compares all that a vector holds."""
    assert isinstance(given, dict)
    assert not given.keys() - set(allowed), f"not compared: {given.keys() - set(allowed)}"


def refused(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError("accepted what must be refused")


@runner({"asset", "decimals", "amount"}, {"base_units"})
def amount(given: dict[str, Any], expected: dict[str, Any]) -> None:
    units = parse_units(given["amount"], given["decimals"], MOST.get(given["asset"].upper(), MAX_AMOUNT))
    assert str(units) == expected["base_units"]
    assert parse_units(format_units(units, given["decimals"]), given["decimals"]) == units


@runner({"asset", "decimals", "amount"}, {"error", "reason"})
def amount_negative(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    most = MOST.get(given["asset"].upper(), MAX_AMOUNT)
    refused(ValueError, lambda: parse_units(given["amount"], given["decimals"], most))


def public_node(seed: bytes, path: str) -> PublicNode:
    indexes = bip32.parse_path(path)
    node = derivation.derive(seed, indexes)
    parent = bytes(4)
    if indexes:
        parent = bip32.fingerprint(derivation.public_key(derivation.derive(seed, indexes[:-1])))
    return PublicNode(path, derivation.public_key(node), bytes(node.chain_code.reveal()), parent)


def xprv(seed: bytes, path: str) -> str:
    indexes, node = bip32.parse_path(path), public_node(seed, path)
    private = derivation.derive(seed, indexes)
    return bip32.ExtendedKey(
        version=bip32.XPRV,
        depth=len(indexes),
        parent_fingerprint=node.parent_fingerprint,
        child_number=indexes[-1] if indexes else 0,
        chain_code=bytes(private.chain_code.reveal()),
        public_key=node.public_key,
        private_key=private.key,
    ).serialise()


def bip32_path(vector: Vector) -> None:
    """A path may have h or H for hardened steps. ``same_as`` is the path in canonical form."""
    expected = dict(vector["expected"])
    if "same_as" in expected:
        seed, canonical = bytes.fromhex(vector["input"]["seed_hex"]), expected.pop("same_as")
        assert bip32.canonical_path(vector["input"]["path"]) == canonical
        assert xprv(seed, vector["input"]["path"]) == xprv(seed, canonical)
        if not expected:
            runner({"seed_hex", "path"}, set())(lambda *_: None)(vector | {"expected": {}})
            return
    bip32_derivation(vector | {"expected": expected})


@runner(
    {"seed_hex", "path"},
    {"xprv", "xpub", "private_key_hex", "public_key_hex", "chain_code_hex", "fingerprint_hex"},
)
def bip32_derivation(given: dict[str, Any], expected: dict[str, Any]) -> None:
    seed, path = bytes.fromhex(given["seed_hex"]), given["path"]
    indexes, node = bip32.parse_path(path), public_node(seed, path)
    assert derivation.derive(seed, indexes).key.reveal().hex() == expected["private_key_hex"]
    assert node.public_key.hex() == expected["public_key_hex"]
    assert node.chain_code is not None
    assert node.chain_code.hex() == expected["chain_code_hex"]
    assert bip32.fingerprint(node.public_key).hex() == expected["fingerprint_hex"]
    assert bip32.xpub(node) == expected["xpub"]
    assert xprv(seed, path) == expected["xprv"]
    for text in (expected["xpub"], expected["xprv"]):
        parsed = bip32.parse_extended_key(text)
        assert parsed.serialise() == text
        assert parsed.public_key == node.public_key
    if indexes and indexes[-1] < HARDENED:
        parent = public_node(seed, bip32.format_path(indexes[:-1]))
        assert bip32.derive_public(parent, path) == node


@runner({"entropy_hex", "language", "passphrase"}, {"mnemonic", "seed_hex", "master_xprv"})
def bip39_entropy(given: dict[str, Any], expected: dict[str, Any]) -> None:
    entropy = bytes.fromhex(given["entropy_hex"])
    phrase = bip39.from_entropy(entropy, given["language"])
    # NFKD on both sides, except for the space: the vectors compose the Japanese words, the word list does not.
    assert decomposed(phrase.text) == decomposed(expected["mnemonic"])
    for text, language in ((expected["mnemonic"], given["language"]), (phrase.text, None)):
        assert bip39.parse(text, language).entropy == entropy
    seed = bip39.seed(bip39.parse(expected["mnemonic"], given["language"]), given["passphrase"])
    assert seed.hex() == expected["seed_hex"]
    assert xprv(seed, "m") == expected["master_xprv"]


def decomposed(text: str) -> list[str]:
    return [unicodedata.normalize("NFKD", part) for part in text.split("\u3000")]


def bip39_passphrase(vector: Vector) -> None:
    one_passphrase(vector) if "passphrase" in vector["input"] else equivalent_passphrases(vector)


@runner({"mnemonic", "passphrase"}, {"seed_hex"}, optional={"passphrase_codepoints"})
def one_passphrase(given: dict[str, Any], expected: dict[str, Any]) -> None:
    codepoints = [hex(ord(sign)) for sign in given["passphrase"]]
    assert given.get("passphrase_codepoints", codepoints) == codepoints
    assert bip39.seed(bip39.parse(given["mnemonic"]), given["passphrase"]).hex() == expected["seed_hex"]


@runner({"mnemonic", "passphrases_equivalent"}, {"seed_hex"})
def equivalent_passphrases(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert given["passphrases_equivalent"]
    for passphrase in given["passphrases_equivalent"]:
        assert bip39.seed(bip39.parse(given["mnemonic"]), passphrase).hex() == expected["seed_hex"]


def negative_mnemonic(vector: Vector) -> None:
    bad_words(vector) if "mnemonic" in vector["input"] else bad_entropy(vector)


@runner({"mnemonic"}, {"error", "reason"}, optional={"language"})
def bad_words(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    refused(InvalidMnemonic, lambda: bip39.parse(given["mnemonic"], given.get("language")))
    refused(InvalidMnemonic, lambda: bip39.parse(given["mnemonic"], given.get("language", "english")))


@runner({"entropy_hex"}, {"error", "reason"}, optional={"language"})
def bad_entropy(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    entropy = bytes.fromhex(given["entropy_hex"])
    refused(InvalidMnemonic, lambda: bip39.from_entropy(entropy, given.get("language", "english")))


@runner({"mnemonic"}, {"policy", "seed_hex"}, optional={"passphrase"})
def policy_mnemonic(given: dict[str, Any], expected: dict[str, Any]) -> None:
    try:
        phrase = bip39.parse(given["mnemonic"])
    except InvalidMnemonic:
        return  # the policy allows to refuse
    assert bip39.seed(phrase, given.get("passphrase", "")).hex() == expected["seed_hex"]


@runner({"extended_key"}, {"error", "reason"})
def negative_xkey(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    refused(InvalidKey, lambda: bip32.parse_extended_key(given["extended_key"]))


@runner({"path"}, {"error", "reason"}, optional={"curve"})
def negative_path(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    derive = {"secp256k1": derivation.derive, "ed25519": slip10.derive}[given.get("curve", "secp256k1")]
    refused(InvalidPath, lambda: derive(SOME_SEED, bip32.parse_path(given["path"])))


SLIP10 = {"private_key_hex", "public_key_hex", "chain_code_hex", "parent_fingerprint_hex"}


@runner({"curve", "seed_hex", "path"}, SLIP10)
def slip10_secp(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert given["curve"] == "secp256k1"
    seed, path = bytes.fromhex(given["seed_hex"]), given["path"]
    node = public_node(seed, path)
    assert node.chain_code is not None
    assert {
        "private_key_hex": derivation.derive(seed, bip32.parse_path(path)).key.reveal().hex(),
        "public_key_hex": node.public_key.hex(),
        "chain_code_hex": node.chain_code.hex(),
        "parent_fingerprint_hex": node.parent_fingerprint.hex(),
    } == expected


@runner({"curve", "seed_hex", "path"}, SLIP10)
def slip10_ed(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert given["curve"] == "ed25519"
    seed, indexes = bytes.fromhex(given["seed_hex"]), bip32.parse_path(given["path"])
    node = slip10.derive(seed, indexes)
    parent = bytes(4)
    if indexes:  # SLIP-0010 takes the fingerprint over the key with its zero byte
        parent = bip32.fingerprint(b"\0" + slip10.public_key(slip10.derive(seed, indexes[:-1])))
    assert {
        "private_key_hex": node.key.reveal().hex(),
        "public_key_hex": slip10.public_key(node).hex(),
        "chain_code_hex": node.chain_code.reveal().hex(),
        "parent_fingerprint_hex": parent.hex(),
    } == expected


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "common.amount": amount,
    "common.amount_negative": amount_negative,
    "bip32": bip32_path,
    "bip39.english": bip39_entropy,
    "bip39.other_language": bip39_entropy,
    "bip39.passphrase": bip39_passphrase,
    "negative.mnemonic": negative_mnemonic,
    "policy.mnemonic": policy_mnemonic,
    "negative.xkey": negative_xkey,
    "negative.path": negative_path,
    "slip10.secp": slip10_secp,
    "slip10.ed": slip10_ed,
}
