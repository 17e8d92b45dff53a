"""The rules of alerts, provoked for real: each alert arrives once, and so does its end.

Each service here is one process on SQLite. `test_alerts_of_outages` has the others.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from strongroom.storage.base import Unit, Wake
from tests.parity.story import transfer
from tests.support.alerting import HOSTILE, INVALID_KEY, Place, new_wallet, rules
from tests.support.authority import Authority
from tests.support.fake_chats import SLACK_URL, TELEGRAM_URL, Answer, telegram_limit
from tests.support.fake_reader import FakeReader
from tests.support.liar import Liar, lying_http
from tests.support.server import Server
from tests.support.service import OTHER_TENANT, TENANT, Face, RunningService, key_id

OTHER_CHAINS = ("bitcoin", "tron", "solana", "ton")


async def execute(place: Place, statement: str) -> None:
    """As somebody with access to the database file would do it."""
    import sqlite3

    def run() -> None:
        connection = sqlite3.connect(place.data / "strongroom.db", timeout=60)
        with connection:
            connection.execute(statement)
        connection.close()

    await asyncio.to_thread(run)


@pytest.mark.provokes("integrity")
async def test_an_edited_row(place: Place) -> None:
    async with place.running() as service:
        wallet_id = await new_wallet(service)
        await execute(place, "UPDATE wallets SET label = 'ours'")
        read = await service.http.call("wallets.get", {"wallet_id": wallet_id}, key=service.key)
        assert read.code in ("internal_error", "integrity_violation")
        fired = await place.comes_and_goes("integrity")
        assert fired.payload["subject"] == "wallet"
        assert fired.payload["severity"] == "critical"


@pytest.mark.provokes("fee_cap")
async def test_a_limit_and_a_hostile_label(place: Place) -> None:
    urls = f"{place.chats.webhook_url} {SLACK_URL} {TELEGRAM_URL}"
    async with place.running(ALERTS__URLS=urls) as service:
        wallet_id = await new_wallet(service, label=HOSTILE)
        for _ in range(3):
            signed = await service.http.call(
                "transactions.sign",
                {"wallet_id": wallet_id, "network": "ethereum", "unsigned_tx": transfer(maxFeePerGas=hex(10**15))},
                key=service.key,
            )
            assert signed.code == "limit_exceeded"
        for channel in ("webhook", "slack", "telegram"):
            fired = await place.arrives("fee_cap", "FIRING", channel)
            assert fired.reaches == ()
            assert "Vault is fine" in fired.text
            await place.arrives("fee_cap", "RECOVERED", channel)
            assert [each.state for each in place.chats.of("fee_cap", channel=channel)] == ["FIRING", "RECOVERED"]
        assert place.chats.of("fee_cap", channel="webhook")[0].payload["fact_label"] == HOSTILE


@pytest.mark.provokes("denials")
async def test_a_burst_of_denials(place: Place) -> None:
    async with place.running() as service:
        key = await service.new_key({"networks:read"})
        for _ in range(25):
            assert (await service.grpc.call("wallets.list", {}, key=key)).code == "forbidden"
        fired = await place.comes_and_goes("denials")
        assert fired.payload["subject"] == str(key_id(key))
        assert fired.payload["fact_operation"] == "wallets.list"


@pytest.mark.provokes("failed_logins")
async def test_keys_that_are_not_valid(place: Place) -> None:
    async with place.running(RATES__FAILED_AUTHENTICATION="2/minute") as service:
        for _ in range(4):
            await service.http.call("wallets.list", {}, key=INVALID_KEY)
        await place.comes_and_goes("failed_logins")


@pytest.mark.provokes("anchor")
async def test_heads_that_cannot_be_kept(place: Place) -> None:
    heads = place.data / "audit-heads.jsonl"
    async with place.running() as service:
        kept = heads.rename(heads.with_name("kept"))
        heads.mkdir()

        async def mend() -> None:
            heads.rmdir()
            kept.rename(heads)

        await service.http.call("wallets.create", {}, key=service.key)
        await place.comes_and_goes("anchor", mend)


@pytest.mark.provokes("audit")
async def test_what_verification_finds(place: Place) -> None:
    async with place.running() as service:
        await new_wallet(service)
        await execute(place, "UPDATE wallets SET label = 'ours'")
        await service.http.call("tasks.retry", {"kind": "verify", "key": "state"}, key=service.key)
        fired = await place.arrives("audit", "FIRING")
        assert fired.payload["subject"] == "verify/state"
        await execute(place, "UPDATE wallets SET label = NULL")
        async with asyncio.timeout(240):
            while not place.chats.of("audit", "RECOVERED"):
                await service.http.call("tasks.retry", {"kind": "verify", "key": "state"}, key=service.key)
                await asyncio.sleep(1)


@pytest.mark.provokes("restored")
async def test_a_restored_database(place: Place) -> None:
    async with place.running() as service:
        await new_wallet(service)
    kept = place.data.with_name("kept.db")
    shutil.copy(place.data / "strongroom.db", kept)
    async with place.running() as service:
        await new_wallet(service)
        await asyncio.sleep(0.5)
    for left in place.data.glob("strongroom.db*"):
        left.unlink()
    shutil.copy(kept, place.data / "strongroom.db")
    async with place.running():
        fired = await place.arrives("restored", "FIRING")
        assert fired.payload["severity"] == "critical"
        reconciled = [word for chain in ("evm", *OTHER_CHAINS) for word in ("--reconciled", chain)]
        accepting = ["restore", "accept", "--after", "a test", *reconciled]
        accepted = await asyncio.to_thread(Server(place.data).command, *accepting)
        assert accepted.returncode == 0, accepted.stderr
        await place.arrives("restored", "RECOVERED")


@pytest.mark.needs("anvil")
@pytest.mark.provokes("foreign_chain")
async def test_a_source_of_another_chain(place: Place) -> None:
    from tests.support import anvil

    with anvil.Anvil(31_337) as node:
        place.toml = f'[[sources]]\nnetwork = "ethereum"\nname = "ours"\nkind = "evm"\nurl = "{node.url}"\n' + rules()
        async with place.running() as service:
            read = await service.http.call("networks.head", {"network": "ethereum"}, key=service.key)
            assert read.code == "node_unavailable"
            fired = await place.comes_and_goes("foreign_chain")
            assert fired.payload["subject"] == "ethereum/ours"


async def _ahead(_: str, __: str, body: bytes) -> tuple[int, bytes]:
    """An Ethereum node whose newest block is from the future."""
    asked = json.loads(body)
    block = {"number": "0x64", "hash": "0x" + "ab" * 32, "parentHash": "0x" + "cd" * 32, "timestamp": "0xf0000000",
             "baseFeePerGas": "0x1", "transactions": []}  # fmt: skip
    said = {"eth_chainId": "0x1", "eth_blockNumber": "0x64", "eth_getBlockByNumber": block, "eth_syncing": False}

    def answer(one: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": one["id"], "result": said.get(one["method"], "0x0")}

    return 200, json.dumps([answer(one) for one in asked] if isinstance(asked, list) else answer(asked)).encode()


@pytest.mark.provokes("lying_node")
async def test_a_source_that_lies(place: Place) -> None:
    liar: Liar
    async with lying_http(_ahead) as liar:
        place.toml = f'[[sources]]\nnetwork = "ethereum"\nname = "ours"\nkind = "evm"\nurl = "{liar.url}"\n' + rules()
        async with place.running() as service:
            await service.http.call("networks.head", {"network": "ethereum"}, key=service.key)
            fired = await place.comes_and_goes("lying_node")
            assert fired.payload["fact_cause"] == "future"


@pytest.mark.provokes("balance")
async def test_a_wallet_that_runs_out_of_coins(place: Place) -> None:
    async with place.running() as service:
        wallet_id = await new_wallet(service, label=HOSTILE)
    place.toml = rules() + (
        f'\n[[alert_balances]]\ntenant = "{TENANT}"\nwallet = "{wallet_id}"\nnetwork = "ethereum"\nleast = "1000"\n'
    )
    async with place.running(CACHE__BALANCE="0", CACHE__STALE="0") as service:
        reader = FakeReader()
        service.readers["eip155:1"] = reader
        fired = await place.arrives("balance", "FIRING")
        assert {name: fired.payload[f"fact_{name}"] for name in ("holds", "least", "coin", "label")} == {
            "holds": "0", "least": "1000", "coin": "ETH", "label": HOSTILE
        }  # fmt: skip
        listed = await service.http.call("addresses.list", {"wallet_id": wallet_id}, key=service.key)
        for address in listed.result["addresses"]:
            reader.held[address["address"], "eip155:1/slip44:60"] = 1000
        await place.arrives("balance", "RECOVERED")
        assert [each.state for each in place.chats.of("balance")] == ["FIRING", "RECOVERED"]


@pytest.mark.provokes("queue")
async def test_work_that_nobody_does(place: Place) -> None:
    place.toml = rules(clear=60)
    async with place.running(TASKS__ROLE="none", ALERTS__QUEUE_AGE="1") as service:
        await service.admin.committer.commit(Unit(wakes=[Wake("purge", "nothing", after=timedelta(minutes=-1))]))
        async with asyncio.timeout(240):
            while not [row for row in await _sightings(service) if row == "queue"]:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)
        assert place.chats.received == []
    place.toml = rules(clear=10)
    async with place.running():
        fired = await place.arrives("queue", "FIRING")
        assert int(fired.payload["fact_seconds"]) >= 60
        await place.arrives("queue", "RECOVERED")


async def _sightings(service: RunningService) -> list[str]:
    return [each.rule for each in (await service.admin.storage.scan("sightings", None, 100)).rows]  # type: ignore[union-attr]


async def give_up(place: Place) -> None:
    """A task that cannot be done, at its last attempt."""
    at = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp() * 1_000_000)
    await execute(
        place,
        "INSERT INTO tasks (kind, key, due_at, epoch, wanted, attempts, created_at) "
        f"VALUES ('notify', 'no id', {at}, 0, 1, 99, {at})",
    )


@pytest.mark.provokes("given_up")
async def test_work_that_is_given_up(place: Place) -> None:
    async with place.running():
        await give_up(place)
        fired = await place.comes_and_goes("given_up")
        assert fired.payload["subject"] == "notify"


@pytest.mark.provokes("expiry")
async def test_what_is_about_to_expire(place: Place, tmp_path: Path) -> None:
    soon, late = tmp_path / "soon.pem", tmp_path / "late.pem"
    soon.write_bytes(Authority("soon", days=3).certificate)
    late.write_bytes(Authority("late", days=300).certificate)
    source = '[[sources]]\nnetwork = "polygon"\nkind = "evm"\nurl = "https://127.0.0.1:1"\n'
    place.toml = rules(clear=10)
    for file in (soon, late):
        place.toml += f'\n{source}name = "{file.stem}"\nca_file = "{file}"\n'
    async with place.running() as service:
        key = await service.new_key({"wallets:read"}, expires_at=datetime.now(UTC) + timedelta(days=2))
        await service.new_key({"wallets:read"}, expires_at=datetime.now(UTC) + timedelta(days=200))
        async with asyncio.timeout(240):
            while len(place.chats.of("expiry")) < 2:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)
        subjects = {each.payload["subject"] for each in place.chats.of("expiry")}
        assert subjects == {"sources.soon.ca_file", f"api-key/{key_id(key)}"}
        soon.write_bytes(late.read_bytes())
        await service.revoke(key)
        async with asyncio.timeout(240):
            while len(place.chats.of("expiry", "RECOVERED")) < 2:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)


async def test_the_heartbeat_stops_with_the_service(place: Place) -> None:
    url = place.chats.heartbeat_url
    async with place.running(ALERTS__HEARTBEAT_URL=url, ALERTS__HEARTBEAT_INTERVAL="0.1"):
        async with asyncio.timeout(240):
            while len(place.chats.beats) < 5:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.02)
    last = len(place.chats.beats)
    await asyncio.sleep(1)
    assert len(place.chats.beats) == last


async def test_a_channel_that_fails_for_a_while(place: Place) -> None:
    """429 with retry_after, 5xx, and then it takes the message, once. Another channel does not wait for it."""
    place.chats.next["telegram"] = [Answer(502, ""), telegram_limit(3), Answer(500, "")]
    async with place.running(ALERTS__URLS=f"{TELEGRAM_URL} {place.chats.webhook_url}") as service:
        told = await service.http.call("alerts.test", {"severity": "critical"}, key=service.key)
        assert [each["channel"] for each in told.result["notifications"]] == ["telegram", "webhook"]
        await place.arrives("test", "TEST", "webhook")
        await place.arrives("test", "TEST", "telegram")
        times = [at for at, channel in place.chats.requests if channel == "telegram"]
        assert len(times) == 4
        assert times[2] - times[1] >= 3.0, "it was asked before its retry_after was over"
        assert len(place.chats.of("test")) == 2

        async def settled() -> list[str]:
            page = await service.grpc.call("alerts.notifications", {}, key=service.key)
            return [each["state"] for each in page.result["notifications"]]

        async with asyncio.timeout(240):
            while await settled() != ["sent", "sent"]:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)


async def test_a_message_that_is_refused_for_good(place: Place) -> None:
    place.chats.next["webhook"] = [Answer(400, "")]
    async with place.running() as service:
        await service.http.call("alerts.test", {}, key=service.key)
        async with asyncio.timeout(240):
            while True:
                page = await service.http.call("alerts.notifications", {}, key=service.key)
                [row] = page.result["notifications"]
                if row["state"] != "waiting":
                    break
                await asyncio.sleep(0.05)
        assert (row["state"], row.get("error")) == ("failed", "http_400")
        assert len(place.chats.requests) == 1


async def test_the_end_is_told_after_the_beginning(place: Place) -> None:
    """Although the channel took the first message only after everything was over."""
    place.chats.next["webhook"] = [Answer(503, "", (("Retry-After", "8"),))]
    async with place.running(RATES__FAILED_AUTHENTICATION="2/minute") as service:
        for _ in range(4):
            await service.http.call("wallets.list", {}, key=INVALID_KEY)
        await place.arrives("failed_logins", "RECOVERED")
        assert [each.state for each in place.chats.of("failed_logins")] == ["FIRING", "RECOVERED"]


async def test_quiet_hours_hold_back_what_is_not_critical(place: Place) -> None:
    now = datetime.now(UTC)
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    async with place.running(ALERTS__QUIET_HOURS=hours) as service:
        await give_up(place)
        wallet_id = await new_wallet(service)
        await execute(place, "UPDATE wallets SET label = 'ours'")
        await service.http.call("wallets.get", {"wallet_id": wallet_id}, key=service.key)
        await place.arrives("integrity", "FIRING")
        async with asyncio.timeout(240):
            while "given_up" not in [row["rule"] for row in await _waiting(service)]:  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)
        assert place.chats.of("given_up") == []


async def _waiting(service: RunningService) -> list[dict[str, Any]]:
    page = await service.http.call("alerts.notifications", {}, key=service.key)
    return [each for each in page.result["notifications"] if each["state"] == "waiting"]


async def test_a_silenced_alert_is_listed_and_not_told(place: Place) -> None:
    async with place.running() as service:
        command = {"rule": "given_up", "subject": "notify", "seconds": 600}
        assert (await service.http.call("alerts.silence", command, key=service.key)).code == "ok"
        silenced = await place.arrives("given_up", "SILENCED")
        assert silenced.payload["fact_by"] == "test"
        await give_up(place)
        async with asyncio.timeout(240):
            while True:
                page = await service.http.call("alerts.list", {"state": "firing"}, key=service.key)
                if page.result.get("alerts"):
                    break
                await asyncio.sleep(0.05)
        [shown] = page.result["alerts"]
        assert shown["silenced_until"] is not None
        assert shown.get("told_at") is None
        assert await service.audit(operation="alerts.silence")
        async with asyncio.timeout(240):
            while not await _listed(service, "ended"):  # noqa: ASYNC110 - of other threads and tasks
                await asyncio.sleep(0.05)
        assert [each.state for each in place.chats.of("given_up")] == ["SILENCED"]


async def _listed(service: RunningService, state: str) -> list[dict[str, Any]]:
    page = await service.http.call("alerts.list", {"state": state}, key=service.key)
    found: list[dict[str, Any]] = page.result.get("alerts", [])
    return found


async def test_a_forged_silence_silences_nothing(place: Place) -> None:
    async with place.running() as service:
        command = {"rule": "given_up", "seconds": 0}
        assert (await service.http.call("alerts.silence", command, key=service.key)).code == "ok"
        await execute(place, "UPDATE silences SET until = until + 86400000000")
        await give_up(place)
        await place.arrives("given_up", "FIRING")
        assert (await place.arrives("integrity", "FIRING")).payload["subject"] == "silence"


async def test_alerts_of_a_tenant_go_to_its_own_channel(place: Place) -> None:
    """Alerts of one tenant are not sent to another, and alerts of the service to neither."""
    place.toml = rules() + (
        f'\n[[alert_channels]]\nname = "theirs"\nurl = "{TELEGRAM_URL}"\ntenant = "{OTHER_TENANT}"\n'
    )
    async with place.running() as service:
        key = await service.new_key({"networks:read"}, tenant=OTHER_TENANT)
        for _ in range(10):
            await service.http.call("wallets.list", {}, key=key)
        await give_up(place)
        await place.arrives("denials", "FIRING", "telegram")
        await place.arrives("given_up", "FIRING", "webhook")
        assert {each.channel for each in place.chats.of("denials")} == {"telegram"}
        assert {each.channel for each in place.chats.of("given_up")} == {"webhook"}
        ours = await service.http.call("alerts.list", {}, key=service.key)
        assert "denials" not in [each["rule"] for each in ours.result.get("alerts", [])]
        other = await service.new_key(tenant=OTHER_TENANT)
        for face in service.faces:
            assert not [row for row in await _sent(face, service.key) if row["channel"] == "theirs"]
            assert "denials" in {row["rule"] for row in await _sent(face, other) if row["channel"] == "theirs"}
            refused = await face.call("alerts.test", {"channel": "theirs"}, key=service.key)
            assert refused.code == "not_found", "nor does it learn that there is such a channel"
        theirs = await service.http.call("alerts.list", {}, key=other)
        assert "denials" in [each["rule"] for each in theirs.result.get("alerts", [])]


async def _sent(face: Face, key: str) -> list[dict[str, Any]]:
    page = await face.call("alerts.notifications", {}, key=key)
    found: list[dict[str, Any]] = page.result.get("notifications", [])
    return found


async def test_a_tenant_does_not_silence_another_one_s(place: Place) -> None:
    async with place.running() as service:
        other = await service.new_key(tenant=OTHER_TENANT)
        silenced = await service.http.call("alerts.silence", {"rule": "denials", "seconds": 600}, key=other)
        assert silenced.code == "ok"
        key = await service.new_key({"networks:read"})
        for _ in range(10):
            await service.http.call("wallets.list", {}, key=key)
        await place.arrives("denials", "FIRING")


async def test_a_key_that_sees_a_part_sees_no_alerts(place: Place) -> None:
    """They are about the whole tenant. The response is the same whether there is one or not."""
    async with place.running() as service:
        wallet_id = await new_wallet(service)
        command = {"name": "part", "scopes": ["admin", "wallets:read"], "restriction": {"wallets": [wallet_id]}}
        made = await service.http.call("api_keys.create", command, key=service.key)
        part = made.result["api_key"]

        async def answers() -> list[tuple[Any, ...]]:
            commands: dict[str, dict[str, Any]] = {
                "alerts.list": {}, "alerts.notifications": {}, "alerts.test": {},
                "alerts.silence": {"rule": "given_up", "subject": "notify", "seconds": 60},
            }  # fmt: skip
            return [
                (await face.call(name, command, key=part)).shared
                for name, command in commands.items()
                for face in service.faces
            ]

        before = await answers()
        assert {code for code, *_ in before} == {"forbidden"}
        await give_up(place)
        await place.arrives("given_up", "FIRING")
        assert await answers() == before
        await place.arrives("given_up", "RECOVERED")
        assert place.chats.of("given_up", "SILENCED") == place.chats.of("test") == []


async def test_only_the_operator_silences_what_is_the_service_s_own(place: Place) -> None:
    async with place.running(ALERTS__OPERATOR=str(TENANT)) as service:
        await give_up(place)
        await place.arrives("given_up", "FIRING")
        other = await service.new_key(tenant=OTHER_TENANT)
        command = {"rule": "given_up", "subject": "notify", "seconds": 60}
        assert (await service.http.call("alerts.silence", command, key=other)).code == "forbidden"
        assert (await service.grpc.call("alerts.silence", command, key=service.key)).code == "ok"


async def test_only_the_operator_sees_what_the_service_s_own_alerts_are_about(place: Place) -> None:
    """It can be a row of one tenant."""
    async with place.running(ALERTS__OPERATOR=str(TENANT)) as service:
        await give_up(place)
        await place.arrives("given_up", "FIRING")
        other = await service.new_key(tenant=OTHER_TENANT)
        for face in service.faces:
            for key, sees in ((service.key, True), (other, False)):
                (alert,) = (await face.call("alerts.list", {}, key=key)).result["alerts"]
                assert (alert["rule"], alert["of_service"], "key" in alert.get("facts", {})) == ("given_up", True, sees)
