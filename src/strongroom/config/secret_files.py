"""Secrets in files, which may be replaced while the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from strongroom.domain.secret import Secret

_Seen = tuple[int, int, int]
_NEVER: Final[_Seen] = (-1, -1, -1)


class FileSecret(Secret):
    """Reads the file again when it has changed. If it is empty or cannot be read, the last text stays in force.

    Kubernetes replaces a mounted Secret by switching a symbolic link, so the target is compared and not the link.
    """

    __slots__ = ("_path", "_seen")

    def __init__(self, path: Path) -> None:
        """Raises OSError, UnicodeDecodeError. An empty file gives an empty text."""
        super().__init__(_read(path))
        self._path = path
        self._seen = _seen(path)

    def reveal(self) -> str:
        try:
            seen = _seen(self._path)
            if seen != self._seen and (text := _read(self._path)):
                self._text, self._seen = text, seen
        except (OSError, UnicodeDecodeError):
            pass
        return self._text

    def __len__(self) -> int:
        return len(self.reveal())


class Word(Secret):
    """One word of a secret that has several, such as a file with one URL per line. ``place`` counts from 0.

    If the words become fewer, the last text stays in force.
    """

    __slots__ = ("_place", "_whole")

    def __init__(self, whole: Secret, place: int) -> None:
        """Raises IndexError."""
        super().__init__(whole.reveal().split()[place])
        self._whole = whole
        self._place = place

    def reveal(self) -> str:
        words = self._whole.reveal().split()
        if self._place < len(words):
            self._text = words[self._place]
        return self._text

    def __len__(self) -> int:
        return len(self.reveal())


def _read(path: Path) -> str:
    """One line feed at the end is removed."""
    return path.read_text(encoding="utf-8").removesuffix("\n")


def _seen(path: Path) -> _Seen:
    found = path.stat()
    return (found.st_mtime_ns, found.st_ino, found.st_size)
