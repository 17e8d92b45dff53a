"""The part of coincurve that tests and their oracles use, in pure Python on `ecdsa`. Imports nothing of ours.

There are no wheels of coincurve for Python 3.14, and bip-utils and tronpy cannot be imported without it. There, `tests`
puts this folder on the path.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from ecdsa import SECP256k1, VerifyingKey  # type: ignore[import-untyped]
from ecdsa.ellipticcurve import INFINITY, Point, PointJacobi  # type: ignore[import-untyped]
from ecdsa.rfc6979 import generate_k  # type: ignore[import-untyped]
from ecdsa.util import sigdecode_der  # type: ignore[import-untyped]

N: Final[int] = SECP256k1.order
P: Final[int] = SECP256k1.curve.p()
G: Final = SECP256k1.generator


class PublicKey:
    def __init__(self, data: bytes | Point) -> None:
        self._point: Point = VerifyingKey.from_string(data, SECP256k1).pubkey.point if isinstance(data, bytes) else data
        if self._point == INFINITY:
            raise ValueError("the point at infinity is no public key")

    @classmethod
    def from_point(cls, x: int, y: int) -> PublicKey:
        return cls(b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))

    @classmethod
    def from_signature_and_message(cls, signature: bytes, message: bytes, hasher: None = None) -> PublicKey:
        """SEC 1, 4.1.6. ``signature``: r, s and the recovery id. ``message``: the digest."""
        assert hasher is None
        r, s, recovery = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
        if not (0 < r < N and 0 < s < N and recovery < 4):
            raise ValueError("no signature")
        at = _lift(r + (N if recovery & 2 else 0), recovery & 1)
        inverse = pow(r, -1, N)
        return cls(at * (s * inverse % N) + G * (-int.from_bytes(message, "big") * inverse % N))

    def format(self, compressed: bool = True) -> bytes:
        x, y = (each.to_bytes(32, "big") for each in self.point())
        return bytes([2 + (y[-1] & 1)]) + x if compressed else b"\x04" + x + y

    def point(self) -> tuple[int, int]:
        return int(self._point.x()), int(self._point.y())

    def combine(self, others: Iterable[PublicKey]) -> PublicKey:
        return PublicKey(sum((each._point for each in others), self._point))

    def multiply(self, scalar: bytes) -> PublicKey:
        return PublicKey(self._point * int.from_bytes(scalar, "big"))

    def verify(self, signature: bytes, message: bytes, hasher: None = None) -> bool:
        """``signature`` is DER with a low s. ``message`` is the digest."""
        assert hasher is None
        r, s = sigdecode_der(signature, N)
        if not (0 < r < N and 0 < s <= N // 2):
            return False
        inverse = pow(s, -1, N)
        found = G * (int.from_bytes(message, "big") * inverse % N) + self._point * (r * inverse % N)
        return bool(found != INFINITY and found.x() % N == r)


class PublicKeyXOnly:
    """BIP-340."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def verify(self, signature: bytes, message: bytes) -> bool:
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        challenge = _challenge(signature[:32], self._data, message)
        found = G * s + _lift(int.from_bytes(self._data, "big"), 0) * (N - challenge)
        return bool(s < N and found != INFINITY and found.y() % 2 == 0 and found.x() == r)


class PrivateKey:
    def __init__(self, secret: bytes) -> None:
        scalar = int.from_bytes(secret, "big")
        if not 0 < scalar < N:
            raise ValueError("no private key")
        self.secret = scalar.to_bytes(32, "big")
        self.public_key = PublicKey(G * scalar)

    @classmethod
    def from_int(cls, scalar: int) -> PrivateKey:
        return cls(scalar.to_bytes(32, "big"))

    def sign_recoverable(self, message: bytes, hasher: None = None) -> bytes:
        """RFC 6979 with a low s. ``message`` is the digest."""
        assert hasher is None
        scalar = int.from_bytes(self.secret, "big")
        nonce = generate_k(N, scalar, sha256, message)
        at = G * nonce
        r = at.x() % N
        s = pow(nonce, -1, N) * (int.from_bytes(message, "big") + r * scalar) % N
        recovery = (at.y() & 1) | (2 if at.x() >= N else 0)
        if s > N // 2:
            s, recovery = N - s, recovery ^ 1
        return bytes(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([recovery]))

    def sign_schnorr(self, message: bytes, aux_randomness: bytes) -> bytes:
        """BIP-340."""
        x, y = self.public_key.point()
        public, scalar = x.to_bytes(32, "big"), int.from_bytes(self.secret, "big")
        scalar = N - scalar if y & 1 else scalar
        masked = scalar ^ int.from_bytes(_tagged(b"BIP0340/aux", aux_randomness), "big")
        nonce = int.from_bytes(_tagged(b"BIP0340/nonce", masked.to_bytes(32, "big") + public + message), "big") % N
        at = G * nonce
        nonce = N - nonce if at.y() & 1 else nonce
        r = int(at.x()).to_bytes(32, "big")
        return r + ((nonce + _challenge(r, public, message) * scalar) % N).to_bytes(32, "big")


def _lift(x: int, odd: int) -> PointJacobi:
    square = (pow(x, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise ValueError("no point of the curve")
    return PointJacobi(SECP256k1.curve, x, y if y & 1 == odd else P - y, 1, N)


def _tagged(tag: bytes, data: bytes) -> bytes:
    start = sha256(tag).digest()
    return sha256(start + start + data).digest()


def _challenge(r: bytes, public: bytes, message: bytes) -> int:
    return int.from_bytes(_tagged(b"BIP0340/challenge", r + public + message), "big") % N
