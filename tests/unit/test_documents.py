"""What the documents point at is there, and the two READMEs say the same things."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from annotated_types import Ge

from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.source_kinds import open_source
from strongroom.bootstrap.sources import CHAINS as KINDS
from strongroom.bootstrap.sources import check_sources
from strongroom.chains.registry import CHAINS
from strongroom.config.sections import IdempotencySettings
from strongroom.config.settings import load
from strongroom.domain.asset import coin_of
from strongroom.rpc.base import Setup
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


def toml_blocks(name: str) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```$", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", [each for name in ("docs/nodes.md", "docs/walk.md") for each in toml_blocks(name)])
def test_the_sources_that_are_shown_can_be_opened(block: str, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://example.com/v2/api?apikey=KEY")
    (tmp_path / "headers").write_text("X-API-Key: KEY")
    block = re.sub(r"/run/secrets/[a-z-]+-(url|headers)", rf"{tmp_path}/\1", block)
    config = tmp_path / "strongroom.toml"
    config.write_text(block)
    settings = load({"STRONGROOM_CONFIG": str(config)}, dotenv=None)
    opened = check_sources(settings, configured_networks(settings, CHAINS))
    for network, given in [each for pool in opened.values() for each in pool]:
        open_source(given, Setup(network, coin_of(network), {}, network.caip2.partition(":")[2]))


def test_an_example_of_every_kind_of_source_is_shown() -> None:
    shown = set(re.findall(r'^kind = "([^"]+)"', "".join(toml_blocks("docs/nodes.md")), re.MULTILINE))
    assert shown == set(KINDS) - {"evm-logs"}, "evm-logs is another node's kind"


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


def test_the_licence_is_there_and_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.lstrip().startswith("Apache License")
    assert "Version 2.0" in text
    for place in (ROOT / "pyproject.toml", ROOT / "clients/python/pyproject.toml"):
        assert tomllib.loads(place.read_text("utf-8"))["project"]["license"] == "Apache-2.0"
    for readme in ("README.md", "README.ru.md"):
        assert "[Apache-2.0](LICENSE)" in (ROOT / readme).read_text("utf-8")


def test_a_vulnerability_can_be_reported_in_private() -> None:
    _, _, section = (ROOT / "SECURITY.md").read_text("utf-8").partition("## Reporting a vulnerability\n")
    assert "security advisories of the repository" in section.partition("\n## ")[0]


def test_all_documents_agree_how_long_idempotency_keys_are_kept() -> None:
    """At least as long as the setting must be."""
    [least] = [bound.ge for bound in IdempotencySettings.model_fields["retention"].metadata if isinstance(bound, Ge)]
    told = "[Kk]eys? (?:is|are) kept for at least ([0-9]+) hours"
    documents = [*DOCUMENTS, ROOT / "src/strongroom/entrypoints/http/openapi.py"]
    found = [hours for each in documents for hours in re.findall(told, " ".join(each.read_text("utf-8").split()))]
    assert len(found) > 1
    assert {int(hours) * 3600 for hours in found} == {least}
