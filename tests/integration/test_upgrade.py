"""This version serves a database that 1.0.8 made, with the calls that made it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config

import strongroom.storage.migrations
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from strongroom.storage.tables import metadata
from tests.support.postgres import Postgres
from tests.support.server import Server
from tests.support.service import HttpFace

MADE = Path(__file__).parent / "data" / "1.0.8"
CALLS: dict[str, Any] = json.loads((MADE / "calls.json").read_text())
WALLET = CALLS["calls"][0]["result"]["id"]
TEN_YEARS = str(10 * 365 * 86_400)
TWICE = "customer-7"
"""An external id that 1.0.8 accepted for two addresses of the wallet, one on polygon and one on ethereum."""


def copied(connection: sa.Connection, old: Path) -> None:
    """The rows of an SQLite database of 1.0.8 in a PostgreSQL database as 1.0.8 had it."""
    config = Config()
    config.set_main_option("script_location", str(Path(strongroom.storage.migrations.__file__).parent))
    config.attributes["connection"] = connection
    alembic.upgrade(config, "0001")
    source = sa.create_engine(f"sqlite:///{old}")
    with source.connect() as reading:
        inspected = sa.inspect(reading)
        for table in metadata.sorted_tables:
            if not inspected.has_table(table.name):
                continue
            names = {each["name"] for each in inspected.get_columns(table.name)}
            columns = [column for column in table.columns if column.name in names]
            rows = [dict(row._mapping) for row in reading.execute(sa.select(*columns))]
            if rows:
                connection.execute(sa.insert(table), rows)
    source.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    for name in ("strongroom.db", "keywrap.key", "audit-heads.jsonl"):
        shutil.copy(MADE / name, tmp_path / name)
    (tmp_path / "keywrap.key").chmod(0o600)
    settings = {"IDEMPOTENCY__RETENTION": TEN_YEARS}
    server = Server(tmp_path, settings, api_key=CALLS["api_key"])
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        url = postgres.url(postgres.create_database())
        database = open_database(url, Limits(timeout=None, statement_timeout=0))
        await database.write(lambda connection: copied(connection, tmp_path / "strongroom.db"))
        await database.close()
        settings |= {"DATABASE__URL": url}
        migrated = server.command("migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        done = server.command("keys", "authenticate")
        assert done.returncode == 0, done.stdout + done.stderr
    with server:
        yield server
    verified = server.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.fixture
async def face(server: Server) -> AsyncIterator[HttpFace]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
        yield HttpFace(http)


async def test_what_an_earlier_version_made_is_authenticated_replayed_and_guarded(
    server: Server, face: HttpFace
) -> None:
    for call in CALLS["calls"]:
        again = await face.call(call["operation"], call["command"], key=server.api_key, idempotency_key=call["key"])
        assert again.result == call["result"], (call["operation"], again.code)
    for call in (each for each in CALLS["calls"] if each["operation"] == "transactions.sign"):
        other = call["command"] | {"unsigned_tx": call["command"]["unsigned_tx"] | {"value": "0x2"}}
        refused = await face.call(call["operation"], other, key=server.api_key)
        assert (refused.code, refused.status) == ("already_signed", 409)
    following = {}
    for network in ("ethereum", "bitcoin", "tron", "solana", "ton"):
        next_one = {"wallet_id": WALLET, "network": network}
        following[network] = (await face.call("addresses.next", next_one, key=server.api_key)).result["index"]
    assert following == {"ethereum": 4, "bitcoin": 2, "tron": 1, "solana": 1, "ton": 1}


async def test_addresses_of_an_earlier_version_are_listed_and_their_external_ids_taken(
    server: Server, face: HttpFace
) -> None:
    async def call(operation: str, **command: Any) -> Any:
        return await face.call(operation, {"wallet_id": WALLET, **command}, key=server.api_key)

    twice = (await call("addresses.list", external_id=TWICE)).result["addresses"]
    assert [(each["index"], each["network"]) for each in twice] == [(2, "ethereum"), (3, "ethereum")]
    for network in ("polygon", "bitcoin"):
        refused = await call("addresses.next", network=network, external_id=TWICE)
        assert (refused.code, refused.status, refused.field) == ("external_id_taken", 409, "external_id")
    new = (await call("addresses.next", network="polygon", external_id="new")).result
    assert (await call("addresses.next", network="bitcoin", external_id="new")).code == "external_id_taken"
    # It was not recorded what it was handed out for, so it counts for every network of its keyspace.
    on_base = (await call("addresses.list", network="base")).result["addresses"]
    assert [each["index"] for each in on_base] == [0, 1, 2, 3]
    listed = (await call("addresses.list", scheme="bip44", network="polygon")).result["addresses"]
    assert listed[-1] == new


def test_the_fixture_is_of_before_addresses_had_networks() -> None:
    with sqlite3.connect(f"file:{MADE / 'strongroom.db'}?mode=ro&immutable=1", uri=True) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        [(count,)] = database.execute("SELECT count(*) FROM addresses WHERE external_id = ?", [TWICE]).fetchall()
    assert count == 2
