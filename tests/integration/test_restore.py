"""A restored backup does not sign until somebody says from where on, and anchoring never fails unnoticed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.test_state import transaction
from tests.support.postgres import SERVICE, Postgres
from tests.support.server import Server
from tests.support.waiting import until

REFUSED = 1
OTHERS = ("bitcoin", "solana", "ton", "tron")  # the chains besides the one that signs here
QUICK = {"AUDIT__INTERVAL": "0.2", "HEALTH__INTERVAL": "0.5", "RATES__ADMIN": "off"}


class Place:
    """A service and its database, of which a copy can be kept and restored."""

    def __init__(self, folder: Path, settings: dict[str, str], postgres: Postgres | None) -> None:
        self.folder = folder
        self.server = Server(folder / "data", {**QUICK, **settings})
        self._postgres = postgres
        self._name = ""
        if postgres is not None:
            self._name = postgres.create_database(migrated=True)
            self._point()

    def _point(self) -> None:
        assert self._postgres is not None
        self.server.settings = {**self.server.settings, "DATABASE__URL": self._postgres.url(self._name, SERVICE)}

    def keep(self) -> None:
        if self._postgres is None:
            shutil.copy(self.server.data_dir / "strongroom.db", self.folder / "kept.db")
        else:
            self._postgres.run(f'CREATE DATABASE "{self._name}_kept" TEMPLATE "{self._name}"')

    def put_back(self) -> None:
        if self._postgres is None:
            for left in self.server.data_dir.glob("strongroom.db*"):
                left.unlink()
            shutil.copy(self.folder / "kept.db", self.server.data_dir / "strongroom.db")
        else:
            self._name += "_kept"
            self._point()

    def heads_of_log(self) -> Path:
        """As an operator takes them from the log."""
        path = self.folder / "heads.jsonl"
        lines = self.server.log.read_text().splitlines()
        path.write_text("".join(line + "\n" for line in lines if '"event":"audit.head"' in line))
        return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def postgres(request: pytest.FixtureRequest) -> Postgres | None:
    return request.getfixturevalue("postgres_server") if request.param == "postgresql" else None


@pytest.fixture(params=["file", "log"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres | None) -> Iterator[Place]:
    made = Place(tmp_path, {"AUDIT__HEADS": "log"} if request.param == "log" else {}, postgres)
    yield made
    made.server.__exit__()


def sign(client: httpx.Client, wallet: str, nonce: int, value: str = "0x1", key: str = "") -> httpx.Response:
    body = {"network": "ethereum", "unsigned_tx": transaction(nonce, value)}
    return client.post(f"/wallets/{wallet}/sign", json=body, headers={"Idempotency-Key": key} if key else {})


def health(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/health", trust_env=False, timeout=60).json()
    return found


def test_a_database_that_was_put_back_signs_only_when_it_was_accepted(place: Place) -> None:
    server = place.server
    log_sink = server.settings.get("AUDIT__HEADS") == "log"
    with server, server.client() as client:
        made = client.post("/wallets", json={"networks": ["ethereum"]}).json()
        wallet, address = made["id"], made["addresses"][0]["address"]
        other = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    place.keep()
    with server, server.client() as client:
        assert sign(client, wallet, 0, key="pay").status_code == 200
    place.put_back()
    if log_sink:
        server.settings = {**server.settings, "AUDIT__KNOWN_HEADS": str(place.heads_of_log())}
    heads = ["--heads", server.settings["AUDIT__KNOWN_HEADS"]] if log_sink else []

    with server, server.client() as client:
        assert httpx.get(f"{server.url}/health/ready", trust_env=False, timeout=60).status_code == 200
        component = health(server)["components"]["audit"]
        assert (component["status"], component["state"]) == ("error", "restored_database")
        refused = sign(client, wallet, 0, "0x2", key="pay")
        assert (refused.status_code, refused.json()["code"]) == (503, "restored_database")
        message = {"network": "ethereum", "format": "eip191", "message": "x", "encoding": "text"}
        assert client.post(f"/wallets/{wallet}/sign-message", json=message).json()["code"] == "restored_database"
        assert client.get(f"/wallets/{wallet}").status_code == 200
        assert client.post("/wallets", json={}).status_code == 201
        assert server.command("audit", "verify", *heads).returncode == REFUSED

        silent = server.command("restore", "accept", "--after", "drill", "--from", f"ethereum:{address}=1", *heads)
        assert all(chain in silent.stderr for chain in OTHERS)
        told = ["--from", f"ethereum:{address}=1", *(word for chain in OTHERS for word in ("--reconciled", chain))]
        accepted = server.command("restore", "accept", "--after", "drill", *told, *heads)
        assert accepted.returncode == 0, accepted.stderr
        until(lambda: health(server)["components"]["audit"]["status"] == "ok")

        below = sign(client, wallet, 0, "0x2", key="pay")
        assert below.json()["code"] == "restored_database"
        assert sign(client, other, 0).json()["code"] == "restored_database"  # known then, and not named
        assert sign(client, wallet, 1).status_code == 200
        new = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        assert sign(client, new, 0).status_code == 200

    with server, server.client() as client:  # it stays accepted
        assert sign(client, wallet, 2).status_code == 200
    if not log_sink:
        report = json.loads(server.command("verify", "--json").stdout)
        assert (report["ok"], report["accepted"] > 0) == (True, True), report
    assert server.command("restore", "accept", "--after", "again", *told, *heads).returncode == REFUSED


def test_a_database_that_is_put_back_under_a_running_service_is_noticed(tmp_path: Path) -> None:
    place = Place(tmp_path, {}, None)
    with place.server as server, server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        assert sign(client, wallet, 0).status_code == 200
        heads = server.data_dir / "audit-heads.jsonl"
        lost = json.loads(heads.read_text().splitlines()[-1])
        lost["sequence"] += 1000
        with heads.open("a") as file:
            file.write(json.dumps(lost) + "\n")
        until(lambda: health(server)["components"]["audit"].get("state") == "restored_database")
        assert sign(client, wallet, 1).json()["code"] == "restored_database"


@pytest.fixture
def used(tmp_path: Path) -> Iterator[Server]:
    """A service that has run twice."""
    server = Server(tmp_path / "data", QUICK)
    for _ in range(2):
        with server, server.client() as client:
            client.post("/wallets", json={}).raise_for_status()
    yield server
    server.__exit__()


def kinds(server: Server) -> set[str]:
    found = server.command("audit", "verify", "--json")
    return {finding["kind"] for finding in json.loads(found.stdout)["findings"]}


def test_heads_that_were_emptied_are_found(used: Server) -> None:
    time.sleep(11)  # what started less than ten seconds ago may not have its head yet
    heads = used.data_dir / "audit-heads.jsonl"
    lines = heads.read_text().splitlines(keepends=True)
    heads.write_text("")
    assert kinds(used) == {"no_heads"}
    with used:
        assert health(used)["components"]["audit"]["state"] == "heads_missing"
    assert kinds(used) == {"writer_unanchored"}  # those of the first two runs

    writer = json.loads(lines[0])["writer_id"]
    heads.write_text("".join(line for line in lines if writer not in line) + heads.read_text())
    assert kinds(used) == {"writer_unanchored"}
    heads.write_text("".join(lines) + heads.read_text())
    assert kinds(used) == set()


def test_a_sink_that_cannot_be_written_is_told_and_ends_signing_where_it_was_asked_to(tmp_path: Path) -> None:
    blocked = tmp_path / "not-there" / "heads.jsonl"
    server = Server(tmp_path / "data", {**QUICK, "AUDIT__HEADS": f"file:{blocked}"})
    with server, server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        until(lambda: health(server)["components"]["audit"].get("state") == "not_anchored")
        assert health(server)["components"]["audit"]["status"] == "degraded"
        assert sign(client, wallet, 0).status_code == 200
        assert "strongroom_anchor_failing 1.0" in client.get(f"{server.url}/metrics").text
    server.settings = {**server.settings, "AUDIT__REQUIRE_ANCHOR": "true"}
    with server, server.client() as client:
        refused = sign(client, wallet, 1)
        assert (refused.status_code, refused.json()["code"]) == (503, "audit_not_anchored")
        blocked.parent.mkdir()
        until(lambda: sign(client, wallet, 1).status_code == 200)


def test_the_sink_follows_no_link(tmp_path: Path) -> None:
    target = tmp_path / "keywrap.key"
    target.write_text("precious")
    (tmp_path / "heads.jsonl").symlink_to(target)
    server = Server(tmp_path / "data", {**QUICK, "AUDIT__HEADS": f"file:{tmp_path}/heads.jsonl"})
    with server:
        until(lambda: health(server)["components"]["audit"].get("state") == "not_anchored")
    assert target.read_text() == "precious"


def test_a_new_database_is_marked_before_it_serves(used: Server) -> None:
    found = used.command("keys", "authenticate", "--json")
    assert json.loads(found.stdout) == {"authenticated": False, "rows": 0}
