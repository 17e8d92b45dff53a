"""Many processes that migrate at once, and one that is killed during it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from strongroom.storage.migrate import HEAD
from tests.support.postgres import SERVICE, Postgres
from tests.support.server import Server

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql")]

STARTERS = 10
TIMES = 20


def start(database: Postgres, name: str, folder: Path) -> subprocess.Popen[str]:
    server = Server(folder, {"DATABASE__URL": database.url(name, SERVICE), "DATABASE__MIGRATE_URL": database.url(name)})
    return subprocess.Popen(
        [sys.executable, "-m", "strongroom", "migrate"],
        env=server.environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def version(database: Postgres, name: str) -> str:
    [(found,)] = database.run("SELECT version_num FROM alembic_version", name)
    return str(found)


def test_of_ten_starters_one_migrates_and_none_fails(postgres_server: Postgres, tmp_path: Path) -> None:
    for _ in range(TIMES):
        name = postgres_server.create_database()
        started = [start(postgres_server, name, tmp_path) for _ in range(STARTERS)]
        said = [process.communicate(timeout=90) for process in started]
        assert [process.returncode for process in started] == [0] * STARTERS, said
        assert sum("true" in out.lower() for out, _ in said) == 1, said
        assert version(postgres_server, name) == HEAD


def test_a_migration_that_is_killed_leaves_nothing_behind(postgres_server: Postgres, tmp_path: Path) -> None:
    locked = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory'"
    for n in range(TIMES):
        name = postgres_server.create_database()
        process = start(postgres_server, name, tmp_path)
        while process.poll() is None and postgres_server.run(f"{locked} AND datname = '{name}'") == [(0,)]:
            pass
        time.sleep(n / 200)
        process.kill()
        process.communicate()
        again = start(postgres_server, name, tmp_path)
        assert again.communicate(timeout=60)[1] == ""
        assert again.returncode == 0
        assert version(postgres_server, name) == HEAD
