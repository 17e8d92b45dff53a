"""Tokens made by hand with `base64`, `json` and `cryptography`, because what checks tokens must not make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://issuer.example/realms/shop"
AUDIENCE = "strongroom"
SUBJECT = "payout-worker"
KEY_IDS = {"EdDSA": "ed-1", "ES256": "ec-1", "RS256": "rsa-1"}

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def sign(key: PrivateKey, message: bytes) -> bytes:
    """As in RFC 7518 and RFC 8037."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def jwk(key: PrivateKey, **more: Any) -> dict[str, Any]:
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        found = {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    elif isinstance(public, rsa.RSAPublicKey):
        found = {"kty": "RSA", "n": number(public.public_numbers().n), "e": number(public.public_numbers().e)}
    else:
        point = public.public_numbers()
        found = {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}
    return {**found, **more}


def encoded(part: object) -> str:
    """Bytes and text are used as they are, because a test may want JSON that no library would write."""
    raw = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else json.dumps(part).encode()
    return b64(raw)


def assembled(header: object, claims: object, signature: bytes) -> str:
    return f"{encoded(header)}.{encoded(claims)}.{b64(signature)}"


def signed(header: object, claims: object, key: PrivateKey) -> str:
    message = f"{encoded(header)}.{encoded(claims)}"
    return f"{message}.{b64(sign(key, message.encode()))}"


def hashed(header: object, claims: object, secret: bytes, algorithm: str) -> str:
    """An HS256, HS384 or HS512 token."""
    message = f"{encoded(header)}.{encoded(claims)}"
    digest = hmac.digest(secret, message.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
    return f"{message}.{b64(digest)}"


@dataclass
class FakeIssuer:
    """An issuer whose keys the tests hold."""

    url: str = ISSUER
    keys: dict[str, PrivateKey] = field(
        default_factory=lambda: {
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "RS256": rsa.generate_private_key(65537, 2048),
        }
    )
    more_keys: list[dict[str, Any]] = field(default_factory=list)
    """Further JWKs that are published."""

    def jwks(self) -> bytes:
        own = [jwk(key, kid=KEY_IDS[name], use="sig", alg=name) for name, key in self.keys.items()]
        return json.dumps({"keys": [*own, *self.more_keys]}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims. A change to None leaves the claim out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 600, "jti": "token-1"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def header(self, algorithm: str = "EdDSA", **changes: Any) -> dict[str, Any]:
        good = {"alg": algorithm, "kid": KEY_IDS[algorithm], "typ": "JWT"}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(self, algorithm: str = "EdDSA", **changes: Any) -> str:
        """``changes`` apply to its claims."""
        return signed(self.header(algorithm), self.claims(**changes), self.keys[algorithm])


def toml(keys: Path | str, tenant_id: UUID, *, issuer: str = ISSUER, **more: str) -> str:
    """An ``[[access.jwt]]``. ``keys`` is a file or a URL. ``more`` are TOML values."""
    place = f'jwks_url = "{keys}"' if isinstance(keys, str) else f'keys_file = "{keys}"'
    given = {
        "name": '"shop"', "issuer": f'"{issuer}"', "audience": f'"{AUDIENCE}"', "tenant": f'"{tenant_id}"',
        "algorithms": '["EdDSA", "ES256", "RS256"]', "leeway": "30", **more,
    }  # fmt: skip
    lines = [f"{name} = {value}" for name, value in given.items() if value]
    return "\n".join(["[[access.jwt]]", place, *lines, ""])
