"""What was made before a restart holds after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import httpx

from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace, Outcome

Call = tuple[str, dict[str, Any]]


def transfer(wallet: str, value: int) -> Call:
    transaction = {
        "type": "0x2", "chainId": "0x1", "nonce": "0x7", "gas": "0x5208", "value": hex(value),
        "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
        "to": "0x3535353535353535353535353535353535353535",
    }  # fmt: skip
    return "transactions.sign", {"wallet_id": wallet, "network": "ethereum", "unsigned_tx": transaction}


class Client:
    """Calls over REST or gRPC, each time with a new idempotency key."""

    def __init__(self, face: Face, key: str) -> None:
        self._face = face
        self._key = key
        self.answered: list[tuple[str, Call, Outcome]] = []

    async def make(self, operation: str, command: dict[str, Any]) -> Any:
        key = f"{self._face.name}-{len(self.answered)}"
        outcome = await self.ask(operation, command, key)
        assert outcome.code == "ok", outcome
        self.answered.append((key, (operation, command), outcome))
        return outcome.result

    async def ask(self, operation: str, command: dict[str, Any], key: str | None = None) -> Outcome:
        return await self._face.call(operation, command, key=self._key, idempotency_key=key)


async def before(client: Client) -> str:
    """Makes one of everything that is stored, and returns the wallet."""
    wallet = str((await client.make("wallets.create", {"label": "till", "networks": ["ethereum"]}))["id"])
    await client.make("addresses.next", {"wallet_id": wallet, "network": "ethereum", "label": "first"})
    await client.make(*transfer(wallet, 1))
    await client.make(
        "messages.sign",
        {"wallet_id": wallet, "network": "ethereum", "format": "eip191", "message": "hello", "encoding": "text"},
    )
    await client.make("wallets.update", {"wallet_id": wallet, "label": "renamed"})
    return wallet


async def after(old: Client, client: Client, wallet: str) -> None:
    for key, call, answer in old.answered:
        replayed = await client.ask(*call, key)
        assert replayed.raw == answer.raw, call[0]

    made = {name: answer.result for _, (name, _), answer in old.answered}
    assert (await client.ask("wallets.get", {"wallet_id": wallet})).result["label"] == "renamed"
    listed = (await client.ask("addresses.list", {"wallet_id": wallet, "network": "ethereum"})).result["addresses"]
    assert made["addresses.next"] in listed
    assert made["wallets.create"]["addresses"][0]["address"] in {each["address"] for each in listed}

    assert (await client.ask(*transfer(wallet, 2))).code == "already_signed"
    again = await client.ask(*transfer(wallet, 1))
    assert again.result["signed_tx"] == made["transactions.sign"]["signed_tx"]
    following = await client.ask("addresses.next", {"wallet_id": wallet, "network": "ethereum"})
    assert following.result["index"] == made["addresses.next"]["index"] + 1


async def test_what_was_made_before_a_restart_holds_after_it(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
            grpc.aio.insecure_channel(server.target) as channel,
        ):
            old = [Client(face, server.api_key) for face in (HttpFace(http), GrpcFace(channel))]
            wallets = [await before(client) for client in old]
        assert server.stop() == 0
        server.start()
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http,
            grpc.aio.insecure_channel(server.target) as channel,
        ):
            new = [Client(face, server.api_key) for face in (HttpFace(http), GrpcFace(channel))]
            for one, other, wallet in zip(old, new, wallets, strict=True):
                await after(one, other, wallet)


def test_api_keys_hold_and_stay_revoked(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        with server.client() as client:
            body = {"name": "till", "scopes": ["wallets:read"]}
            kept, revoked = (client.post("/api-keys", json=body).json() for _ in range(2))
            assert client.post(f"/api-keys/{revoked['id']}/revoke", json={}).is_success
        server.stop()
        server.start()
        with server.client() as client:
            for made, status in ((kept, 200), (revoked, 401)):
                answer = client.get("/wallets", headers={"X-API-Key": made["api_key"]})
                assert answer.status_code == status
