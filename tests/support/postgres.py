"""A PostgreSQL server of the tests' own, where the machine has its programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


def programs() -> Path | None:
    """The newest version's folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running(bin_folder: Path) -> Iterator[str]:
    """Yields a URL without a database name."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-pg-"))
    # PostgreSQL refuses to be started by root.
    other = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if other:
        os.chown(folder, _NOBODY, _NOBODY)
    data = folder / "data"
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, **other,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [bin_folder / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "fsync=off"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **other,
    )  # fmt: skip
    try:
        _await_port(port)
        yield f"postgresql://test@127.0.0.1:{port}"
    finally:
        server.send_signal(2)  # fast shutdown
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _await_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not start")
