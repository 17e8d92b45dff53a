"""What only one main process may hold at a time: a data directory, a port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigurationError

_LOCK_SECONDS: Final = 10.0


@contextlib.contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """One serving process tree a data directory; an old one that is still stopping is waited for."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(data_dir / "strongroom.lock", "another strongroom serves from this data directory"):
        yield


@contextlib.contextmanager
def only_on_port(host: str, port: int) -> Iterator[None]:
    """Workers share a port (SO_REUSEPORT), and so would a second instance of the same user, unnoticed.

    Raises ConfigurationError in words, before anything else happens, where the port cannot be had.
    """
    lock = Path(tempfile.gettempdir()) / f"strongroom-{os.getuid()}-{port}.lock"
    _require_free(host, port)
    with _locked(lock, f"another strongroom is starting on port {port}"):
        yield


@contextlib.contextmanager
def _locked(path: Path, refusal: str) -> Iterator[None]:
    with path.open("w") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ConfigurationError(refusal) from None
                time.sleep(0.1)
        yield


def _require_free(host: str, port: int) -> None:
    """A port that is taken is said so in words, before anything else happens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigurationError(f"port {port} on {host} cannot be used: is another service there?") from None
