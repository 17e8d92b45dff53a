"""Strict conversion between values of the JSON form and values that `wire` writes.

An integer is a JSON integer or decimal text, because amounts exceed 2^53 and some clients have to send text. A field
with its default value equals a missing one, as in the bytes. All functions raise FormError with a message that repeats
nothing of the input.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Collection, Iterable, Sequence
from enum import Enum, auto
from typing import Any, Final

from strongroom.chains.tron import addresses
from strongroom.chains.tron.wire import MAX_ITEMS, Field, Form, Values
from strongroom.codecs import abi
from strongroom.domain.spelling import unknown
from strongroom.errors import InvalidTransaction
from strongroom.hints import Hints

NUMBERS: Final = ("expiration", "timestamp", "fee_limit")
"""Integers that both JSON forms of a transaction have."""


class Style(Enum):
    """How addresses and names are written."""

    HEX = auto()
    """With ``visible`` false, addresses are 41 and 40 digits, and names are hex."""
    VISIBLE = auto()
    """With ``visible`` true, addresses are ``T…``, and names are text."""
    EITHER = auto()
    """In the form of `building`, addresses may be of either kind, and names are text."""


class FormError(ValueError):
    """``where`` is the dotted name of the field in the form."""

    def __init__(self, where: str, reason: str, hints: Hints | None = None) -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.where = where
        self.hints = hints or Hints()

    def refusal(self, form: str) -> InvalidTransaction:
        """``form`` is the field of the request that has the form."""
        return InvalidTransaction(str(self), field=f"{form}.{self.where}" if self.where else form, **self.hints)


def refuse_unknown(given: Iterable[str], known: Collection[str], where: str, *, instead: Iterable[str] = ()) -> None:
    """Names the first field that is not known. ``instead`` are further names to propose: those of another form."""
    for each in given:
        if each not in known:
            name, message, hints = unknown(each, {*known, *instead})
            raise FormError(".".join(filter(None, (where, name))), message, hints)


def of_object(
    fields: Sequence[Field], value: object, style: Style, where: str, *, ignored: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Read a message. ``ignored`` are keys that the caller reads itself."""
    if not isinstance(value, dict):
        raise FormError(where, "must be an object")
    by_name = {field.name: field for field in fields}
    refuse_unknown(value, by_name.keys() | ignored, where)
    found = {}
    for name, item in value.items():
        if name in ignored:
            continue
        field = by_name[name]
        read = _of_field(field, item, style, f"{where}.{name}")
        if read or (field.form is Form.MESSAGE and not field.repeated):
            found[name] = read
    return found


def of_hex(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise FormError(where, "must be hex digits")
    try:
        return a2b_hex(value)
    except ValueError:
        raise FormError(where, "must be an even number of hex digits without 0x") from None


def of_integer(value: object, where: str, most: int) -> int:
    try:
        number = abi.integer(value)
    except ValueError as error:
        raise FormError(where, str(error)) from None
    if not 0 <= number <= most:
        raise FormError(where, "the integer is negative or out of range")
    return number


def of_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise FormError(where, "must be text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise FormError(where, "must be valid Unicode text") from None
    return value


def to_object(fields: Sequence[Field], values: Values, style: Style) -> dict[str, Any]:
    """The JSON that a node would write, without fields that have their default value."""
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
        raise FormError(where, f"must be a list of at most {MAX_ITEMS} entries")
    return [_of_value(field, item, style, f"{where}[{number}]") for number, item in enumerate(value)]


def _of_value(field: Field, value: object, style: Style, where: str) -> Any:
    match field.form:
        case Form.INT64 | Form.INT32:
            return of_integer(value, where, field.most)
        case Form.ENUM:
            return _enum(field, value, where)
        case Form.BOOL:
            if not isinstance(value, bool):
                raise FormError(where, "must be true or false")
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
    raise FormError(where, f"must be one of {', '.join(field.names)}", Hints(allowed=field.names))


_READ_ADDRESS: Final = {
    Style.HEX: (addresses.from_hex, "with visible false an address must be 41 and 40 hex digits"),
    Style.VISIBLE: (addresses.from_base58, "with visible true an address must be T and 33 characters"),
    Style.EITHER: (addresses.read, "an address must be T and 33 characters, or 41 and 40 hex digits"),
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
