"""Field types that several commands share, and checks that a type cannot express."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from strongroom.errors import InvalidField
from strongroom.telemetry.scrubbing import looks_like_secret

T = TypeVar("T")

NetworkName = Annotated[
    str, Meta(min_length=1, max_length=64, description="Name, alias or CAIP-2 id of the network", examples=["ethereum"])
]
SchemeName = Annotated[
    str,
    Meta(min_length=1, max_length=32, pattern=r"^[^\x00]+$",
         description="Derivation scheme; the keyspace's default if left out"),
]  # fmt: skip
Index = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Address index")]
AccountNumber = Annotated[int, Meta(ge=0, le=2**31 - 1, description="Account number of the scheme")]
ChangeBranch = Annotated[int, Meta(ge=0, le=1, description="0 receiving, 1 change")]
PathText = Annotated[
    str,
    Meta(min_length=1, max_length=1024, description="Explicit derivation path. It must fit a scheme of the network",
         examples=["m/44'/60'/0'/0/0"]),
]  # fmt: skip
AddressText = Annotated[str, Meta(max_length=128, examples=["0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"])]
Label = Annotated[
    str,
    Meta(
        max_length=128,
        description="Text for people, in NFC. No control or invisible characters, and nothing that looks like "
        "a mnemonic or a key",
    ),
]
ExternalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Your own id, unique in the tenant. Nothing that looks like a mnemonic or a key",
    ),
]
Timestamp = Annotated[datetime, Meta(tz=True, description="RFC 3339")]
"""Not a bare datetime, because OpenAPI's date-time must have an offset."""
PageSize = Annotated[int, Meta(ge=1, le=200, description="Entries per page")]
Cursor = Annotated[str, Meta(max_length=256, description="`next_cursor` of the previous page")]

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class KeySelector(msgspec.Struct, kw_only=True, frozen=True):
    """Selects a key of the wallet by address, by explicit path, or by position. The default is index 0."""

    scheme: SchemeName | None = None
    account: AccountNumber | None = None
    change: ChangeBranch | None = None
    index: Index | None = None
    path: PathText | None = None
    address: AddressText | None = None


def in_utc(moment: datetime, field: str) -> datetime:
    """The same moment in UTC. At the ends of the calendar it may not exist there. Raises InvalidField."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidField(f"{field} must be a time between the years 1 and 9999 in UTC", field=field) from None


def clean_text(text: str | None, field: str) -> str | None:
    """Text for people as it is stored: NFC, without characters that hide, reorder or break lines. None if it is empty.

    Text that looks like a mnemonic or a key is in the wrong field and would be stored in the clear. Raises
    InvalidField.
    """
    if text is None:
        return None
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) in _HIDDEN for character in normal):
        raise InvalidField(f"{field} contains a control or invisible character", field=field)
    if len(normal.encode()) > 512:
        raise InvalidField(f"{field} is longer than 512 bytes of UTF-8", field=field)
    if looks_like_secret(normal):
        raise InvalidField(f"{field} looks like a mnemonic or a key, and would be stored unencrypted", field=field)
    return normal or None
