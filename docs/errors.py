"""Writes the error codes into errors.md, between its two marks: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strongroom.entrypoints.http.error_page import Code, codes
from strongroom.hints import HINTS

DOCUMENT: Final = Path(__file__).with_suffix(".md")
_BEGIN: Final = "<!-- from here on made by `make docs` -->\n"
_END: Final = "<!-- down to here -->\n"


def written(document: str) -> str:
    """``document`` with its codes as the code is now."""
    before, rest = document.split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + _reference() + _END + after


def _reference() -> str:
    members = [f"| `{name}` | {text} |" for name, text in HINTS.items()]
    table = "\n".join(["| Member | Meaning |", "|---|---|", *members, ""])
    return "\n".join(["", table, "## Codes", "", *map(_section, codes())])


def _section(each: Code) -> str:
    return f"### {each.code}\n\n{each.title}. HTTP {each.http_status}, gRPC `{each.grpc_status}`.\n\n{each.advice}\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
