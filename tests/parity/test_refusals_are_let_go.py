"""A refusal frees what was refused. What only the cycle collector frees would pile up between its runs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from strongroom.errors import StrongroomError
from tests.support.service import RunningService

TRANSACTION = {
    "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
    "maxPriorityFeePerGas": "0x1", "to": "0x3535353535353535353535353535353535353535", "value": "0x0",
}  # fmt: skip
PATIENCE = 60.0
NOWHERE = "0190a0c4-5d0e-7000-8000-000000000000"


def large(transaction: Mapping[str, Any]) -> dict[str, Any]:
    """It is read and checked in a thread, and has not enough gas."""
    return {"network": "ethereum", "unsigned_tx": {**transaction, "data": "0x" + "a9" * 50_000}}


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "checked in a thread": ("transactions.decode", large(TRANSACTION), "invalid_transaction"),
    "out of bounds": ("wallets.list", {"limit": 100_000}, "invalid_field"),
    "not there": ("wallets.get", {"wallet_id": NOWHERE}, "not_found"),
    "to be signed": ("transactions.sign", {"wallet_id": NOWHERE, **large(TRANSACTION)}, "not_found"),
    "items of a batch": (
        "transactions.sign_batch", {"items": [{"wallet_id": NOWHERE, **large(TRANSACTION)}] * 3}, "not_found",
    ),
}  # fmt: skip


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # what is there already is not looked at, which takes seconds after many tests
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def refusals() -> set[int]:
    return {id(each) for each in gc.get_objects() if isinstance(each, StrongroomError)}


async def left_after(before: set[int]) -> int:
    """The server's own task may end after the caller has the response."""
    end = time.monotonic() + PATIENCE
    while (left := refusals() - before) and time.monotonic() < end:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(0.05)
    return len(left)


async def test_nothing_is_left_of_a_refusal(service: RunningService, uncollected: None) -> None:
    for face in service.faces:
        for case, (operation, command, code) in CASES.items():
            before = refusals()
            found = await face.call(operation, command, key=service.key)
            assert code == found.code or code.encode() in found.raw, case
            assert await left_after(before) == 0, f"{case}, {face.name}"


async def test_nothing_is_left_of_a_body_that_cannot_be_read(service: RunningService, uncollected: None) -> None:
    headers = {"X-API-Key": service.key, "Content-Type": "application/json"}
    for body in (b'{"networks": ["ethereum"], "nonsense": 1}', b"[" * 100_000):
        before = refusals()
        answer = await service.http.client.post("/api/v1/wallets", content=body, headers=headers)
        assert answer.status_code == 400
        assert await left_after(before) == 0, body[:20]
