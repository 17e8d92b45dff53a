"""Two replicas on one PostgreSQL and one OpenBao. Whichever is asked, a thing is done once."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack

import grpc
import httpx
import pytest

from tests.parity.story import transfer
from tests.support.replicas import replicas
from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace, Outcome

pytestmark = pytest.mark.needs("postgresql", "openbao")

KEYS, CALLS_A_KEY = 20, 5
RIVALS = 1000
AT_ONCE = 100


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    off = {f"RATES__{name}": "off" for name in ("READ", "CREATE", "SIGN", "ADMIN")}
    with replicas(tmp_path_factory.mktemp("replicas"), **off) as servers:
        yield servers


@pytest.fixture
async def faces(servers: list[Server]) -> AsyncIterator[list[Face]]:
    async with AsyncExitStack() as stack:
        made: list[Face] = []
        for server in servers:
            client = httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False)
            made.append(HttpFace(await stack.enter_async_context(client)))
            made.append(GrpcFace(await stack.enter_async_context(grpc.aio.insecure_channel(server.target))))
        yield made


async def until_answered(face: Face, operation: str, command: dict[str, object], key: str, once: str | None) -> Outcome:
    """Asks again while the service asks for that. A busy machine may not read a row within `database.timeout`."""
    while True:
        answer = await face.call(operation, command, key=key, idempotency_key=once)
        if answer.code not in ("operation_in_flight", "storage_unavailable"):
            return answer
        await asyncio.sleep(0.05)


async def test_a_hundred_posts_on_twenty_keys_are_twenty_wallets(servers: list[Server], faces: list[Face]) -> None:
    key = servers[0].api_key

    async def send(n: int) -> tuple[int, Outcome]:
        once = n % KEYS
        command: dict[str, object] = {"label": f"wallet {once}"}
        return once, await until_answered(faces[n // KEYS % len(faces)], "wallets.create", command, key, f"key-{once}")

    results = defaultdict(set)
    for once, answer in await asyncio.gather(*(send(n) for n in range(KEYS * CALLS_A_KEY))):
        assert answer.code == "ok"
        results[once].add(answer.result["id"])
    assert [len(ids) for ids in results.values()] == [1] * KEYS
    made = Counter(wallet["label"] for wallet in await everything(faces[0], "wallets.list", "wallets", key))
    assert made == {f"wallet {once}": 1 for once in range(KEYS)}
    audit = await everything(faces[1], "audit.list", "records", key, {"operation": "wallets.create"})
    assert Counter(record["outcome"] for record in audit) == {"requested": KEYS, "succeeded": KEYS}


async def test_of_a_thousand_payloads_for_one_nonce_one_is_signed(servers: list[Server], faces: list[Face]) -> None:
    key = servers[0].api_key
    wallet = (await faces[0].call("wallets.create", {"networks": ["ethereum"]}, key=key)).result
    turns = asyncio.Semaphore(AT_ONCE)

    async def send(n: int) -> Outcome:
        command: dict[str, object] = {
            "wallet_id": wallet["id"], "network": "ethereum", "unsigned_tx": transfer(value=hex(n // 2)),
        }  # fmt: skip
        async with turns:
            return await until_answered(faces[n % len(faces)], "transactions.sign", command, key, None)

    answers = await asyncio.gather(*(send(n) for n in range(RIVALS)))
    assert {answer.code for answer in answers} == {"ok", "already_signed"}
    assert len({answer.result["signed_tx"] for answer in answers if answer.code == "ok"}) == 1


async def everything(
    face: Face, operation: str, name: str, key: str, where: Mapping[str, str] = {}
) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await face.call(operation, {"limit": 200, **where, **cursor}, key=key)).result
        found += page.get(name, [])
        if "next_cursor" not in page:
            return found
        cursor = {"cursor": page["next_cursor"]}
