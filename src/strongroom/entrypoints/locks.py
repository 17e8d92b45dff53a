"""What only one main process may hold at a time: a data directory, a port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
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
def only_on_port(data_dir: Path, host: str, port: int) -> Iterator[None]:
    """Workers share a port (SO_REUSEPORT), and so would a second instance of the same user, unnoticed.

    Raises ConfigurationError in words, before anything else happens, where the port cannot be had.
    """
    _require_free(host, port)
    with _locked(_run_dir(data_dir) / f"strongroom-{port}.lock", f"another strongroom is starting on port {port}"):
        yield


@contextlib.contextmanager
def _locked(path: Path, refusal: str) -> Iterator[None]:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        raise ConfigurationError(f"the lock file {path.name} cannot be opened, or is a symbolic link") from None
    try:
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
    finally:
        os.close(lock)


def _run_dir(data_dir: Path) -> Path:
    """The user's own runtime directory, which all of the user's processes share; else the data directory.

    Never a folder that others may write to: what they put there would be opened here.
    """
    runtime = Path(f"/run/user/{os.getuid()}")
    return runtime if _is_private(runtime) else data_dir


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _require_free(host: str, port: int) -> None:
    """A port that is taken is said so in words, before anything else happens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigurationError(f"port {port} on {host} cannot be used: is another service there?") from None
