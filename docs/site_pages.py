"""Hooks of the documentation site: pages from outside docs/, and where long names may break. See mkdocs.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = {f"{name}.md": f"{name.lower()}.md" for name in ("README", "CHANGELOG", "SECURITY", "CONTRIBUTING")}
"""Pages beside docs/, and what they are called on the site."""
_LINK: Final = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
_CELL: Final = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
_CODE: Final = re.compile(r"<code>([^<]+)</code>")
_LONG: Final = re.compile(r"[\w.{}/:-]{17,}")
"""Names that may break where their parts begin. Shorter ones stay whole."""


def on_files(files: Any, config: Any) -> Any:
    for name, page in OURS.items():
        files.append(File.generated(config, page, content=_as_page((ROOT / name).read_text("utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A link out of docs/ leads to the page that this is on the site."""
    return re.sub(r"\]\(\.\./(\w+\.md)(?=[#)])", lambda found: f"]({OURS.get(found[1], found[0][2:])}", markdown)


def on_post_page(output: str, **_: Any) -> str:
    """After the search index was made, which keeps names whole."""
    return _CELL.sub(lambda cell: _CODE.sub(_code, cell[0]), output)


def _code(found: re.Match[str]) -> str:
    if " " in found[1] or _LONG.search(found[1]):
        return f"<code>{_LONG.sub(_with_breaks, found[1])}</code>"
    return f'<code class="whole">{found[1]}</code>'


def _as_page(text: str) -> str:
    """Links lead to the pages of the site. What is no page there, such as a folder, is named without a link."""
    return _LINK.sub(_link, text)


def _link(found: re.Match[str]) -> str:
    text, target, anchor = found[1], found[2], found[3] or ""
    if not target:
        return found[0]
    if target in OURS:
        return f"[{text}]({OURS[target]}{anchor})"
    if target.startswith("docs/"):
        return f"[{text}]({target.removeprefix('docs/')}{anchor})"
    return text


def _with_breaks(name: re.Match[str]) -> str:
    return re.sub(r"(?<=[_./])(?=[\w{])(?<!_(?=_))", "<wbr>", name[0])
