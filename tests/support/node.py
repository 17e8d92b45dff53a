"""Programs of tests/node, run with the Node.js on the PATH."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "node"


def has(package: str) -> bool:
    return shutil.which("node") is not None and (FOLDER / "node_modules" / package).is_dir()


def run(script: str, question: object = None, timeout: float = 120) -> Any:
    """One JSON document in, one out."""
    done = subprocess.run(
        ["node", FOLDER / script],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
