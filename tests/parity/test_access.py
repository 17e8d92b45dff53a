"""Every operation against every caller that must not use it, over REST and gRPC."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from strongroom.domain.ids import new_id
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import MISSING, MNEMONIC, NEEDS, STORY, filled
from tests.support.service import ALL_SCOPES, OTHER_TENANT, NewService, RunningService, unwraps

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


class _Anything(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return MISSING


def command_of(operation: str) -> Mapping[str, Any]:
    """A command that would succeed from another caller."""
    if operation == "api_keys.create":
        return {"name": "own", "scopes": ["admin"]}  # nobody gives away more than they hold
    step = next(step for step in STORY if (step.operation, step.code) == (operation, "ok"))
    found: dict[str, Any] = filled(step.command, _Anything())
    return {name: value for name, value in found.items() if name != "backup"}  # this needs its own scope


def another_secret(key: str) -> str:
    """A key of the right form with the right id, of which only the secret is wrong."""
    _, id_text, secret, _ = key.split("_")
    body = f"sr_{id_text}_{secret[::-1]}"
    return f"{body}_{binascii.crc32(body.encode()):08x}"


@pytest.fixture
async def strangers(service: RunningService) -> dict[str, str | None]:
    unknown = another_secret(service.key).replace(service.key.split("_")[1], new_id().hex)
    body, _, _ = unknown.rpartition("_")
    return {
        "no key": None,
        "no key at all": "",
        "garbage": "sr_garbage",
        "another form": "Bearer 1234",
        "mistyped": service.key[:-1] + ("0" if service.key[-1] != "0" else "1"),
        "wrong secret": another_secret(service.key),
        "no such id": another_secret(f"{body}_"),
        "revoked": await service.new_key(revoked_at=YESTERDAY),
        "expired": await service.new_key(expires_at=YESTERDAY),
        "a token, of nobody": "e30.e30.e30",
    }


async def test_who_is_not_known_gets_nowhere(service: RunningService, strangers: dict[str, str | None]) -> None:
    opened = unwraps()
    for operation in OPERATIONS:
        answers = {
            (face.name, who): await face.call(operation.name, command_of(operation.name), key=key)
            for face in service.faces
            for who, key in strangers.items()
        }
        assert {answer.code for answer in answers.values()} == {"unauthenticated"}, (operation.name, answers)
        first, *rest = [answer.shared for answer in answers.values()]
        assert all(answer == first for answer in rest), "they must not learn why"
        assert len({answer.raw for (face, _), answer in answers.items() if face == "http"}) == 1
    assert unwraps() == opened
    assert {each["outcome"] for each in await service.audit()} == {"denied"}, "of those whose key was good once"


async def test_who_lacks_the_scope_gets_nowhere_and_is_audited(service: RunningService) -> None:
    opened = unwraps()
    for operation in OPERATIONS:
        key = await service.new_key(ALL_SCOPES - {operation.scope})
        by_http, by_grpc = [
            await face.call(operation.name, command_of(operation.name), key=key, request_id=f"{face.name}-denied")
            for face in service.faces
        ]
        assert by_http.shared == by_grpc.shared
        assert by_http.code == "forbidden", operation.name
        records = await service.audit(operation=operation.name)
        told = [(record["outcome"], record["request_id"], record["details"]) for record in records]
        assert told == [("denied", f"{face.name}-denied", {"reason": operation.scope}) for face in service.faces]
    assert unwraps() == opened
    assert (await service.http.call("wallets.list", {}, key=service.key)).result == {}


@pytest.mark.parametrize("scope", sorted({operation.scope for operation in OPERATIONS}))
async def test_one_scope_opens_its_own_operations_alone(service: RunningService, scope: str) -> None:
    key = await service.new_key({scope})
    for operation in OPERATIONS:
        for face in service.faces:
            answer = await face.call(operation.name, command_of(operation.name), key=key)
            assert (answer.code == "forbidden") == (operation.scope != scope), operation.name


async def test_wallet_of_another_is_as_good_as_none(service: RunningService) -> None:
    theirs = await service.new_key(tenant=OTHER_TENANT)
    made = await service.http.call(
        "wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}, key=theirs
    )
    foreign, address = made.result["id"], made.result["addresses"][0]["address"]
    opened = unwraps()
    for name, rest in NEEDS.items():
        for face in service.faces:
            answers = [
                await face.call(name, {"wallet_id": wallet_id, **rest}, key=service.key)
                for wallet_id in (foreign, MISSING)
            ]
            assert answers[0].code == "not_found", name
            assert answers[0].raw == answers[1].raw, name
    assert unwraps() == opened

    for face in service.faces:
        find = {"network": "ethereum", "address": address}
        assert (await face.call("addresses.find", find, key=service.key)).code == "not_found"
        assert (await face.call("addresses.find", find, key=theirs)).code == "ok"
        for name in ("wallets.list", "audit.list"):
            assert (await face.call(name, {}, key=service.key)).result == {}
            assert foreign in str((await face.call(name, {}, key=theirs)).result)
        keys = (await face.call("api_keys.list", {}, key=service.key)).result["api_keys"]
        assert UUID(theirs.split("_")[1]) not in {UUID(key["id"]) for key in keys}


async def test_revocation_reaches_a_process_that_remembers_the_key(new_service: NewService) -> None:
    async with new_service(API_KEYS__CACHE_TTL="0.2") as service:
        key = await service.new_key()
        for face in service.faces:
            assert (await face.call("networks.list", {}, key=key)).code == "ok"
        await service.revoke(key)
        await asyncio.sleep(0.25)
        for face in service.faces:
            assert (await face.call("networks.list", {}, key=key)).code == "unauthenticated"


async def test_revocation_by_this_process_holds_at_once(service: RunningService) -> None:
    key = await service.new_key()
    assert (await service.grpc.call("networks.list", {}, key=key)).code == "ok"
    revoked = await service.http.call("api_keys.revoke", {"key_id": str(UUID(key.split("_")[1]))}, key=service.key)
    assert revoked.code == "ok"
    for face in service.faces:
        assert (await face.call("networks.list", {}, key=key)).code == "unauthenticated"


async def test_rights_come_before_the_body(service: RunningService) -> None:
    """A caller without the right does not learn what else is wrong with the request."""
    key = await service.new_key({"networks:read"})
    bad = {"wallet_id": "not an id", "network": "", "unsigned_tx": "?"}
    for face in service.faces:
        assert (await face.call("transactions.sign", bad, key=key)).code == "forbidden"
        assert (await face.call("transactions.sign", bad, key=None)).code == "unauthenticated"
