"""Files of headers to send with each request to a server, one ``Name: value`` per line. They may be secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from strongroom.config.secret_files import FileSecret
from strongroom.domain.secret import Secret

_HEADER: Final = re.compile(r"([A-Za-z0-9-]{1,64}): *([\x21-\x7e][\x20-\x7e]{0,4095})")


class HeaderFile:
    """The headers of a file. If the file becomes unusable, the last usable headers stay in force."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError, whose text repeats nothing from the file."""
        try:
            self._file = FileSecret(path)
        except (OSError, UnicodeDecodeError):
            raise ValueError("the file cannot be read") from None
        self._text = self._file.reveal()
        self._headers = _read(self._text)

    def __call__(self) -> Mapping[str, Secret]:
        text = self._file.reveal()
        if text is not self._text:
            self._text = text
            with suppress(ValueError):  # half-written or wrong: the previous headers stay in force
                self._headers = _read(text)
        return self._headers


def _read(text: str) -> dict[str, Secret]:
    """Raises ValueError."""
    found = {}
    for line in text.strip().splitlines():
        header = _HEADER.fullmatch(line)
        if header is None:
            raise ValueError("every line must be `Name: value`")
        found[header[1]] = Secret(header[2])
    return found
