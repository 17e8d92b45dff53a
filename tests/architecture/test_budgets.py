"""Modules and functions of a readable size, and no float where there is money."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.source import Module, module, modules

MODULE_LINES = 450
FUNCTION_LINES = 60
MONEY = ("chains", "codecs", "domain", "operations.transactions", "operations.messages")


def long_modules(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        lines = each.text.count("\n")
        if lines > MODULE_LINES:
            yield f"{each.name}: {lines} lines"


def long_functions(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        for node in ast.walk(each.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES and not each.name.startswith("storage.migrations"):
                    yield f"{each.name}.{node.name}: {lines} lines"


def floats(checked: Iterable[Module]) -> Iterator[str]:
    for each in checked:
        for node in ast.walk(each.tree):
            match node:
                case ast.Constant(value=float() | complex()):
                    found = "a float literal"
                case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                    found = "true division"
                case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
                    found = "a negative power"
                case ast.Call(func=ast.Name(id="float" | "round" | "Decimal")):
                    found = "a float function"
                case ast.Attribute(value=ast.Name(id="math")):
                    found = "math"
                case _:
                    continue
            yield f"{each.name}:{node.lineno} {found}"


def of_money(checked: Iterable[Module]) -> list[Module]:
    return [each for each in checked if each.name.startswith(MONEY)]


def test_modules_are_short() -> None:
    assert list(long_modules(modules())) == []
    assert list(long_modules([module("a", "\n" * 451)])) == ["a: 451 lines"]


def test_functions_are_short() -> None:
    assert list(long_functions(modules())) == []
    planted = "class A:\n    async def f(self):\n" + "        self\n" * 60
    assert list(long_functions([module("a", planted)])) == ["a.f: 61 lines"]


def test_money_is_never_a_float() -> None:
    checked = of_money(modules())
    assert len(checked) > 30
    assert list(floats(checked)) == []


@pytest.mark.parametrize(
    "line", ["x = 0.5", "x = a / b", "x /= 2", "x = float(a)", "x = round(a)", "x = 10 ** -3", "x = math.floor(a)"]
)
def test_float_is_found(line: str) -> None:
    [planted] = of_money([module("domain.amount", line)])
    assert len(list(floats([planted]))) == 1
