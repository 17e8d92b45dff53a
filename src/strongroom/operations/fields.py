"""Field types that several commands share, and the checks that a type alone cannot make."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.errors import InvalidField, MalformedRequest
from strongroom.telemetry.scrubbing import looks_like_secret

NetworkName = Annotated[
    str, Meta(min_length=1, max_length=64, description="Network by name, alias or CAIP-2 id", examples=["ethereum"])
]
SchemeName = Annotated[
    str,
    Meta(min_length=1, max_length=32, pattern=r"^[^\x00]+$",
         description="Derivation scheme; the keyspace's default where left out"),
]  # fmt: skip
Index = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Address index")]
AccountNumber = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Account number of the scheme")]
ChangeBranch = Annotated[int, Meta(ge=0, le=1, description="0 receiving, 1 change")]
PathText = Annotated[
    str,
    Meta(min_length=1, max_length=1024, description="Explicit path; it must fit a scheme of the network",
         examples=["m/44'/60'/0'/0/0"]),
]  # fmt: skip
AddressText = Annotated[str, Meta(max_length=128, examples=["0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"])]
Label = Annotated[
    str,
    Meta(
        max_length=128,
        description="For people; NFC, no control or invisible characters, nothing that looks like a mnemonic or a key",
    ),
]
ExternalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The caller's own id, unique in the tenant; nothing that looks like a mnemonic or a key",
    ),
]
Timestamp = Annotated[datetime, Meta(tz=True, description="RFC 3339")]
"""Not a bare datetime: the API's description calls only that a date-time which must have an offset."""
PageSize = Annotated[int, Meta(ge=1, le=200, description="Entries a page")]
Cursor = Annotated[str, Meta(max_length=256, description="`next_cursor` of the page before")]

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class KeySelector(msgspec.Struct, kw_only=True, frozen=True):
    """Which key of the wallet: by address, by explicit path, or by position (index 0 where nothing is said)."""

    scheme: SchemeName | None = None
    account: AccountNumber | None = None
    change: ChangeBranch | None = None
    index: Index | None = None
    path: PathText | None = None
    address: AddressText | None = None


def clean_text(text: str | None, field: str) -> str | None:
    """Text for people, as it is stored: NFC, nothing that hides, reorders or breaks lines; None where it is empty.

    What looks like a mnemonic or a key is in the wrong field, and would be kept in the clear. Raises InvalidField.
    """
    if text is None:
        return None
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) in _HIDDEN for character in normal):
        raise InvalidField(f"{field} holds a control or invisible character", field=field)
    if len(normal.encode()) > 512:
        raise InvalidField(f"{field} is longer than 512 bytes of UTF-8", field=field)
    if looks_like_secret(normal):
        raise InvalidField(f"{field} looks like a mnemonic or a key, and it is kept in the clear", field=field)
    return normal or None


def encode_cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(",".join(str(part) for part in parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """Raises MalformedRequest."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor") from None
    found = text.split(",")
    if len(found) != parts:
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor")
    return found


def cursor_uuid(cursor: str | None) -> UUID | None:
    """A cursor that holds one id. Raises MalformedRequest."""
    found = decode_cursor(cursor, 1)
    return None if found is None else parse_cursor_uuid(found[0])


def parse_cursor_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor") from None


def cursor_place(parts: Sequence[str]) -> tuple[UUID, int, int]:
    """An address's account, branch and index. Raises MalformedRequest."""
    account, *numbers = parts
    if not all(text.isascii() and text.isdigit() and len(text) <= 10 for text in numbers):
        raise MalformedRequest("cursor is not one that this service gave out", field="cursor")
    change, index = map(int, numbers)
    return parse_cursor_uuid(account), change, index
