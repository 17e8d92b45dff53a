"""From Protobuf messages to the trees that `binding` reads, and from results to messages.

Both follow the message's descriptor, which is walked once per type. Fields have the same names on both sides, and a
test compares the contract with the registry. Four messages are not converted field by field: Timestamp, JsonDocument,
UnsignedTransaction and StatementPayload.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from strongroom.entrypoints.binding import to_tree
from strongroom.entrypoints.json_tree import MAX_VALUES, read_json
from strongroom.errors import MalformedRequest

_JSON: Final = "strongroom.v1.JsonDocument"
_LIMIT: Final = "strongroom.v1.Limit"
_UNSIGNED: Final = "strongroom.v1.UnsignedTransaction"
_PAYLOAD: Final = "strongroom.v1.StatementPayload"
_TIMESTAMP: Final = "google.protobuf.Timestamp"

_SMALL: Final = 4096

_Read = Callable[[Any, str, int], Any]
"""Takes a message, its field's name, and the number of values that a JSON document may have."""
_Rewrite = Callable[[Any], Any]


def read(raw: bytes, message_type: type[Message], max_values: int = MAX_VALUES) -> dict[str, Any]:
    """Return the fields that were sent, by name. A required text that was not sent is "". The command checks it.

    Raises MalformedRequest if the bytes are no such message, or contain a field that the contract does not know.
    """
    try:
        message = message_type.FromString(raw)
    except DecodeError:
        raise MalformedRequest("the bytes are not the request message of this method") from None
    if _has_unknown(message):
        # Finding the field takes Python microseconds per field, so only for a small message is it named.
        if len(raw) <= _SMALL:
            _refuse_unknown(message_type.FromString(raw))
        raise MalformedRequest("the message has an unknown field")
    tree: dict[str, Any] = _reader(message_type.DESCRIPTOR)(message, "", max_values)
    return tree


def _has_unknown(message: Message) -> bool:
    """Whether there is an unknown field anywhere. The message is left without unknown fields."""
    size = message.ByteSize()
    message.DiscardUnknownFields()  # type: ignore[attr-defined, no-untyped-call, unused-ignore]
    return message.ByteSize() != size


def _refuse_unknown(message: Message, name: str = "") -> None:
    """Raises MalformedRequest, with the name of the field that contains the first unknown one."""
    if len(UnknownFieldSet(message)):
        raise MalformedRequest(f"{name or 'the message'}: has an unknown field", field=name or None)
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else (value,):
                _refuse_unknown(each, field.name)


def write(result: msgspec.Struct, message_type: type[Message]) -> bytes:
    """Encode a result as its message. Here a secret that is meant for the caller leaves the service."""
    tree = _rewritten(to_tree(result, keep=(datetime,)), _rewrites(message_type.DESCRIPTOR))
    return message_type(**tree).SerializeToString(deterministic=True)  # sorted maps: a replay gives the same bytes


@cache
def _reader(descriptor: Descriptor) -> _Read:
    special = _READERS.get(descriptor.full_name)
    fields = [(field.name, field.has_presence, _field_reader(field)) for field in descriptor.fields]

    def read_message(message: Any, name: str, values: int) -> Any:
        if special is not None:
            return special(message, name, values)
        tree = {}
        for field, may_miss, convert in fields:
            if may_miss and not message.HasField(field):
                continue
            value = getattr(message, field)
            tree[field] = value if convert is None else convert(value, field, values)
        return tree

    return read_message


def _field_reader(field: FieldDescriptor) -> _Read | None:
    if field.message_type is None:
        return (lambda found, _, __: list(found)) if field.is_repeated else None
    if field.message_type.GetOptions().map_entry:
        return lambda found, _, __: dict(found)  # from text to text; commands have no other maps
    read_one = _reader(field.message_type)
    if field.is_repeated:
        return lambda found, name, values: [read_one(each, name, values) for each in found]
    return read_one


def _read_timestamp(message: Any, name: str, _: int) -> datetime:
    try:
        found: datetime = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise MalformedRequest(f"{name}: must be a time between the years 1 and 9999", field=name) from None
    return found


def _read_document(message: Any, name: str, values: int) -> Any:
    return _object(message.json, name, values)


def _read_unsigned(message: Any, name: str, values: int) -> Any:
    form = message.WhichOneof("form")
    if form is None:
        raise MalformedRequest(f"{name}: send either encoded or json", field=name)
    return message.encoded if form == "encoded" else _object(message.json, name, values)


def _read_payload(message: Any, name: str, values: int) -> Any:
    form = message.WhichOneof("form")
    if form is None:
        raise MalformedRequest(f"{name}: send either text or json", field=name)
    return message.text if form == "text" else _object(message.json, name, values)


def _object(text: str, name: str, values: int) -> dict[str, Any]:
    try:
        tree = read_json(text.encode(), max_values=values)
    except MalformedRequest as refusal:
        raise MalformedRequest(f"{name}.json: {refusal.message}", field=f"{name}.json") from None
    if not isinstance(tree, dict):
        raise MalformedRequest(f"{name}.json: must be a JSON object", field=f"{name}.json")
    return tree


_READERS: Final[dict[str, _Read]] = {
    _TIMESTAMP: _read_timestamp,
    _JSON: _read_document,
    _UNSIGNED: _read_unsigned,
    _PAYLOAD: _read_payload,
}


@cache
def _rewrites(descriptor: Descriptor) -> tuple[tuple[str, _Rewrite], ...]:
    """What to rewrite in a result's tree before the message's constructor accepts it."""
    return tuple((field.name, rewrite) for field in descriptor.fields if (rewrite := _rewrite_of(field)) is not None)


def _rewrite_of(field: FieldDescriptor) -> _Rewrite | None:
    message = field.message_type
    if message is None or message.full_name == _TIMESTAMP:
        return None
    if message.full_name == _JSON:
        return lambda tree: {"json": msgspec.json.encode(tree).decode()}
    if message.GetOptions().map_entry:
        value = message.fields_by_name["value"].message_type
        limits = value is not None and value.full_name == _LIMIT
        return (lambda tree: {key: {"value": text} for key, text in tree.items()}) if limits else None
    nested = _rewrites(message)
    if not nested:
        return None
    if field.is_repeated:
        return lambda trees: [_rewritten(tree, nested) for tree in trees]
    return lambda tree: _rewritten(tree, nested)


def _rewritten(tree: dict[str, Any], rewrites: tuple[tuple[str, _Rewrite], ...]) -> dict[str, Any]:
    for name, rewrite in rewrites:
        if tree.get(name) is not None:
            tree[name] = rewrite(tree[name])
    return tree
