"""EIP-191 version 0x45, which wallets call `personal_sign`."""

from __future__ import annotations

from strongroom.codecs.keccak import keccak256


def digest(message: bytes) -> bytes:
    return keccak256(b"\x19Ethereum Signed Message:\n%d%s" % (len(message), message))
