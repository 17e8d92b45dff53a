"""The generated modules of the Python client."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import inspect

from clients.generate.shapes import Shapes, description, page_items, struct, structs
from strongroom import errors
from strongroom.errors import StrongroomError
from strongroom.operations.registry import Operation

_HEADER = '"""{summary} Made by `make clients`; not to be edited by hand."""\n\nfrom __future__ import annotations\n\n'
_REQUEST = Shapes(requests=True)
_PARAMETER = Shapes(requests=True, prefix="types.")
_RESULT = Shapes(requests=False)
_ITEM = Shapes(requests=False, prefix="types.")


def types(operations: Sequence[Operation]) -> str:
    found: dict[str, inspect.StructType] = {}
    given: dict[str, inspect.StructType] = {}
    for operation in operations:
        for each in structs(struct(operation.result)):
            found[each.cls.__name__] = each
        for each in structs(struct(operation.command)):
            if each.cls is not operation.command:
                given[each.cls.__name__] = each
    if both := found.keys() & given.keys():
        raise ValueError(f"in requests and in responses: {sorted(both)}")
    lines = [
        _HEADER.format(summary="What calls take and return."),
        "from collections.abc import Mapping, Sequence\nfrom datetime import datetime\n",
        "from typing import Any, Literal\nfrom uuid import UUID\n\n",
        "import msgspec\n\nfrom strongroom_client.secret import SecretText\n",
    ]
    lines += [_struct(each, None, _REQUEST, "kw_only=True, omit_defaults=True") for each in given.values()]
    for name in _bases_first(found):
        base = found.get(found[name].cls.__bases__[0].__name__)
        lines.append(_struct(found[name], base, _RESULT, "kw_only=True, frozen=True"))
    return "".join(lines)


def _bases_first(found: Mapping[str, inspect.StructType]) -> list[str]:
    ordered: dict[str, None] = {}
    for name, shape in found.items():
        for each in reversed(shape.cls.__mro__):
            if each.__name__ in found:
                ordered[each.__name__] = None
        ordered[name] = None
    return list(ordered)


def _struct(shape: inspect.StructType, base: inspect.StructType | None, shapes: Shapes, options: str) -> str:
    body = []
    inherited = {each.name for each in base.fields} if base is not None else set()
    for each in shape.fields:
        if each.name in inherited:
            continue
        annotation = shapes.annotation(each.type)
        if not each.required:
            annotation = _optional(annotation) if shapes is _REQUEST else f"{annotation} = {_default(each)}"
        body.append(f"    {each.encode_name}: {annotation}")
        if text := description(each.type):
            body += _docstring([text], 4)
    parent = base.cls.__name__ if base is not None else "msgspec.Struct"
    return f"\n\nclass {shape.cls.__name__}({parent}, {options}):\n" + "\n".join(body or ["    pass"]) + "\n"


def operations_module(operations: Sequence[Operation]) -> str:
    groups: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        groups[operation.name.partition(".")[0]].append(operation)
    parts = [
        _HEADER.format(summary="The operations of the service, in groups."),
        "from collections.abc import AsyncIterator, Iterator, Mapping, Sequence\nfrom datetime import datetime\n",
        "from typing import Any, Literal, Protocol\nfrom uuid import UUID\n\n",
        "from strongroom_client import types\nfrom strongroom_client.core import Operation\n\n",
        *map(_constant, operations),
        _PROTOCOLS,
    ]
    for name, members in groups.items():
        parts.append(_group(name, members, asynchronous=False))
        parts.append(_group(name, members, asynchronous=True))
    parts.append(_root(groups, asynchronous=False))
    parts.append(_root(groups, asynchronous=True))
    return "".join(parts)


_PROTOCOLS = """

class Call(Protocol):
    def __call__(
        self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Any: ...


class AsyncCall(Protocol):
    async def __call__(
        self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Any: ...
"""


def _constant(operation: Operation) -> str:
    mutates = ", mutates=True" if operation.mutates else ""
    result = f"types.{operation.result.__name__}"
    return f'{_constant_name(operation)} = Operation("{operation.method}", "{operation.path}", {result}{mutates})\n'


def _group(name: str, members: Iterable[Operation], *, asynchronous: bool) -> str:
    call = "AsyncCall" if asynchronous else "Call"
    text = f"\n\nclass {_class_name(name, asynchronous)}:\n    def __init__(self, call: {call}) -> None:\n"
    text += "        self._call = call\n"
    for operation in members:
        text += _method(operation, asynchronous=asynchronous)
        if page_items(operation.result) is not None:
            text += _iterator(operation, asynchronous=asynchronous)
    return text


def _method(operation: Operation, *, asynchronous: bool) -> str:
    key = ", idempotency_key" if operation.mutates else ""
    waits = "await " if asynchronous else ""
    head = _head(operation, _method_name(operation), f"types.{operation.result.__name__}", asynchronous=asynchronous)
    lines = [head, *_docstring(_about(operation), 8)]
    lines += [f"        found: types.{operation.result.__name__} = {waits}self._call("]
    lines += [f"            {_constant_name(operation)},", f"            {_arguments(operation)}{key},", "        )"]
    return "\n".join([*lines, "        return found", ""])


def _iterator(operation: Operation, *, asynchronous: bool) -> str:
    items = page_items(operation.result)
    assert items is not None
    item = _ITEM.annotation(items.type).removeprefix("list[").removesuffix("]")
    kind = "AsyncIterator" if asynchronous else "Iterator"
    waits = "await " if asynchronous else ""
    head = _head(operation, f"{_method_name(operation)}_all", f"{kind}[{item}]", asynchronous=asynchronous, key=False)
    about = [f"Every entry of `{_method_name(operation)}`, page after page."]
    given = ", ".join(f"{each.encode_name}={each.encode_name}" for each in struct(operation.command).fields)
    return "\n".join([
        head, *_docstring(about, 8),
        "        while True:",
        f"            page = {waits}self.{_method_name(operation)}({given})",
        *_each(items.encode_name, asynchronous=asynchronous),
        "            if page.next_cursor is None:",
        "                return",
        "            cursor = page.next_cursor",
        "",
    ])  # fmt: skip


def _each(items: str, *, asynchronous: bool) -> list[str]:
    if asynchronous:
        return [f"            for each in page.{items}:", "                yield each"]
    return [f"            yield from page.{items}"]


def _head(operation: Operation, name: str, returns: str, *, asynchronous: bool, key: bool = True) -> str:
    fields = struct(operation.command).fields
    in_path = re.findall(r"\{([a-z_]+)\}", operation.path)
    ordered = sorted(fields, key=lambda each: in_path.index(each.encode_name) if each.encode_name in in_path else 99)
    first = [_parameter(each) for each in ordered if each.encode_name in in_path]
    rest = [_parameter(each) for each in ordered if each.encode_name not in in_path]
    if operation.mutates and key:
        rest.append("idempotency_key: str | None = None")
    parameters = ["self", *first, *(["*", *rest] if rest else [])]
    start = "async def" if asynchronous else "def"
    return f"\n    {start} {name}(\n" + "".join(f"        {each},\n" for each in parameters) + f"    ) -> {returns}:"


def _parameter(each: inspect.Field) -> str:
    annotation = _PARAMETER.annotation(each.type)
    if each.encode_name.endswith("_id") or each.encode_name == "id":
        annotation = annotation.replace("UUID", "UUID | str")
    if each.required:
        return f"{each.encode_name}: {annotation}"
    return f"{each.encode_name}: {_optional(annotation)}"


def _optional(annotation: str) -> str:
    """Left out unless it is given, so that the service's own default applies."""
    return f"{annotation} = None" if annotation.endswith("None") else f"{annotation} | None = None"


def _default(each: inspect.Field) -> str:
    if each.default_factory is not msgspec.NODEFAULT:
        return {list: "[]", dict: "{}"}[each.default_factory]
    return f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)


def _about(operation: Operation) -> list[str]:
    described = ((each.encode_name, description(each.type)) for each in struct(operation.command).fields)
    fields = [f"``{name}``: {text}." for name, text in described if text]
    return [f"{operation.summary}.", f"Needs the scope `{operation.scope}`.", *fields]


def _arguments(operation: Operation) -> str:
    pairs = ", ".join(f'"{each.encode_name}": {each.encode_name}' for each in struct(operation.command).fields)
    return f"{{{pairs}}}"


def _root(groups: Iterable[str], *, asynchronous: bool) -> str:
    call, name = ("AsyncCall", "AsyncOperations") if asynchronous else ("Call", "Operations")
    members = "".join(f"        self.{each} = {_class_name(each, asynchronous)}(call)\n" for each in groups)
    return f"\n\nclass {name}:\n    def __init__(self, call: {call}) -> None:\n{members}"


def routes(operations: Sequence[Operation]) -> str:
    """For the command line, which starts twice as fast without importing the operations."""
    text = _HEADER.format(summary="Where REST has each operation, for the command line.")
    text += "from typing import Final\n\nROUTES: Final[dict[str, tuple[str, str]]] = {\n"
    text += "".join(f'    "{each.name}": ("{each.method}", "{each.path}"),\n' for each in operations)
    return text + '}\n"""By the operation\'s name: method, and path below /api/v1."""\n'


def errors_module() -> str:
    classes: dict[str, type[StrongroomError]] = {}
    for each in _tree(StrongroomError):
        if "code" in vars(each) or not each.__subclasses__():
            classes.setdefault(each.code, each)
    text = _HEADER.format(summary="A class for each `code` of a problem.")
    text += "from typing import Final\n\nfrom strongroom_client.problem import StrongroomError\n"
    for code, each in sorted(classes.items()):
        name = _camel(code)
        text += f'\n\nclass {name}(StrongroomError):\n    """{each.title} (HTTP {each.http_status})."""\n\n'
        text += f'    code = "{code}"\n'
    text += "\n\nERRORS: Final[dict[str, type[StrongroomError]]] = {\n"
    text += "".join(f'    "{code}": {_camel(code)},\n' for code in sorted(classes))
    return text + "}\n"


def _tree(root: type[StrongroomError]) -> Iterator[type[StrongroomError]]:
    for each in root.__subclasses__():
        if each is not errors.ConfigurationError and each.__module__ == errors.__name__:
            yield each
            yield from _tree(each)


def _docstring(paragraphs: Sequence[str], indent: int) -> list[str]:
    margin = " " * indent
    lines = textwrap.wrap(paragraphs[0], 114 - indent)
    for text in paragraphs[1:]:
        lines += ["", *textwrap.wrap(text, 114 - indent, subsequent_indent="  " if text.startswith("``") else "")]
    if len(lines) == 1:
        return [f'{margin}"""{lines[0]}"""']
    return [f'{margin}"""{lines[0]}', *(f"{margin}{line}" if line else "" for line in lines[1:]), f'{margin}"""']


def _method_name(operation: Operation) -> str:
    name = operation.name.partition(".")[2]
    return f"{name}_" if keyword.iskeyword(name) else name


def _constant_name(operation: Operation) -> str:
    return "_" + operation.name.replace(".", "_").upper()


def _class_name(group: str, asynchronous: bool) -> str:
    return ("Async" if asynchronous else "") + _camel(group)


def _camel(text: str) -> str:
    return "".join(word.capitalize() for word in text.split("_"))
