"""One value of a transaction's JSON form, read strictly into what `wire` writes, and back.

An integer is a JSON integer or its decimal digits: amounts go beyond 2^53, and a client may have to send text. A field
with its default value is as good as none, as it is in the bytes. Everything raises FormError in words that hold
nothing of the input.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Final

from strongroom.chains.tron import addresses
from strongroom.chains.tron.wire import MAX_ITEMS, Field, Form, Values
from strongroom.codecs import abi

NUMBERS: Final = ("expiration", "timestamp", "fee_limit")
"""Integers that either form of a transaction may state."""


class Style(Enum):
    """How addresses and names are written."""

    HEX = auto()
    """``visible`` false: 41 and 40 digits, names in hex."""
    VISIBLE = auto()
    """``visible`` true: ``T…``, names as text."""
    EITHER = auto()
    """Our own form: either kind of address, names as text."""


class FormError(ValueError):
    """``where``: dotted name of the field within the form."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where


def of_object(
    fields: Sequence[Field], value: object, style: Style, where: str, *, ignored: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A message. ``ignored`` are keys that the caller reads itself."""
    if not isinstance(value, dict):
        raise FormError(where, "an object belongs here")
    by_name = {field.name: field for field in fields}
    found = {}
    for name, item in value.items():
        if name in ignored:
            continue
        field = by_name.get(name)
        if field is None:
            raise FormError(where, f"it has the fields {', '.join(by_name)} and no others")
        read = _of_field(field, item, style, f"{where}.{name}")
        if read or (field.form is Form.MESSAGE and not field.repeated):
            found[name] = read
    return found


def of_hex(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise FormError(where, "hex digits belong here")
    try:
        return a2b_hex(value)
    except ValueError:
        raise FormError(where, "an even number of hex digits without 0x belongs here") from None


def of_integer(value: object, where: str, most: int) -> int:
    try:
        number = abi.integer(value)
    except ValueError as error:
        raise FormError(where, str(error)) from None
    if not 0 <= number <= most:
        raise FormError(where, "an integer is negative or out of range")
    return number


def of_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise FormError(where, "text belongs here")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise FormError(where, "text is not valid Unicode") from None
    return value


def to_object(fields: Sequence[Field], values: Values, style: Style) -> dict[str, Any]:
    """As a node writes it: what has its default value is left out."""
    found = {}
    for field in fields:
        value = values.get(field.name)
        if value is not None:
            items = [_to_json(field, item, style) for item in (value if field.repeated else [value])]
            found[field.name] = items if field.repeated else items[0]
    return found


def _of_field(field: Field, value: object, style: Style, where: str) -> Any:
    if not field.repeated:
        return _of_value(field, value, style, where)
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise FormError(where, f"a list of at most {MAX_ITEMS} entries belongs here")
    return [_of_value(field, item, style, f"{where}[{number}]") for number, item in enumerate(value)]


def _of_value(field: Field, value: object, style: Style, where: str) -> Any:
    match field.form:
        case Form.INT64 | Form.INT32:
            return of_integer(value, where, field.most)
        case Form.ENUM:
            return _enum(field, value, where)
        case Form.BOOL:
            if not isinstance(value, bool):
                raise FormError(where, "true or false belongs here")
            return value
        case Form.ADDRESS:
            return _address(value, style, where)
        case Form.NAME if style is not Style.HEX:
            return of_text(value, where).encode()
        case Form.TEXT:
            return of_text(value, where)
        case Form.MESSAGE:
            return of_object(field.fields, value, style, where)
    return of_hex(value, where)


def _enum(field: Field, value: object, where: str) -> int:
    if isinstance(value, str) and value in field.names:
        return field.names.index(value)
    if type(value) is int and 0 <= value <= field.most:
        return value
    raise FormError(where, f"one of {', '.join(field.names)} belongs here")


_READ_ADDRESS: Final = {
    Style.HEX: (addresses.from_hex, "with visible false an address is 41 and 40 hex digits"),
    Style.VISIBLE: (addresses.from_base58, "with visible true an address is T and 33 characters"),
    Style.EITHER: (addresses.read, "an address is T and 33 characters, or 41 and 40 hex digits"),
}


def _address(value: object, style: Style, where: str) -> bytes:
    read, form = _READ_ADDRESS[style]
    if not isinstance(value, str):
        raise FormError(where, form)
    try:
        return read(value)
    except ValueError as error:
        raise FormError(where, f"{form}: {error}") from None


def _to_json(field: Field, value: Any, style: Style) -> Any:
    visible = style is not Style.HEX
    match field.form:
        case Form.ENUM:
            return field.names[value]
        case Form.ADDRESS if visible:
            return addresses.to_text(value)
        case Form.NAME if visible:
            return value.decode("utf-8", "replace")
        case Form.MESSAGE:
            return to_object(field.fields, value, style)
    return value.hex() if isinstance(value, bytes) else value
