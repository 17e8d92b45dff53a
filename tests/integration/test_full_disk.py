"""The disk of a SQLite database is full. Callers are told, `/health` and the log say why, and it recovers by itself.

A limit of the file size stands for the disk, because it can be set from outside and removed again.
"""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

from tests.support.server import Server
from tests.support.waiting import until

PATIENCE = 180.0


def limit_files(process: int, size: int) -> None:
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, most))


def events(server: Server) -> list[str]:
    lines = server.log.read_text(errors="replace").splitlines()
    return [json.loads(line)["event"] for line in lines if line.startswith("{")]


def test_a_full_disk_is_told_and_heals(tmp_path: Path) -> None:
    with Server(tmp_path / "data", {"HEALTH__INTERVAL": "0.2"}) as server, server.client() as client:
        server_log = server.log.stat().st_size

        def create() -> int:
            return client.post("/wallets", json={"networks": ["ethereum"]}).status_code

        def database() -> dict[str, Any]:
            health = client.get("/health")
            assert health.status_code == 200
            found: dict[str, Any] = health.json()["components"]["database"]
            return found

        assert create() == 201
        [worker] = server.workers()
        wal = (server.data_dir / "strongroom.db-wal").stat().st_size
        assert wal > server_log, "the log of the service would meet the limit first"
        limit_files(worker, wal)
        until(lambda: create() == 503)
        until(lambda: database()["status"] == "degraded")
        assert database()["state"] == "disk_full"
        assert client.get("/wallets").status_code == 200, "it can still be read"
        refused = client.post("/wallets", json={"networks": ["ethereum"]})
        assert "disk" in refused.json()["detail"]
        assert events(server).count("database.disk_full") == 1

        limit_files(worker, resource.RLIM_INFINITY)
        until(lambda: create() == 201)
        until(lambda: database()["status"] == "ok")
        assert "state" not in database()
        assert events(server).count("database.disk_full") == 1
        assert events(server).count("database.disk_has_room") == 1
