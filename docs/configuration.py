"""Writes the settings into configuration.md, between its two marks: `make docs`."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Final

from strongroom.config.settings import Setting, every_setting

DOCUMENT: Final = Path(__file__).with_suffix(".md")
_BEGIN: Final = "<!-- from here on made by `make docs` -->\n"
_END: Final = "<!-- down to here -->\n"
_TIME: Final = re.compile(r"\d\d:\d\d:00")


def written(document: str) -> str:
    """``document`` with its reference as the settings are now."""
    before, rest = document.split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + _reference() + _END + after


def _reference() -> str:
    sections = groupby(every_setting(), lambda setting: setting.path[0] if len(setting.path) > 1 else "")
    return "".join(_table(name, list(settings)) for name, settings in sections)


def _table(section: str, settings: list[Setting]) -> str:
    title = f"\n### {section}\n" if section else ""
    head = "| Variable | Default | Meaning |\n|---|---|---|"
    return "\n".join([title, head, *map(_row, settings), ""])


def _row(setting: Setting) -> str:
    default = f"`{_without_seconds(setting.default)}`" if setting.default else ""
    meaning = setting.description + (" **Secret.**" if setting.secret else "")
    return f"| `{setting.variable}` | {default} | {meaning} |"


def _without_seconds(default: str) -> str:
    """A time of day as its setting takes it: hours and minutes."""
    return default.removesuffix(":00") if _TIME.fullmatch(default) else default


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
