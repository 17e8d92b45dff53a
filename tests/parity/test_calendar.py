"""Times and cursors that PostgreSQL could not store or compare, on either database."""

from __future__ import annotations

import pytest

from strongroom.operations.cursors import encode_cursor
from tests.support.service import RunningService

SOMEBODY = "0190a0c4-5d0e-7000-8000-000000000000"
BEYOND = ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59")
"""In UTC they are in the years 10000 and 0."""


@pytest.mark.parametrize("at", BEYOND)
async def test_a_key_does_not_expire_beyond_the_calendar(service: RunningService, at: str) -> None:
    command = {"name": "late", "scopes": ["networks:read"], "expires_at": at}
    refused = await service.http.call("api_keys.create", command, key=service.key)  # gRPC sends seconds in UTC
    assert (refused.code, refused.field) == ("invalid_field", "expires_at")


async def test_a_key_shows_its_expiry_in_utc(service: RunningService) -> None:
    command = {"name": "far", "scopes": ["networks:read"], "expires_at": "2040-01-01T01:00:00+01:00"}
    made = await service.http.call("api_keys.create", command, key=service.key)
    listed = (await service.http.call("api_keys.list", {}, key=service.key)).result["api_keys"]
    shown = next(each["expires_at"] for each in listed if each["id"] == made.result["id"])
    assert made.result["expires_at"] == shown == "2040-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("operation", "parts"),
    [
        *[("audit.list", (at, SOMEBODY, 1)) for at in BEYOND],
        ("tasks.list", ("watch", "%00")),
        ("tasks.list", ("\0", "a")),
    ],
)
async def test_a_forged_cursor(service: RunningService, operation: str, parts: tuple[object, ...]) -> None:
    for face in service.faces:
        refused = await face.call(operation, {"cursor": encode_cursor(*parts)}, key=service.key)
        assert (refused.code, refused.field) == ("malformed_request", "cursor"), face.name
