"""Somebody else writes the database. Whatever they edit is refused and raises the alarm, over REST and gRPC.

Everything is made in one run of the service and edited while it is down, each case with its own wallets or keys. The
tests call a second run, whose memory is empty.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import httpx
import pytest

from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace

PAIRS = 100
MESSAGE = {"network": "ethereum", "format": "eip191", "message": "pay", "encoding": "text"}
SECRET = ("kek", "kek_version", "wrapped_dek", "blob")
ONCE = "once"
KEY_LIFE = timedelta(seconds=1)

Edit = Callable[[sqlite3.Connection, bytes, bytes], object]
"""Edits the rows of two wallets, given by their ids."""


def swap(table: str, *columns: str) -> Edit:
    names = ", ".join(columns)
    change = f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE wallet_id = ?"

    def edit(database: sqlite3.Connection, a: bytes, b: bytes) -> None:
        read = f"SELECT {names} FROM {table} WHERE wallet_id = ?"
        of_a, of_b = database.execute(read, [a]).fetchone(), database.execute(read, [b]).fetchone()
        assert of_a != of_b
        database.execute(change, [*of_b, a])
        database.execute(change, [*of_a, b])

    return edit


def change(statement: str) -> Edit:
    return lambda database, a, b: database.execute(statement, {"a": a, "b": b})


@dataclass(frozen=True)
class Case:
    """``kind`` of the alarm that ``operation`` on the wallet raises after ``edit``."""

    edit: Edit
    operation: str
    kind: str


CASES = {
    "secrets swapped": Case(swap("secrets", *SECRET), "messages.sign", "secret"),
    "blobs swapped": Case(swap("secrets", "blob"), "messages.sign", "secret"),
    "data keys swapped": Case(swap("secrets", "wrapped_dek"), "messages.sign", "secret"),
    "blob cut short": Case(
        change("UPDATE secrets SET blob = substr(blob, 1, 8) WHERE wallet_id = :a"),
        "messages.sign", "secret",
    ),
    "key wrap renamed": Case(
        change("UPDATE secrets SET kek = 'other' WHERE wallet_id = :a"), "messages.sign", "secret"
    ),
    "kind changed": Case(
        change("UPDATE secrets SET kind = 'raw_key' WHERE wallet_id = :a"), "messages.sign", "secret"
    ),
    "secret taken away": Case(
        change("DELETE FROM secrets WHERE wallet_id = :a"), "messages.sign", "secret_missing"
    ),
    "accounts swapped": Case(swap("accounts", "public_sealed"), "addresses.derive", "account"),
    "account emptied": Case(
        change("UPDATE accounts SET public_sealed = x'' WHERE wallet_id = :a"), "addresses.derive", "account"
    ),
    "account path edited": Case(
        change("UPDATE accounts SET path = 'm/44''/60''/7''' WHERE wallet_id = :a"), "addresses.derive", "account"
    ),
    "address edited": Case(
        change("UPDATE addresses SET canonical = x'3535353535353535353535353535353535353535' WHERE wallet_id = :a"),
        "addresses.derive", "address",
    ),
    "address edited, then signed with": Case(
        change("UPDATE addresses SET canonical = x'3535353535353535353535353535353535353535' WHERE wallet_id = :a"),
        "messages.sign", "address",
    ),
    "addresses swapped": Case(swap("addresses", "canonical", "public_key", "mac"), "addresses.derive", "address"),
    "public key edited": Case(
        change("UPDATE addresses SET public_key = x'02' || substr(public_key, 2, 31) || x'00' WHERE wallet_id = :a"),
        "messages.sign", "address",
    ),
    "path edited": Case(
        change("UPDATE addresses SET path = 'm/44''/60''/0''/0/9' WHERE wallet_id = :a"), "addresses.list", "address"
    ),
    "label of an address edited": Case(
        change("UPDATE addresses SET label = 'treasury' WHERE wallet_id = :a"), "addresses.list", "address"
    ),
    "state unknown": Case(change("UPDATE wallets SET state = 'gone' WHERE id = :a"), "wallets.get", "wallet"),
}  # fmt: skip

COMMANDS: dict[str, dict[str, Any]] = {
    "messages.sign": MESSAGE,
    "addresses.derive": {"network": "ethereum"},
    "addresses.list": {},
    "wallets.get": {},
}

KEY_EDITS = {
    "scopes widened": """UPDATE api_keys SET scopes = '["wallets:read", "admin"]' WHERE id = :id""",
    "expiry removed": "UPDATE api_keys SET expires_at = NULL WHERE id = :id",
    "revocation taken back": "UPDATE api_keys SET revoked_at = NULL WHERE id = :id",
    "tenant changed": "UPDATE api_keys SET tenant_id = :other WHERE id = :id",
    "secret replaced": "UPDATE api_keys SET secret_mac = :mac WHERE id = :id",
    "name changed": "UPDATE api_keys SET name = 'root' WHERE id = :id",
}


@dataclass
class Tampered:
    server: Server
    wallets: dict[str, str]
    """By case: the wallet that was edited."""
    pairs: list[str]
    keys: dict[str, str]
    """By edit: the API key."""
    signer: str
    """A wallet that was not edited. The stored result of what it signed with the key `ONCE` was."""

    def alarms(self, kind: str) -> tuple[float, int]:
        """As the metric counts them and as the log reports them."""
        with self.server.client() as client:
            text = client.get(f"{self.server.url}/metrics").text
        found = re.search(rf'^strongroom_integrity_alarms_total{{kind="{kind}"}} (\S+)$', text, re.MULTILINE)
        lines = self.server.log.read_text().splitlines()
        told = [line for line in lines if '"event":"integrity.alarm"' in line and json.loads(line)["kind"] == kind]
        return float(found[1]) if found else 0.0, len(told)


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tampered]:
    settings = {"RATES__CREATE": "off", "RATES__ADMIN": "off", "RATES__SIGN": "off"}
    with Server(tmp_path_factory.mktemp("tampered"), settings) as server:
        with server.client() as client:
            pairs = {name: (_wallet(client), _wallet(client)) for name in CASES}
            many = [(_wallet(client), _wallet(client)) for _ in range(PAIRS)]
            keys = {name: _api_key(client, name) for name in KEY_EDITS}
            signer = _wallet(client)
            _post(client, f"wallets/{signer}/sign-message", MESSAGE, key=ONCE)
        time.sleep(KEY_LIFE.total_seconds())
        assert server.stop() == 0

        with closing(sqlite3.connect(server.data_dir / "strongroom.db")) as database, database:
            for name, (a, b) in pairs.items():
                CASES[name].edit(database, UUID(a).bytes, UUID(b).bytes)
            for a, b in many:
                swap("secrets", *SECRET)(database, UUID(a).bytes, UUID(b).bytes)
            for name, text in keys.items():
                given = {"id": UUID(text.split("_")[1]).bytes, "other": uuid4().bytes, "mac": bytes(32)}
                wanted = {part: value for part, value in given.items() if f":{part}" in KEY_EDITS[name]}
                assert database.execute(KEY_EDITS[name], wanted).rowcount == 1
            [stored] = database.execute("SELECT result FROM operations WHERE idempotency_key = ?", [ONCE]).fetchone()
            edited = stored.replace(b"eip191", b"eip712")
            assert edited != stored
            database.execute("UPDATE operations SET result = ? WHERE idempotency_key = ?", [edited, ONCE])
        server.start()
        swapped = [wallet for pair in many for wallet in pair]
        yield Tampered(server, {name: a for name, (a, _) in pairs.items()}, swapped, keys, signer)


def _post(client: httpx.Client, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    answer = client.post(f"/{path}", json=body, headers={} if key is None else {"Idempotency-Key": key})
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _wallet(client: httpx.Client) -> str:
    return str(_post(client, "wallets", {"networks": ["ethereum"]})["id"])


def _api_key(client: httpx.Client, edit: str) -> str:
    expires = (datetime.now(UTC) + KEY_LIFE).isoformat() if "expiry" in edit else None
    made = _post(client, "api-keys", {"name": "till", "scopes": ["wallets:read"], "expires_at": expires})
    if "revocation" in edit:
        _post(client, f"api-keys/{made['id']}/revoke", {})
    return str(made["api_key"])


@pytest.fixture(params=["http", "grpc"])
async def face(request: pytest.FixtureRequest, tampered: Tampered) -> AsyncIterator[Face]:
    if request.param == "http":
        async with httpx.AsyncClient(base_url=tampered.server.url, timeout=60, trust_env=False) as client:
            yield HttpFace(client)
    else:
        async with grpc.aio.insecure_channel(tampered.server.target) as channel:
            yield GrpcFace(channel)


@pytest.mark.parametrize("name", CASES)
async def test_what_was_edited_is_refused_and_alarmed(name: str, tampered: Tampered, face: Face) -> None:
    case, wallet, key = CASES[name], tampered.wallets[name], tampered.server.api_key
    counted, told = tampered.alarms(case.kind)
    before = await failures_of(wallet, tampered)

    outcome = await face.call(case.operation, {"wallet_id": wallet, **COMMANDS[case.operation]}, key=key)
    assert outcome.code == "integrity_violation"
    assert outcome.status in (500, grpc.StatusCode.DATA_LOSS)

    counted_now, told_now = tampered.alarms(case.kind)
    assert counted_now > counted
    assert told_now > told
    errors = await failures_of(wallet, tampered)
    assert errors == before  # refused before T1, so nothing was begun


async def failures_of(wallet: str, tampered: Tampered) -> list[str]:
    """The error codes with which operations on the wallet failed, according to the audit."""
    with tampered.server.client() as client:
        records = client.get("/audit", params={"wallet_id": wallet, "outcome": "failed"}).json()["records"]
    return [str(record["details"]["error"]) for record in records]


async def test_what_nobody_edited_still_works(tampered: Tampered, face: Face) -> None:
    for operation, command in COMMANDS.items():
        outcome = await face.call(operation, {"wallet_id": tampered.signer, **command}, key=tampered.server.api_key)
        assert outcome.code == "ok"


async def test_of_a_hundred_pairs_of_swapped_secrets_none_opens(tampered: Tampered, face: Face) -> None:
    key = tampered.server.api_key
    outcomes = [
        await face.call("messages.sign", {"wallet_id": wallet, **MESSAGE}, key=key) for wallet in tampered.pairs
    ]
    assert [outcome.code for outcome in outcomes] == ["integrity_violation"] * 2 * PAIRS


@pytest.mark.parametrize("edit", KEY_EDITS)
async def test_an_edited_api_key_is_none(edit: str, tampered: Tampered, face: Face) -> None:
    counted, told = tampered.alarms("api_key")
    outcome = await face.call("wallets.list", {}, key=tampered.keys[edit])
    assert outcome.code == "unauthenticated"
    counted_now, told_now = tampered.alarms("api_key")
    assert counted_now > counted
    assert told_now > told


async def test_an_edited_answer_is_not_given_out_again(tampered: Tampered, face: Face) -> None:
    counted, told = tampered.alarms("operation")
    command = {"wallet_id": tampered.signer, **MESSAGE}
    outcome = await face.call("messages.sign", command, key=tampered.server.api_key, idempotency_key=ONCE)
    assert outcome.code == "integrity_violation"
    counted_now, told_now = tampered.alarms("operation")
    assert counted_now > counted
    assert told_now > told


def test_without_its_guard_a_nonce_is_signed_again_and_verify_tells(tmp_path: Path) -> None:
    """The limit of a MAC: only the audit reveals that a row is gone."""
    with Server(tmp_path) as server, server.client() as client:
        wallet = _wallet(client)

        def sign(value: str) -> httpx.Response:
            transaction = {
                "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "value": value,
                "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
                "to": "0x3535353535353535353535353535353535353535",
            }  # fmt: skip
            return client.post(f"/wallets/{wallet}/sign", json={"network": "ethereum", "unsigned_tx": transaction})

        first = sign("0x1").json()["tx_id"]
        assert sign("0x2").json()["code"] == "already_signed"
        with closing(sqlite3.connect(tmp_path / "strongroom.db")) as database, database:
            assert database.execute("DELETE FROM guards").rowcount == 1

        second = sign("0x2").json()["tx_id"]
        records = client.get("/audit", params={"wallet_id": wallet, "operation": "transactions.sign"}).json()
        signed = {each["details"]["tx_id"] for each in records["records"] if each["outcome"] == "succeeded"}
        assert signed == {first, second}
        assert server.command("audit", "verify").returncode == 0
        found = server.command("verify", "--json")
        assert found.returncode == 1
        assert [each["kind"] for each in json.loads(found.stdout)["findings"]] == ["signed_twice"]
