"""No API key has more rights than the one that made it, and failures before authentication are limited."""

from __future__ import annotations

import binascii
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from strongroom.domain.ids import new_id
from tests.support.service import ALL_SCOPES, OTHER_TENANT, NewService, RunningService, key_id

TOMORROW = datetime.now(UTC) + timedelta(days=1)
FAR = datetime.now(UTC) + timedelta(days=365)


def unknown_key() -> str:
    body = f"sr_{new_id().hex}_{secrets.token_hex(32)}"
    return f"{body}_{binascii.crc32(body.encode()):08x}"


async def made(face: Any, key: str, **command: Any) -> Any:
    return await face.call("api_keys.create", {"name": "child", "scopes": ["admin"], **command}, key=key)


@pytest.mark.parametrize("face", [0, 1], ids=["http", "grpc"])
async def test_a_child_does_not_outlive_its_maker(service: RunningService, face: int) -> None:
    called = service.faces[face]
    maker = await service.new_key(expires_at=TOMORROW)
    refused = await made(called, maker, expires_at=FAR.isoformat() if face == 0 else FAR)
    assert refused.code == "forbidden"
    child = await made(called, maker)
    assert child.code == "ok"
    assert child.result["expires_at"] is not None
    shown = datetime.fromisoformat(child.result["expires_at"])
    assert abs((shown - TOMORROW).total_seconds()) < 1
    assert child.result["made_by"] == str(key_id(maker))


async def test_revoking_a_key_revokes_what_it_made(new_service: NewService) -> None:
    async with new_service(API_KEYS__CACHE_TTL="0") as service:
        maker = await service.new_key()
        child = (await made(service.http, maker, scopes=["admin", "networks:read"])).result
        grandchild = (await made(service.grpc, child["api_key"], scopes=["networks:read"])).result
        for key in (maker, child["api_key"], grandchild["api_key"]):
            assert (await service.http.call("networks.list", {}, key=key)).code == "ok"
        revoked = await service.http.call("api_keys.revoke", {"key_id": str(key_id(maker))}, key=service.key)
        assert revoked.code == "ok"
        for face in service.faces:
            for key in (maker, child["api_key"], grandchild["api_key"]):
                assert (await face.call("networks.list", {}, key=key)).code == "unauthenticated"
        listed = (await service.http.call("api_keys.list", {}, key=service.key)).result["api_keys"]
        states = {each["id"]: each.get("revoked_at") for each in listed}
        assert all(states[each] for each in (str(key_id(maker)), child["id"], grandchild["id"]))
        assert states[str(key_id(service.key))] is None


async def test_a_child_made_while_its_maker_was_revoked_elsewhere_is_refused(new_service: NewService) -> None:
    async with new_service(API_KEYS__CACHE_TTL="0") as service:
        maker = await service.new_key()
        child = (await made(service.http, maker)).result
        await service.revoke(maker)  # another process: the child's own row does not tell
        assert (await service.http.call("api_keys.list", {}, key=child["api_key"])).code == "unauthenticated"


async def test_a_narrow_admin_revokes_no_wider_key(service: RunningService) -> None:
    admin = await service.new_key({"admin", "networks:read", "audit:read"})
    wide = await service.new_key(ALL_SCOPES)
    same = await service.new_key({"networks:read"})
    for face in service.faces:
        assert (await face.call("api_keys.revoke", {"key_id": str(key_id(wide))}, key=admin)).code == "forbidden"
    assert (await service.http.call("networks.list", {}, key=wide)).code == "ok"
    assert (await service.http.call("api_keys.revoke", {"key_id": str(key_id(same))}, key=admin)).code == "ok"


async def test_generations_end(service: RunningService) -> None:
    key = service.key
    outcomes = []
    for _ in range(10):
        child = await made(service.http, key)
        outcomes.append(child.code)
        if child.code != "ok":
            break
        key = child.result["api_key"]
    assert outcomes[-1] == "forbidden"
    assert (await service.http.call("api_keys.list", {}, key=key)).code == "ok"


async def test_reading_opens_no_account(service: RunningService) -> None:
    wallet = (await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=service.key)).result["id"]
    reader = await service.new_key({"addresses:read"})
    closed = {"wallet_id": wallet, "network": "bitcoin", "account": 7}
    for face in service.faces:
        assert (await face.call("accounts.get", closed, key=reader)).code == "forbidden"
    assert (await service.grpc.call("accounts.get", closed, key=service.key)).code == "ok"
    for face in service.faces:
        assert (await face.call("accounts.get", closed, key=reader)).code == "ok"


async def test_taking_a_wallet_back_into_use_has_a_scope_of_its_own(service: RunningService) -> None:
    wallet = (await service.http.call("wallets.create", {}, key=service.key)).result["id"]
    writer = await service.new_key({"wallets:write"})
    back = await service.new_key({"wallets:unarchive"})
    assert (await service.http.call("wallets.archive", {"wallet_id": wallet}, key=writer)).code == "ok"
    for face in service.faces:
        assert (await face.call("wallets.unarchive", {"wallet_id": wallet}, key=writer)).code == "forbidden"
    assert (await service.http.call("wallets.unarchive", {"wallet_id": wallet}, key=back)).code == "ok"


@pytest.mark.parametrize("face", [0, 1], ids=["http", "grpc"])
async def test_unknown_keys_of_one_address_are_limited_before_the_database(new_service: NewService, face: int) -> None:
    async with new_service(RATES__FAILED_AUTHENTICATION="5/hour") as service:
        called = service.faces[face]
        assert (await called.call("networks.list", {}, key=service.key)).code == "ok"
        codes = [(await called.call("networks.list", {}, key=unknown_key())).code for _ in range(10)]
        assert codes == ["unauthenticated"] * 5 + ["rate_limited"] * 5
        limited = await called.call("networks.list", {}, key=unknown_key())
        assert limited.retries
        assert (await called.call("networks.list", {}, key=None)).code == "unauthenticated"
        known = await called.call("networks.list", {}, key=service.key)
        assert known.code == "ok", "a key that was good does not stand behind others of its address"


async def test_a_key_is_not_revoked_as_a_subject(service: RunningService) -> None:
    """The audit shows the ids of both as principal_id. Such a revocation would leave the key as it is."""
    child = (await made(service.http, service.key)).result
    for face in service.faces:
        refused = await face.call("revocations.create", {"principal_id": child["id"]}, key=service.key)
        assert (refused.code, refused.field) == ("invalid_field", "principal_id"), face.name
    theirs = await service.new_key(tenant=OTHER_TENANT)
    told = await service.http.call("revocations.create", {"principal_id": child["id"]}, key=theirs)
    assert told.code == "ok", "nobody learns of the keys of another tenant"
