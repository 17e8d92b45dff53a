"""What a command accepts at some place in it, so that a refusal can name it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import msgspec
from msgspec import inspect

_STEP: Final = re.compile(r"(?P<name>[^\[\]]*)(?P<items>(?:\[[^\]]*\])*)")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is accepted at one place in a command."""

    fields: Sequence[str]
    """Names of the fields of the objects accepted there."""
    values: Sequence[str]
    """The only values accepted there, if they are limited."""
    patterns: Sequence[str]


def accepted(command: type[msgspec.Struct], steps: Iterable[str]) -> Accepted:
    """``steps`` is the path of a `msgspec.ValidationError`, such as ``options``, ``allow[0]``."""
    places = list(_plain(_type_of(command)))
    for step in steps:
        found = _STEP.fullmatch(step)
        if found is None:
            break
        if found["name"]:
            places = [inner for place in places for inner in _member(place, found["name"])]
        for _ in range(found["items"].count("[")):
            places = [inner for place in places for inner in _items(place)]
    return Accepted(
        sorted({field.encode_name for place in places for field in _fields(place)}),
        [value for place in places for value in _values(place)],
        [place.pattern for place in places if isinstance(place, inspect.StrType) and place.pattern],
    )


@cache
def _type_of(command: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(command)


def _plain(found: inspect.Type) -> Iterator[inspect.Type]:
    """The possible types, without metadata."""
    if isinstance(found, inspect.Metadata):
        yield from _plain(found.type)
    elif isinstance(found, inspect.UnionType):
        for each in found.types:
            yield from _plain(each)
    else:
        yield found


def _fields(place: inspect.Type) -> Iterable[inspect.Field]:
    return place.fields if isinstance(place, inspect.StructType) else ()


def _member(place: inspect.Type, name: str) -> Iterator[inspect.Type]:
    for field in _fields(place):
        if field.encode_name == name:
            yield from _plain(field.type)


def _items(place: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(place, inspect.ListType | inspect.VarTupleType):
        yield from _plain(place.item_type)
    elif isinstance(place, inspect.DictType):
        yield from _plain(place.value_type)


def _values(place: inspect.Type) -> Iterator[str]:
    if isinstance(place, inspect.LiteralType):
        yield from map(str, place.values)
    elif isinstance(place, inspect.EnumType):
        yield from (str(member.value) for member in place.cls)
