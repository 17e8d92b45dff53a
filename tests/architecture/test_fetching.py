"""Rows are fetched to the last before one is looked at: SQLite keeps a statement open until then."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, module, modules

EXECUTE = {"execute", "exec_driver_sql"}
FETCH = {"all", "one", "first", "scalar", "scalar_one", "rowcount"}
"""What closes the result, or fetches no row."""


def left_open(found: Module) -> Iterator[int]:
    """Lines that execute something and neither drop the result nor fetch all of it."""
    parents = {child: node for node in ast.walk(found.tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(found.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTE):
            continue
        after = parents[node]
        while isinstance(after, ast.Attribute) and after.attr in ("scalars", "tuples"):
            after = parents[parents[after]]
        if isinstance(after, ast.Expr | ast.Await) or (isinstance(after, ast.Attribute) and after.attr in FETCH):
            continue
        yield node.lineno


def test_every_result_is_fetched_to_its_end() -> None:
    assert [
        f"{each.name}:{line}"
        for each in modules()
        if each.package == "storage" and not each.name.startswith("storage.migrations")
        for line in left_open(each)
    ] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("for row in c.execute(q): pass", True),
        ("[row for row in c.execute(q).scalars()]", True),
        ("load(c.execute(q))", True),
        ("load(c.exec_driver_sql(q))", True),
        ("found = c.execute(q)", True),
        ("c.execute(q).all()", False),
        ("list(c.execute(q).scalars().all())", False),
        ("c.execute(q)", False),
        ("c.execute(q).rowcount", False),
    ],
)
def test_the_rule_itself(line: str, wrong: bool) -> None:
    assert bool([*left_open(module("storage.x", line))]) is wrong
