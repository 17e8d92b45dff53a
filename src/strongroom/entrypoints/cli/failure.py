"""How a failed command ends: one line on standard error, red on a terminal, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from strongroom.errors import ConfigurationError, StrongroomError, Unavailable

REFUSED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 3


def fail(message: str, code: int) -> NoReturn:
    """Print the message to standard error, and exit with ``code``."""
    line = printable(message)
    print(f"\033[31m{line}\033[0m" if sys.stderr.isatty() else line, file=sys.stderr)
    raise SystemExit(code)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turn errors into one line and an exit code."""
    try:
        yield
    except ConfigurationError as error:
        fail(error.message, USAGE)
    except Unavailable as error:
        fail(error.cause or error.message, UNAVAILABLE)
    except StrongroomError as error:
        fail(error.message, REFUSED)


def printable(text: str) -> str:
    """Remove what could move the cursor or colour the terminal, since others write labels and summaries."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
