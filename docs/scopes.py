"""Writes every scope, and what needs it, into scopes.md: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strongroom.access.scopes import SCOPES
from strongroom.operations.registry import OPERATIONS

DOCUMENT: Final = Path(__file__).with_suffix(".md")
_HEAD: Final = """# Scopes

An API key holds scopes, and a token is given some. Each operation needs one. A key can be given only scopes that its
maker holds. This page is made by `make docs`.

| Scope | Allows to | Operations |
|---|---|---|
"""


def written() -> str:
    rows = []
    for scope, description in SCOPES.items():
        names = ", ".join(f"`{each.name}`" for each in OPERATIONS if each.scope == scope)
        text = description[0].lower() + description[1:]
        rows.append(f"| `{scope}` | {text} | {names or 'an option'} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    DOCUMENT.write_text(written())
