"""Every setting is read: one that is documented and changes nothing misleads its operator.

Names such as ``timeout`` occur in many sections, so a name alone proves nothing. The test follows the types: it knows
which names hold a section, from annotations and from what they are assigned, and counts a read for that section only.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, get_args

import pytest

from strongroom.cache.base import Kind
from strongroom.config.fields import Section
from strongroom.config.sections import CacheSettings, DatabaseSettings
from strongroom.config.settings import Settings
from strongroom.storage.database import Limits
from tests.architecture.source import Module, module, modules

Read = tuple[type[Section], str]
Types = dict[str, type[Section]]

ALLOWING: Final = {
    ("AccessSettings", "everybody"),
    ("JwtSettings", "allow_http"),
    ("KeyWrapSettings", "allow_local"),
    ("VaultSettings", "allow_http"),
}
"""They only allow another setting to have a value, so nothing but the check of the settings reads them."""
BY_NAME: Final[set[Read]] = {
    *((CacheSettings, str(kind)) for kind in Kind),
    *((DatabaseSettings, field.name) for field in dataclasses.fields(Limits)),
}
"""Read with `getattr`: one for each kind of cached value, and for each limit of the database."""


def inside(annotation: Any) -> type[Section] | None:
    """The section in an annotation, which may be one of a tuple or a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for each in get_args(annotation) if (found := inside(each)) is not None), None)


@cache
def sections() -> dict[str, type[Section]]:
    """By name: every section, also those that only the TOML file has."""
    found: dict[str, type[Section]] = {}
    waiting: list[type[Section]] = [Settings]
    while waiting:
        section = waiting.pop()
        if section.__name__ not in found:
            found[section.__name__] = section
            fields = (inside(field.annotation) for field in section.model_fields.values())
            waiting.extend(each for each in fields if each is not None)
    return found


def leaves() -> Iterator[Read]:
    for section in sections().values():
        for name, field in section.model_fields.items():
            if inside(field.annotation) is None:
                yield section, name


class Reads(ast.NodeVisitor):
    """Collects which fields of which sections a piece of source reads."""

    def __init__(self, types: Types | None = None) -> None:
        self.found: set[Read] = set()
        self.scopes: list[Types] = [types or {}]
        self.attributes: Types = {"settings": Settings}
        """By name: sections that objects hold, as in ``self._settings``."""

    def named(self, annotation: ast.expr | None) -> type[Section] | None:
        names = () if annotation is None else (node.id for node in ast.walk(annotation) if isinstance(node, ast.Name))
        return next((sections()[name] for name in names if name in sections()), None)

    def type_of(self, node: ast.expr) -> type[Section] | None:
        """The section that an expression is, or that its items are."""
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), None)
        if isinstance(node, ast.Attribute):
            section = self.type_of(node.value)
            if section is None:
                return self.attributes.get(node.attr)
            if node.attr in section.model_fields:
                return inside(section.model_fields[node.attr].annotation)
            return None if hasattr(section, node.attr) else section  # such as `.values` of a mapping
        if isinstance(node, ast.Call):
            return Settings if ast.unparse(node.func) == "load" else self.type_of(node.func)
        return self.type_of(node.value) if isinstance(node, ast.Subscript) else None

    def bind(self, target: ast.expr, section: type[Section] | None) -> None:
        if section is None:
            return
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self.scopes[-1][node.id] = section
            elif isinstance(node, ast.Attribute):
                self.attributes[node.attr] = section

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self.scopes.append({})
        for each in given:
            self.bind(ast.Name(each.arg), self.named(each.annotation))
        self.generic_visit(node)
        self.scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is that of the node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.bind(node.target, self.named(node.annotation))
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.bind(target, self.type_of(node.value))
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.bind(node.target, self.type_of(node.value))
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self.bind(node.target, self.type_of(node.iter))
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        for each in getattr(node, "generators", ()):  # they come after the element that uses their names
            self.bind(each.target, self.type_of(each.iter))
        super().generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        section = self.type_of(node.value)
        if section is not None and isinstance(node.ctx, ast.Load):
            if node.attr in section.model_fields:
                self.found.add((section, node.attr))
            else:
                self.found |= read_by(section, node.attr)
        self.generic_visit(node)


@cache
def read_by(section: type[Section], name: str) -> frozenset[Read]:
    """What a property or method of a section reads of it. One that walks over the section reads every field that it
    does not name.
    """
    member = inspect.getattr_static(section, name, None)
    function = member.fget if isinstance(member, property) else member
    if not inspect.isfunction(function):
        return frozenset()
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    reads = Reads({"self": section})
    reads.visit(tree)
    nodes = list(ast.walk(tree))
    walked = [node.iter for node in nodes if isinstance(node, ast.comprehension)]
    walked += [node.args[0] for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "iter"]
    if any(isinstance(each, ast.Name) and each.id == "self" for each in walked):
        said = {node.value for node in nodes if isinstance(node, ast.Constant)}
        reads.found |= {(section, field) for field in section.model_fields if field not in said}
    return frozenset(reads.found)


def reads_of(source: Module) -> set[Read]:
    reads = Reads()
    reads.visit(source.tree)
    return reads.found


@cache
def read() -> frozenset[Read]:
    return frozenset().union(BY_NAME, *(reads_of(each) for each in modules() if each.package != "config"))


def name_of(leaf: Read) -> tuple[str, str]:
    return leaf[0].__name__, leaf[1]


def test_every_setting_is_read() -> None:
    unread = {name_of(leaf) for leaf in leaves() if leaf not in read()}
    assert unread - ALLOWING == set(), "make it work, or remove it"


def test_what_only_allows_something_is_read_by_the_checks_alone() -> None:
    assert {name_of(leaf) for leaf in read()} & ALLOWING == set()
    checks = "".join(each.text for each in modules() if each.package == "config")
    assert [name for _, name in ALLOWING if f".{name}" not in checks and f'.get("{name}")' not in checks] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(settings: Settings):\n  return settings.redis.timeout", {("RedisSettings", "timeout")}),
        ("def f(settings: VaultSettings):\n  return settings.timeout", {("VaultSettings", "timeout")}),
        ("def f(other):\n  return other.timeout", set()),
        (
            "def f(settings: Settings):\n  given = settings.redis\n  return given.timeout",
            {("RedisSettings", "timeout")},
        ),
        ("def f(settings: Settings):\n  return [each.rate for each in settings.sources]", {("SourceSettings", "rate")}),
        (
            "def f(settings: Settings):\n  for n, r in settings.alert_rules.items():\n    r.hold",
            {("RuleSettings", "hold")},
        ),
        ("def f(self):\n  return self.admin.settings.data_dir", {("Settings", "data_dir")}),
        ("def f(settings: Settings):\n  settings.alerts.quiet", {("AlertSettings", "quiet_hours")}),
        ("def f(settings: Settings):\n  settings.redis.timeout = 1", set()),
    ],
)
def test_a_read_counts_for_its_own_section(text: str, found: set[tuple[str, str]]) -> None:
    reads = {name_of(leaf) for leaf in reads_of(module("toy", text)) if leaf in set(leaves())}
    assert reads == found


def test_a_message_names_settings_of_its_own_section() -> None:
    named = set()
    for node in [each for source in modules() if source.package == "config" for each in ast.walk(source.tree)]:
        if isinstance(node, ast.ClassDef) and node.name in sections():
            texts = "".join(
                each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
            named |= {(sections()[node.name], name) for name in re.findall(r"\b[Ss]et ([a-z]+(?:_[a-z]+)+)\b", texts)}
    assert named
    assert [name_of(each) for each in named if each[1] not in each[0].model_fields] == []
