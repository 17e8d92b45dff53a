"""The common vectors, as far as REST can tell them. What REST does not show is derived from the
vector by an oracle.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong and NotExpressible where REST has no
words for the vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.oracles.bip32 import Node
from tests.vectors.rest import NotExpressible, Rest, Vector, runner, same

_ACCOUNT = "44'/60'/0'"


def no_words(reason: str) -> Callable[[Rest, Vector], None]:
    def run(rest: Rest, vector: Vector) -> None:
        raise NotExpressible(reason)

    return run


def bip32_path(rest: Rest, vector: Vector) -> None:
    """A path with h or H for hardened gives the same address as the canonical one, where it is a path of Ethereum."""
    expected = dict(vector["expected"])
    path, canonical = vector["input"]["path"], expected.pop("same_as", None)
    if canonical is not None:
        wallet = rest.permissive.words_wallet("test test test test test test test test test test test junk")
        shown = [rest.permissive.address_at(wallet, text) for text in (path, canonical)]
        same("same_as", shown[0], shown[1])
        if shown[0] is None and not expected:
            raise NotExpressible("a seed cannot be sent, and the path fits no scheme")
    if canonical is None or expected:
        bip32(rest, vector | {"expected": expected})


@runner(
    {"seed_hex", "path"},
    {"xprv", "xpub", "private_key_hex", "public_key_hex", "chain_code_hex", "fingerprint_hex"},
)
def bip32(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    """The key at the path, by itself: a seed or an extended private key cannot be imported."""
    public_key = rest.permissive.key_wallet(expected["private_key_hex"])["addresses"][0]["public_key"]
    same("public_key_hex", public_key, expected["public_key_hex"])
    for name in ("xprv", "xpub"):
        node = Node.from_text(expected[name])
        same(name, public_key, node.public.hex())
        same("fingerprint_hex", node.fingerprint.hex(), expected["fingerprint_hex"])


@runner(
    {"curve", "seed_hex", "path"}, {"private_key_hex", "public_key_hex", "chain_code_hex", "parent_fingerprint_hex"}
)
def slip10_secp(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    same("curve", given["curve"], "secp256k1")
    public_key = rest.permissive.key_wallet(expected["private_key_hex"])["addresses"][0]["public_key"]
    same("public_key_hex", public_key, expected["public_key_hex"])


@runner({"entropy_hex", "language", "passphrase"}, {"mnemonic", "seed_hex", "master_xprv"})
def bip39(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    words, passphrase = expected["mnemonic"], given["passphrase"]
    masters = (
        Node.from_seed(bytes.fromhex(expected["seed_hex"])),
        Node.from_text(expected["master_xprv"]),
    )
    for more in ({"language": given["language"]}, {}):
        for master in masters:
            has_master(rest, rest.permissive.words_wallet(words, passphrase, **more), master)


def bip39_passphrase(rest: Rest, vector: Vector) -> None:
    (one_passphrase if "passphrase" in vector["input"] else equivalent_passphrases)(rest, vector)


@runner({"mnemonic", "passphrase"}, {"seed_hex"}, optional={"passphrase_codepoints"})
def one_passphrase(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    has_master(rest, wallet, Node.from_seed(bytes.fromhex(expected["seed_hex"])))


@runner({"mnemonic", "passphrases_equivalent"}, {"seed_hex"})
def equivalent_passphrases(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    master = Node.from_seed(bytes.fromhex(expected["seed_hex"]))
    assert given["passphrases_equivalent"]
    for passphrase in given["passphrases_equivalent"]:
        has_master(rest, rest.permissive.words_wallet(given["mnemonic"], passphrase), master)


def has_master(rest: Rest, wallet: dict[str, Any], master: Node) -> None:
    """What REST shows of a wallet's seed: the fingerprint of its master key and an account's public node."""
    same("master_fingerprint", wallet["master_fingerprint"], master.fingerprint.hex())
    account = rest.permissive.get(f"/wallets/{wallet['id']}/accounts/ethereum")
    same("path", account["path"], f"m/{_ACCOUNT}")
    same("extended_public_key", account["extended_public_key"], master.below(_ACCOUNT).xpub)


def negative_mnemonic(rest: Rest, vector: Vector) -> None:
    if "mnemonic" not in vector["input"]:
        raise NotExpressible("entropy cannot be sent")
    bad_words(rest, vector)


@runner({"mnemonic"}, {"error", "reason"}, optional={"language"})
def bad_words(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected["error"] is True
    languages = [given["language"]] if "language" in given else [None, "english"]
    for language in languages:
        body = {"kind": "bip39", "mnemonic": given["mnemonic"], **({"language": language} if language else {})}
        rest.strict.refuses("POST", "/wallets/import", {"invalid_mnemonic"}, json=body)


@runner({"mnemonic"}, {"policy", "seed_hex"}, optional={"passphrase"})
def policy_mnemonic(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refused, or normalised to the words that are meant."""
    words, passphrase = given["mnemonic"], given.get("passphrase", "")
    try:
        wallet = rest.permissive.words_wallet(words, passphrase)
    except AssertionError:
        body = {"kind": "bip39", "mnemonic": words, "passphrase": passphrase}
        rest.strict.refuses("POST", "/wallets/import", {"invalid_mnemonic"}, json=body)
        return
    has_master(rest, wallet, Node.from_seed(bytes.fromhex(expected["seed_hex"])))


@runner({"path"}, {"error", "reason"}, optional={"curve"})
def negative_path(rest: Rest, given: dict[str, Any], expected: dict[str, Any]) -> None:
    """As it is, and with the coin type of Ethereum, so that it is not refused for that alone."""
    assert expected["error"] is True
    if given.get("curve", "secp256k1") != "secp256k1":
        raise NotExpressible("no network has keys on this curve")
    wallet = rest.strict.words_wallet("test test test test test test test test test test test junk")
    url = f"/wallets/{wallet['id']}/address/ethereum"
    for path in {given["path"], given["path"].replace("m/44'/0'/", "m/44'/60'/", 1)}:
        rest.strict.refuses("GET", url, {"invalid_path", "invalid_field"}, params={"path": path})


RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    "common.amount": no_words("amounts are base units"),
    "common.amount_negative": no_words("amounts are base units"),
    "bip32": bip32_path,
    "bip39.english": bip39,
    "bip39.other_language": bip39,
    "bip39.passphrase": bip39_passphrase,
    "negative.mnemonic": negative_mnemonic,
    "policy.mnemonic": policy_mnemonic,
    "negative.xkey": no_words("extended keys cannot be sent"),
    "negative.path": negative_path,
    "slip10.secp": slip10_secp,
    "slip10.ed": no_words("no network has keys on this curve"),
}
