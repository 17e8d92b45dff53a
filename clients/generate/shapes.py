"""Python annotations for the types of commands and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

from strongroom.domain.secret import Secret


class Shapes:
    """Annotations for one direction.

    The literals of a response become ``str``, since a newer service may return more of them. Those of a request stay
    literals, and a secret in a request is plain text.
    """

    def __init__(self, *, requests: bool, prefix: str = "") -> None:
        self._requests = requests
        self._prefix = prefix

    def annotation(self, shape: Any) -> str:
        match shape:
            case inspect.Metadata():
                return self.annotation(shape.type)
            case inspect.UnionType():
                return " | ".join(dict.fromkeys(self.annotation(each) for each in _none_last(shape.types)))
            case inspect.LiteralType():
                if self._requests or not all(isinstance(each, str) for each in shape.values):
                    return f"Literal[{', '.join(_quoted(each) for each in shape.values)}]"
                return "str"
            case inspect.ListType() | inspect.CollectionType():
                item = self.annotation(shape.item_type)
                return f"Sequence[{item}]" if self._requests else f"list[{item}]"
            case inspect.DictType():
                kind = "Mapping" if self._requests else "dict"
                return f"{kind}[{self.annotation(shape.key_type)}, {self.annotation(shape.value_type)}]"
            case inspect.StructType():
                name = self._prefix + shape.cls.__name__
                return f"{name} | Mapping[str, Any]" if self._requests else name
            case inspect.CustomType() if shape.cls is Secret:
                return "str" if self._requests else "SecretText"
        return _PLAIN[type(shape)]


_PLAIN = {
    inspect.AnyType: "Any",
    inspect.NoneType: "None",
    inspect.BoolType: "bool",
    inspect.IntType: "int",
    inspect.FloatType: "float",
    inspect.StrType: "str",
    inspect.UUIDType: "UUID",
    inspect.DateTimeType: "datetime",
}


def struct(of: type[msgspec.Struct]) -> inspect.StructType:
    found = inspect.type_info(of)
    assert isinstance(found, inspect.StructType)
    return found


def structs(shape: Any) -> Iterator[inspect.StructType]:
    """Yield the structs in a type, itself included, each after those that it needs."""
    match shape:
        case inspect.StructType():
            for field in shape.fields:
                yield from structs(field.type)
            yield shape
        case inspect.Metadata():
            yield from structs(shape.type)
        case inspect.UnionType():
            for each in shape.types:
                yield from structs(each)
        case inspect.ListType() | inspect.CollectionType():
            yield from structs(shape.item_type)
        case inspect.DictType():
            yield from structs(shape.value_type)


def description(shape: Any) -> str | None:
    """The description of a field. An optional field has it on its first choice."""
    if isinstance(shape, inspect.Metadata):
        found = (shape.extra_json_schema or {}).get("description")
        return found if found is not None else description(shape.type)
    if isinstance(shape, inspect.UnionType):
        return next(filter(None, map(description, shape.types)), None)
    return None


def page_items(result: type[msgspec.Struct]) -> inspect.Field | None:
    """The list of a page. None if the result is not a page."""
    fields = {each.name: each for each in struct(result).fields}
    if "next_cursor" not in fields:
        return None
    lists = [each for each in fields.values() if isinstance(_bare(each.type), inspect.ListType)]
    structured = [each for each in lists if isinstance(_bare(_bare(each.type).item_type), inspect.StructType)]
    return structured[0] if len(structured) == 1 else None


def _bare(shape: Any) -> Any:
    return _bare(shape.type) if isinstance(shape, inspect.Metadata) else shape


def _none_last(shapes: Iterable[Any]) -> list[Any]:
    return sorted(shapes, key=lambda shape: isinstance(shape, inspect.NoneType))


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
