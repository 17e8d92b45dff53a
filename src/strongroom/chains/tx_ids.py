"""Converts transaction ids from the forms that people paste to the form of this service. All raise InvalidField."""

from __future__ import annotations

import base64
import re
from typing import Final

from strongroom.codecs import base58
from strongroom.errors import InvalidField

_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_-]{43}=?", re.ASCII)
_SIGNATURE: Final = 64


def of_hash(text: str, *, prefix: str = "") -> str:
    """A hash of 32 bytes in hex, with or without 0x. Returns lower case after ``prefix``."""
    found = _HEX.fullmatch(text)
    if found is None:
        raise _refusal("64 hex digits")
    return prefix + found[1].lower()


def of_message(text: str) -> str:
    """A hash of 32 bytes in hex or in base64, which explorers of TON use. Returns hex."""
    if _BASE64.fullmatch(text) is None:
        return of_hash(text)
    return base64.urlsafe_b64decode(text.translate(str.maketrans("+/", "-_")).rstrip("=") + "=").hex()


def of_signature(text: str) -> str:
    """A signature of 64 bytes in Base58."""
    try:
        found = base58.decode(text)
    except ValueError:
        found = b""
    if len(found) != _SIGNATURE:
        raise _refusal("a signature in Base58")
    return text


def _refusal(form: str) -> InvalidField:
    return InvalidField(f"a transaction id on this network must be {form}", field="tx_id")
