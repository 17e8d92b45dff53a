"""BIP-32, written from the specification alone: for tests, slow, and without anything of ours.

Curve arithmetic is OpenSSL's but for the addition of two points, which it does not offer. Installs wherever we run,
unlike the libraries that do the same.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

from Crypto.Hash import RIPEMD160
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 2**31
_XPUB, _XPRV = bytes.fromhex("0488b21e"), bytes.fromhex("0488ade4")
_TPUB, _TPRV = bytes.fromhex("043587cf"), bytes.fromhex("04358394")
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True)
class Node:
    """``private``: None where only the public half is known."""

    public: bytes
    """Compressed."""
    chain_code: bytes
    private: int | None = None
    depth: int = 0
    parent: bytes = bytes(4)
    number: int = 0

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        made = hmac.digest(b"Bitcoin seed", seed, "sha512")
        private = int.from_bytes(made[:32], "big")
        return cls(public_key(private), made[32:], private)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """An xpub or xprv, or one of a test network. Raises ValueError."""
        raw = base58check(text)
        version, depth, parent, number, code, key = raw[:4], raw[4], raw[5:9], raw[9:13], raw[13:45], raw[45:]
        if len(raw) != 78 or version not in (_XPUB, _XPRV, _TPUB, _TPRV):
            raise ValueError("not an extended key")
        private = int.from_bytes(key, "big") if version in (_XPRV, _TPRV) else None
        public = key if private is None else public_key(private)
        return cls(public, code, private, depth, parent, int.from_bytes(number, "big"))

    @property
    def fingerprint(self) -> bytes:
        return RIPEMD160.new(hashlib.sha256(self.public).digest()).digest()[:4]

    @property
    def xpub(self) -> str:
        return self._text(_XPUB, self.public)

    @property
    def tpub(self) -> str:
        return self._text(_TPUB, self.public)

    @property
    def tprv(self) -> str:
        assert self.private is not None
        return self._text(_TPRV, b"\0" + self.private.to_bytes(32, "big"))

    def _text(self, version: bytes, key: bytes) -> str:
        raw = version + bytes([self.depth]) + self.parent + self.number.to_bytes(4, "big") + self.chain_code + key
        number = int.from_bytes(raw + _checksum(raw), "big")
        text = ""
        while number:
            number, digit = divmod(number, 58)
            text = _ALPHABET[digit] + text
        return text

    def below(self, steps: str) -> Self:
        """``steps``: a path without its ``m``, such as ``44'/60'/0'``; empty for the node itself."""
        node = self
        for step in steps.split("/") if steps else ():
            node = node.child(int(step.removesuffix("'")) + (HARDENED if step.endswith("'") else 0))
        return node

    def child(self, number: int) -> Self:
        """A hardened one needs the private half. The cases of probability 2^-127 are left out."""
        if number >= HARDENED:
            assert self.private is not None
            data = b"\0" + self.private.to_bytes(32, "big")
        else:
            data = self.public
        made = hmac.digest(self.chain_code, data + number.to_bytes(4, "big"), "sha512")
        tweak = int.from_bytes(made[:32], "big")
        private = None if self.private is None else (self.private + tweak) % N
        public = add(public_key(tweak), self.public) if private is None else public_key(private)
        return type(self)(public, made[32:], private, self.depth + 1, self.fingerprint, number)


def public_key(private: int) -> bytes:
    key = ec.derive_private_key(private, ec.SECP256K1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def uncompressed(public: bytes) -> bytes:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def add(one: bytes, other: bytes) -> bytes:
    """The sum of two different points."""
    (x1, y1), (x2, y2) = _coordinates(one), _coordinates(other)
    slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    y = (slope * (x1 - x) - y1) % P
    return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")


def base58check(text: str) -> bytes:
    """Raises ValueError. Without leading zero bytes: the versions here have none."""
    number = 0
    for sign in text:
        number = number * 58 + _ALPHABET.index(sign)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if _checksum(raw[:-4]) != raw[-4:]:
        raise ValueError("the checksum does not fit")
    return raw[:-4]


def _checksum(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]


def _coordinates(public: bytes) -> tuple[int, int]:
    raw = uncompressed(public)
    return int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
