"""An issuer's public keys: a JSON Web Key Set (RFC 7517), or one key in PEM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import get_algorithm_by_name
from jwt.exceptions import PyJWTError

from strongroom.access.tokens.reading import read_object

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
MOST_BYTES: Final = 262_144
_MOST_KEYS: Final = 64
_RSA_BITS: Final = range(2048, 8193)
_LEAST_EXPONENT: Final = 65537
_ALGORITHM_OF: Final = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys ``by_id``, by (kid, algorithm), and ``alone``, by algorithm, for tokens without a kid.

    ``any_id`` means that there is a single key and a token's kid is ignored.
    """

    by_id: Mapping[tuple[str, str], PublicKey]
    alone: Mapping[str, PublicKey]
    any_id: bool = False

    def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        if key_id is None or self.any_id:
            return self.alone.get(algorithm)
        return self.by_id.get((key_id, algorithm))


def read_keys(raw: bytes) -> KeySet:
    """Read a key set, leaving out keys that cannot verify our algorithms. Raises ValueError if none is left."""
    if len(raw) > MOST_BYTES:
        raise ValueError("the key set is too large")
    return _pem(raw) if raw.lstrip().startswith(b"-----BEGIN") else _jwks(raw)


def _pem(raw: bytes) -> KeySet:
    try:
        key = load_pem_public_key(raw)
    except Exception as error:
        raise ValueError("it holds no public key in PEM") from error
    algorithm = _fitting(key)
    if algorithm is None:
        raise ValueError("a key is not Ed25519, P-256, or RSA with at least 2,048 bits")
    return KeySet({}, {algorithm: key}, any_id=True)  # type: ignore[dict-item] # `_fitting` has checked the type


def _jwks(raw: bytes) -> KeySet:
    listed = read_object(raw).get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError(f"a key set must have a list of at most {_MOST_KEYS} keys")
    by_id: dict[tuple[str, str], PublicKey] = {}
    of: dict[str, list[PublicKey]] = {}
    for each in listed:
        found = _jwk(each) if isinstance(each, dict) else None
        if found is None:
            continue
        algorithm, key = found
        of.setdefault(algorithm, []).append(key)
        key_id = each.get("kid")
        if isinstance(key_id, str):
            if (key_id, algorithm) in by_id:
                raise ValueError("two keys share a kid")
            by_id[key_id, algorithm] = key
    if not of:
        raise ValueError("it holds no usable key")
    return KeySet(by_id, {algorithm: keys[0] for algorithm, keys in of.items() if len(keys) == 1})


def _jwk(jwk: dict[str, Any]) -> tuple[str, PublicKey] | None:
    """None for a key that cannot verify one of `ALGORITHMS`, and for one that includes its private part."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    algorithm = _ALGORITHM_OF.get((kind, curve)) if isinstance(kind, str) and isinstance(curve, str | None) else None
    if algorithm is None or "d" in jwk or jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        return None
    uses = jwk.get("key_ops", ["verify"])
    if not isinstance(uses, list) or "verify" not in uses:
        return None
    try:
        key = get_algorithm_by_name(algorithm).from_jwk(json.dumps(jwk))
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return (algorithm, key) if _fitting(key) == algorithm else None


def _fitting(key: object) -> str | None:
    if isinstance(key, Ed25519PublicKey):
        return "EdDSA"
    if isinstance(key, EllipticCurvePublicKey):
        return "ES256" if isinstance(key.curve, SECP256R1) else None
    if isinstance(key, RSAPublicKey):
        strong = key.key_size in _RSA_BITS and key.public_numbers().e >= _LEAST_EXPONENT
        return "RS256" if strong else None
    return None
