"""Protocol Buffers as Tron uses them, in canonical form only (protobuf.dev/programming-guides/encoding).

Canonical means fields in ascending order, the shortest varints, no default values and no unknown fields. Two encodings
of one message would give one payment two transaction ids, so only one encoding is read and written. A message is
described by `Field`s and read into a dict by field name, without fields that are absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

MAX_INT64: Final = 2**63 - 1
MAX_INT32: Final = 2**31 - 1
_MAX_UINT64: Final = 2**64 - 1
_VARINT: Final = 0
_LENGTH_DELIMITED: Final = 2
_MAX_NUMBER: Final = 2**29 - 1
MAX_ITEMS: Final = 64
"""Items of a repeated field. No transaction that is signed here has more."""
_MAX_FIELDS: Final = 512
"""Fields of one message, counted with repetitions, so that many empty fields do not take time."""

Values = Mapping[str, Any]
"""The values of a message by field name, which are int, bool, bytes, str, such a mapping, or a list of one of these."""


class Form(Enum):
    """What a field holds. The JSON form depends on it, while the encoding has only varints and bytes."""

    INT64 = auto()
    INT32 = auto()
    ENUM = auto()
    BOOL = auto()
    BYTES = auto()
    ADDRESS = auto()
    """Bytes that are an address."""
    NAME = auto()
    """Bytes that are text in the visible JSON form."""
    TEXT = auto()
    MESSAGE = auto()


_VARINTS: Final = {Form.INT64, Form.INT32, Form.ENUM, Form.BOOL}


@dataclass(frozen=True, slots=True)
class Field:
    number: int
    name: str
    form: Form
    fields: tuple[Field, ...] = ()
    """The fields of a message."""
    names: tuple[str, ...] = ()
    """The names of an enum, by number."""
    repeated: bool = False

    @property
    def wire_type(self) -> int:
        return _VARINT if self.form in _VARINTS else _LENGTH_DELIMITED

    @property
    def most(self) -> int:
        """The largest number of a varint field. Negative numbers have no use in a transaction."""
        if self.form is Form.ENUM:
            return len(self.names) - 1
        return {Form.INT64: MAX_INT64, Form.INT32: MAX_INT32, Form.BOOL: 1}[self.form]


class WireError(ValueError):
    """The bytes are not the canonical encoding. The message repeats nothing of the input."""


def read(fields: Sequence[Field], data: bytes) -> dict[str, Any]:
    """The values of a message by field name. Raises WireError."""
    by_number = {field.number: field for field in fields}
    found: dict[str, Any] = {}
    last = 0
    for number, wire_type, value in scan(data):
        field = by_number.get(number)
        if field is None:
            raise WireError("the message has a field that is not supported")
        if wire_type != field.wire_type:
            raise WireError(f"{field.name} does not have its type")
        if number < last or (number == last and not field.repeated):
            raise WireError(f"{field.name} is given twice or out of order")
        last = number
        decoded = _decode(field, value)
        if field.repeated:
            items = found.setdefault(field.name, [])
            items.append(decoded)
            if len(items) > MAX_ITEMS:
                raise WireError(f"{field.name} is given too many times")
        elif field.form is not Form.MESSAGE and not decoded:
            raise WireError(f"{field.name} must be left out, since it has its default value")
        else:
            found[field.name] = decoded
    return found


def write(fields: Sequence[Field], values: Values) -> bytes:
    """The inverse of `read`. ``values`` must be in the range of their fields. Default values are left out."""
    out = bytearray()
    for field in sorted(fields, key=lambda field: field.number):
        value = values.get(field.name)
        items = (value or ()) if field.repeated else (value,)
        for item in items:
            if item is None or (not item and not field.repeated and field.form is not Form.MESSAGE):
                continue
            out += varint(field.number << 3 | field.wire_type)
            if field.wire_type == _VARINT:
                out += varint(int(item))
            else:
                encoded = _encode(field, item)
                out += varint(len(encoded)) + encoded
    return bytes(out)


def scan(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """The number, the wire type and the value of each field, in order. Raises WireError."""
    at = count = 0
    while at < len(data):
        count += 1
        if count > _MAX_FIELDS:
            raise WireError("the message has too many fields")
        key, at = _read_varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not 0 < number <= _MAX_NUMBER or wire_type not in (_VARINT, _LENGTH_DELIMITED):
            raise WireError("the message is not Protocol Buffers as Tron uses them")
        value, at = _read_varint(data, at)
        if wire_type == _VARINT:
            yield number, wire_type, value
            continue
        end = at + value
        if end > len(data):
            raise WireError("the message ends too early")
        yield number, wire_type, data[at:end]
        at = end


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if (byte == 0 and shift > 7) or value > _MAX_UINT64:
                raise WireError("an integer is not written in its shortest form")
            return value, at
    raise WireError("the message ends too early")


def _decode(field: Field, value: int | bytes) -> Any:
    if isinstance(value, int):
        if value > field.most:
            raise WireError(f"{field.name} is negative or out of range")
        return bool(value) if field.form is Form.BOOL else value
    if field.form is Form.MESSAGE:
        return read(field.fields, value)
    if field.form is Form.TEXT:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise WireError(f"{field.name} is not UTF-8") from None
    return value


def _encode(field: Field, value: Any) -> bytes:
    if field.form is Form.MESSAGE:
        return write(field.fields, value)
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)
