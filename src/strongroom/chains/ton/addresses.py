"""TON addresses, which are a work chain and the hash of the account's initial state (TEP-2).

The canonical bytes are the work chain (one signed byte) and the hash (32 bytes), as in a cell.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from strongroom.chains.base import ParsedAddress
from strongroom.codecs.crc import crc16
from strongroom.domain.network import Network
from strongroom.errors import InvalidAddress

MASTERCHAIN: Final = -1
_RAW: Final = re.compile(r"(?P<workchain>0|-1):(?P<hash>[0-9a-fA-F]{64})", re.ASCII)
_FRIENDLY: Final = re.compile(r"[A-Za-z0-9_-]{48}|[A-Za-z0-9+/]{48}", re.ASCII)
_BOUNCEABLE: Final = 0x11
_NON_BOUNCEABLE: Final = 0x51
_TEST_ONLY: Final = 0x80


@dataclass(frozen=True, slots=True)
class TonAddress:
    canonical: bytes
    bounceable: bool | None = None
    """What a friendly form asks for, or None for a raw form."""
    test_only: bool = False


def workchain(canonical: bytes) -> int:
    return MASTERCHAIN if canonical[0] == 0xFF else canonical[0]


def of_state(state_hash: bytes, workchain: int) -> bytes:
    """The canonical bytes of the account whose StateInit has this hash."""
    return (workchain & 0xFF).to_bytes(1, "big") + state_hash


def read(network: Network, text: object, *, field: str = "address") -> TonAddress:
    """Read a raw or friendly form strictly. Raises InvalidAddress, also on a test-only form on the main network."""
    if isinstance(text, str) and (raw := _RAW.fullmatch(text)) is not None:
        return TonAddress(of_state(bytes.fromhex(raw["hash"]), int(raw["workchain"])))
    if not isinstance(text, str) or _FRIENDLY.fullmatch(text) is None:
        raise InvalidAddress(
            "an address must be 48 characters of base64, or 0: or -1: and 64 hex digits, without the rest of a link",
            field=field,
        )
    try:
        found = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raise InvalidAddress("an address must be base64", field=field) from None
    if crc16(found[:34]) != found[34:]:
        raise InvalidAddress("the checksum of the address is wrong", field=field)
    tag, test_only = found[0] & ~_TEST_ONLY, bool(found[0] & _TEST_ONLY)
    if tag not in (_BOUNCEABLE, _NON_BOUNCEABLE) or found[1] not in (0, 0xFF):
        raise InvalidAddress("the address has an unknown tag or workchain", field=field)
    if test_only and not network.testnet:
        raise InvalidAddress("the address is marked for test networks only", field=field)
    return TonAddress(found[1:34], tag == _BOUNCEABLE, test_only)


def raw(canonical: bytes) -> str:
    return f"{workchain(canonical)}:{canonical[1:].hex()}"


def friendly(canonical: bytes, *, bounceable: bool, test_only: bool) -> str:
    tag = (_BOUNCEABLE if bounceable else _NON_BOUNCEABLE) | (_TEST_ONLY if test_only else 0)
    content = bytes((tag,)) + canonical
    return base64.urlsafe_b64encode(content + crc16(content)).decode()


def shown(network: Network, canonical: bytes, *, bounceable: bool = False) -> str:
    """The form that this network shows. A wallet's own address is not bounceable, so that it can be paid before it is
    deployed."""
    return friendly(canonical, bounceable=bounceable, test_only=network.testnet)


def show(network: Network, address: TonAddress, kind: str | None = None) -> ParsedAddress:
    canonical = address.canonical
    text = shown(network, canonical, bounceable=bool(address.bounceable))
    forms = {
        "raw": raw(canonical),
        "bounceable": friendly(canonical, bounceable=True, test_only=False),
        "non_bounceable": friendly(canonical, bounceable=False, test_only=False),
        "bounceable_testnet": friendly(canonical, bounceable=True, test_only=True),
        "non_bounceable_testnet": friendly(canonical, bounceable=False, test_only=True),
    }
    details: dict[str, object] = {"raw": forms["raw"], "workchain": workchain(canonical)}
    if address.bounceable is not None:
        details |= {"bounceable": address.bounceable, "test_only": address.test_only}
    return ParsedAddress(canonical, text, forms, kind, details)
