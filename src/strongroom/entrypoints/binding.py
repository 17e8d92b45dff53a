"""From what a caller sent to a typed command, and from a result to its JSON. Strict, and done once for all faces.

`json_tree` reads the tree, and msgspec types it here. What msgspec says of a refusal is put into our own words: it
repeats the caller's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from strongroom.domain.secret import Secret
from strongroom.errors import InvalidField, MalformedRequest

MAX_SECRET_LENGTH: Final = 4096

Command = TypeVar("Command", bound=msgspec.Struct)

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}
_PATH: Final = re.compile(r" - at `(?P<path>[^`]*)`$")
_SHAPE: Final = re.compile(
    r"Expected `[a-z0-9_ |]+`, got `[a-z]+`|Object missing required field `(?P<missing>[a-z0-9_]+)`"
)
_BOUND: Final = re.compile(r"Expected `[a-z]+` (?:[<>]=? -?[0-9]+|of length [<>=]+ [0-9]+)")
_OWN_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def bind(tree: Any, command: type[Command]) -> Command:
    """Raises MalformedRequest where the shape is wrong, InvalidField where a value is out of its bounds."""
    try:
        return msgspec.convert(tree, type=command, strict=True, dec_hook=_decode)
    except msgspec.ValidationError as refusal:
        error = _own_words(str(refusal))
    raise error


def bind_strings(values: Mapping[str, str], command: type[Command]) -> Command:
    """For path and query parameters, which are all text: digits, true and false become what is wanted there."""
    integers, booleans = _fields_of(command, int), _fields_of(command, bool)

    def read(name: str, text: str) -> str | int | bool:
        if name in integers and _INTEGER.fullmatch(text):
            return int(text)
        return _BOOLEANS.get(text, text) if name in booleans else text

    return bind({name: read(name, text) for name, text in values.items()}, command)


def render(result: msgspec.Struct) -> bytes:
    """A result as JSON. This is where a secret that is meant for the caller leaves."""
    return _ENCODER.encode(result)


def to_tree(result: msgspec.Struct, *, keep: Iterable[type] = ()) -> Any:
    """The same as plain dicts, lists, strings and numbers; values of the types in ``keep`` stay what they are."""
    return msgspec.to_builtins(result, builtin_types=keep, enc_hook=_encode)


def _own_words(text: str) -> MalformedRequest | InvalidField:
    at = _PATH.search(text)
    steps = [] if at is None else at["path"].removeprefix("$").strip(".").split(".")
    names = [step for step in steps if _OWN_NAME.fullmatch(step)]
    field = ".".join(names) if len(names) == len(steps) else (names[0] if names and steps[0] == names[0] else None)
    field = field or None
    where = f"{field}: " if field else ""
    if shape := _SHAPE.match(text):
        if missing := shape["missing"]:
            field = f"{field}.{missing}" if field else missing
        return MalformedRequest(f"{where}{_plain(shape[0])}", field=field)
    if bound := _BOUND.match(text):
        return InvalidField(f"{where}{_plain(bound[0])}", field=field)
    if text.startswith("Object contains unknown field"):
        return MalformedRequest(f"{where}a field is not known here", field=field)
    if text.startswith(("Invalid enum value", "Invalid literal")):
        return InvalidField(f"{where}not one of the values that are allowed", field=field)
    if text.startswith("Expected `str` matching"):
        return InvalidField(f"{where}not of the form that is asked for", field=field)
    return MalformedRequest(f"{where}not of the type that is asked for", field=field)


def _plain(text: str) -> str:
    return text[0].lower() + text[1:].replace("`", "")


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
