"""A caution has a listed code, each listed code is used, and the documents say what the code says."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from strongroom.chains.registry import CHAINS
from strongroom.codecs.known import CALLS
from strongroom.domain.cautions import CAUTIONS
from strongroom.domain.hazards import HAZARDS
from tests.architecture.source import ROOT, Module, module, modules, script

TABLES = ("domain.cautions", "domain.hazards")
PASSED_ON = {
    "authorization_other_chain", "authorization_unsigned", "delegate_call", "no_chain_binding", "no_effect",
    "nothing_in_return", "spending_permission", "to_token_contract", "to_zero_address", "unknown_instruction",
    "unlimited_delegation", "unsigned_fields",
}  # fmt: skip
"""Codes that a table or a variable passes to the function that makes the caution."""
LISTED = CAUTIONS.keys() | HAZARDS.keys()


def codes(each: Module) -> Iterator[str]:
    """The codes written at a place where a caution is made."""
    for node in ast.walk(each.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "Caution":
            yield from (_text(keyword.value) for keyword in node.keywords if keyword.arg == "code")
        elif node.func.id == "caution":
            yield from map(_text, node.args)


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def unlisted(checked: Iterable[Module]) -> list[str]:
    return [f"{each.name}: {code}" for each in checked for code in codes(each) if code not in {*LISTED, "?"}]


def test_every_caution_is_listed() -> None:
    assert unlisted(modules()) == []
    assert {code for known in CALLS for code in known.cautions} <= CAUTIONS.keys()
    assert unlisted([module("chains.evm.a", 'Caution(code="new", message="x"), caution("other")')]) == [
        "chains.evm.a: new",
        "chains.evm.a: other",
    ]


def own_words(checked: Iterable[Module]) -> list[str]:
    """Cautions with a message that is not the table's. Only `partial_sighash` has one, which says what stays open."""
    return [
        f"{each.name}: {node.lineno}"
        for each in checked
        if not each.name.startswith("domain.")
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Caution"
        if not any(_text(keyword.value) == "partial_sighash" for keyword in node.keywords)
    ]


def test_a_caution_has_one_message() -> None:
    assert own_words(modules()) == []
    assert own_words([module("chains.evm.a", '\nCaution(code="to_self", message="x")')]) == ["chains.evm.a: 2"]


def given(checked: Iterable[Module]) -> set[str]:
    """The codes with which cautions are made, and those of `PASSED_ON` that occur anywhere."""
    checked = tuple(checked)
    passed_on = {
        node.value
        for each in checked
        if each.name not in TABLES
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Constant) and node.value in PASSED_ON
    }
    return passed_on | {code for each in checked for code in codes(each)}


def test_every_listed_caution_is_given() -> None:
    assert CAUTIONS.keys() - given(modules()) - {code for known in CALLS for code in known.cautions} == set()
    assert given([module("chains.evm.a", 'caution("memo"), name("expired"), name("no_effect")')]) == {
        "memo",
        "no_effect",
    }


def test_only_what_is_passed_on_is_looked_for_anywhere() -> None:
    assert CAUTIONS.keys() >= PASSED_ON
    made = {code for each in modules() for code in codes(each)} | {code for known in CALLS for code in known.cautions}
    assert PASSED_ON.isdisjoint(made)


def test_cautions_are_of_chains_that_are_there_and_say_what_they_are_for() -> None:
    for kind in CAUTIONS.values():
        assert kind.chains
        assert kind.chains <= CHAINS.keys()
        assert kind.message
        assert kind.use


def test_the_document_is_as_the_code_is() -> None:
    document = ROOT / "docs/cautions.md"
    text = document.read_text("utf-8")
    assert script(document.with_suffix(".py")).written(text) == text
    for name in LISTED:
        assert f"`{name}`" in text
