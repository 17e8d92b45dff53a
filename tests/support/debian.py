"""Programs that Debian has, and no package registry for Python or Node."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Final

IS_DEBIAN: Final = (
    platform.machine() == "x86_64" and shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None
)
"""Whether `debian.sh` can get them here."""


def debian_program(name: str) -> Path | None:
    """Where `debian.sh` puts it beside this Python, or on the PATH, which may lack root's programs."""
    beside = Path(sys.executable).parent.parent / "debian" / name
    if beside.exists():
        return beside
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return None if found is None else Path(found)
