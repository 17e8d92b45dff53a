"""Settings that can never work end the process with the reason. No useless worker is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.server import Server

VAULT = {"KEYWRAP__KIND": "vault", "VAULT__AUTH": "token", "VAULT__TOKEN": "x"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REDIS__URL": "redis://cache:notaport"}, "redis: url must name hosts"),
        ({"REDIS__URL": "redis://cache:70000"}, "redis: url must name hosts"),
        ({"REDIS__URL": "redis://[::1"}, "redis: url must name hosts"),
        ({"REDIS__URL": "rediss://cache", "REDIS__CA_FILE": "/nowhere/ca.pem"}, "redis.ca_file cannot be read"),
        ({"DATABASE__URL": "postgresql://user:word@db:notaport/name"}, "database: url must name hosts"),
        ({"DATABASE__URL": "postgresql://user@[::1/name"}, "database: url must name hosts"),
        ({"DATABASE__URL": "sqlite:////nowhere/x.db"}, "database.url cannot be opened"),
        ({**VAULT, "VAULT__URL": "http://127.0.0.1:notaport"}, "vault: url must name hosts"),
        ({**VAULT, "VAULT__URL": "https://127.0.0.1:1", "VAULT__CA_FILE": "/nowhere"}, "vault.ca_file cannot be read"),
        ({"CHAINS__EVM__NO_SUCH_LIMIT": "1"}, "no_such_limit: there is no such limit"),
    ],
)
def test_the_reason_is_told_and_nothing_is_left_running(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    ended = Server(tmp_path, settings).command("serve")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    assert ":word@" not in ended.stderr + ended.stdout
