"""Signals without a meaning here. By default they would end the process in the middle of its work."""

from __future__ import annotations

import signal
from typing import Final

_WITHOUT_MEANING: Final = (
    "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO",
)  # fmt: skip
"""Some systems lack some of them."""
_FOR_THE_MAIN_PROCESS: Final = ("SIGHUP", "SIGQUIT")
"""A terminal sends these to the workers too, but the main process tells its workers what to do."""


def ignore_in_main() -> None:
    """Call it before the first worker starts, so that workers inherit it."""
    _ignore(_WITHOUT_MEANING)


def ignore_in_worker() -> None:
    """Call it at the start of each worker."""
    _ignore((*_WITHOUT_MEANING, *_FOR_THE_MAIN_PROCESS))


def _ignore(names: tuple[str, ...]) -> None:
    for name in names:
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
