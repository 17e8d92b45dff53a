"""From what a caller sent to a typed command, and from a result to its JSON. Strict, and shared by REST and gRPC.

`json_tree` reads the tree, and msgspec types it here. The text of msgspec's refusals is replaced by our own, because it
repeats what the caller sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import takewhile
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from strongroom.domain.secret import Secret
from strongroom.domain.spelling import unknown
from strongroom.entrypoints.accepted import accepted
from strongroom.errors import InvalidField, MalformedRequest
from strongroom.hints import Hints

MAX_SECRET_LENGTH: Final = 4096

Command = TypeVar("Command", bound=msgspec.Struct)

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}
_PATH: Final = re.compile(r" - at (?:`key` in )?`(?P<path>[^`]*)`$")
_SHAPE: Final = re.compile(r"Expected `(?P<wanted>[a-z0-9_ |]+)`, got `(?P<got>[a-z]+)`")
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>[a-z0-9_]+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>[^`]{1,40})`(?: - at |$)")
_BOUND: Final = re.compile(r"Expected `[a-z]+` (?P<length>of length )?(?P<sign>[<>]=?|==?) ?(?P<limit>-?[0-9]+)")
_SIGNS: Final = {">=": "at least ", "<=": "at most ", ">": "more than ", "<": "less than ", "==": "exactly ", "=": ""}
_WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "datetime": "a string with a date and time (RFC 3339)",
    "float": "a decimal number",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "a string",
    "uuid": "a string with a UUID",
}
"""JSON's names for the types that msgspec calls by their Python names."""
_OWN_STEP: Final = re.compile(r"[a-z][a-z0-9_]*(\[[0-9]+\])*")
"""A field of ours, and places in lists. msgspec does not repeat the keys of an object."""
_LAST_INDEX: Final = re.compile(r"(\[[0-9]+\])+$")
"""The field of a value in a list is the list. The sentence says which value."""


def bind(tree: Any, command: type[Command]) -> Command:
    """Raises MalformedRequest if the shape is wrong, InvalidField if a value is out of bounds."""
    try:
        return msgspec.convert(tree, type=command, strict=True, dec_hook=_decode)
    except msgspec.ValidationError as refusal:
        text = str(refusal)
    raise _own_words(text, command)


def bind_strings(values: Mapping[str, str], command: type[Command]) -> Command:
    """Bind path and query parameters. They are all text; digits, true and false are converted to the field's type."""
    integers, booleans = _fields_of(command, int), _fields_of(command, bool)

    def read(name: str, text: str) -> str | int | bool:
        if name in integers and _INTEGER.fullmatch(text):
            return int(text)
        return _BOOLEANS.get(text, text) if name in booleans else text

    return bind({name: read(name, text) for name, text in values.items()}, command)


def render(result: msgspec.Struct) -> bytes:
    """Encode a result as JSON. Here a secret that is meant for the caller leaves the service."""
    return _ENCODER.encode(result)


def to_tree(result: msgspec.Struct, *, keep: Iterable[type] = ()) -> Any:
    """A result as plain dicts, lists, strings and numbers. Values of the types in ``keep`` stay as they are."""
    return msgspec.to_builtins(result, builtin_types=keep, enc_hook=_encode)


def _own_words(text: str, command: type[msgspec.Struct]) -> MalformedRequest | InvalidField:
    at = _PATH.search(text)
    steps = [] if at is None else at["path"].replace("[...]", "[]").removeprefix("$").strip(".").split(".")
    place = _place(steps)
    field = _LAST_INDEX.sub("", place) or None
    where = f"{place}: " if place else ""
    if missing := _MISSING.match(text):
        field = f"{place}.{missing['name']}" if place else missing["name"]
        return MalformedRequest(f"{where}the required field {missing['name']} is missing", field=field)
    if shape := _SHAPE.match(text):
        wanted, got = _in_words(shape["wanted"]), _in_words(shape["got"])
        return MalformedRequest(f"{where}must be {wanted}, not {got}", field=field)
    if bound := _BOUND.match(text):
        measure = "have a length of " if bound["length"] else "be "
        message = f"{where}must {measure}{_SIGNS[bound['sign']]}{bound['limit']}"
        return InvalidField(message, field=field, limit=bound["limit"])
    if text.startswith("Object contains unknown field"):
        return _unknown_field(text, place, where, accepted(command, steps).fields)
    if text.startswith(("Invalid enum value", "Invalid literal")):
        values = accepted(command, steps).values
        return InvalidField(f"{where}must be one of: {', '.join(values)}", field=field, allowed=values)
    if text.startswith("Expected `str` matching"):
        patterns = accepted(command, steps).patterns
        hints = Hints(expected=patterns[0]) if len(patterns) == 1 else Hints()
        return InvalidField(f"{where}does not have the required form", field=field, **hints)
    if text.startswith("Invalid UUID"):
        return MalformedRequest(f"{where}must be a UUID such as 0190a0c4-5d0e-7000-8000-000000000000", field=field)
    if text.startswith("Invalid RFC3339"):
        return MalformedRequest(f"{where}must be a date and time such as 2026-01-31T09:00:00Z", field=field)
    return MalformedRequest(f"{where}does not have the required type", field=field)


def _place(steps: Iterable[str]) -> str:
    """A path of msgspec as far as it is ours, such as ``options.allow[0]``."""
    return ".".join(takewhile(_OWN_STEP.fullmatch, (step.replace("[]", "") for step in steps)))


def _unknown_field(text: str, parent: str, where: str, known: Sequence[str]) -> MalformedRequest:
    given = _UNKNOWN.match(text)
    name, message, hints = unknown("" if given is None else given["name"], known)
    field = ".".join(filter(None, (parent, name))) or None
    return MalformedRequest(f"{where}{message}", field=field, **hints)


def _in_words(types: str) -> str:
    return " or ".join(_WORDS.get(each, each) for each in types.split(" | "))


def _decode(target: type, value: Any) -> Any:
    if target is not Secret:
        raise TypeError("no such type in a command")
    if not isinstance(value, str) or len(value) > MAX_SECRET_LENGTH:
        raise ValueError("Expected `str`, got another type")
    return Secret(value)


def _encode(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError("no such type in a result")


@cache
def _fields_of(command: type[msgspec.Struct], wanted: type) -> frozenset[str]:
    hints = get_type_hints(command, include_extras=False)
    return frozenset(name for name, hint in hints.items() if _takes(hint, wanted))


def _takes(hint: Any, wanted: type) -> bool:
    if get_origin(hint) in (Union, UnionType, Annotated):
        return any(_takes(part, wanted) for part in get_args(hint))
    return hint is wanted


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_encode)
