"""A real PgBouncer in front of a PostgreSQL server of the tests."""

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

from tests.support.debian import debian_program
from tests.support.postgres import OWNER, SERVICE, Postgres
from tests.support.server import free_port

PATIENCE = 60.0
"""Seconds."""


def program() -> Path | None:
    return debian_program("pgbouncer")


class PgBouncer:
    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str, user: str = SERVICE) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(server: Postgres, mode: str, *settings: str) -> Iterator[PgBouncer]:
    """``mode`` is session, transaction or statement. ``settings`` are lines for its file."""
    found = program()
    assert found is not None
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="strongroom-pgbouncer-"))
    (folder / "users.txt").write_text("".join(f'"{user}" ""\n' for user in (OWNER, SERVICE)))
    (folder / "pgbouncer.ini").write_text(
        "\n".join(
            [
                "[databases]", f"* = host=127.0.0.1 port={server.port}", "[pgbouncer]", f"pool_mode = {mode}",
                "listen_addr = 127.0.0.1", f"listen_port = {port}", "unix_socket_dir =", "auth_type = trust",
                f"auth_file = {folder}/users.txt", "max_client_conn = 200", "default_pool_size = 40", *settings, "",
            ]
        )
    )  # fmt: skip
    folder.chmod(0o755)
    as_root = ["-u", "nobody"] if os.getuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([found, *as_root, folder / "pgbouncer.ini"], stdout=log, stderr=log)
    try:
        _await_port(port, process, folder / "log")
        yield PgBouncer(port)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PgBouncer did not start: {log.read_text()[-2000:]}")
