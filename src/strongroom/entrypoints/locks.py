"""Locks on what only one main process may use at a time: a data directory, or a port."""

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

from strongroom.entrypoints.listening import Place
from strongroom.errors import ConfigurationError

_LOCK_SECONDS: Final = 10.0


@contextlib.contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Only one serving process tree per data directory. Waits for an old one that is still stopping."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(
        data_dir / "strongroom.lock", "another strongroom is already serving from this data directory (data_dir)"
    ):
        yield


@contextlib.contextmanager
def only_on_port(data_dir: Path, place: Place) -> Iterator[None]:
    """Keep a second instance of the same user off a port.

    Workers share the port by SO_REUSEPORT, so another instance would share it too, unnoticed. Raises ConfigurationError
    before anything else happens if the port cannot be had.
    """
    _require_free(place)
    refusal = f"another strongroom is starting on port {place.port}"
    with _locked(_run_dir(data_dir) / f"strongroom-{place.port}.lock", refusal):
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
    """The user's own runtime directory, which all of the user's processes share, else the data directory.

    Never a folder that others can write to, because a file that they put there would be opened here.
    """
    runtime = Path(f"/run/user/{os.getuid()}")
    return runtime if _is_private(runtime) else data_dir


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _require_free(place: Place) -> None:
    """Raises ConfigurationError that says why, if the port cannot be had."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except OSError as error:
            raise place.refusal(error) from None
