"""Writes cautions, refusals and limits into cautions.md, between its two marks: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args, get_type_hints

import msgspec

from strongroom.chains.registry import CHAINS
from strongroom.domain.cautions import CAUTIONS, Kind
from strongroom.domain.hazards import HAZARDS, Hazard
from strongroom.operations.transactions import Options

DOCUMENT: Final = Path(__file__).with_suffix(".md")
_BEGIN: Final = "<!-- from here on made by `make docs` -->\n"
_END: Final = "<!-- down to here -->\n"


def written(document: str) -> str:
    """``document`` with its tables as the code is now."""
    before, rest = document.split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + _tables() + _END + after


def _tables() -> str:
    cautions = [_caution(kind) for kind in CAUTIONS.values()]
    hazards = [_hazard(hazard) for hazard in HAZARDS.values()]
    limits = [_limit(chain, *each) for chain, served in CHAINS.items() for each in served.limits.items()]
    return "\n".join(
        [
            _table("Cautions", "Code | Chains | Meaning | Everyday use", cautions),
            _table("Refused unless `options.allow` names it", "Name | Chains | What happens | Scope", hazards),
            _table("Other options", "Option | Meaning", [*_options()]),
            _table("Limits", "Limit | Default", limits),
        ]
    )


def _table(title: str, head: str, rows: list[str]) -> str:
    rule = "|".join("---" for _ in head.split("|"))
    return "\n".join([f"\n## {title}\n", f"| {head} |", f"|{rule}|", *rows, ""])


def _caution(kind: Kind) -> str:
    return f"| `{kind.code}` | {', '.join(sorted(kind.chains))} | {kind.message} | {kind.use} |"


def _hazard(hazard: Hazard) -> str:
    return f"| `{hazard.name}` | {', '.join(sorted(hazard.chains))} | {hazard.description} | `{hazard.scope}` |"


def _options() -> list[str]:
    hints = get_type_hints(Options, include_extras=True)
    names = [field.name for field in msgspec.structs.fields(Options) if field.name != "allow"]
    return [f"| `options.{name}` | {_description(hints[name])} |" for name in names]


def _description(hint: object) -> str:
    """Of a field, or of the part of its union that has one."""
    for part in (hint, *get_args(hint)):
        for note in getattr(part, "__metadata__", ()):
            if isinstance(note, msgspec.Meta) and note.description:
                return note.description
    return ""


def _limit(chain: str, name: str, default: int | None) -> str:
    none = "allow" if name == "unknown_calls" else "off"
    variable = f"STRONGROOM_CHAINS__{chain.upper()}__{name.upper()}"
    return f"| `{variable}` | {none if default is None else default} |"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
