"""docs/operations.md explains every finding that a verification can report, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import ROOT, Module, module, modules


def kinds(source: Module) -> Iterator[str]:
    """The first arguments of `Finding` and `_find`. In an f-string, ``name`` is the name of a table without its s."""
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and node.args]
    tables = [ast.literal_eval(each.args[2]) for each in calls if ast.unparse(each.func) == "self._epochs"]
    for call in calls:
        if ast.unparse(call.func).rpartition(".")[2] not in ("Finding", "_find"):
            continue
        kind = call.args[0]
        if isinstance(kind, ast.Constant):
            yield str(kind.value)
        elif isinstance(kind, ast.JoinedStr):
            yield from (ast.unparse(kind)[2:-1].replace("{name}", table.removesuffix("s")) for table in tables)
        else:
            assert ast.unparse(kind) == "kind", "passed on by `_find`"


def test_every_finding_is_explained() -> None:
    reported = {kind for each in modules() if each.package == "journal" for kind in kinds(each)}
    _, _, table = (ROOT / "docs/operations.md").read_text("utf-8").partition("| finding | means |")
    named = [name for cell in re.findall(r"^\| (`[^|]+) \|", table.partition("\n\n")[0], re.MULTILINE)
             for name in re.findall(r"`([^`]+)`", cell)]  # fmt: skip
    assert {*named} == reported
    assert len(named) == len(reported), "one is explained twice"


def test_findings_are_read_from_the_source() -> None:
    text = (
        'Finding("a", table)\nself._find("b", 1)\nFinding(kind, table)\nself._find(f"{name}_c", x)\n'
        'self._epochs(told, Row, "ds")\nself._epochs(told, Row, "es")\nother("f")'
    )
    assert sorted(kinds(module("toy", text))) == ["a", "b", "d_c", "e_c"]
