"""Reading heads back, by the gate every few seconds and by the nightly verification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.bootstrap.tasks import _kept_heads
from strongroom.config.sections import AuditSettings
from strongroom.errors import ConfigurationError
from strongroom.journal import heads as heads_module
from strongroom.journal.audit import Head
from strongroom.journal.heads import FileHeads, read_heads
from tests.support.rows import NOW

WRITER = UUID(int=7)


def head(sequence: int) -> Head:
    return Head(NOW, WRITER, sequence, bytes([sequence]) * 32)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often a file of heads is parsed."""
    counted: list[int] = []

    def counting(lines: list[str]) -> list[Head]:
        counted.append(len(lines))
        return read_heads(lines)

    monkeypatch.setattr(heads_module, "read_heads", counting)
    return counted


def test_a_file_that_nobody_has_written_to_is_parsed_once(tmp_path: Path, parsed: list[int]) -> None:
    sink = FileHeads(tmp_path / "heads")
    sink.append(head(1))
    assert sink.newest() == sink.newest() == [head(1)]
    assert parsed == [1]
    FileHeads(tmp_path / "heads").append(head(2))  # another process
    assert sink.newest() == sink.newest() == [head(1), head(2)]
    assert parsed == [1, 2]


def test_a_file_that_was_replaced_emptied_or_broken_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    sink, other = FileHeads(path), FileHeads(tmp_path / "other")
    sink.append(head(1))
    other.append(head(2))
    assert sink.newest() == [head(1)]
    (tmp_path / "other").replace(path)  # of the same size
    assert sink.newest() == [head(2)]
    path.write_text("not a head\n")
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            sink.newest()
    path.unlink()
    assert sink.newest() == []


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (lambda path: AuditSettings(heads=f"file:{path / 'heads'}"), [1]),
        (lambda path: AuditSettings(heads=f"file:{path / 'link'}"), []),
        (lambda path: AuditSettings(heads="log"), []),
        (lambda path: AuditSettings(heads="log", known_heads=path / "heads"), [1]),
        (lambda path: AuditSettings(heads="log", known_heads=path / "link"), [1]),
    ],
)
def test_the_nightly_verification_has_the_heads_that_there_are(
    tmp_path: Path, settings: Callable[[Path], AuditSettings], found: list[int]
) -> None:
    """A file of known heads may be mounted, and Kubernetes mounts links. The service's own file is not a link."""
    FileHeads(tmp_path / "heads").append(head(1))
    (tmp_path / "link").symlink_to(tmp_path / "heads")
    assert [each.sequence for each in _kept_heads(settings(tmp_path))().values()] == found
