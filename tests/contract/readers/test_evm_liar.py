"""The Liar before every call of the EVM sources: a lie ends in a `NodeError` of the right verdict, or is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, State, Tracked, Verdict
from strongroom.rpc.evm import node as node_module
from strongroom.rpc.evm.etherscan import Etherscan
from strongroom.rpc.evm.logs import Logs
from strongroom.rpc.evm.node import Node
from strongroom.rpc.evm.otterscan import Otterscan
from strongroom.rpc.evm.verdicts import classify
from strongroom.rpc.http import Http, Work
from strongroom.rpc.jsonrpc import JsonRpc
from tests.support import evm_chain, multicall3
from tests.support.anvil import Anvil
from tests.support.evm_chain import FROM, OTHER, holder, network, setup, signed, token
from tests.support.fake_etherscan import FakeEtherscan
from tests.support.liar import BATCH_LIES, LIES, Liar, Lie, lying_http, result, weighed

pytestmark = pytest.mark.needs("anvil")

COIN = coin_of(network())
ECHO = token(evm_chain.contract(0))
PATIENT = dict.fromkeys(Work, 60.0)
HURRIED = dict.fromkeys(Work, 1.0)


class World:
    def __init__(self, anvil: Anvil) -> None:
        self.anvil = anvil
        multicall3.deploy(anvil)
        evm_chain.plant(anvil)
        anvil.fund(FROM, 10**20)
        self.raw, self.ids = signed(anvil, 0)
        anvil.mined(anvil.broadcast(self.raw))
        anvil.call("anvil_mine", hex(100))
        anvil.mined(anvil.broadcast(signed(anvil, 1)[0]))

    def calls(self, liar: Liar, *, hurried: bool) -> dict[str, Any]:
        http = Http(Secret(liar.url), seconds=HURRIED if hurried else PATIENT)
        rpc = JsonRpc(http, classify, batch=100)
        given, who = setup(ECHO), [holder(FROM)]
        source = Node(given, rpc)
        return {
            "close": rpc.close,
            "pin": source.pin,
            "head": source.head,
            "balances": lambda: source.balances(who, [COIN, ECHO]),
            "used": lambda: source.used(who),
            "fees": source.fees,
            "broadcast": lambda: source.broadcast(self.raw, self.ids),
            "status": lambda: source.status(Tracked(self.ids.tx_ids[0], self.ids)),
            "logs": lambda: Logs(given, rpc).history(holder(OTHER), begin=None, most=5),
            "otterscan": lambda: Otterscan(given, rpc).history(holder(OTHER), begin=None, most=5),
        }


OF_ANOTHER = {"bad_id"}
"""Some lies have an id of their own."""
CALLS = ["pin", "head", "balances", "used", "fees", "broadcast", "status", "logs", "otterscan"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Anvil() as anvil:
        yield World(anvil)


async def ask(call: Any) -> Any:
    try:
        return await call()
    except NodeError as error:
        return error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_lies_of_transport(lie: Lie, call: str, world: World) -> None:
    async with lying_http(f"http://127.0.0.1:{world.anvil.port}") as liar:
        calls = world.calls(liar, hurried="slow" in lie.causes)
        truth = await ask(calls[call])
        liar.tell(lie)
        with weighed(lie) as used:
            found = await ask(calls[call])
        await calls["close"]()
        assert liar.told >= 1
        assert liar.trapped == 0
        if isinstance(found, NodeError) and found.cause in lie.causes | OF_ANOTHER:
            assert found.verdict is Verdict.BROKEN
        else:
            assert not lie.causes
            assert repr(found) == repr(truth)
        assert used.bytes < 8 << 20


@pytest.mark.parametrize("call", ["head", "logs"])
@pytest.mark.parametrize("name", BATCH_LIES)
async def test_lies_of_batches(name: str, call: str, world: World) -> None:
    async with lying_http(f"http://127.0.0.1:{world.anvil.port}") as liar:
        calls = world.calls(liar, hurried=False)
        truth = await ask(calls[call])
        liar.tell(BATCH_LIES[name])
        found = await ask(calls[call])
        await calls["close"]()
        if not isinstance(found, NodeError):
            assert (name, call) == ("swapped", "logs")  # both halves are in one response, so their order says nothing
            assert found == truth


MANY = "0x" + "f" * 64
HUGE = hex(2**60)
SEMANTIC: list[tuple[str, bytes, Lie, set[str]]] = [
    ("pin", b"eth_chainId", result("0x1"), {"another_chain"}),
    ("pin", b"eth_chainId", result(31337), {"bad_answer"}),
    ("head", b"latest", result("-0x1", "number"), {"bad_quantity"}),
    ("head", b"latest", result(HUGE, "number"), {"out_of_range"}),
    ("head", b"latest", result(None), {"unknown_block"}),
    ("head", b"latest", result("0x12", "hash"), {"bad_hash"}),
    ("head", b"latest", result(MANY, "timestamp"), {"out_of_range"}),
    ("balances", b"eth_call", result("0x"), {"bad_multicall"}),
    ("balances", b"eth_call", result("0x1"), {"bad_data"}),
    ("balances", b"eth_call", result("0x" + "ff" * 320), {"bad_multicall"}),
    ("balances", b"eth_call", result(None), {"bad_answer"}),
    ("balances", b"eth_call", result(lambda old: old[:450] + "f" * 64 + old[514:]), {"out_of_range"}),
    ("used", b"eth_getTransactionCount", result("-0x1"), {"bad_quantity"}),
    ("used", b"eth_getTransactionCount", result(MANY), {"out_of_range"}),
    ("used", b"eth_getTransactionCount", result(None), {"bad_answer"}),
    ("fees", b"eth_feeHistory", result([MANY] * 2, "baseFeePerGas"), {"out_of_range"}),
    ("fees", b"eth_feeHistory", result("0x0", "reward"), {"bad_answer"}),
    ("fees", b"eth_feeHistory", result([["0x0", MANY, "0x0"]] * 20, "reward"), {"out_of_range"}),
    ("broadcast", b"eth_sendRawTransaction", result("0x" + "12" * 32), {"other_transaction"}),
    ("status", b"eth_getTransactionReceipt", result("0x" + "12" * 32, "transactionHash"), {"other_transaction"}),
    ("status", b"eth_getTransactionReceipt", result("0x2", "status"), {"out_of_range"}),
    ("status", b"eth_getTransactionReceipt", result(MANY, "blockNumber"), {"out_of_range"}),
    ("status", b"eth_getTransactionReceipt", result(MANY, "effectiveGasPrice"), {"out_of_range"}),
    ("status", b"eth_getTransactionReceipt", result(None), {"no_receipt"}),
    ("otterscan", b"ots_", result("0x" + "12" * 32, "txs", ..., "hash"), {"not_what_was_asked"}),
    ("otterscan", b"ots_", result("0x" + "12" * 20, "txs", ..., "to"), set()),
    ("otterscan", b"ots_", result(MANY, "txs", ..., "blockNumber"), {"out_of_range"}),
]


@pytest.mark.parametrize(("call", "about", "lie", "causes"), SEMANTIC)
async def test_lies_about_the_chain(call: str, about: bytes, lie: Lie, causes: set[str], world: World) -> None:
    async with lying_http(f"http://127.0.0.1:{world.anvil.port}") as liar:
        calls = world.calls(liar, hurried=False)
        if call == "balances":
            await calls["balances"]()  # the available method, and the decimals
        liar.tell(lie, about=about)
        if call == "broadcast":
            world.raw, world.ids = signed(world.anvil, world.anvil.nonce(FROM))
        found = await ask(calls[call])
        await calls["close"]()
        if causes:
            assert isinstance(found, NodeError), found
            assert found.cause in causes
        else:
            assert not getattr(found, "entries", ())


async def test_a_receipt_that_is_withheld_is_not_a_replacement(world: World) -> None:
    """There is neither receipt nor transaction. The nonce is used up, but it is not known by what."""
    async with lying_http(f"http://127.0.0.1:{world.anvil.port}") as liar:
        calls = world.calls(liar, hurried=False)
        liar.tell(result(None), about=b"eth_getTransaction")
        found = await ask(calls["status"])
        await calls["close"]()
        assert isinstance(found, NodeError) or found.state in (State.REPLACED, State.UNKNOWN)


@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_lies_of_an_indexer(lie: Lie, world: World) -> None:
    fake = FakeEtherscan(world.anvil)

    async def truth(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        answer = await fake.handle_async_request(httpx.Request(method, "http://x" + path))
        return 200, await answer.aread()

    async with lying_http(truth) as liar:
        http = Http(Secret(liar.url + "/v2/api?apikey=KEY"), seconds=HURRIED if "slow" in lie.causes else PATIENT)
        source = Etherscan(setup(ECHO), http)

        def call() -> Any:
            return source.history(holder(OTHER), begin=None, most=5)

        true = await ask(call)
        liar.tell(lie)
        with weighed(lie) as used:
            found = await ask(call)
        await source.close()
        assert used.bytes < 8 << 20
        assert liar.trapped == 0
        if lie.causes:
            assert isinstance(found, NodeError)
            assert found.cause in lie.causes | {"error", "bad_answer"}
        else:
            assert found == true or found.cause == "bad_answer"


def test_all_calls_are_lied_about() -> None:
    assert node_module.Node.capabilities == {"head", "balances", "fees", "broadcast", "status", "used"}
