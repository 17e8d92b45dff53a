"""The service on a real OpenBao: moved there from a local key, through rotations and outages, by its real command."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import openbao
from tests.support.openbao import KEY, OpenBao
from tests.support.server import Server
from tests.support.waiting import until

pytestmark = pytest.mark.needs("openbao")

TX = {
    "type": "0x2", "chainId": "0x1", "gas": "0x5208", "maxFeePerGas": "0x77359400",
    "maxPriorityFeePerGas": "0x3b9aca00", "to": "0x" + "35" * 20, "value": "0x1",
}  # fmt: skip

ROUNDS = 20


@pytest.fixture
def bao() -> Iterator[OpenBao]:
    with openbao.running() as made:
        yield made


def settings(bao: OpenBao, **more: str) -> dict[str, str]:
    role_id, secret_id = bao.approle(token_ttl="20m")
    return {
        "PROFILE": "production",
        "KEYWRAP__KIND": "vault",
        "VAULT__URL": bao.url,
        "VAULT__ROLE_ID": role_id,
        "VAULT__SECRET_ID": secret_id,
        "VAULT__TIMEOUT": "0.3",
        "VAULT__DEADLINE": "1",
        "VAULT__BREAKER_INTERVAL": "0.5",
        "HEALTH__INTERVAL": "0.2",
        "SIGNER__TTL": "0",
        "LOG__LEVEL": "warning",
        **more,
    }


def create(client: httpx.Client, count: int) -> list[str]:
    return [
        client.post("/wallets", json={"networks": ["ethereum"]}).raise_for_status().json()["id"] for _ in range(count)
    ]


def sign(client: httpx.Client, wallet: str, nonce: int) -> httpx.Response:
    return client.post(
        f"/wallets/{wallet}/sign", json={"network": "ethereum", "unsigned_tx": {**TX, "nonce": hex(nonce)}}
    )


def keys(server: Server, command: str) -> dict[str, Any]:
    ran = server.command("keys", command, "--json")
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def keks(data: Path) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(data / "strongroom.db")) as connection:
        rows = connection.execute(
            "SELECT kek, kek_version FROM secrets UNION SELECT kek, kek_version FROM service_secrets"
        )
        return set(rows)


def test_from_a_local_key_to_vault_and_through_a_rotation(bao: OpenBao, tmp_path: Path) -> None:
    data = tmp_path / "data"
    local = Server(data, {"SIGNER__TTL": "0"})
    with local, local.client() as client:
        wallets = create(client, 3)
    assert keks(data) == {("local", 1)}
    forgotten = Server(data, settings(bao), local.api_key).command("keys", "rewrap")
    assert (forgotten.returncode, "service secret" in forgotten.stderr) == (1, True)

    moving = Server(data, settings(bao, KEYWRAP__PREVIOUS="local"), local.api_key)
    with moving, moving.client() as client:
        wallets += create(client, 1)
        assert [sign(client, wallet, 0).status_code for wallet in wallets] == [200] * 4
        assert keks(data) == {("local", 1), (f"transit/{KEY}", 1)}
    assert keys(moving, "rewrap")["moved"] == 4
    assert keks(data) == {(f"transit/{KEY}", 1)}

    server = Server(data, settings(bao), local.api_key)
    bao.ask("POST", f"transit/keys/{KEY}/rotate")
    status = keys(server, "status")
    assert (status["version"], status["behind"]) == (2, 5)
    assert keys(server, "rewrap") == {"kek": f"transit/{KEY}", "version": 2, "moved": 5, "left": 0, "refused": []}
    bao.ask("POST", f"transit/keys/{KEY}/config", min_decryption_version=2)
    with server, server.client() as client:
        assert [sign(client, wallet, 1).status_code for wallet in wallets] == [200] * 4


async def test_an_outage_is_told_at_once_and_addresses_go_on(bao: OpenBao, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", settings(bao, PROFILE="embedded"))
    with server, server.client() as client:
        wallets = create(client, 8)
        async with server.async_client() as callers:
            bao.freeze()
            answers = await asyncio.gather(*(call_for(callers, wallet, n) for n, wallet in enumerate(wallets)))
            bao.thaw()
            signs = [each for answer in answers for each in answer[0]]
            assert {status for status, _ in signs} == {503}
            assert all(retry_after for _, retry_after in signs)
            assert {status for answer in answers for status in answer[1]} == {200}
        until(lambda: sign(client, wallets[0], 10_000).status_code == 200)
        until(lambda: client.get("/health").json()["components"]["vault"]["circuit_state"] == "closed")


async def call_for(
    client: httpx.AsyncClient, wallet: str, first: int
) -> tuple[list[tuple[int, str | None]], list[int]]:
    """Signs and reads an address in turn: (status, Retry-After) of the former, status of the latter."""
    signs, reads, nonce = [], [], first * 1000
    for _ in range(ROUNDS):
        nonce += 1
        body = {"network": "ethereum", "unsigned_tx": {**TX, "nonce": hex(nonce)}}
        answer = await client.post(f"/wallets/{wallet}/sign", json=body)
        signs.append((answer.status_code, answer.headers.get("Retry-After")))
        reads.append((await client.get(f"/wallets/{wallet}/address/ethereum")).status_code)
        await asyncio.sleep(0.02)
    return signs, reads
