"""Discovery on real chains, anvil and bitcoind behind ElectrumX, and SIGKILL in the middle of a walk."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from bip_utils import Bip39SeedGenerator, Bip44Changes, Bip84, Bip84Coins

from tests.parity.story import MNEMONIC
from tests.parity.test_discovering import FOUND, LOOKED, ours
from tests.support.anvil import Anvil
from tests.support.bitcoind import Bitcoind
from tests.support.electrumx import ElectrumX
from tests.support.server import ROOT
from tests.support.service import RunningService, running

PATIENCE = 180
QUICK = {"TASKS__POLL": "0.05", "RATES__READ": "off", "NODES__DISCOVERY_RATE": "1000"}


def configured(tmp_path: Path, prepared: Path, network: str, kind: str, url: str) -> tuple[Path, dict[str, str]]:
    shutil.copytree(prepared, tmp_path / "data")
    config = tmp_path / "strongroom.toml"
    config.write_text(f'[[sources]]\nnetwork = "{network}"\nname = "own"\nkind = "{kind}"\nurl = "{url}"\n')
    return tmp_path / "data", {"CONFIG": str(config), **QUICK}


async def ok(service: RunningService, operation: str, command: dict[str, Any], key: str = "") -> Any:
    outcome = await service.http.call(operation, command, key=key or service.key)
    assert outcome.code == "ok", outcome
    return outcome.result


async def imported(service: RunningService, network: str) -> dict[str, Any]:
    command = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": [network]}
    return {"wallet_id": (await ok(service, "wallets.import", command))["id"]}


async def ended(service: RunningService, began: dict[str, Any]) -> dict[str, Any]:
    command = {"wallet_id": began["wallet_id"], "discovery_id": began["id"]}
    end = time.monotonic() + PATIENCE
    while (found := await ok(service, "addresses.discovery", command))["state"] == "running":
        assert time.monotonic() < end, found
        await asyncio.sleep(0.05)
    return dict(found)


async def listed(service: RunningService, wallet: dict[str, Any], network: str) -> list[tuple[int, int]]:
    found = await ok(service, "addresses.list", {**wallet, "network": network, "limit": 200})
    return [(each["change"], each["index"]) for each in found["addresses"]]


def fund(anvil: Anvil) -> None:
    """One has used a nonce and holds nothing any more."""
    for index in (0, 24):
        anvil.fund(ours(index))
    anvil.fund(ours(3, 1), 1)
    anvil.call("anvil_setBalance", ours(5), "0x0")
    anvil.call("anvil_setNonce", ours(5), "0x1")


@pytest.mark.needs("anvil")
async def test_ethereum(tmp_path: Path, prepared_data: Path) -> None:
    with Anvil(chain_id=1) as anvil:
        for index in range(10):  # what anvil gives to the accounts of this mnemonic
            anvil.call("anvil_setBalance", ours(index), "0x0")
        fund(anvil)
        data, settings = configured(tmp_path, prepared_data, "ethereum", "evm", f"http://127.0.0.1:{anvil.port}")
        async with running(data, settings) as service:
            wallet = await imported(service, "ethereum")
            found = await ended(service, await ok(service, "addresses.discover", wallet | {"network": "ethereum"}))
            assert (found["state"], found["checked"], found["used"]) == ("done", LOOKED, len(FOUND))
            assert await listed(service, wallet, "ethereum") == FOUND
            balance = await ok(service, "balances.wallet", wallet | {"network": "ethereum", "tokens": "none"})
            assert balance["balances"][0]["confirmed"] == str(2 * 100 * 10**18 + 1)
            given = await ok(service, "addresses.next", wallet | {"network": "ethereum"})
            assert given["index"] == 25


def bitcoin(change: int, index: int) -> str:
    """Computed by bip_utils."""
    seed = Bip39SeedGenerator(MNEMONIC).Generate()
    account = Bip84.FromSeed(seed, Bip84Coins.BITCOIN_REGTEST).Purpose().Coin().Account(0)
    branch = account.Change(Bip44Changes.CHAIN_INT if change else Bip44Changes.CHAIN_EXT)
    return str(branch.AddressIndex(index).PublicKey().ToAddress())


@pytest.mark.needs("bitcoind", "electrumx")
async def test_bitcoin(tmp_path: Path, prepared_data: Path) -> None:
    with Bitcoind() as node, ElectrumX(node) as electrumx:
        *_, last = node.fund(*(bitcoin(*place) for place in FOUND))
        script = bytes.fromhex(node.call("getaddressinfo", bitcoin(*FOUND[-1]), wallet="miner")["scriptPubKey"])
        electrumx.wait(sha256(script).digest()[::-1].hex(), has=last["txid"])
        url = f"tcp://127.0.0.1:{electrumx.port}"
        data, settings = configured(tmp_path, prepared_data, "bitcoin-regtest", "electrum", url)
        async with running(data, settings) as service:
            wallet = await imported(service, "bitcoin-regtest")
            command = wallet | {"network": "bitcoin-regtest", "budget": 30}
            found = await ended(service, await ok(service, "addresses.discover", command))
            assert (found["state"], found["reason"], found["checked"]) == ("stopped", "budget", 30)
            assert await listed(service, wallet, "bitcoin-regtest") == [(0, 0), (0, 5), (0, 24)]
            command |= {"budget": 1000}
            found = await ended(service, await ok(service, "addresses.discover", command))
            assert (found["state"], found["checked"], found["used"]) == ("done", LOOKED, len(FOUND))
            assert await listed(service, wallet, "bitcoin-regtest") == FOUND
            given = await ok(service, "addresses.next", wallet | {"network": "bitcoin-regtest"})
            assert (given["index"], given["address"]) == (25, bitcoin(0, 25))


def die(orders: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "tests.support.dying_sender", json.dumps(orders)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]


@pytest.mark.needs("anvil")
@pytest.mark.parametrize(
    ("dies_at", "dies_after"),
    [
        pytest.param("discover.asked", 2, id="before what it found is written"),
        pytest.param("settle.after", 1, id="once that is written"),
    ],
)
async def test_killed_in_the_middle(tmp_path: Path, prepared_data: Path, dies_at: str, dies_after: int) -> None:
    with Anvil(chain_id=1) as anvil:
        for index in range(10):
            anvil.call("anvil_setBalance", ours(index), "0x0")
        fund(anvil)
        data, settings = configured(tmp_path, prepared_data, "ethereum", "evm", f"http://127.0.0.1:{anvil.port}")
        async with running(data, settings | {"TASKS__ROLE": "none"}) as service:
            wallet, key = await imported(service, "ethereum"), service.key
        orders = {
            "data": str(data), "settings": settings, "operation": "addresses.discover", "key": key,
            "command": wallet | {"network": "ethereum"}, "idempotency_key": "once", "dies_at": dies_at,
            "dies_after": dies_after, "stays": True,
        }  # fmt: skip
        die(orders)
        with closing(sqlite3.connect(data / "strongroom.db", timeout=60)) as database:
            [checked] = database.execute("SELECT checked FROM discoveries").fetchone()
            database.execute("UPDATE tasks SET lease_until = created_at WHERE lease_until IS NOT NULL")
            database.commit()
        assert 0 < checked < LOOKED
        async with running(data, settings) as service:
            began = await ok(service, "addresses.discover", wallet | {"network": "ethereum"}, key)
            found = await ended(service, began)
            assert (found["state"], found["checked"], found["used"]) == ("done", LOOKED, len(FOUND))
            assert await listed(service, wallet, "ethereum") == FOUND
            audited = await service.audit(operation="addresses.discover")
            wrote = Counter(
                tuple(row[1:]) for each in audited for row in each["details"].get("wrote", {}).get("addresses", ())
            )
            assert wrote == Counter(FOUND)  # none of them twice
