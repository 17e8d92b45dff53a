"""What the command line does on the machine itself, against a real database in a folder of its own."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from strongroom.access.api_keys import parse_key
from strongroom.entrypoints.cli.main import app
from strongroom.journal.heads import read_heads

TENANT = "9d8f1c52-38f7-43dd-8c7c-52e4ef5a1f6c"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STRONGROOM_"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def database(folder: Path) -> Path:
    assert run("migrate").exit_code == 0
    return folder / "data" / "strongroom.db"


def run(*arguments: str, **variables: str) -> Result:
    env = {f"STRONGROOM_{name}": value for name, value in variables.items()}
    return CliRunner().invoke(app, arguments, env=env, catch_exceptions=False)


def create(name: str = "first", *arguments: str) -> Result:
    return run("api-key", "create", name, "--scope", "wallets:read", "--tenant", TENANT, *arguments)


def test_config_check_shows_values_and_where_they_come_from(folder: Path) -> None:
    toml = folder / "s.toml"
    toml.write_text('[grpc]\nport = 4001\n[[networks]]\nname = "my"\nchain = "evm"\nchain_id = 4711\nsymbol = "MY"\n')
    result = run(
        "config", "check", "--json",
        CONFIG=str(toml), HTTP__PORT="4000", KEYWRAP__PASSPHRASE="hunter2", CHAINS__EVM__MAX_FEE="off",
    )  # fmt: skip
    assert result.exit_code == 0
    assert "hunter2" not in result.output
    rows = {row["setting"]: (row["value"], row["source"]) for row in json.loads(result.stdout)["settings"]}
    assert rows["STRONGROOM_HTTP__PORT"] == ("4000", "STRONGROOM_HTTP__PORT")
    assert rows["STRONGROOM_GRPC__PORT"] == ("4001", str(toml))
    assert rows["STRONGROOM_LOG__LEVEL"] == ("info", "default")
    assert rows["STRONGROOM_KEYWRAP__PASSPHRASE"] == ("set", "STRONGROOM_KEYWRAP__PASSPHRASE")
    assert rows["STRONGROOM_DATABASE__MIGRATE_URL"] == ("not set", "default")
    assert rows["STRONGROOM_CHAINS__EVM__MAX_FEE"] == ("off", "STRONGROOM_CHAINS__EVM__MAX_FEE")
    assert rows["networks"] == ("my", str(toml))


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["config", "check"], ["audit", "heads"]])
def test_settings_that_cannot_be_used_end_with_2_and_one_line(command: list[str]) -> None:
    result = run(*command, HTTP__PORT="x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "STRONGROOM_HTTP__PORT: must be a whole number in decimal digits\n"


def test_a_database_without_its_folder_is_said_so() -> None:
    result = create()
    assert (result.exit_code, result.stderr) == (2, "the file in database.url cannot be opened\n")


def test_a_database_that_was_not_migrated_is_said_so(folder: Path) -> None:
    (folder / "data").mkdir()
    result = create()
    assert result.exit_code == 2
    assert "run `strongroom migrate`" in result.stderr


def test_a_key_is_made_for_programs_too(database: Path) -> None:
    made = json.loads(create("first", "--json").stdout)
    assert (made["name"], made["scopes"]) == ("first", ["wallets:read"])
    assert made["api_key"].startswith("sr_")


def test_a_key_is_made_in_the_database_and_written_into_the_audit(database: Path) -> None:
    result = create()
    assert (result.exit_code, result.stderr) == (0, "")
    shown = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    parsed = parse_key(shown["api_key"])
    assert parsed is not None
    with sqlite3.connect(database) as connection:
        records = connection.execute("SELECT operation, outcome, details FROM audit").fetchall()
    connection.close()
    assert [record[:2] for record in records[:2]] == [
        ("state.authenticated", "requested"),
        ("state.authenticated", "succeeded"),
    ]  # a new database is marked before anything is done with it
    ((operation, outcome, details),) = records[2:]
    assert (operation, outcome) == ("api_keys.create", "succeeded")
    wrote = {"api_keys": [{"id": str(parsed[0])}]}
    assert json.loads(details) == {"key_id": str(parsed[0]), "scopes": ["wallets:read"], "wrote": wrote}
    assert UUID(shown["id"]) == parsed[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scope", "wallets:everything"], "1 of the scopes are unknown"),
        (["--expires-at", "2001-01-01T00:00:00Z"], "--expires-at must be in the future"),
    ],
)
def test_a_key_that_could_not_be_used_is_not_made(arguments: list[str], words: str, database: Path) -> None:
    result = create("x", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_the_audit_is_verified_against_heads_that_were_kept(database: Path, tmp_path: Path) -> None:
    create()
    heads = run("audit", "heads", "--json").stdout
    kept = tmp_path / "kept.jsonl"
    kept.write_text(heads)
    assert max(head.sequence for head in read_heads(heads.splitlines(keepends=True))) == 3
    report = json.loads(run("audit", "verify", "--json").stdout)
    assert report["ok"] is True
    result = run("audit", "verify", "--heads", str(kept), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["records"] == 3


def test_a_record_that_was_taken_out_is_found(database: Path, tmp_path: Path) -> None:
    create()
    kept = tmp_path / "kept.jsonl"
    kept.write_text(run("audit", "heads", "--json").stdout)
    connection = sqlite3.connect(database)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM audit")
    connection.commit()
    connection.close()
    result = run("audit", "verify", "--heads", str(kept))
    assert result.exit_code == 1
    assert "head_missing" in result.stdout
    assert result.stderr.endswith("the audit failed its verification: see the findings above\n")
    assert "restored_database" in result.stderr


def test_heads_that_cannot_be_read_are_said_so(database: Path) -> None:
    result = run("audit", "verify", "--heads", "none.jsonl")
    assert (result.exit_code, result.stderr) == (2, "the file with audit heads, none.jsonl, cannot be read\n")
    result = run("audit", "verify", AUDIT__HEADS="log")
    assert result.exit_code == 2
    assert "--heads" in result.stderr


def test_a_database_that_is_away_ends_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.storage.postgres._LONG", 0.1)
    away = "postgresql://127.0.0.1:1/strongroom"
    for setting, given in (
        ("database.url", {"DATABASE__URL": away}),
        ("database.migrate_url", {"DATABASE__URL": away, "DATABASE__MIGRATE_URL": away}),
    ):
        result = run("migrate", **given)
        assert result.exit_code == 3
        assert result.stderr == f"nothing listens on the host and port in {setting}\n"
