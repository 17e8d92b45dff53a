"""Runs one vector of ``bitcoin.*.json`` about addresses, keys or PSBTs against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from strongroom.chains.bitcoin import address, psbt, schemes, script
from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.chains.bitcoin.networks import NETWORKS
from strongroom.codecs import bip32, wif
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidAddress
from strongroom.keys import bip39, derivation
from tests.vectors.direct_common import only, refused

Vector = dict[str, Any]

BITCOIN = Bitcoin()
_BY_NAME = {network.name: network for network in NETWORKS}
_NAMES = {
    "mainnet": ["bitcoin"],
    "testnet": ["bitcoin-testnet3", "bitcoin-testnet4", "bitcoin-signet"],
    "regtest": ["bitcoin-regtest"],
    "any": list(_BY_NAME),
}
_PATH_PARTS = 4
"""m and the three hardened steps down to an account."""


def networks(given: Vector) -> list[Network]:
    """All that a vector's ``network`` may mean here."""
    return [_BY_NAME[name] for name in _NAMES[given["network"]]]


def valid_address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "address", "network")
    for network in networks(given):
        parsed = BITCOIN.parse_address(network, given["address"])
        assert {"valid": True, "script_pubkey_hex": parsed.canonical.hex()} == expected
        segwit = script.witness_version(parsed.canonical) is not None
        assert parsed.address == (given["address"].lower() if segwit else given["address"])
        assert BITCOIN.parse_address(network, parsed.address) == parsed


def bad_address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "address", "network")
    only(expected, "valid", "reason")
    assert expected["valid"] is False
    for network in networks(given):
        refused(InvalidAddress, lambda network=network: BITCOIN.parse_address(network, given["address"]))  # type: ignore[misc]


def taproot(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "internal_pubkey_hex", "merkle_root_hex")
    root = bytes.fromhex(given["merkle_root_hex"] or "")
    tweaked = schemes.output_key(bytes.fromhex(given["internal_pubkey_hex"]), root)
    pubkey_script = script.p2tr(tweaked)
    assert {
        "tweaked_pubkey_hex": tweaked.hex(),
        "script_pubkey_hex": pubkey_script.hex(),
        "address": address.encode(address.params(_BY_NAME["bitcoin"]), pubkey_script),
    } == expected


def wif_key(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "wif")
    found = wif.decode(given["wif"])
    assert {
        "private_key_hex": found.key.reveal().hex(),
        "network": "testnet" if found.testnet else "mainnet",
        "compressed": found.compressed,
    } == expected


def derive(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "path", "network")
    seed, path = _seed(given), given["path"]
    for network in networks(given):
        scheme = _scheme(network, path)
        account = node(seed, "/".join(path.split("/")[:_PATH_PARTS]))
        public_key = bip32.derive_public(account, path).public_key
        with derivation.derive(seed, bip32.parse_path(path)) as private:
            assert derivation.public_key(private) == public_key
            private_key_hex = private.key.reveal().hex()
        written = wif.decode(expected["wif"])
        assert (written.testnet, written.compressed) == (network.testnet, True)
        shown = BITCOIN.render(network, scheme, public_key)
        fingerprint = node(seed, "m").public_key
        keys = BITCOIN.account_keys(network, scheme, account, bip32.fingerprint(fingerprint).hex())
        found = {
            "private_key_hex": private_key_hex,
            "wif": expected["wif"] if written.key.reveal().hex() == private_key_hex else None,
            "public_key_hex": public_key.hex(),
            "address": shown.address,
            "script_pubkey_hex": shown.canonical.hex(),
            "master_fingerprint": bip32.fingerprint(fingerprint).hex(),
            "account_xpub": keys.extended_public_key,
            "descriptor": keys.descriptor,
        }
        if keys.slip132 is not None:
            found["account_xpub_slip132"] = keys.slip132
        assert found == expected


def descriptor(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "account_path", "network")
    only(expected, "descriptor_with_checksum", "addresses")
    seed, path = _seed(given), given["account_path"]
    account, fingerprint = node(seed, path), bip32.fingerprint(node(seed, "m").public_key).hex()
    assert expected["addresses"]
    for network in networks(given):
        scheme = _scheme(network, f"{path}/0/0")
        keys = BITCOIN.account_keys(network, scheme, account, fingerprint)
        assert keys.descriptor == expected["descriptor_with_checksum"]
        for below, text in expected["addresses"].items():
            public_key = bip32.derive_public(account, f"{path}/{below}").public_key
            assert BITCOIN.render(network, scheme, public_key).address == text


def valid_psbt(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "psbt_base64")
    only(expected, "error", "description")
    assert expected["error"] is False
    parsed = psbt.parse_text(given["psbt_base64"])
    assert psbt.to_base64(parsed) == given["psbt_base64"]
    assert psbt.parse_text(psbt.serialize(parsed).hex()) == parsed


def bad_psbt(vector: Vector) -> None:
    """With ``policy``, it may be accepted or refused, as long as a refusal is clear."""
    given, expected = vector["input"], vector["expected"]
    only(given, "psbt_base64", "psbt", "mnemonic", "network")
    only(expected, "error", "reason", "stage", "policy")
    text = given["psbt_base64"] if "psbt_base64" in given else given["psbt"]
    if "policy" in expected:
        with suppress(ValueError):
            assert psbt.parse_text(psbt.to_base64(psbt.parse_text(text))) == psbt.parse_text(text)
        return
    assert expected["error"] is True
    refused(ValueError, lambda: psbt.parse_text(text))


def node(seed: bytes, path: str) -> PublicNode:
    indexes = bip32.parse_path(path)
    parent_fingerprint = bytes(4)
    if indexes:
        with derivation.derive(seed, indexes[:-1]) as parent:
            parent_fingerprint = bip32.fingerprint(derivation.public_key(parent))
    with derivation.derive(seed, indexes) as found:
        return PublicNode(path, derivation.public_key(found), bytes(found.chain_code.reveal()), parent_fingerprint)


def _seed(given: Vector) -> bytes:
    return bytes(bip39.seed(bip39.parse(given["mnemonic"]), given["passphrase"]))


def _scheme(network: Network, path: str) -> Scheme:
    [scheme] = [one for one in BITCOIN.schemes(network.keyspace).values() if one.match(path) is not None]
    return scheme


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "btc.address.taproot": taproot,
    "btc.address.valid": valid_address,
    "btc.derive.bip44": derive,
    "btc.derive.bip49": derive,
    "btc.derive.bip84": derive,
    "btc.derive.bip86": derive,
    "btc.descriptor": descriptor,
    "btc.negative.address": bad_address,
    "btc.negative.psbt_parse": bad_psbt,
    "btc.psbt.valid": valid_psbt,
    "btc.wif": wif_key,
}
