"""WIF, the format in which Bitcoin wallets export a private key (Bitcoin Core, src/key_io.cpp)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.codecs import base58
from strongroom.domain.secret import SecretBytes

_TESTNET: Final = {0x80: False, 0xEF: True}
_KEY: Final = 32
_COMPRESSED: Final = b"\1"


@dataclass(frozen=True, slots=True)
class WifKey:
    key: SecretBytes
    testnet: bool
    compressed: bool
    """Whether the key's addresses are made from its compressed public key."""


def decode(text: str) -> WifKey:
    """Raises ValueError. Does not check that the number is a valid private key."""
    payload = base58.decode_check(text)
    key, rest = payload[1 : 1 + _KEY], payload[1 + _KEY :]
    if len(key) != _KEY or rest not in (b"", _COMPRESSED):
        raise ValueError("a WIF key must be a version, 32 bytes and the mark of a compressed public key")
    testnet = _TESTNET.get(payload[0])
    if testnet is None:
        raise ValueError("the version of the WIF key is not a Bitcoin version")
    return WifKey(SecretBytes(key), testnet, rest == _COMPRESSED)
