"""Callers who want the same at the same moment, through both faces, all get it."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.service import RunningService

ONCE = {
    "api_keys.revoke": {},
    "wallets.archive": {},
    "wallets.unarchive": {},
    "wallets.update": {"label": "one"},
    "addresses.derive": {"network": "ethereum", "scheme": "ledger-live", "index": 3},
    "accounts.get": {"network": "ethereum", "account": 44},
    "messages.sign": {"network": "ethereum", "format": "eip191", "message": "hello", "encoding": "text"},
}


@pytest.mark.parametrize("operation", ONCE)
async def test_everybody_gets_the_same(service: RunningService, operation: str) -> None:
    made = await service.http.call("wallets.create", {"words": 12}, key=service.key)
    key = await service.http.call("api_keys.create", {"name": "x", "scopes": ["admin"]}, key=service.key)
    mine = {"key_id": key.result["id"]} if operation == "api_keys.revoke" else {"wallet_id": made.result["id"]}
    answers = await asyncio.gather(
        *(service.faces[n % 2].call(operation, mine | ONCE[operation], key=service.key) for n in range(10))
    )
    assert {answer.code for answer in answers} == {"ok"}
    created = [{**answer.result, "created_at": None} for answer in answers]
    assert all(result == created[0] for result in created)
