"""How a caller shows who and where it is: what counts, what does not, and what is contradictory."""

from __future__ import annotations

import grpc
import pytest

from strongroom.entrypoints.http.app import PREFIX
from tests.support.grpc_calls import unary
from tests.support.service import RPC, NewService, RunningService

Fields = list[tuple[str, str]]
CLIENTS = {"ACCESS__CLIENTS": "10.0.0.0/8"}
TRUSTED = {"PROXIES__TRUSTED": "127.0.0.1"}


async def asked(service: RunningService, fields: Fields) -> list[str]:
    """The outcome over HTTP and over gRPC, in terms of HTTP."""
    answer = await service.http.client.get(f"{PREFIX}/networks", headers=fields)
    call = unary(service.grpc.channel, f"/{RPC.full_name}/ListNetworks")(
        b"", metadata=[(name.lower(), value) for name, value in fields]
    )
    by_grpc = {
        grpc.StatusCode.OK: "200",
        grpc.StatusCode.UNAUTHENTICATED: "401",
        grpc.StatusCode.PERMISSION_DENIED: "403",
    }[await call.code()]
    return [str(answer.status_code), by_grpc]


async def test_a_credential_counts_once_and_only_where_it_belongs(service: RunningService) -> None:
    key, mate = service.key, await service.new_key()
    good: list[Fields] = [
        [("X-API-Key", key)],
        [("Authorization", f"Bearer {key}")],
        [("Authorization", f"bearer  {key}")],
        [("X-API-Key", key), ("Authorization", f"Bearer {key}")],
        [("X-API-Key", key), ("X-API-Key", key)],
        [("X-API-Key", key), ("Authorization", "Basic dXNlcjpwYXNz")],
    ]
    bad: list[Fields] = [
        [],
        [("X-API-Key", "")],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", key)],
        [("Authorization", f"Basic {key}")],
        [("Authorization", f"Bearer {key}, Bearer {key}")],
        [("Authorization", f"Bearer Bearer {key}")],
        [("X-API-Key", f"Bearer {key}")],
        [("X-API-Key", f"{key}, {key}")],
        [("X-API-Key", f"{key}x")],
        [("X-API-Key", key.upper())],
        [("X_API_Key", key)],
        [("Api-Key", key)],
        [("Proxy-Authorization", f"Bearer {key}")],
        [("Cookie", f"x-api-key={key}")],
        # Two that differ, even if both are good. Nobody can say which was meant, and a proxy may have looked at the
        # other one.
        [("X-API-Key", key), ("X-API-Key", mate)],
        [("X-API-Key", key), ("Authorization", f"Bearer {mate}")],
        [("X-API-Key", ""), ("Authorization", f"Bearer {key}")],
        [("X-API-Key", key), ("X-API-Key", "")],
        [("Authorization", f"Bearer {mate}"), ("Authorization", f"Bearer {key}")],
    ]
    for fields in good:
        assert await asked(service, fields) == ["200"] * 2, fields
    for fields in bad:
        assert await asked(service, fields) == ["401"] * 2, fields


@pytest.mark.parametrize("trusted", [False, True])
async def test_an_address_is_that_of_the_connection_unless_a_proxy_vouches(
    new_service: NewService, trusted: bool
) -> None:
    """Everybody calls from 127.0.0.1 here, which is not allowed by itself."""
    async with new_service(**CLIENTS, **(TRUSTED if trusted else {})) as service:
        key = ("X-API-Key", service.key)
        inside, outside = ("X-Forwarded-For", "10.1.1.1"), ("X-Forwarded-For", "203.0.113.9")
        vouched = ["200"] * 2 if trusted else ["403"] * 2
        for fields, expected in (
            ([inside], vouched),
            ([outside, inside], vouched),
            ([("X-Forwarded-For", "::ffff:10.1.1.1")], vouched),
            ([], ["403"] * 2),
            ([inside, outside], ["403"] * 2),
            ([("X-Forwarded-For", "10.1.1.1, 203.0.113.9")], ["403"] * 2),
            ([inside, ("X-Forwarded-For", "")], ["403"] * 2),
            ([("X-Real-IP", "10.1.1.1")], ["403"] * 2),
            ([("Forwarded", "for=10.1.1.1")], ["403"] * 2),
            ([("X_Forwarded_For", "10.1.1.1")], ["403"] * 2),
            ([("True-Client-IP", "10.1.1.1"), ("CF-Connecting-IP", "10.1.1.1")], ["403"] * 2),
            ([outside, ("X-Real-IP", "10.1.1.1")], ["403"] * 2),
        ):
            assert await asked(service, [key, *fields]) == expected, fields
