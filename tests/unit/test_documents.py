"""What the documents point at is there, and the two READMEs say the same things."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.source_kinds import open_source
from strongroom.bootstrap.sources import CHAINS as KINDS
from strongroom.bootstrap.sources import check_sources
from strongroom.chains.registry import CHAINS
from strongroom.config.chains import SourceSettings
from strongroom.config.settings import load
from strongroom.domain.asset import coin_of
from strongroom.entrypoints.http.openapi import RETENTION
from strongroom.rpc.base import Setup
from tests.support.server import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
OF_OTHERS = {"node_modules", "build"}
MARKDOWN = [each for each in ROOT.glob("[!.]*/**/*.md") if not OF_OTHERS & {*each.parts}] + [*ROOT.glob("*.md")]
ITEM = re.compile(r" {0,3}(?:[-*+]|\d+[.)]) ")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)?(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in LINK.findall(document.read_text("utf-8")):
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), target
        if anchor:
            assert anchor in _anchors(found.read_text("utf-8")), anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(document: Path) -> None:
    named = re.findall(r"`((?:bench|clients|docs|examples|proto|src|tests)/[\w./-]*\w)", document.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def items_in_running_text(text: str) -> list[str]:
    """The items of lists that have no blank line before them. The site shows such a list as part of the paragraph."""
    text = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    found, in_list = [], None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            in_list = None
        elif ITEM.match(line):
            if in_list is False:
                found.append(line)
            in_list = True
        elif in_list is None:
            in_list = line.startswith("  ")  # more of an item above
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_continues_an_item_is_indented_by_four(document: Path) -> None:
    """With three, as after `1. `, the site ends the list and shows a block of code as running text."""
    text = re.sub(r"^(`{3,}).*?^\1", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"\n\n(?: {1,3}| {5,7})(?=[^ \n]).*", text) == []


def test_the_first_page_leads_to_every_other_by_the_name_in_the_menu() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    linked = {page: text for text, page in re.findall(r"\[([^\]]+)\]\(([\w/]+\.md)\)", index)}
    menu = re.findall(r"^ +- (?:\w+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    pages = {page for page in menu if (ROOT / "docs" / page).exists() and not re.match(r"adr/\d|index", page)}
    assert linked.keys() == pages
    for page, text in linked.items():
        heading = re.match(r"# (.*)\n", (ROOT / "docs" / page).read_text("utf-8"))
        assert heading
        assert text == heading[1]


@pytest.mark.parametrize("document", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_list_is_part_of_the_paragraph_before_it(document: Path) -> None:
    assert items_in_running_text(document.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Why.\n- a\n- b\n", ["- a"]),
        ("Do this:\n1. a\n", ["1. a"]),
        ("It gets\n409. Then more\n", ["409. Then more"]),
        ("Why.\n\n- a\n- b\n", []),
        ("## Why\n1. a\n   more\n2. b\n", []),
        ("- a\n\n  more\n  - b\n", []),
        ("```\na\n- b\n```\n", []),
        ("    a\n    - b\n", []),
    ],
)
def test_a_list_without_a_blank_line_before_it_is_seen(text: str, found: list[str]) -> None:
    assert items_in_running_text(text) == found


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


def sections(readme: str) -> list[str]:
    """Each with its heading. The run of `make demo` is in the English one only, and the Russian one links to it."""
    text = re.sub(r"^```$.*?^```$", "", (ROOT / readme).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.split(r"^(?=##? )", text, flags=re.MULTILINE)


def untranslated(section: str) -> dict[str, object]:
    """What a section has in every language: the shape of its lines, its blocks, code, links and figures."""
    lines = [re.sub(r"\s+# .*", "", line) for line in section.splitlines()]
    prose = " ".join(line.strip() for line in lines if not line.startswith("    "))
    return {
        "shape": [mark for line in lines for mark in re.findall(r"^(?:#+ |- |\| )", line)],
        "blocks": [line for line in lines if line.startswith("    ")],
        "code": set(re.findall(r"`([^`]+)`", prose)),
        "links": {target for target in re.findall(r"\]\(([^)]+)\)", prose) if not target.startswith("README")},
        "figures": set(re.findall(r"\d+(?:\.\d+)*", re.sub(r"(?<=\d),(?=\d{3})", "", prose))),
    }


def test_every_field_of_a_source_is_explained() -> None:
    _, _, table = (ROOT / "docs/nodes.md").read_text("utf-8").partition("| Field | Meaning |")
    told = re.findall(r"^\| (`[^|]+`) \|", table.partition("\n\n")[0], re.MULTILINE)
    assert {name for cell in told for name in re.findall(r"`([^`]+)`", cell)} == set(SourceSettings.model_fields)


def test_both_readmes_say_the_same_in_every_section() -> None:
    english, russian = sections("README.md"), sections("README.ru.md")
    assert len(english) > 5
    for section, translated in zip(english, russian, strict=True):
        assert untranslated(translated) == untranslated(section)


@pytest.mark.parametrize(
    "changed",
    ["## A\n", "- a\n", "    make b\n", "`STRONGROOM_B`\n", "[a](docs/b.md)\n", "1,001 in 2.5\n"],
)
def test_a_change_of_one_readme_is_seen(changed: str) -> None:
    section = "## B\n\n    make a    # why\n\n`STRONGROOM_A` for 1,000 in 2.5 ([b](docs/a.md))\n"
    assert untranslated(section) == untranslated(section.replace("# why", "# зачем").replace("1,000", "1000"))
    assert untranslated(section + changed) != untranslated(section)


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|    )make ([a-z-]+)", document.read_text("utf-8")))
        assert named <= targets, document


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_settings_of_a_first_start_are_those_of_the_service(tmp_path: Path) -> None:
    _, _, section = (ROOT / "docs/deploying.md").read_text("utf-8").partition("\n## First start\n")
    env = dict(re.findall(r"^    (STRONGROOM_\w+)=(\S+)$", section.partition("\n## ")[0], re.MULTILINE))
    for name, path in env.items():
        if path.startswith("/"):
            env[name] = str(tmp_path / Path(path).name)
            Path(env[name]).write_text("postgresql://strongroom@db.example/strongroom")
    settings = load(env, dotenv=None)
    assert (settings.profile, settings.keywrap.kind, settings.exposes_plaintext) == ("production", "vault", False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_of_running_text_is_overlong(document: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in text.splitlines() if len(line) > 126 and not line.startswith(("|", "    ", "#"))] == []


def test_the_upgrade_has_a_place_for_each_step_of_the_changelog() -> None:
    _, _, steps = (ROOT / "CHANGELOG.md").read_text("utf-8").partition("### Upgrade from 1.0.8\n")
    _, _, table = (ROOT / "docs/operations.md").read_text("utf-8").partition("| step above | steps of CHANGELOG.md |")
    written = re.findall(r"^(\d+)\. ", steps.partition("\n### ")[0], re.MULTILINE)
    placed = re.findall(r"(?<=[|.] )(\d+)(?:, its \w+ half)?: ", table.partition("\n\n")[0])
    assert sorted({*map(int, placed)}) == [*map(int, written)] == [*range(1, 11)]


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
    """A week, by default. The API reference of a service says what is in force there."""
    assert timedelta(weeks=1) == RETENTION
    told = r"[Kk]eys? (?:is|are) kept for (a week|[^.]*hours)|`STRONGROOM_IDEMPOTENCY__RETENTION` seconds, (a week)"
    found = [
        "".join(time) for each in DOCUMENTS for time in re.findall(told, " ".join(each.read_text("utf-8").split()))
    ]
    assert len(found) > 1
    assert set(found) == {"a week"}
