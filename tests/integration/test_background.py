"""Background tasks in the assembled service: schedules, roles, and a repeated denial."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from strongroom.domain.task import Progress
from strongroom.storage.base import Unit, Wake
from strongroom.telemetry.metrics import JOB_AGE_SECONDS, TASK_OLDEST_DUE_SECONDS
from tests.parity.story import plant_task
from tests.support.service import TENANT, NewService, RunningService

QUICK = {"TASKS__POLL": "0.05", "TASKS__METRICS_INTERVAL": "0.05"}


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(300):
        while not (found := await holds()):  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.02)
    return found


def finished(service: RunningService, name: str) -> Callable[[], Awaitable[Progress | None]]:
    async def look() -> Progress | None:
        found = await service.admin.storage.progress(name)
        return found[0] if found and found[0].finished_at is not None else None

    return look


def task(service: RunningService, kind: str, key: str) -> Callable[[], Awaitable[Any]]:
    async def look() -> Any:
        return await service.admin.storage.task(kind, key)

    return look


async def test_jobs_are_there_from_the_start_and_run_when_they_are_told_to(new_service: NewService) -> None:
    async with new_service(**QUICK) as service:
        for _ in range(30):
            await service.http.call("wallets.create", {}, key=service.key)
        for kind, key in (("verify", "audit"), ("verify", "state"), ("purge", "operations"), ("purge", "tasks"),
                          ("purge", "broadcasts"), ("purge", "alerts"), ("watch", "keys")):  # fmt: skip
            planned = await until(task(service, kind, key))
            assert planned.due_at > datetime.now(UTC)
        listed = await service.http.call("tasks.list", {}, key=service.key)
        assert [(each["kind"], each["key"], each["of_service"]) for each in listed.result["tasks"]] == [
            ("purge", "alerts", True), ("purge", "broadcasts", True), ("purge", "operations", True),
            ("purge", "tasks", True), ("verify", "audit", True), ("verify", "state", True),
            ("watch", "api_keys", True), ("watch", "balances", True), ("watch", "certificates", True),
            ("watch", "keys", True),
        ]  # fmt: skip
        for kind, key in (("verify", "audit"), ("verify", "state"), ("purge", "operations")):
            told = await service.http.call("tasks.retry", {"kind": kind, "key": key}, key=service.key)
            assert told.result["state"] in ("due", "running")
        verified = await until(finished(service, "verify/audit"))
        assert (verified.checked > 60, verified.findings) == (True, 0)
        held = await until(finished(service, "verify/state"))
        assert (held.checked > 30, held.findings) == (True, 0)
        await until(finished(service, "purge/operations"))

        async def again() -> bool:
            found = await service.admin.storage.task("verify", "audit")
            if found is None or found.due_at is None:
                return False
            return found.lease_until is None and found.due_at > datetime.now(UTC)

        await until(again)

        async def observed() -> bool:
            samples = [sample for family in JOB_AGE_SECONDS.collect() for sample in family.samples]
            return any(sample.labels == {"job": "verify/audit"} for sample in samples)

        await until(observed)


async def test_pages_of_tasks_are_told_apart_by_keys_of_any_form(new_service: NewService) -> None:
    async with new_service(TASKS__ROLE="none") as service:
        keys = ["a,b", "a/b c", "a%2Cb", "ß", "zz"]
        await service.admin.committer.commit(Unit(wakes=[Wake("toy", key, TENANT) for key in keys]))
        for face in service.faces:
            seen: list[str] = []
            cursor: dict[str, str] = {}
            while True:
                page = await face.call("tasks.list", {"kind": "toy", "limit": 2, **cursor}, key=service.key)
                seen += [each["key"] for each in page.result["tasks"]]
                if page.result.get("next_cursor") is None:
                    break
                cursor = {"cursor": page.result["next_cursor"]}
            assert sorted(seen) == sorted(keys)


async def test_a_process_of_role_none_runs_nothing_and_tells_what_waits(new_service: NewService) -> None:
    async with new_service(TASKS__ROLE="none", **QUICK) as service:
        late = Wake("verify", "audit", after=timedelta(hours=-1))
        await service.admin.committer.commit(Unit(wakes=[late]))

        async def told() -> bool:
            return float(TASK_OLDEST_DUE_SECONDS.labels("verify")._value.get()) >= 3600

        await until(told)
        found = await service.admin.storage.task("verify", "audit")
        assert found is not None
        assert found.epoch == 0


async def test_a_process_of_role_only_runs_tasks_and_refuses_operations(new_service: NewService) -> None:
    async with new_service(TASKS__ROLE="only", **QUICK) as service:
        await service.admin.committer.commit(Unit(wakes=[Wake("verify", "audit")]))
        await until(finished(service, "verify/audit"))
        for face in service.faces:
            refused = await face.call("networks.list", {}, key=service.key)
            assert (refused.code, refused.retries) == ("background_only", True)


async def test_a_cancelled_task_can_be_woken_again(new_service: NewService) -> None:
    async with new_service() as service:
        await plant_task(service)
        cancelled = await service.http.call("tasks.cancel", {"kind": "toy", "key": "planted"}, key=service.key)
        assert (cancelled.result["state"], cancelled.result["last_error"]) == ("sleeping", "cancelled")
        woken = await service.grpc.call("tasks.retry", {"kind": "toy", "key": "planted"}, key=service.key)
        assert woken.result["state"] == "due"


async def test_many_denials_are_ten_records_and_one_count(new_service: NewService) -> None:
    async with new_service() as service:
        entries = service.pipeline._services.entries
        now = entries.clock()
        entries.clock = entries.denials._clock = lambda: now  # all in one minute, however long they take
        key = await service.new_key({"networks:read"})
        for _ in range(40):
            for face in service.faces:
                assert (await face.call("wallets.list", {}, key=key)).code == "forbidden"
        await entries.drain()
        records = await service.audit(outcome="denied")
        assert [record["details"].get("count", 1) for record in records] == [1] * 10 + [70]


async def test_what_is_kept_of_a_large_request_is_small(new_service: NewService) -> None:
    data = {
        "types": {"Mail": [{"name": "text", "type": "string"}]},
        "primaryType": "Mail",
        "domain": {"name": "n" * 900},
        "message": {"text": "x" * 60_000},
    }
    async with new_service() as service:
        made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=service.key)
        command = {"wallet_id": made.result["id"], "network": "ethereum", "typed_data": data}
        for face in service.faces:
            await face.call("typed_data.sign", command, key=service.key)
        for record in await service.audit(operation="typed_data.sign"):
            assert len(json.dumps(record["details"], separators=(",", ":"))) <= 4096
