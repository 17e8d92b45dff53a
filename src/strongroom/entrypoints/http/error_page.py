"""The page that the `type` of an error points at: every code, what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from strongroom.errors import AccessError, Refused, RequestError, StrongroomError, every_error
from strongroom.hints import ADVICE, HINTS

_BASES: Final = frozenset({RequestError, AccessError, Refused})
"""Never raised themselves: their codes belong to a class below."""


@dataclass(frozen=True, slots=True)
class Code:
    """An error code as the documentation shows it."""

    code: str
    http_status: int
    grpc_status: str
    title: str
    advice: str


def codes() -> list[Code]:
    """Every code that a caller can receive, sorted by HTTP status and name."""
    found = {each.code: _code(each) for each in _reachable()}
    return sorted(found.values(), key=lambda each: (each.http_status, each.code))


def _reachable() -> Iterator[type[StrongroomError]]:
    """A code's first class describes it, unless that class is only the base of others with the same code."""
    for each in reversed(list(every_error())):
        if each.code in ADVICE and each.__module__ == StrongroomError.__module__ and each not in _BASES:
            yield each


def _code(error: type[StrongroomError]) -> Code:
    return Code(error.code, error.http_status, error.grpc_status, error.title, ADVICE[error.code])


def error_page() -> str:
    """Return HTML without scripts or inline styles."""
    rows = "\n".join(
        f'<section id="{each.code}"><h2><code>{each.code}</code></h2><p>{escape(each.title)}. HTTP {each.http_status}, '
        f"gRPC <code>{each.grpc_status}</code>.</p><p>{_code_marks(each.advice)}</p></section>"
        for each in codes()
    )
    members = "\n".join(f"<dt><code>{name}</code></dt><dd>{_code_marks(text)}</dd>" for name, text in HINTS.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Strongroom: error codes</title>
<link rel="stylesheet" href="errors.css">
</head>
<body>
<h1>Error codes</h1>
<p>Every error has a stable <code>code</code>, a <code>detail</code> in words, and often a <code>field</code>.
These members, where present, help you to correct the request:</p>
<dl>
{members}
</dl>
{rows}
</body>
</html>
"""


def _code_marks(text: str) -> str:
    """Turn backticks into code elements, as in Markdown."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
