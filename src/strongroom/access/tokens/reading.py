"""The form of a token, checked before any key is looked up. Anything unusual is refused, not interpreted."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from strongroom.domain.principal import Principal

LONGEST: Final = 8192
"""In characters."""

_PART: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_DEEPEST: Final = 32
_LONGEST_NAME: Final = 256
_LONGEST_NUMBER: Final = 20
_TYPES: Final = {"jwt", "at+jwt", "application/jwt", "application/at+jwt"}
_HEADER_SWITCHES: Final = ("crit", "b64", "zip", "enc")
"""Parameters that change how a token is read. ``jku``, ``jwk``, ``x5u`` and ``x5c`` are ignored, because no key and no
address is ever taken from a token."""


class Fault(Exception):
    """Why a token is refused, in our own words. ``principal`` is its owner, if its signature was good."""

    def __init__(self, reason: str, principal: Principal | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.principal = principal


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says about itself."""

    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any]


def read(text: str) -> Unverified:
    """Read a JWS in compact form (RFC 7515 section 7.1). Raises Fault."""
    if len(text) > LONGEST:
        raise Fault("it is too long")
    parts = text.split(".")
    if len(parts) != 3:
        raise Fault("it does not have three parts")
    header, claims, signature = (_decode(part) for part in parts)
    found = _object(header, "header")
    if any(name in found for name in _HEADER_SWITCHES):
        raise Fault("its header needs a feature that is not supported")
    kind = found.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Fault("typ in its header is not JWT or at+jwt")
    algorithm, key_id = found.get("alg"), found.get("kid")
    if not isinstance(algorithm, str):
        raise Fault("alg in its header must be text")
    if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= _LONGEST_NAME):
        raise Fault("kid in its header must be text of 1 to 256 characters")
    if not signature:
        raise Fault("it has no signature")
    return Unverified(algorithm, key_id, _object(claims, "payload"))


def read_object(raw: bytes) -> dict[str, Any]:
    """Read a JSON object of limited depth without duplicate names, NaN or lone surrogates.

    Raises ValueError, RecursionError.
    """
    tree = json.loads(raw.decode(), object_pairs_hook=_unique, parse_int=_integer, parse_constant=_no_constant)
    json.dumps(tree, ensure_ascii=False).encode()
    if not isinstance(tree, dict):
        raise ValueError("it is not an object")
    _refuse_deep(tree)
    return tree


def _refuse_deep(tree: Any) -> None:
    """Refuse deep nesting. The parser's own limit depends on the interpreter and on the depth of its caller."""
    level = [tree]
    for _ in range(_DEEPEST):
        level = [each for node in level for each in _members(node)]
        if not level:
            return
    raise ValueError("it is nested too deep")


def _members(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        return read_object(raw)
    except (ValueError, RecursionError):
        raise Fault(f"its {name} must be a JSON object without duplicate names") from None


def _decode(part: str) -> bytes:
    """Decode base64url without padding, accepting only the canonical form. Raises Fault."""
    if not _PART.fullmatch(part):
        raise Fault("one of its parts is not base64url")
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise Fault("one of its parts is not base64url") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise Fault("one of its parts is not base64url")
    return raw


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has duplicate names")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number has too many digits")
    return int(text)


def _no_constant(_: str) -> NoReturn:
    raise ValueError("it holds NaN or Infinity, which are not JSON")
