"""Progress bars, on a real terminal and without one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from strongroom.storage.migrate import HEAD


def test_migrate_shows_a_bar_on_a_terminal_alone(tmp_path: Path) -> None:
    bar = f"{int(HEAD)} of {int(HEAD)} migrations"
    assert bar in _migrate(tmp_path / "terminal", terminal=True)
    assert _migrate(tmp_path / "none", terminal=False) == ""


def _migrate(folder: Path, *, terminal: bool) -> str:
    """What it writes to standard error."""
    folder.mkdir()
    ours, theirs = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "strongroom", "migrate"]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "STRONGROOM_DATA_DIR": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 65536):
                shown += some
        except OSError:  # the other end of a terminal is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return shown.decode()
