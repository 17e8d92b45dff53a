"""Draws a trace as Jaeger's API gives it back, with the commits that it is linked to.

python docs/tracing.py http://127.0.0.1:16686 TRACE_ID > docs/tracing.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.request import urlopen

_ROW: Final = 24
_NAMES: Final = 330
_BARS: Final = 620
_HEAD: Final = 46
_COLOURS: Final = {"server": "#3b6ea8", "client": "#c07a2c", "internal": "#5b8f5b", "linked": "#8a6bb1"}


@dataclass(frozen=True)
class Row:
    name: str
    depth: int
    began: int
    microseconds: int
    kind: str


def main() -> None:
    api, trace = sys.argv[1:]
    spans = fetch(api, trace)
    here = {span["spanID"] for span in spans}
    top = next(span for span in spans if not any(each["spanID"] in here for each in parents(span)))
    sys.stdout.write(picture(trace, list(rows(api, spans, top, 0))) + "\n")


def fetch(api: str, trace: str) -> list[dict[str, Any]]:
    with urlopen(f"{api}/api/traces/{trace}") as answer:  # noqa: S310 - the operator's own Jaeger
        found: list[dict[str, Any]] = json.load(answer)["data"][0]["spans"]
    return sorted(found, key=lambda span: span["startTime"])


def parents(span: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in span["references"] if each["refType"] == "CHILD_OF"]


def rows(api: str, spans: list[dict[str, Any]], span: dict[str, Any], depth: int, kind: str = "") -> Iterator[Row]:
    own = next((tag["value"] for tag in span["tags"] if tag["key"] == "span.kind"), "internal")
    yield Row(span["operationName"], depth, span["startTime"], span["duration"], kind or own)
    for each in spans:
        if any(parent["spanID"] == span["spanID"] for parent in parents(each)):
            yield from rows(api, spans, each, depth + 1, kind)
    for link in span["references"]:
        if link["refType"] == "FOLLOWS_FROM" and not kind:
            others = fetch(api, link["traceID"])
            linked = next(other for other in others if other["spanID"] == link["spanID"])
            yield from rows(api, others, linked, depth + 1, "linked")


def picture(trace: str, drawn: list[Row]) -> str:
    start, whole = drawn[0].began, drawn[0].microseconds
    width, height = _NAMES + _BARS + 90, _HEAD + _ROW * len(drawn) + 16
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="12" y="20" fill="#333333">trace {trace} · {whole / 1000:.2f} ms</text>',
    ]
    x = 90
    for kind, text in (("server", "request"), ("internal", "step"), ("client", "call"), ("linked", "linked trace")):
        lines.append(f'<rect x="{x + _NAMES}" y="10" width="12" height="12" fill="{_COLOURS[kind]}"/>')
        lines.append(f'<text x="{x + _NAMES + 17}" y="21" fill="#333333">{text}</text>')
        x += 110
    for number, row in enumerate(drawn):
        y = _HEAD + number * _ROW
        left = _NAMES + 12 + _BARS * (row.began - start) / whole
        wide = max(1.5, _BARS * row.microseconds / whole)
        if number % 2 == 0:
            lines.append(f'<rect x="0" y="{y - 4}" width="{width}" height="{_ROW}" fill="#f4f5f7"/>')
        lines.append(f'<text x="{12 + 16 * row.depth}" y="{y + 13}" fill="#111111">{escape(row.name)}</text>')
        lines.append(
            f'<rect x="{left:.1f}" y="{y}" width="{wide:.1f}" height="16" rx="2" fill="{_COLOURS[row.kind]}"/>'
        )
        lines.append(
            f'<text x="{left + wide + 5:.1f}" y="{y + 13}" fill="#555555">{row.microseconds / 1000:.2f} ms</text>'
        )
    return "\n".join([*lines, "</svg>"])


if __name__ == "__main__":
    main()
