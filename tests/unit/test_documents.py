"""What the documents point at is there, and the two READMEs say the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from strongroom.config import load
from tests.support.server import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)?(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text("utf-8")):
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found.read_text("utf-8")), anchor


def test_the_sources_that_are_shown_can_be_configured(tmp_path: Path) -> None:
    (block,) = re.findall(
        r"^```toml\n(.*?)^```$", (ROOT / "docs/nodes.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    config = tmp_path / "strongroom.toml"
    config.write_text(block)
    settings = load({"STRONGROOM_CONFIG": str(config)}, dotenv=None)
    assert [source.name for source in settings.sources] == ["own-node", "etherscan", "fulcrum"]


def test_both_readmes_name_the_same_settings_and_commands() -> None:
    english, russian = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ru.md"))
    made = re.findall(r"^\| (?:[^|]+) \| `([^`]+)` \|$", english, re.MULTILINE)
    assert made
    assert re.findall(r"^\| (?:[^|]+) \| `([^`]+)` \|$", russian, re.MULTILINE) == made
    settings = set(re.findall(r"STRONGROOM_[A-Z_]+", english))
    assert settings <= set(re.findall(r"STRONGROOM_[A-Z_]+", russian))


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|    )make ([a-z-]+)", document.read_text("utf-8")))
        assert named <= targets, document


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
