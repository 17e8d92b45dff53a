"""Single private keys in the formats that wallets export."""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.codecs import base58, wif
from strongroom.errors import InvalidKey
from strongroom.keys.base import RawKey, RawKeyFormat

_HEX_KEY: Final = re.compile(r"(?:0x)?(?P<digits>[0-9a-fA-F]{64})", re.ASCII)
_JSON_KEY: Final = re.compile(r"\[ *[0-9]{1,3}(?: *, *[0-9]{1,3}){63} *\]", re.ASCII)
_SEED: Final = 32
_KEYPAIR: Final = 64


def parse(material: RawKey) -> bytearray:
    """The 32 bytes of a key. Does not check that they are a valid key on their curve. Raises InvalidKey."""
    read = {
        RawKeyFormat.HEX: _from_hex,
        RawKeyFormat.WIF: _from_wif,
        RawKeyFormat.BASE58: _from_base58,
        RawKeyFormat.JSON: _from_json,
    }
    return read[material.format](material)


def _from_hex(material: RawKey) -> bytearray:
    found = _HEX_KEY.fullmatch(material.key.reveal())
    if found is None:
        raise InvalidKey("a private key in hex must be 64 digits, optionally after 0x", field="key")
    return bytearray.fromhex(found["digits"])


def _from_wif(material: RawKey) -> bytearray:
    try:
        found = wif.decode(material.key.reveal())
    except ValueError as error:
        raise InvalidKey(str(error), field="key") from None
    if found.testnet != material.testnet:
        raise InvalidKey("the WIF key is for a different network from the keyspace", field="key")
    if not found.compressed:
        raise InvalidKey("the WIF key is for an uncompressed public key, which is not supported", field="key")
    return found.key.reveal()


def _from_base58(material: RawKey) -> bytearray:
    """A keypair as Solana wallets export it, or its seed alone."""
    text = material.key.reveal()
    try:
        found = bytearray(base58.decode(text) if len(text) <= 2 * _KEYPAIR else b"")
    except ValueError:
        found = bytearray()
    return found if len(found) == _SEED else _from_keypair(found)


def _from_json(material: RawKey) -> bytearray:
    """The file format of solana-keygen."""
    text = material.key.reveal()
    if not _JSON_KEY.fullmatch(text.strip()):
        raise InvalidKey("a key in JSON must be an array of 64 numbers from 0 to 255", field="key")
    numbers = [int(each) for each in text.strip()[1:-1].split(",")]
    return _from_keypair(bytearray(numbers) if max(numbers) <= 0xFF else bytearray())


def _from_keypair(pair: bytearray) -> bytearray:
    """The seed of seed ‖ public key. A public key that does not belong to the seed means a damaged or mixed-up key."""
    if len(pair) != _KEYPAIR:
        raise InvalidKey(
            "a key must be the 32 bytes of the seed, or 64 bytes with the public key after the seed", field="key"
        )
    seed = pair[:_SEED]
    if Ed25519PrivateKey.from_private_bytes(bytes(seed)).public_key().public_bytes_raw() != pair[_SEED:]:
        raise InvalidKey("the second half of the key is not the public key of the first half", field="key")
    return seed
