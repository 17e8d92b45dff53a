"""Where callers may come from: one table, and REST and gRPC decide the same (threat T29)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from strongroom.domain.access import ClientNetworks, client_networks_id
from strongroom.storage.base import Change, Unit
from tests.support.grpc_calls import health_stub, reflection_stub
from tests.support.service import OTHER_TENANT, TENANT, NewService, RunningService

PROXY = {"PROXIES__TRUSTED": "127.0.0.1,172.16.0.0/12", "API_KEYS__CACHE_TTL": "0", "RATES__READ": "off",
         "RATES__FAILED_AUTHENTICATION": "off"}  # fmt: skip
"""Calls come through a proxy on this machine, which says who the caller is."""

# networks, X-Forwarded-For of callers that are allowed, and of those that are not
TABLE: list[tuple[list[str], list[str], list[str]]] = [
    ([], ["10.1.2.3", "203.0.113.9", "::1", "2001:db8::1", "::ffff:10.1.2.3", "255.255.255.255", "0.0.0.0"], []),
    (
        ["10.0.0.0/8"],
        ["10.0.0.0", "10.1.2.3", "10.255.255.255", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "[::ffff:10.1.2.3]:443",
         "10.1.2.3:443", " 10.1.2.3 ", "203.0.113.9, 10.1.2.3", "junk, 10.1.2.3", "10.1.2.3, 172.16.0.1"],
        ["9.255.255.255", "11.0.0.0", "203.0.113.9", "10.1.2.3, 203.0.113.9", "10.1.2.3,203.0.113.9", "::a01:203",
         "64:ff9b::a01:203", "::ffff:0:10.1.2.3", "::1", "2001:db8::1", "fe80::10", "203.0.113.9, 172.16.0.1", "",
         "junk", "10.1.2.3, junk", "010.1.2.3", "10.1.2", "0x0a010203", "167838211", "10.1.2.3/8", "localhost",
         "10.1.2.3:99999", "[10.1.2.3", "127.0.0.1"],
    ),
    (
        ["192.0.2.10"],
        ["192.0.2.10", "::ffff:192.0.2.10", "::ffff:c000:20a", "192.0.2.10:1"],
        ["192.0.2.9", "192.0.2.11", "192.0.2.1", "192.0.2.100", "192.0.2.10, 192.0.2.11", "::192.0.2.10"],
    ),
    (
        ["192.0.2.128/25", "198.51.100.0/30"],
        ["192.0.2.128", "192.0.2.255", "198.51.100.0", "198.51.100.3"],
        ["192.0.2.127", "192.0.3.0", "198.51.99.255", "198.51.100.4"],
    ),
    (
        ["2001:db8:aa::/48"],
        ["2001:db8:aa::", "2001:DB8:AA:0:0:0:0:1", "[2001:db8:aa::1]", "[2001:db8:aa::1]:443",
         "2001:db8:aa:ffff:ffff:ffff:ffff:ffff"],
        ["2001:db8:ab::", "2001:db8:a9:ffff::", "::1", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::aa", "fe80::1%eth0"],
    ),
    (["::1"], ["::1", "[::1]", "[::1]:1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1", "::ffff:127.0.0.1", "::"]),
    (["127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.1", "", "junk"], ["127.0.0.2", "::1", "10.0.0.1"]),
    (["fe80::/10"], ["fe80::1", "fe80::1%eth0", "febf::1"], ["fec0::1", "::1", "10.0.0.1"]),
    (["::ffff:10.0.0.0/104"], ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0", "::1", "2001:db8::1"]),
    (["0.0.0.0/0"], ["10.1.2.3", "203.0.113.9", "::ffff:203.0.113.9"], ["::1", "2001:db8::1", "fe80::1"]),
    (["::/0"], ["::1", "2001:db8::1", "fe80::1"], ["10.1.2.3", "::ffff:10.1.2.3", "203.0.113.9"]),
    (["0.0.0.0/0", "::/0"], ["10.1.2.3", "::1", "203.0.113.9", "2001:db8::1"], []),
    (["203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32"], ["203.0.113.9", "10.1.2.3", "2001:db8::1"],
     ["203.0.114.1", "2001:db9::1", "192.0.2.1"]),
]  # fmt: skip


def test_table_is_as_long_as_the_threat_model_asks() -> None:
    assert sum(len(may) + len(may_not) for _, may, may_not in TABLE) >= 120


async def set_by_another_process(service: RunningService, networks: Sequence[str], tenant: UUID = TENANT) -> None:
    found = await service.admin.storage.client_networks(tenant)
    row = ClientNetworks(
        client_networks_id(tenant), tenant, ",".join(networks), UUID(int=0), 1, datetime.now(UTC)
    )  # fmt: skip
    if found is None:
        unit = Unit(rows=[row])
    else:
        new = {"networks": row.networks, "epoch": found.epoch + 1}
        unit = Unit(changes=[Change(ClientNetworks, row.id, {"epoch": found.epoch}, new)])
    applied = await service.admin.storage.apply([unit])
    assert not applied.conflicts


async def test_both_faces_let_in_whom_the_table_lets_in(new_service: NewService) -> None:
    async with new_service(**PROXY) as service:
        nobody = [await face.call("networks.list", {}, key=None) for face in service.faces]
        for networks, may, may_not in TABLE:
            await set_by_another_process(service, networks)
            for address in (*may, *may_not):
                for face, refusal in zip(service.faces, nobody, strict=True):
                    answer = await face.call("networks.list", {}, key=service.key, forwarded_for=address)
                    if address in may:
                        assert answer.code == "ok", (networks, address, face.name)
                    else:
                        assert answer.raw == refusal.raw, (networks, address, face.name)


async def test_a_list_of_one_tenant_is_not_that_of_another(new_service: NewService) -> None:
    async with new_service(**PROXY) as service:
        theirs = await service.new_key(tenant=OTHER_TENANT)
        await set_by_another_process(service, ["192.0.2.0/24"], OTHER_TENANT)
        for face in (service.http, service.grpc):
            assert (await face.call("networks.list", {}, key=service.key, forwarded_for="10.1.1.1")).code == "ok"
            refused = await face.call("networks.list", {}, key=theirs, forwarded_for="10.1.1.1")
            assert refused.code == "unauthenticated"


async def test_nobody_shuts_out_himself_by_mistake(new_service: NewService) -> None:
    async with new_service(**PROXY) as service:
        for face in (service.http, service.grpc):
            outside = {"networks": ["192.0.2.0/24"]}
            refused = await face.call("client_networks.set", outside, key=service.key, forwarded_for="10.1.1.1")
            assert (refused.code, refused.field) == ("option_required", "force")
            assert "networks" not in (await face.call("client_networks.get", {}, key=service.key)).result
            inside = await face.call("client_networks.set", outside, key=service.key, forwarded_for="192.0.2.1")
            assert inside.code == "ok"
            assert (await face.call("client_networks.get", {}, key=service.key)).code == "unauthenticated"
            everybody = await face.call(
                "client_networks.set", {"networks": []}, key=service.key, forwarded_for="192.0.2.1"
            )
            assert everybody.code == "ok"
            forced = await face.call("client_networks.set", outside | {"force": True}, key=service.key)
            assert forced.code == "ok", "who says so is believed"
            assert (await face.call("client_networks.get", {}, key=service.key)).code == "unauthenticated"
            await face.call("client_networks.set", {"networks": []}, key=service.key, forwarded_for="192.0.2.1")


async def test_a_list_that_somebody_edited_lets_nobody_in(new_service: NewService) -> None:
    async with new_service(**PROXY) as service:
        await set_by_another_process(service, ["10.0.0.0/8"])
        found = await service.admin.storage.client_networks(TENANT)
        assert found is not None
        storage = service.admin.storage
        edited = replace(found, networks="0.0.0.0/0")
        await _edit(storage, edited)
        for face in (service.http, service.grpc):
            answer = await face.call("networks.list", {}, key=service.key, forwarded_for="203.0.113.9")
            assert answer.code == "integrity_violation"


async def _edit(storage: object, row: ClientNetworks) -> None:
    """By SQL, past the MAC."""
    from sqlalchemy import text

    database = storage._database  # type: ignore[attr-defined]
    await database.write(
        lambda connection: connection.execute(text("UPDATE client_networks SET networks = :n"), {"n": row.networks})
    )


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/", "/docs/swagger-ui/swagger-ui.css", "/metrics"])
async def test_documents_and_metrics_are_for_those_who_may_call(new_service: NewService, path: str) -> None:
    clients = {"ACCESS__CLIENTS": "127.0.0.1,10.0.0.0/8"}
    async with new_service(**PROXY, **clients) as service:
        for address, allowed in (("10.1.1.1", True), ("203.0.113.9", False), ("::ffff:10.1.1.1", True), ("::1", False)):
            headers = {"X-Forwarded-For": address, "X-API-Key": service.key}
            answer = await service.http.client.get(path, headers=headers)
            assert (answer.status_code == 403) == (not allowed), (path, address)
            operation = await service.http.call("networks.list", {}, key=service.key, forwarded_for=address)
            by_grpc = await service.grpc.call("networks.list", {}, key=service.key, forwarded_for=address)
            assert operation.code == by_grpc.code == ("ok" if allowed else "forbidden")
            if not allowed and operation.message is not None:
                assert "network" not in operation.message
                assert answer.json()["detail"] == operation.message


async def test_reflection_is_for_those_who_may_call(new_service: NewService) -> None:
    async with new_service(**PROXY, ACCESS__CLIENTS="10.0.0.0/8") as service:
        stub = reflection_stub(service.grpc.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        for address, expected in (("10.1.1.1", grpc.StatusCode.OK), ("203.0.113.9", grpc.StatusCode.PERMISSION_DENIED)):
            asked = stub.ServerReflectionInfo(iter([request]), metadata=[("x-forwarded-for", address)])
            with contextlib.suppress(grpc.aio.AioRpcError):
                names = [each.name async for answer in asked for each in answer.list_services_response.service]
                assert "strongroom.v1.WalletService" in names
            assert await asked.code() == expected
            asked = health_pb2.HealthCheckRequest()
            await health_stub(service.grpc.channel).Check(asked, metadata=[("x-forwarded-for", address)])


async def test_probes_are_answered_to_all(new_service: NewService) -> None:
    async with new_service(**PROXY, ACCESS__CLIENTS="10.0.0.0/8") as service:
        for path in ("/health/live", "/health/ready", "/health/startup"):
            answer = await service.http.client.get(path, headers={"X-Forwarded-For": "203.0.113.9"})
            assert answer.status_code == 200
        told = (await service.http.client.get("/health", headers={"X-Forwarded-For": "10.1.1.1"})).json()
        untold = (await service.http.client.get("/health", headers={"X-Forwarded-For": "203.0.113.9"})).json()
        assert told.keys() > untold.keys() == {"status"}
