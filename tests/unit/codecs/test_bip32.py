# ruff: noqa: E501 (an extended key stays on one line)
from __future__ import annotations

import random

import pytest
from bip_utils import Bip32Slip10Secp256k1

from strongroom.codecs import bip32
from strongroom.domain.scheme import HARDENED
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidKey, InvalidPath

XPUB = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
XPRV = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"

# BIP-32, test vector 5: all of it
VECTOR_5 = {
    "public version, private key": "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
    "private version, public key": "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vWvSQaaBv5cxi9gafk7NF3pnBju6dwKvH",
    "public key prefix 04": "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
    "private key prefix 04": "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGpWnsj83BHtEy5Zt8CcDr1UiRXuWCmTQLxEK9vbz5gPstX92JQ",
    "public key prefix 01": "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
    "private key prefix 01": "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLcMtD9y5gkZ6Eq3Rjuahrv17fEQ3Qen6J",
    "depth 0 with a parent (private)": "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHEPY53qmbZzCHshoQnNf4GvELZfqTUrcv",
    "depth 0 with a parent (public)": "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
    "depth 0 with an index (private)": "xprv9s21ZrQH4r4TsiLvyLXqM9P7k1K3EYhA1kkD6xuquB5i39AU8KF42acDyL3qsDbU9NmZn6MsGSUYZEsuoePmjzsB3eFKSUEh3Gu1N3cqVUN",
    "depth 0 with an index (public)": "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
    "unknown version (private)": "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHGMQzT7ayAmfo4z3gY5KfbrZWZ6St24UVf2Qgo6oujFktLHdHY4",
    "unknown version (public)": "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHPmHJiEDXkTiJTVV9rHEBUem2mwVbbNfvT2MTcAqj3nesx8uBf9",
    "private key 0": "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzF93Y5wvzdUayhgkkFoicQZcP3y52uPPxFnfoLZB21Teqt1VvEHx",
    "private key n": "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLcMtD5SDKr24z3aiUvKr9bJpdrcLg1y3G",
    "no point of the curve": "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
    "checksum": "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHL",
}


@pytest.mark.parametrize("text", VECTOR_5.values(), ids=VECTOR_5)
def test_an_invalid_extended_key(text: str) -> None:
    with pytest.raises(InvalidKey):
        bip32.parse_extended_key(text)


def test_an_extended_key_there_and_back() -> None:
    public, private = bip32.parse_extended_key(XPUB), bip32.parse_extended_key(XPRV)
    assert (public.serialise(), private.serialise()) == (XPUB, XPRV)
    assert public.public_key == private.public_key
    assert public.private_key is None
    assert private.private_key is not None
    assert private.private_key.reveal().hex() not in repr(private)


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("m", ()),
        ("m/0", (0,)),
        ("m/44'/60h/7H/1/2147483647", (HARDENED + 44, HARDENED + 60, HARDENED + 7, 1, HARDENED - 1)),
        ("m" + "/1" * 255, (1,) * 255),
    ],
)
def test_a_path(text: str, indexes: tuple[int, ...]) -> None:
    assert bip32.parse_path(text) == indexes
    assert bip32.parse_path(bip32.format_path(indexes)) == indexes


def test_the_canonical_path() -> None:
    assert bip32.canonical_path("m/44h/60H/0'/0") == "m/44'/60'/0'/0"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "/",
            "M",
            "n/0",
            "m/",
            "/0",
            "0",
            "44'/60'",
            "m//0",
            "m/0/",
            "m/ 0",
            " m/0",
            "m/0\n",
            "m/0''",
            "m/0'h",
            "m/'",
        ),
        *("m/-1", "m/+1", "m/0x1", "m/1.0", "m/1_0", "m/a", "m/٣", "m/００", "m/00", "m/01", "m\\0", "m/0 '", "m/*"),
        *("m/2147483648", "m/2147483648'", "m/4294967296", "m/99999999999", "m" + "/1" * 256, "m/1" * 2000),
    ],
)
def test_a_bad_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        bip32.parse_path(text)


def test_public_derivation_against_a_second_implementation() -> None:
    rng = random.Random(32)
    for _ in range(40):
        seed, account = rng.randbytes(64), f"m/44'/60'/{rng.randrange(HARDENED)}'"
        oracle = Bip32Slip10Secp256k1.FromSeedAndPath(seed, account)
        node = PublicNode(
            account,
            oracle.PublicKey().RawCompressed().ToBytes(),
            oracle.ChainCode().ToBytes(),
            oracle.ParentFingerPrint().ToBytes(),
        )
        assert bip32.xpub(node) == oracle.PublicKey().ToExtended()
        path = f"{account}/{rng.randrange(2)}/{rng.randrange(HARDENED)}"
        child = Bip32Slip10Secp256k1.FromSeedAndPath(seed, path)
        derived = bip32.derive_public(node, path)
        assert bip32.xpub(derived) == child.PublicKey().ToExtended()
        assert derived.parent_fingerprint == child.ParentFingerPrint().ToBytes()
        assert derived.path == path


def test_public_derivation_refuses() -> None:
    parsed = bip32.parse_extended_key(XPUB)
    node = PublicNode("m/44'", parsed.public_key, parsed.chain_code)
    assert bip32.derive_public(node, "m/44'") == node
    for path in ("m/44'/0'", "m/44/0", "m", "m/45'/0"):
        with pytest.raises(InvalidPath):
            bip32.derive_public(node, path)
    with pytest.raises(InvalidKey):
        bip32.derive_public(PublicNode("m", parsed.public_key, None), "m/0")


def test_children_of_a_node_are_what_each_path_gives() -> None:
    parsed = bip32.parse_extended_key(XPUB)
    node = PublicNode("m/44'/60'/0'", parsed.public_key, parsed.chain_code)
    key_of = bip32.children_of(node, "m/44'/60'/0'/1")
    indexes = [0, 1, 2, 99, HARDENED - 1]
    paths = [f"m/44'/60'/0'/1/{index}" for index in indexes]
    assert [key_of(index) for index in indexes] == [bip32.derive_public(node, path).public_key for path in paths]
    with pytest.raises(InvalidPath):
        key_of(HARDENED)
    with pytest.raises(InvalidPath):
        bip32.children_of(node, "m/44'/61'/0'/1")
