from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from strongroom.errors import ConfigurationError
from strongroom.storage import migrations
from strongroom.storage.migrate import HEAD, migrate, version
from strongroom.storage.opening import open_database
from strongroom.storage.tables import metadata


async def test_the_revisions_make_the_tables(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    assert await version(database) is None
    await migrate(database)
    assert await version(database) == HEAD

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    assert await database.read(differences) == []
    await database.close()


def test_the_code_is_written_for_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_many_may_migrate_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.storage.sqlite._SECONDS", 60.0)  # for a lock, on a busy machine
    databases = [open_database(f"sqlite:///{tmp_path}/test.db") for _ in range(8)]
    await asyncio.gather(*[migrate(database) for database in databases])
    assert {await version(database) for database in databases} == {HEAD}
    for database in databases:
        await database.close()


async def test_who_migrates_is_told_how_many_have_run_and_of_how_many(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database, progress=lambda *each: told.append(each))
    assert told == [(done, int(HEAD)) for done in range(int(HEAD) + 1)]
    told.clear()
    await migrate(database, progress=lambda *each: told.append(each))
    assert told == []
    await database.close()


async def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    assert _modes(tmp_path) == {0o600}
    await database.close()


def _modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_database(url)
