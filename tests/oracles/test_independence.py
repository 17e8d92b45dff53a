"""An oracle that imported ours would agree with us about everything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ORACLES = [path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")]


@pytest.mark.parametrize("path", ORACLES, ids=lambda path: path.stem)
def test_nothing_of_ours_is_imported(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or ".")
    assert not [name for name in imported if name.split(".")[0] in ("strongroom", "tests", "")]
