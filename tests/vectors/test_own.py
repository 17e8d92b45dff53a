"""The command that runs the project's own vectors, as `make vectors` does."""

from __future__ import annotations

import subprocess
import sys

from tests.support.server import ROOT


def test_the_command_passes_on_our_own_vectors() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.vectors.run"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "raise the number" not in ended.stdout
    assert ended.stdout.endswith(" passed, 0 failed\n")
    assert "eth.sign.legacy " in ended.stdout
    assert "STRONGROOM_CHAINS__EVM__MAX_FEE=off" in ended.stdout
