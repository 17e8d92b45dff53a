"""The documents are plain English, and the words of our own are explained. What read as if translated is found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

GLOSSARY = ROOT / "docs/concepts.md"
HISTORY = ("CHANGELOG.md", "README.ru.md")
GUIDES = [each for each in (*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))) if each.name not in HISTORY]
DOCUMENTS = [*GUIDES, *sorted((ROOT / "docs/adr").glob("*.md"))]
MODULES = [each for each in (ROOT / "src/strongroom").rglob("*.py") if "_pb2" not in each.name]
LONGEST = 45
"""Words in a sentence of a guide."""
FAULTS = {
    "`anyone who`, not `who`": r"(?:^|[.:;] )Who\b(?: \S+){5,}[^?]$|"
    r"\b(?:for|to|by|from|of) who\b(?! (?:it|they|you) )",
    "`per core`, not `a core`": r"\b(?:one|two|kept|costs|\d+) an? "
    r"(?:caller|connection|core|key|network|operation|process|request|signature|wallet|worker)\b",
    "an insider's word": r"\bthe predecessor\b|\broadmap\b|\bthe design (?:says|wants|asks)\b",
    "a sentence without a verb before a colon": r"^The \w+ that (?:is|are) \w+ first:",
}


def faults(sentence: str) -> list[str]:
    return [name for name, pattern in FAULTS.items() if re.search(pattern, sentence)]


def paragraphs(document: str) -> Iterator[str]:
    """Prose and list items, without blocks, tables and headings."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", document, flags=re.MULTILINE | re.DOTALL)
    for part in re.split(r"\n\s*\n|\n(?=- |\d+\. |#)", text):
        lines = [line.strip() for line in part.splitlines() if not line.startswith(("    ", "|", "#"))]
        if lines:
            yield " ".join(lines)


def sentences(paragraph: str) -> list[str]:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "X", paragraph))
    return re.split(r"(?<=[.!?])\s+(?=[A-Z*\"(])", re.sub(r"^(?:- |\d+\. )", "", plain))


def written(document: Path) -> list[str]:
    return [each for paragraph in paragraphs(document.read_text("utf-8")) for each in sentences(paragraph)]


def docstrings(module: Path) -> Iterator[str]:
    """Those below a field or a constant too."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from re.split(r"\n\s*\n", node.value.value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_no_sentence_reads_as_if_translated(document: Path) -> None:
    assert [(each, found) for each in written(document) if (found := faults(each))] == []


def test_no_docstring_reads_as_if_translated() -> None:
    assert [
        (module.name, sentence, found)
        for module in MODULES
        for paragraph in docstrings(module)
        for sentence in sentences(" ".join(paragraph.split()))
        if (found := faults(sentence))
    ] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_sentence_of_a_guide_says_one_thing(guide: Path) -> None:
    found = written(guide)
    assert [each for each in found if len(each.split()) > LONGEST] == []
    assert sum(";" in each for each in found) <= max(1, len(found) // 8), "use full stops instead of semicolons"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_two_commits_are_explained_where_they_are_named(guide: Path) -> None:
    assert "**T1 and T2.** The two commits" in GLOSSARY.read_text("utf-8")
    text = guide.read_text("utf-8")
    if guide != GLOSSARY and re.search(r"\bT[12]\b", text):
        assert re.search(r"concepts\.md#signing", text), "link to the glossary"


@pytest.mark.parametrize(
    "sentence",
    [
        "Who signs last gets the transaction.",
        "T2 of who signed something else.",
        "X: one a core; each is a process of some 120 MiB with both faces on the same two ports.",
        "Do not put a pooler in transaction mode between: prepared statements are kept a connection.",
        "The one exception is a table of aliases for the predecessor's field names, in the HTTP face.",
        "The ones that are met first:",
    ],
)
def test_what_1_0_8_wrote_is_found(sentence: str) -> None:
    assert len(faults(sentence)) == 1


@pytest.mark.parametrize(
    "sentence",
    ["Who pays and who receives.", "Who may call?", "Anyone who can read it.", "for who it is", "one per core"],
)
def test_ordinary_english_is_not(sentence: str) -> None:
    assert faults(sentence) == []
