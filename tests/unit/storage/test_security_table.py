"""SECURITY.md says for every column what happens if somebody changes it. A new column has to be described there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from strongroom.journal.reconcile import TABLES
from strongroom.storage.tables import metadata

SECURITY = Path(__file__).resolve().parents[3] / "SECURITY.md"
HEADING = "| table: columns |"
EVERY = "every column"
CHAINED = {"audit", "audit_writers"}
"""These are verified by their chain."""
UNMARKED = {"tasks", "progress"}
"""These only say when background work looks again: `verify` does not look at them."""


def told() -> dict[str, list[str]]:
    """By table, the columns that the rows of the document name; a `mac` is part of every row."""
    table = SECURITY.read_text().split(HEADING)[1].split("\n\n")[0]
    found: dict[str, list[str]] = {}
    for names, columns in re.findall(r"^\| ([a-z_, ]+): ([a-z_, ]+) \|", table, re.MULTILINE):
        for name in names.split(", "):
            found.setdefault(name, []).extend(columns.split(", "))
    return found


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_is_told_once(table: str) -> None:
    columns = {column.name for column in metadata.tables[str(table)].columns} - {"mac", "row_mac"}
    named = told().get(str(table), [])
    assert named == [EVERY] or (len(named) == len(set(named)) and set(named) == columns)


def test_nothing_else_is_told() -> None:
    assert told().keys() == metadata.tables.keys()


def test_verify_looks_through_every_table() -> None:
    assert set(TABLES) == metadata.tables.keys() - CHAINED - UNMARKED
