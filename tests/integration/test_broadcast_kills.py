"""SIGKILL to the process that broadcasts, before, during and after: a real node gets the transaction exactly once."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from strongroom.domain.record import Broadcast, BroadcastState
from strongroom.journal.reconcile import Reconciler
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import FIRST, MNEMONIC, transfer
from tests.support.anvil import Anvil
from tests.support.server import ROOT
from tests.support.service import TENANT, Outcome, RunningService, running

pytestmark = pytest.mark.needs("anvil")

PATIENCE = 180
VALUE = 10**18
PAYEE = "0x00000000000000000000000000000000000d1ce5"
BROADCAST, SIGN = "transactions.broadcast", "transactions.sign"


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil(chain_id=1) as node:
        node.fund(FIRST)
        yield node


@dataclass
class Place:
    data: Path
    settings: dict[str, str]
    key: str = ""
    wallet: str = ""
    signed: str = ""

    def command(self, operation: str) -> dict[str, Any]:
        if operation == BROADCAST:
            return {"network": "ethereum", "signed_tx": self.signed}
        unsigned = transfer(to=PAYEE, value=hex(VALUE))
        return {"wallet_id": self.wallet, "network": "ethereum", "unsigned_tx": unsigned, "broadcast": True}

    def die(self, operation: str, dies_at: str, dies_after: int) -> None:
        orders = {
            "data": str(self.data), "settings": self.settings, "operation": operation, "key": self.key,
            "command": self.command(operation), "idempotency_key": "once", "dies_at": dies_at,
            "dies_after": dies_after,
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.support.dying_sender", json.dumps(orders)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


@pytest.fixture
async def place(anvil: Anvil, tmp_path: Path, prepared_data: Path) -> Place:
    shutil.copytree(prepared_data, tmp_path / "data")
    config = tmp_path / "strongroom.toml"
    config.write_text(
        f'[[sources]]\nnetwork = "ethereum"\nname = "own"\nkind = "evm"\nurl = "http://127.0.0.1:{anvil.port}"\n'
    )
    settings = {"CONFIG": str(config), "IDEMPOTENCY__LEASE": "1", "TASKS__POLL": "0.05", "RATES__READ": "off"}
    made = Place(tmp_path / "data", settings)
    async with running(made.data, made.settings) as service:
        made.key = service.key
        command = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}
        made.wallet = (await ok(service, made, "wallets.import", command))["id"]
        command = {"wallet_id": made.wallet, "network": "ethereum"}
        unsigned = transfer(to=PAYEE, value=hex(VALUE))
        made.signed = (await ok(service, made, SIGN, {**command, "unsigned_tx": unsigned}))["signed_tx"]
    return made


async def call(service: RunningService, place: Place, operation: str, command: dict[str, Any], **more: Any) -> Outcome:
    return await service.http.call(operation, command, key=place.key, **more)


async def ok(service: RunningService, place: Place, operation: str, command: dict[str, Any], **more: Any) -> Any:
    outcome = await call(service, place, operation, command, **more)
    assert outcome.code == "ok", outcome
    return outcome.result


async def row_of(service: RunningService) -> Broadcast | None:
    found = await service.admin.storage.find(Broadcast, ("tenant_id",), [(TENANT,)])
    assert len(found) <= 1
    return found[0] if found else None


async def known(service: RunningService, place: Place, key: UUID) -> Broadcast:
    """Once the task knows the outcome."""
    await ok(service, place, "tasks.retry", {"kind": "broadcast", "key": str(key)})
    end = time.monotonic() + PATIENCE
    while True:
        row = await row_of(service)
        assert row is not None
        if row.state is not BroadcastState.UNKNOWN:
            return row
        assert time.monotonic() < end, "nobody finds out"
        await asyncio.sleep(0.05)


async def asked_again(service: RunningService, place: Place, operation: str) -> Any:
    """As a caller without a response does: with the same key, until there is one."""
    end = time.monotonic() + PATIENCE
    while True:
        outcome = await call(service, place, operation, place.command(operation), idempotency_key="once")
        if outcome.code == "ok":
            return outcome.result
        assert outcome.code == "operation_in_flight", outcome
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def findings(service: RunningService) -> set[str]:
    reconciler = Reconciler(service.admin.storage, service.admin.authenticity.audit_key)
    found: set[str] = set()
    cursor: str | None = None
    while True:
        part = await reconciler.slice(cursor, 500)
        found |= {each.kind for each in part.findings}
        cursor = part.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("operation", "dies_at", "dies_after", "is_written", "has_left"),
    [
        pytest.param(BROADCAST, "commit.before", 2, False, False, id="before it is written down"),
        pytest.param(BROADCAST, "broadcast.before", 1, True, False, id="before it is sent"),
        pytest.param(BROADCAST, "broadcast.after", 1, True, True, id="once a node has it"),
        pytest.param(BROADCAST, "commit.before", 3, True, True, id="before T2"),
        pytest.param(BROADCAST, "commit.after", 3, True, True, id="after T2"),
        pytest.param(SIGN, "commit.before", 2, False, False, id="sign: before T2"),
        pytest.param(SIGN, "commit.after", 2, True, False, id="sign: after T2"),
        pytest.param(SIGN, "broadcast.after", 1, True, True, id="sign: once a node has it"),
        pytest.param(SIGN, "commit.before", 3, True, True, id="sign: before the outcome is written"),
    ],
)
async def test_killed(
    place: Place, anvil: Anvil, operation: str, dies_at: str, dies_after: int, is_written: bool, has_left: bool
) -> None:
    assert operation in {each.name for each in OPERATIONS}
    place.die(operation, dies_at, dies_after)
    assert anvil.nonce(FIRST) == has_left
    async with running(place.data, place.settings) as service:
        row = await row_of(service)
        assert (row is not None) is is_written
        if row is not None:
            assert (await known(service, place, row.id)).state is BroadcastState.ACCEPTED
            assert anvil.nonce(FIRST) == 1
        answer = await asked_again(service, place, operation)
        row = await row_of(service)
        assert row is not None
        assert answer["tx_id"] == row.tx_id
        assert (await known(service, place, row.id)).state is BroadcastState.ACCEPTED
        anvil.mined(row.tx_id)
        state = await ok(service, place, "transactions.state", {"network": "ethereum", "tx_id": row.tx_id})
        assert state["state"] in ("confirmed", "final")
        assert (anvil.nonce(FIRST), anvil.balance(PAYEE)) == (1, VALUE)
        assert await findings(service) == set()


async def test_refused_by_a_real_node(place: Place, anvil: Anvil) -> None:
    anvil.call("anvil_setBalance", FIRST, "0x0")
    async with running(place.data, place.settings) as service:
        refused = await call(service, place, BROADCAST, place.command(BROADCAST))
        assert (refused.code, refused.status, refused.reason) == ("transaction_rejected", 422, "insufficient_funds")
        anvil.fund(FIRST)
        assert (await ok(service, place, BROADCAST, place.command(BROADCAST)))["state"] == "accepted"
        assert (await ok(service, place, BROADCAST, place.command(BROADCAST)))["already_known"] is True
        assert (anvil.nonce(FIRST), anvil.balance(PAYEE)) == (1, VALUE)
