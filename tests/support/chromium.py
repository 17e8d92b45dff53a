"""A browser: Chromium as `chromium.sh` gets it, or one on the PATH, driven by `tests/node/browser.mjs`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from tests.support import node

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    beside = Path(sys.executable).parent.parent / "chromium" / "chromium"
    if beside.exists():
        return str(beside)
    return next((found for name in _NAMES if (found := shutil.which(name)) is not None), None)


def is_here() -> bool:
    return program() is not None and node.has("playwright-core")


def walk(script: str, url: str, **question: Any) -> Any:
    """What the walk of ``script`` found, and ``complaints``, ``failed`` and ``foreign``: see `tests/node/browser.mjs`.

    ``shots``: a folder for pictures, which a person looks at.
    """
    asked = {"chromium": program(), "url": url, "seconds": 300, **question}
    return node.run(script, asked, timeout=1200)
