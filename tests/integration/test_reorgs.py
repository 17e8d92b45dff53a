"""Chains are reorganised while others read them.

What a service that lived through it returns, caches and all, equals what a fresh look at the chain gives, and nothing
below finality is remembered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from tests.parity.story import MNEMONIC
from tests.support.anvil import Anvil
from tests.support.bitcoind import COIN, Bitcoind, Refused
from tests.support.electrumx import ElectrumX
from tests.support.evm_chain import FROM, signed
from tests.support.service import NewService, RunningService

FINALITY: Final = 3
STEPS: Final = 12
READERS: Final = 4
PATIENCE: Final = 120.0
_MOVING: Final = {"ok", "node_unavailable", "cursor_stale"}
"""What may be returned while the chain is being reorganised."""

Seen = dict[str, tuple[int, str]]
"""Transactions in blocks: by id, height and hash of the block."""


class World(Protocol):
    network: str
    sources: str
    final: int
    """Confirmations after which the sources call a transaction final."""

    def pay(self, address: str, amount: int) -> str:
        """The transaction's id. It is in no block yet."""

    def mine(self) -> None: ...

    def reorganise(self, depth: int) -> None:
        """Other blocks, without transactions, replace the last ones."""

    def height(self) -> int: ...

    def seen(self, ids: list[str]) -> Seen:
        """As the node itself has it now."""

    def settle(self) -> None:
        """Waits until every server has what the node has."""


class Ethereum:
    network, final = "anvil", FINALITY + 1

    def __init__(self, node: Anvil) -> None:
        self.node = node
        node.fund(FROM, 10**24)
        node.call("evm_setAutomine", False)
        source = f'url = "{node.url}"\nfinality = {FINALITY}\n'
        self.sources = "".join(
            f'[[sources]]\nnetwork = "anvil"\nname = "{kind}"\nkind = "{kind}"\n{source}'
            for kind in ("evm", "otterscan")
        )

    def pay(self, address: str, amount: int) -> str:
        raw, _ = signed(self.node, self.node.nonce(FROM), to=address, value=amount)
        return self.node.broadcast(raw)

    def mine(self) -> None:
        self.node.call("anvil_mine")

    def reorganise(self, depth: int) -> None:
        self.node.call("anvil_dropAllTransactions")
        self.node.call("anvil_reorg", depth, [])

    def height(self) -> int:
        return int(self.node.call("eth_blockNumber"), 16)

    def seen(self, ids: list[str]) -> Seen:
        receipts = [receipt for each in ids if (receipt := self.node.receipt(each)) is not None]
        return {each["transactionHash"]: (int(each["blockNumber"], 16), each["blockHash"]) for each in receipts}

    def settle(self) -> None:
        """There is only one server."""


class Bitcoin:
    network, final = "bitcoin-regtest", FINALITY

    def __init__(self, node: Bitcoind, electrumx: ElectrumX) -> None:
        self.node, self.electrumx = node, electrumx
        source = '[[sources]]\nnetwork = "bitcoin-regtest"\nname = "electrumx"\nkind = "electrum"\n'
        self.sources = f'{source}url = "tcp://127.0.0.1:{electrumx.port}"\nfinality = {FINALITY}\n'

    def pay(self, address: str, amount: int) -> str:
        return str(self.node.call("sendtoaddress", address, Decimal(amount) / COIN, wallet="miner"))

    def mine(self) -> None:
        self.node.mine()

    def reorganise(self, depth: int) -> None:
        self.node.call("invalidateblock", self.node.call("getblockhash", self.height() - depth + 1))
        miner = self.node.call("getnewaddress", wallet="miner")
        for _ in range(depth + 1):
            self.node.call("generateblock", miner, [])

    def height(self) -> int:
        return int(self.node.call("getblockcount"))

    def seen(self, ids: list[str]) -> Seen:
        found = {}
        for each in ids:
            try:
                told = self.node.call("getrawtransaction", each, True)
            except Refused:  # it spent a coinbase output that is no longer mature
                continue
            if told.get("confirmations", 0) > 0:
                height = self.height() - told["confirmations"] + 1
                found[each] = (height, told["blockhash"])
        return found

    def settle(self) -> None:
        self.electrumx.wait()


@pytest.fixture(
    params=[
        pytest.param("ethereum", marks=pytest.mark.needs("anvil")),
        pytest.param("bitcoin", marks=pytest.mark.needs("bitcoind", "electrumx")),
    ]
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "ethereum":
        with Anvil() as anvil:
            yield Ethereum(anvil)
    else:
        with Bitcoind() as bitcoind, ElectrumX(bitcoind) as electrumx:
            yield Bitcoin(bitcoind, electrumx)


class Reader:
    """A service that has lived through all of it."""

    def __init__(self, service: RunningService, world: World) -> None:
        self.service, self.world = service, world
        self.wallet = self.address = ""
        self.ids: list[str] = []

    async def prepare(self) -> None:
        made = await self.ask("wallets.import", kind="bip39", mnemonic=MNEMONIC, networks=[self.world.network])
        self.wallet, self.address = made["id"], made["addresses"][0]["address"]

    async def ask(self, operation: str, **command: Any) -> Any:
        outcome = await self.service.http.call(operation, command, key=self.service.key)
        assert outcome.code in _MOVING, outcome
        return outcome.result or {}

    async def history(self) -> Seen:
        where = {"wallet_id": self.wallet, "network": self.world.network, "limit": 100}
        entries = (await self.ask("history.wallet", **where)).get("entries", [])
        return {each["tx_id"]: (each["block"]["height"], each["block"]["hash"]) for each in entries if "block" in each}

    async def states(self) -> dict[str, tuple[str, int, str | None]]:
        """By id: state, confirmations, hash of the block. What is final may be cached and counts no further."""
        found = {}
        for each in self.ids:
            told = await self.ask("transactions.state", network=self.world.network, tx_id=each)
            count = 0 if told.get("final") else told.get("confirmations", 0)
            found[each] = (told.get("state", ""), count, told.get("block", {}).get("hash"))
        return found

    async def keep_reading(self) -> None:
        while True:
            await self.history()
            await self.states()
            await self.ask("balances.wallet", wallet_id=self.wallet, network=self.world.network)

    async def check(self, step: str) -> None:
        """Checks that it reports every transaction in a block as the node does, and no other one as being in a
        block.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            height, seen = await asyncio.to_thread(self._truth)
            expected = {each: self._expected(height - at + 1, block) for each, (at, block) in seen.items()}
            history, states = await self.history(), await self.states()
            placed = {each: told for each, told in states.items() if told[2] is not None}
            if (history, placed) == (seen, expected):
                return
            assert time.monotonic() < deadline, (step, history, seen, placed, expected)

    def _expected(self, confirmations: int, block: str) -> tuple[str, int, str]:
        final = confirmations >= self.world.final
        return ("final" if final else "confirmed", 0 if final else confirmations, block)

    def _truth(self) -> tuple[int, Seen]:
        self.world.settle()
        return self.world.height(), self.world.seen(self.ids)


@asynccontextmanager
async def _under_load(reader: Reader) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reader.keep_reading()) for _ in range(READERS)]
        yield
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_was_lived_through_is_what_there_is(
    seed: int, world: World, new_service: NewService, tmp_path: Path
) -> None:
    config = tmp_path / "sources.toml"
    config.write_text(world.sources)
    chance = random.Random(seed)
    async with new_service(CONFIG=str(config), RATES__CHAIN="off", RATES__FRESH="off", CACHE__BALANCE="1") as service:
        reader = Reader(service, world)
        await reader.prepare()
        reader.ids.append(await asyncio.to_thread(world.pay, reader.address, 70_000))
        for _ in range(FINALITY):
            await asyncio.to_thread(world.mine)
        async with _under_load(reader):
            for _ in range(STEPS):
                step = chance.choice(["pay", "mine", "mine", "reorganise"])
                if step == "pay":
                    amount = chance.randrange(10_000, 10**6)
                    reader.ids.append(await asyncio.to_thread(world.pay, reader.address, amount))
                elif step == "mine":
                    await asyncio.to_thread(world.mine)
                else:
                    await asyncio.to_thread(world.reorganise, chance.randrange(1, FINALITY))
                await reader.check(step)
