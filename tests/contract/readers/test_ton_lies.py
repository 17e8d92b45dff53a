"""A lying toncenter. Impossible responses are recognised, and nothing but a verdict comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from strongroom.domain.asset import Asset
from strongroom.domain.secret import Secret
from strongroom.rpc.base import Balances, NodeError, Page, Sent, Source, State, Status, Verdict
from strongroom.rpc.http import Http, Work
from strongroom.rpc.ton.toncenter2 import Toncenter2
from strongroom.rpc.ton.toncenter3 import Toncenter3
from tests.contract.readers.ton_world import COIN, World, ids, listed, pay, setup, somebody, tracked
from tests.support.fake_toncenter import FakeToncenter
from tests.support.liar import LIES, Lie, changed, lying_http, weighed
from tests.support.ton import Machine

pytestmark = pytest.mark.needs("ton-sandbox")

MOST = 8 << 20
LONG = dict.fromkeys(Work, 120.0)
SHORT = dict.fromkeys(Work, 1.0)
HASH = "q80SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKs="

Call = Callable[[Source], Awaitable[object]]


class Scene:
    """One wallet with jettons, and a message of it that is on the chain."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = world.owner()
        self.token = listed(world.jetton(self.owner))
        self.raw = self.owner.sign(pay(somebody(), bounce=True), pay(), seqno=0)
        world.machine.send(self.raw)
        self.calls: dict[str, Call] = {
            "pin": lambda source: source.pin(),
            "head": lambda source: source.head(),
            "coins": lambda source: source.balances([self.owner.holder], [COIN]),
            "jettons": lambda source: source.balances([self.owner.holder], [self.token]),
            "used": lambda source: source.used([self.owner.holder]),
            "tokens": lambda source: source.tokens(self.owner.holder),
            "history": lambda source: source.history(self.owner.holder, begin=None, most=20),
            "status": lambda source: source.status(tracked(self.raw)),
            "broadcast": self.broadcast,
        }

    async def broadcast(self, source: Source) -> Sent:
        raw = self.world.owner().sign(pay(), seqno=0)
        return await source.broadcast(raw, ids(raw))

    @asynccontextmanager
    async def liar(self, lie: Lie, about: str = "", kind: str = "3", *tokens: Asset) -> AsyncIterator[Source]:
        async with lying_http(self.world.toncenter.url) as liar:
            liar.tell(lie, about=about.encode())
            seconds = SHORT if "slow" in lie.causes and not about else LONG
            http = Http(Secret(f"{liar.url}/api/v{kind}"), seconds=seconds)
            source = (Toncenter3 if kind == "3" else Toncenter2)(setup(self.token), http)
            try:
                yield source
            finally:
                await source.close()
            assert not liar.trapped


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Machine() as machine, FakeToncenter(machine) as toncenter:
        yield Scene(World(machine, toncenter))


async def said(call: Awaitable[object]) -> object:
    try:
        async with asyncio.timeout(120):
            return await call
    except NodeError as error:
        return error


@pytest.mark.parametrize("kind", ["3", "2"])
@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_every_call_bears_every_lie_of_transport(lie: Lie, kind: str, scene: Scene) -> None:
    names = ["pin", "coins", "used", "status", "broadcast"] if kind == "2" else list(scene.calls)
    for name in names:
        async with scene.liar(lie, kind=kind) as source:
            with weighed(lie) as memory:
                found = await said(scene.calls[name](source))
            assert memory.bytes <= MOST
        if lie.causes:
            assert isinstance(found, NodeError), name
            assert (found.verdict, found.cause in lie.causes) == (Verdict.BROKEN, True), (name, found.cause)


IMPOSSIBLE: list[tuple[str, str, Lie]] = [
    ("head", "masterchainInfo", changed("last", "global_id", value=-3)),
    ("head", "masterchainInfo", changed("last", "seqno", value=-1000)),
    ("head", "masterchainInfo", changed("last", "seqno", value=2**40)),
    ("head", "masterchainInfo", changed("last", "workchain", value=0)),
    ("head", "masterchainInfo", changed("last", "gen_utime", value="99999999999")),
    ("coins", "accountStates", changed("accounts", ..., "balance", value=str(10**20))),
    ("coins", "accountStates", changed("accounts", ..., "balance", value=lambda old: old + "0" * 10)),
    ("coins", "accountStates", changed("accounts", ..., "address", value=f"0:{'AB' * 32}")),
    ("used", "accountStates", changed("accounts", ..., "address", value=f"0:{'AB' * 32}")),
    ("jettons", "jetton/wallets", changed("jetton_wallets", ..., "balance", value=str(2**120))),
    ("jettons", "jetton/wallets", changed("jetton_wallets", ..., "owner", value=f"0:{'AB' * 32}")),
    ("jettons", "jetton/wallets", changed("jetton_wallets", ..., "jetton", value=f"0:{'AB' * 32}")),
    ("jettons", "jetton/masters", changed("jetton_masters", ..., "address", value=f"0:{'AB' * 32}")),
    ("history", "/transactions?account", changed("transactions", ..., "account", value=f"0:{'AB' * 32}")),
    ("history", "/transactions?account", changed("transactions", ..., "total_fees", value=str(10**20))),
    ("history", "/transactions?account", changed("transactions", ..., "mc_block_seqno", value=-1)),
    ("history", "/transactions?account", changed("transactions", ..., "now", value=0)),
    ("history", "/transactions?account", changed("transactions", ..., "out_msgs", ..., "value", value=str(10**20))),
    ("history", "/transactions?account", changed("transactions", value=lambda old: old * 20)),
    ("status", "transactionsByMessage", changed("transactions", ..., "account", value=f"0:{'AB' * 32}")),
    ("status", "transactionsByMessage", changed("transactions", ..., "in_msg", "hash_norm", value=None)),
    ("status", "transactionsByMessage", changed("transactions", ..., "in_msg", value=None)),
    ("broadcast", "/message", changed("message_hash_norm", value=HASH)),
    ("broadcast", "/message", changed("message_hash", value=HASH)),
    ("broadcast", "/message", changed(value={})),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(IMPOSSIBLE)), ids=lambda number: f"{number}-{IMPOSSIBLE[number][0]}")
async def test_what_cannot_be_is_a_lie(number: int, scene: Scene) -> None:
    name, about, lie = IMPOSSIBLE[number]
    async with scene.liar(lie, about) as source:
        found = await said(scene.calls[name](source))
    assert isinstance(found, NodeError)
    assert found.verdict in (Verdict.LYING, Verdict.BROKEN)


OF_V2: list[tuple[str, str, Lie]] = [
    ("pin", "getMasterchainInfo", changed("result", "init", "root_hash", value=HASH)),
    ("pin", "getBlockHeader", changed("result", "global_id", value=-3)),
    ("head", "getBlockHeader", changed("result", "id", "seqno", value=7)),
    ("coins", "getAddressInformation", changed("result", "balance", value=str(10**20))),
    ("coins", "getAddressInformation", changed("result", "balance", value=-5)),
    ("coins", "getAddressInformation", changed("ok", value=False)),
    ("broadcast", "sendBocReturnHash", changed("result", "hash", value=HASH)),
]


@pytest.mark.parametrize("number", range(len(OF_V2)), ids=lambda number: f"{number}-{OF_V2[number][0]}")
async def test_what_cannot_be_is_a_lie_of_v2_too(number: int, scene: Scene) -> None:
    name, about, lie = OF_V2[number]
    async with scene.liar(lie, about, "2") as source:
        found = await said(scene.calls[name](source))
    assert isinstance(found, NodeError)
    assert found.verdict in (Verdict.LYING, Verdict.BROKEN)


async def test_the_truth_passes(scene: Scene) -> None:
    """Proves that the tests above can fail."""
    async with scene.liar(changed("no such", value=1)) as source:
        found: dict[str, Any] = {name: await said(call(source)) for name, call in scene.calls.items()}
    kinds = {"coins": Balances, "jettons": Balances, "tokens": Balances, "history": Page, "broadcast": Sent}
    assert {name for name, kind in kinds.items() if not isinstance(found[name], kind)} == set()
    assert isinstance(found["status"], Status)
    assert found["status"].state is State.FAILED, "it bounced"
