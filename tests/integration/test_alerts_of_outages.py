"""The rules of alerts that an outage outside provokes: PostgreSQL, OpenBao, a node. Two replicas share what fails.

Each alert arrives at Slack and at Telegram once, whatever the number of replicas.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from strongroom import bootstrap
from strongroom.domain.alert import RULES
from strongroom.keys.rewrap import rewrap
from strongroom.telemetry.metrics import CIRCUIT_STATE
from tests.support import openbao, postgres, stack
from tests.support.alerting import OTHERS, Place, new_wallet, rules
from tests.support.fake_chats import SLACK_URL, TELEGRAM_URL, Chats, Received
from tests.support.liar import lying_http
from tests.support.openbao import OpenBao
from tests.support.postgres import Postgres
from tests.support.proxy import proxy_to
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.support.service import RunningService, settings_for
from tests.support.waiting import until

CHANNELS = ("slack", "telegram")
REPLICAS = 2


@pytest.fixture
def bao() -> Iterator[OpenBao]:
    """One that may be sealed."""
    with openbao.running() as server:
        yield server


@pytest.fixture
def database() -> Iterator[Postgres]:
    """One that may be stopped."""
    with postgres.running() as server:
        yield server


async def told(place: Place, rule: str, state: str) -> None:
    for channel in CHANNELS:
        await place.arrives(rule, state, channel)


async def comes_and_goes(place: Place, rule: str, mend: Callable[[], Awaitable[object]]) -> None:
    await told(place, rule, "FIRING")
    await mend()
    await told(place, rule, "RECOVERED")


def alone(folder: Path, chats: Chats, rule: str) -> Place:
    """Only this rule is looked at. What else fails with it is not tested here."""
    place = Place(folder, chats)
    place.toml = rules(off=OTHERS - {rule})
    place.settings["ALERTS__URLS"] = f"{SLACK_URL} {TELEGRAM_URL}"
    return place


@asynccontextmanager
async def replicas(place: Place, settings: dict[str, str]) -> AsyncIterator[list[RunningService]]:
    async with AsyncExitStack() as running:
        yield [await running.enter_async_context(place.running(**settings)) for _ in range(REPLICAS)]


@asynccontextmanager
async def on_postgres(
    place: Place, server: Postgres, bao: OpenBao, redis: RedisServer
) -> AsyncIterator[list[RunningService]]:
    name = server.create_database(migrated=True)
    settings = {**stack.settings(server, name, bao), "REDIS__URL": redis.url, "DATABASE__TIMEOUT": "3"}
    async with replicas(place, settings) as made:
        yield made


def under(bao: OpenBao) -> dict[str, str]:
    """On SQLite, with its secrets under OpenBao."""
    token = bao.token(period="24h")
    return {"KEYWRAP__KIND": "vault", "VAULT__URL": bao.url, "VAULT__AUTH": "token", "VAULT__TOKEN": token}


@pytest.mark.needs("postgresql", "openbao", "redis")
@pytest.mark.provokes("database")
async def test_a_database_that_is_down(
    tmp_path: Path, chats: Chats, database: Postgres, openbao: OpenBao, patient_redis: RedisServer
) -> None:
    """Twice within the cool-down. The second time nobody is notified."""
    place = alone(tmp_path, chats, "database")
    async with on_postgres(place, database, openbao, patient_redis) as services:
        await asyncio.to_thread(database.stop)
        await comes_and_goes(place, "database", lambda: asyncio.to_thread(database.start))
        await asyncio.to_thread(database.stop)
        await until_health(services, "database", "error")
        await asyncio.to_thread(database.start)
        await until_health(services, "database", "ok")
        await asyncio.sleep(1)
        await new_wallet(services[0])


async def until_health(services: list[RunningService], component: str, status: str) -> None:
    async with asyncio.timeout(240):
        for service in services:
            while await _status(service, component) != status:  # noqa: ASYNC110 - of a task of the service
                await asyncio.sleep(0.1)


async def _status(service: RunningService, component: str) -> str:
    report = (await service.http.client.get("/health")).json()
    return str(report["components"][component]["status"])


@pytest.mark.needs("postgresql", "openbao", "redis")
@pytest.mark.provokes("database_read_only")
async def test_a_database_that_can_only_be_read(
    tmp_path: Path, chats: Chats, database: Postgres, openbao: OpenBao, patient_redis: RedisServer
) -> None:
    place = alone(tmp_path, chats, "database_read_only")

    async def read_only(setting: str) -> None:
        await asyncio.to_thread(database.run, f"ALTER SYSTEM SET default_transaction_read_only = {setting}")
        await asyncio.to_thread(database.run, "SELECT pg_reload_conf()")

    async with on_postgres(place, database, openbao, patient_redis) as services:
        wallet_id = await new_wallet(services[0])
        await read_only("on")
        await told(place, "database_read_only", "FIRING")
        made = await services[0].http.call("wallets.create", {}, key=services[0].key)
        assert made.code in ("storage_unavailable", "deadline_exceeded"), made
        read = await services[1].http.call("wallets.get", {"wallet_id": wallet_id}, key=services[0].key)
        assert read.code == "ok"
        await read_only("off")
        await told(place, "database_read_only", "RECOVERED")
        await new_wallet(services[0])


@pytest.mark.needs("postgresql", "openbao", "redis")
@pytest.mark.provokes("database")
async def test_a_hot_standby_in_the_place_of_the_database(
    tmp_path: Path, chats: Chats, database: Postgres, openbao: OpenBao, patient_redis: RedisServer
) -> None:
    """The primary is lost and its address moves before the standby is promoted. A standby is not even read from."""
    place = alone(tmp_path, chats, "database")
    standby = Postgres(database.programs, port=database.port)
    async with on_postgres(place, database, openbao, patient_redis) as services:
        wallet_id = await new_wallet(services[0])
        await asyncio.to_thread(standby.become_standby_of, database)
        await asyncio.to_thread(database.stop)
        await asyncio.to_thread(standby.start)
        try:
            assert await asyncio.to_thread(standby.run, "SELECT pg_is_in_recovery()") == [(True,)]
            await told(place, "database", "FIRING")
            read = await services[1].http.call("wallets.get", {"wallet_id": wallet_id}, key=services[0].key)
            assert read.code in ("storage_unavailable", "deadline_exceeded")
            await asyncio.to_thread(standby.run, "SELECT pg_promote()")
            await told(place, "database", "RECOVERED")
            read = await services[1].http.call("wallets.get", {"wallet_id": wallet_id}, key=services[0].key)
            assert read.code == "ok"
            await new_wallet(services[0])
        finally:
            await asyncio.to_thread(standby.stop)
            shutil.rmtree(standby.folder, ignore_errors=True)


@pytest.mark.needs("openbao")
@pytest.mark.provokes("vault")
@pytest.mark.parametrize("how", ["sealed", "frozen", "gone"])
async def test_a_vault_that_cannot_be_used(tmp_path: Path, chats: Chats, bao: OpenBao, how: str) -> None:
    place = alone(tmp_path, chats, "vault")
    async with proxy_to(bao.port) as proxy:
        settings = under(bao) | {"VAULT__URL": f"http://127.0.0.1:{proxy.local_port}"}
        await bootstrap.prepare(settings_for(place.data, settings))
        async with place.running(**settings) as service:
            await new_wallet(service)
            if how == "sealed":
                await asyncio.to_thread(bao.seal)
                await comes_and_goes(place, "vault", lambda: asyncio.to_thread(bao.unseal))
                assert {each.subject.strip("“”") for each in chats.of("vault")} == {"sealed"}
            elif how == "frozen":
                bao.freeze()
                await told(place, "vault", "FIRING")
                bao.thaw()
                await told(place, "vault", "RECOVERED")
            else:
                port, proxy.port = proxy.port, 1
                proxy.reset()
                await told(place, "vault", "FIRING")
                proxy.port = port
                await told(place, "vault", "RECOVERED")
            await new_wallet(service)


@pytest.mark.needs("openbao")
@pytest.mark.provokes("key_version")
async def test_secrets_under_an_old_key(tmp_path: Path, chats: Chats, bao: OpenBao) -> None:
    place = alone(tmp_path, chats, "key_version")
    settings = under(bao)
    await bootstrap.prepare(settings_for(place.data, settings))
    async with place.running(**settings) as service:
        await new_wallet(service)
        await asyncio.to_thread(bao.ask, "POST", f"transit/keys/{openbao.KEY}/rotate")
        await told(place, "key_version", "FIRING")
        assert "secrets: “1”" in chats.of("key_version", channel="slack")[0].text.replace("\u2060", "")
        await rewrap(service.admin.storage, service.admin.keywrap, lambda _: None)
        await told(place, "key_version", "RECOVERED")


@pytest.mark.provokes("circuit")
async def test_a_node_that_fails_until_it_is_not_asked(tmp_path: Path, chats: Chats, prepared_data: Path) -> None:
    CIRCUIT_STATE.clear()  # of breakers left over from earlier tests of this process
    is_down = False

    async def node(_: str, __: str, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        if is_down:
            return 503, b""
        block = {"number": "0x64", "hash": "0x" + "ab" * 32, "parentHash": "0x" + "cd" * 32, "timestamp": "0x1",
                 "baseFeePerGas": "0x1", "transactions": []}  # fmt: skip
        known = {"eth_chainId": "0x1", "eth_blockNumber": "0x64", "eth_getBlockByNumber": block, "eth_syncing": False}

        def answer(one: dict[str, Any]) -> dict[str, Any]:
            return {"jsonrpc": "2.0", "id": one["id"], "result": known.get(one["method"], "0x0")}

        return 200, json.dumps([answer(one) for one in asked] if isinstance(asked, list) else answer(asked)).encode()

    async with lying_http(node) as server:
        place = Place.of(prepared_data, tmp_path, chats)
        place.settings["ALERTS__URLS"] = f"{SLACK_URL} {TELEGRAM_URL}"
        place.toml = f'[[sources]]\nnetwork = "ethereum"\nname = "ours"\nkind = "evm"\nurl = "{server.url}"\n' + rules(
            off=OTHERS - {"circuit"}
        )
        async with place.running(CACHE__HEAD="0", CACHE__STALE="0") as service:

            async def call_until(state: str) -> None:
                async with asyncio.timeout(240):
                    while any(not chats.of("circuit", state, channel) for channel in CHANNELS):
                        await service.http.call("networks.head", {"network": "ethereum"}, key=service.key)
                        await asyncio.sleep(0.05)

            assert (await service.http.call("networks.head", {"network": "ethereum"}, key=service.key)).code == "ok"
            is_down = True
            await call_until("FIRING")
            is_down = False
            await call_until("RECOVERED")
            assert all("rpc:ethereum:ours" in each.text.replace("\u2060", "") for each in chats.of("circuit"))


@pytest.mark.needs("openbao")
@pytest.mark.provokes("expiry")
async def test_a_token_that_is_about_to_end(tmp_path: Path, chats: Chats, bao: OpenBao) -> None:
    """One that nobody can renew, and then one that lives longer in its file."""
    place = alone(tmp_path, chats, "expiry")
    place.toml = rules(clear=10, off=RULES.keys() - {"expiry"})
    file = tmp_path / "token"
    file.write_text(bao.token(ttl="1h", renewable=False))
    settings = {**under(bao), "VAULT__TOKEN_FILE": str(file), "ALERTS__EXPIRY_DAYS": "1"}
    del settings["VAULT__TOKEN"]
    await bootstrap.prepare(settings_for(place.data, settings))
    async with place.running(**settings):
        await told(place, "expiry", "FIRING")
        assert all("vault.token" in _shown(each) for each in chats.of("expiry"))
    file.write_text(bao.token(ttl="700h", renewable=False))
    async with place.running(**settings):
        await told(place, "expiry", "RECOVERED")


def _shown(message: Received) -> str:
    return message.text.replace("\u2060", "")


@pytest.mark.needs("openbao")
async def test_the_cool_down_outlasts_a_restart(tmp_path: Path, chats: Chats, bao: OpenBao) -> None:
    place = alone(tmp_path, chats, "vault")
    settings = under(bao)
    await bootstrap.prepare(settings_for(place.data, settings))
    async with place.running(**settings) as service:
        await asyncio.to_thread(bao.seal)
        await comes_and_goes(place, "vault", lambda: asyncio.to_thread(bao.unseal))
    async with place.running(**settings) as service:
        await asyncio.to_thread(bao.seal)
        async with asyncio.timeout(240):
            while not await _firing(service):  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        await asyncio.to_thread(bao.unseal)
    for channel in CHANNELS:
        assert [each.state for each in chats.of("vault", channel=channel)] == ["FIRING", "RECOVERED"]


async def _firing(service: RunningService) -> list[Any]:
    page = await service.http.call("alerts.list", {"state": "firing"}, key=service.key)
    found: list[Any] = page.result.get("alerts", [])
    return found


def test_the_heartbeat_stops_when_the_process_is_killed(tmp_path: Path, chats: Chats) -> None:
    beats = chats.beats
    settings = {"ALERTS__HEARTBEAT_URL": chats.heartbeat_url, "ALERTS__HEARTBEAT_INTERVAL": "0.2", "TASKS__POLL": "0.1"}
    with Server(tmp_path / "data", settings) as server:
        until(lambda: len(beats) >= 5)
        server.kill()
        last = len(beats)
        time.sleep(3)
        assert len(beats) <= last + 1, "one was on its way"
        server.start()
        until(lambda: len(beats) >= last + 4)
