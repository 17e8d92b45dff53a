"""Whoever can write the database edits, deletes and restores rows. Each change is refused, or `verify` reports it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.server import Server

REFUSED = 1
Row = tuple[Any, ...]


def transaction(nonce: int, value: str = "0x1") -> dict[str, Any]:
    return {
        "type": "0x2", "chainId": "0x1", "nonce": hex(nonce), "gas": "0x5208", "value": value,
        "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
        "to": "0x3535353535353535353535353535353535353535",
    }  # fmt: skip


@dataclass
class Written:
    """A service that was used and stopped. ``earlier``: rows as they were before something happened to them."""

    data_dir: Path
    api_key: str
    ids: dict[str, str] = field(default_factory=dict)
    earlier: dict[str, tuple[str, Row]] = field(default_factory=dict)


def connect(data_dir: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(data_dir / "strongroom.db", isolation_level=None))


def read(data_dir: Path, table: str, where: str, *values: object) -> Row:
    with connect(data_dir) as database:
        row: Row = database.execute(f"SELECT * FROM {table} WHERE {where}", values).fetchone()
    assert row is not None
    return row


def put_back(database: sqlite3.Connection, table: str, row: Row) -> None:
    database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("state")
    with Server(folder / "data", {"RATES__ADMIN": "off"}) as server, server.client() as client:
        made = Written(server.data_dir, server.api_key)
        for name in ("alice", "mallory", "archived", "limited", "signer"):
            made.ids[name] = post(client, "wallets", {"networks": ["ethereum"], "external_id": name})["id"]
        for name in ("alice", "mallory"):
            key = post(client, "api-keys", {"name": name, "scopes": ["addresses:derive", "wallets:read"]})
            made.ids[f"{name}-key"] = key["api_key"]
            headers = {"X-API-Key": key["api_key"]}
            made.ids[f"{name}-address"] = post(
                client, f"wallets/{made.ids[name]}/addresses", {"network": "ethereum"}, key="deposit", headers=headers
            )["address"]
        key = post(client, "api-keys", {"name": "revoked", "scopes": ["wallets:read"]})
        made.ids["revoked-key"] = key["api_key"]
        made.earlier["revoked"] = ("api_keys", read(server.data_dir, "api_keys", "id = ?", UUID(key["id"]).bytes))
        post(client, f"api-keys/{key['id']}/revoke", {})

        wallet = UUID(made.ids["archived"]).bytes
        made.earlier["archived"] = ("wallets", read(server.data_dir, "wallets", "id = ?", wallet))
        post(client, f"wallets/{made.ids['archived']}/archive", {})

        wallet = UUID(made.ids["limited"]).bytes
        made.earlier["limited"] = ("wallets", read(server.data_dir, "wallets", "id = ?", wallet))
        limited = client.put(f"/wallets/{made.ids['limited']}/rates", json={"rates": {"sign": "1/minute"}})
        assert limited.is_success, limited.text

        wallet = UUID(made.ids["signer"]).bytes
        account = "wallet_id = ? AND keyspace = 'evm'"
        made.earlier["account"] = ("accounts", read(server.data_dir, "accounts", account, wallet))
        made.ids["handed-out"] = post(client, f"wallets/{made.ids['signer']}/addresses", {"network": "ethereum"})[
            "address"
        ]
        sign(client, made, 0).raise_for_status()
        sign(client, made, 1).raise_for_status()
        assert server.stop() == 0
    return made


def post(client: httpx.Client, path: str, body: dict[str, Any], key: str = "", headers: Any = None) -> dict[str, Any]:
    answer = client.post(
        f"/{path}", json=body, headers={**(headers or {}), **({"Idempotency-Key": key} if key else {})}
    )
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sign(
    client: httpx.Client, written: Written, nonce: int, value: str = "0x1", wallet: str = "signer"
) -> httpx.Response:
    body = {"network": "ethereum", "unsigned_tx": transaction(nonce, value)}
    return client.post(f"/wallets/{written.ids[wallet]}/sign", json=body)


@pytest.fixture
def server(written: Written, tmp_path: Path) -> Iterator[Server]:
    shutil.copytree(written.data_dir, tmp_path / "data")
    made = Server(tmp_path / "data", api_key=written.api_key)
    yield made
    made.__exit__()


def edit(server: Server, work: Callable[[sqlite3.Connection], object]) -> None:
    with connect(server.data_dir) as database:
        work(database)


def verify(server: Server) -> tuple[int, set[str]]:
    found = server.command("verify", "--json")
    assert found.stdout, found.stderr
    return found.returncode, {finding["kind"] for finding in json.loads(found.stdout)["findings"]}


def test_what_nobody_touched_holds(server: Server) -> None:
    assert verify(server) == (0, set())


def test_a_stored_answer_moved_to_the_key_of_another_is_not_given_out(server: Server, written: Written) -> None:
    alice = UUID(written.ids["alice-key"].split("_")[1]).bytes
    mallory = UUID(written.ids["mallory-key"].split("_")[1]).bytes

    def work(database: sqlite3.Connection) -> None:
        [mine] = database.execute("SELECT fingerprint FROM operations WHERE principal_id = ?", [alice]).fetchone()
        database.execute("DELETE FROM operations WHERE principal_id = ?", [alice])
        moved = "UPDATE operations SET principal_id = ?, fingerprint = ? WHERE principal_id = ?"
        assert database.execute(moved, [alice, mine, mallory]).rowcount > 0

    edit(server, work)
    with server, server.client() as client:
        client.headers["X-API-Key"] = written.ids["alice-key"]
        answer = client.post(
            f"/wallets/{written.ids['alice']}/addresses",
            json={"network": "ethereum"},
            headers={"Idempotency-Key": "deposit"},
        )
    assert written.ids["mallory-address"] not in answer.text
    assert answer.json()["code"] == "integrity_violation"
    assert verify(server)[0] == REFUSED


def test_swapped_external_ids_are_refused(server: Server, written: Written) -> None:
    def work(database: sqlite3.Connection) -> None:
        for old, new in (("alice", "x"), ("mallory", "alice"), ("x", "mallory")):
            assert (
                database.execute("UPDATE wallets SET external_id = ? WHERE external_id = ?", [new, old]).rowcount == 1
            )

    edit(server, work)
    with server, server.client() as client:
        assert client.get("/wallets", params={"external_id": "alice"}).json()["code"] == "integrity_violation"
    code, kinds = verify(server)
    assert (code, kinds >= {"row_changed"}) == (REFUSED, True)


def test_a_revoked_key_whose_old_row_was_put_back_is_told(server: Server, written: Written) -> None:
    edit(server, lambda database: put_back(database, *written.earlier["revoked"]))
    assert verify(server) == (REFUSED, {"revocation_undone"})
    with server:  # the start reports it too
        health = httpx.get(f"{server.url}/health", trust_env=False, timeout=60).json()
        assert health["components"]["audit"]["state"] == "rows_differ"
    assert '"kind":"revocation_undone"' in server.log.read_text()


def test_an_archived_wallet_does_not_sign_because_its_state_was_edited(server: Server, written: Written) -> None:
    wallet = UUID(written.ids["archived"]).bytes
    edit(server, lambda database: database.execute("UPDATE wallets SET state = 'active' WHERE id = ?", [wallet]))
    with server, server.client() as client:
        assert sign(client, written, 0, wallet="archived").json()["code"] == "integrity_violation"
    assert verify(server)[1] >= {"row_changed"}


@pytest.mark.parametrize("name", ["archived", "limited"])
def test_a_wallet_whose_old_row_was_put_back_is_told(server: Server, written: Written, name: str) -> None:
    edit(server, lambda database: put_back(database, *written.earlier[name]))
    assert verify(server) == (REFUSED, {"wallet_rolled_back"})


def test_a_nonce_is_not_signed_again_because_its_holder_was_called_failed(server: Server, written: Written) -> None:
    failed = "UPDATE operations SET state = 'failed' WHERE name = 'transactions.sign'"
    edit(server, lambda database: database.execute(failed))
    with server, server.client() as client:
        assert sign(client, written, 0, "0x2").json()["code"] == "integrity_violation"
    assert verify(server)[1] >= {"row_changed"}


def test_an_address_is_not_handed_out_twice_because_the_counter_was_edited(server: Server, written: Written) -> None:
    wallet = UUID(written.ids["signer"]).bytes

    def work(database: sqlite3.Connection) -> None:
        gone = "DELETE FROM addresses WHERE wallet_id = ? AND keyspace = 'evm' AND \"index\" = 1"
        assert database.execute(gone, [wallet]).rowcount == 1
        database.execute("UPDATE accounts SET next_index = 1 WHERE wallet_id = ? AND keyspace = 'evm'", [wallet])

    edit(server, work)
    with server, server.client() as client:
        answer = client.post(f"/wallets/{written.ids['signer']}/addresses", json={"network": "ethereum"})
    assert answer.json()["code"] == "integrity_violation"
    assert verify(server)[1] >= {"row_changed", "address_missing"}


def test_a_counter_that_was_put_back_is_told(server: Server, written: Written) -> None:
    def work(database: sqlite3.Connection) -> None:
        database.execute("PRAGMA foreign_keys = OFF")
        assert database.execute("DELETE FROM addresses WHERE \"index\" = 1 AND keyspace = 'evm'").rowcount == 3
        put_back(database, *written.earlier["account"])

    edit(server, work)
    assert verify(server) == (REFUSED, {"address_missing", "index_set_back"})


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM guards WHERE sequence = '1'", "guard_missing"),
        ("DELETE FROM signatures WHERE tx_id IS NOT NULL", "signature_missing"),
        ("DELETE FROM operations WHERE name = 'addresses.next'", "operation_missing"),
        ("DELETE FROM api_keys WHERE name = 'alice'", "api_key_missing"),
        ("DELETE FROM secrets", "secret_missing"),
        ("DELETE FROM wallets WHERE external_id = 'alice'", "wallet_missing"),
        ("UPDATE guards SET payload_hash = x'00'", "row_changed"),
        ("UPDATE secrets SET kek_version = 9", "row_changed"),
        ("UPDATE signatures SET raw = '0x00'", "row_changed"),
        ("UPDATE operations SET mac = NULL WHERE name = 'wallets.create'", "row_changed"),
    ],
)
def test_what_is_gone_or_edited_is_told(server: Server, statement: str, kind: str) -> None:
    edit(server, lambda database: database.execute(statement))
    code, kinds = verify(server)
    assert code == REFUSED
    assert kind in kinds


def test_with_a_service_secret_that_was_edited_nothing_starts(server: Server) -> None:
    edit(server, lambda database: database.execute("UPDATE service_secrets SET kek_version = 9"))
    for command in (["verify", "--json"], ["serve"]):
        found = server.command(*command)
        assert found.returncode == REFUSED
        assert found.stderr.startswith("this key wrap cannot open the service secret")
        assert "Traceback" not in found.stdout + found.stderr
