"""The development API key is made once for a data directory, and its making is audited."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.support.server import Server


def test_deleting_its_row_does_not_have_another_one_printed(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        with server.client() as client:
            records = client.get("/audit").json()["records"]
        made = [each for each in records if each["operation"] == "api_keys.create"]
        assert [each["details"]["name"] for each in made] == ["development"]
        assert server.stop() == 0
        with sqlite3.connect(tmp_path / "strongroom.db") as database:
            database.execute("DELETE FROM api_keys")
        database.close()
        server.start()
        assert server.log.read_text().count("export KEY=") == 1
        with server.client() as client:
            assert client.get("/wallets").status_code == 401
    found = server.command("verify", "--json")
    assert {each["kind"] for each in json.loads(found.stdout)["findings"]} == {"api_key_missing"}


def test_a_start_that_died_before_the_key_was_made_makes_it_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "development-key").touch(mode=0o600)
    with Server(tmp_path) as server:
        assert server.log.read_text().count("export KEY=") == 1
