"""What `make demo` runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support import bitcoind
from tests.support.server import ROOT, free_port

pytestmark = pytest.mark.needs("anvil")


def _demo(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")}
    return subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_all_transfers_are_mined() -> None:
    demo = _demo({})
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "recipient  1.5 ETH" in demo.stdout
    for told in ("balance  10 ETH at block 0", "final, 65 confirmations", "balance  8.499918621325 ETH at block 66"):
        assert told in demo.stdout
    assert demo.stdout.count("final  out") == 2, "the history"
    if bitcoind.program() is None:
        assert "No Bitcoin" in demo.stdout
    else:
        assert "transfer 0.50000000 BTC" in demo.stdout
        assert "balance  0.4999928 tBTC" in demo.stdout, "the change"
    assert demo.stdout.count("mined:") == (2 if bitcoind.program() is None else 3)


def test_a_failure_is_told() -> None:
    demo = _demo({"STRONGROOM_URL": f"http://127.0.0.1:{free_port()}"})
    assert demo.returncode == 1
    assert demo.stderr.strip().startswith("FAILED")
