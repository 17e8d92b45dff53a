"""The development API key is made once per data directory, and audited."""

from __future__ import annotations

import json
import os
import pty
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


def test_the_local_key_wrap_is_warned_of_once_for_all_workers(tmp_path: Path) -> None:
    with Server(tmp_path, {"WORKERS__COUNT": "1"}) as server:
        assert server.log.read_text().count("LOCAL KEY WRAP") == 1


def test_a_terminal_gets_lines_for_people_and_where_the_service_is(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server:
        assert server.log.read_text().startswith("{")
    ours, theirs = pty.openpty()
    server.spawn(stdout=theirs)
    os.close(theirs)
    shown = b""
    while b"worker.ready" not in shown:
        shown += os.read(ours, 65536)
    server.stop()
    os.close(ours)
    text = shown.decode()
    assert f"REST on {server.url}/api/v1" in text
    assert "export KEY" not in text
    assert '{"' not in text
