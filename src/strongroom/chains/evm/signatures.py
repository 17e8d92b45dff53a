"""Ethereum's ECDSA signatures, which have a recovery id and a low s (EIP-2)."""

from __future__ import annotations

from typing import Final

from btclib_secp256k1 import recovery

from strongroom.chains.evm import addresses
from strongroom.codecs import hexadecimal
from strongroom.errors import InternalError

MAX_S: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1."""
_LENGTH: Final = 65


def recover(digest: bytes, compact: bytes, y_parity: int) -> bytes | None:
    """The compressed public key that made r ‖ s, or None if no key did or s is high."""
    if int.from_bytes(compact[32:], "big") > MAX_S:
        return None
    try:
        return recovery.recover(digest, compact, y_parity)
    except ValueError:
        return None


def recover_address(digest: bytes, compact: bytes, y_parity: int) -> bytes | None:
    key = recover(digest, compact, y_parity)
    return None if key is None else addresses.from_public_key(key)


def verified(digest: bytes, signature: bytes, public_key: bytes) -> tuple[bytes, int]:
    """Check a signer's r ‖ s ‖ recovery id and return r ‖ s and the y parity.

    Raises InternalError unless ``public_key`` made the signature.
    """
    compact, y_parity = signature[:64], signature[64] if len(signature) == _LENGTH else 2
    if y_parity > 1 or recover(digest, compact, y_parity) != public_key:
        raise InternalError("a signature is not valid")
    return compact, y_parity


def to_text(compact: bytes, y_parity: int) -> str:
    """r ‖ s ‖ v in hex, with v 27 or 28."""
    return hexadecimal.to_text(compact + bytes((27 + y_parity,)))


def from_text(text: str) -> tuple[bytes, int]:
    """r ‖ s and the y parity of r ‖ s ‖ v in hex, with v 27, 28, 0 or 1. Raises ValueError."""
    raw = hexadecimal.to_bytes(text)
    if len(raw) != _LENGTH or raw[64] not in (0, 1, 27, 28):
        raise ValueError("a signature must be 65 bytes of hex: r, s and v, where v is 27, 28, 0 or 1")
    return raw[:64], raw[64] % 27
