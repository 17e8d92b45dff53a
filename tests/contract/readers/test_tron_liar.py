"""The Liar before every call of the Tron sources: a lie ends in a `NodeError` of the right verdict, or is the truth."""

from __future__ import annotations

from typing import Any

import pytest

from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Tracked, Verdict
from strongroom.rpc.http import Http, Work
from strongroom.rpc.tron.node import Node
from tests.contract.readers.tron_world import TIME, TRX, USDT, key, network, pay, setup, token
from tests.support.fake_tron_node import FakeTronNode
from tests.support.liar import LIES, Liar, Lie, changed, lying_http, weighed

COIN = coin_of(network())
A, B = key(1), key(2)
PATIENT = dict.fromkeys(Work, 60.0)
HURRIED = dict.fromkeys(Work, 1.0)
CALLS = ["pin", "head", "balances", "used", "fees", "broadcast", "status"]


class World:
    def __init__(self) -> None:
        self.fake = FakeTronNode(TIME, multicall=True)
        self.fake.fund(A.address, 1000 * TRX, frozenV2=[{"amount": 5}], allowance=7)
        self.fake.token(USDT, {A.address: 5})
        self.fake.settle()
        self.signed, self.ids = pay(self.fake, A, B.address)
        self.fake.broadcast(bytes.fromhex(self.signed))
        self.fake.mine()

    def calls(self, liar: Liar, *, hurried: bool = False) -> dict[str, Any]:
        source = Node(setup(), Http(Secret(liar.url), seconds=HURRIED if hurried else PATIENT))
        return {
            "close": source.close,
            "pin": source.pin,
            "head": source.head,
            "balances": lambda: source.balances([A.holder], [COIN, token(USDT)]),
            "used": lambda: source.used([A.holder, B.holder]),
            "fees": source.fees,
            "broadcast": lambda: source.broadcast(self.signed, self.ids),
            "status": lambda: source.status(Tracked(self.ids.tx_ids[0], self.ids)),
        }


@pytest.fixture
def world() -> World:
    return World()


async def ask(call: Any) -> Any:
    try:
        return await call()
    except NodeError as error:
        return error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_lies_of_transport(lie: Lie, call: str, world: World) -> None:
    async with lying_http(world.fake.answer) as liar:
        calls = world.calls(liar, hurried="slow" in lie.causes)
        truth = await ask(calls[call])
        liar.tell(lie)
        with weighed(lie) as used:
            found = await ask(calls[call])
        await calls["close"]()
        assert liar.told >= 1
        assert liar.trapped == 0
        if isinstance(found, NodeError):
            assert found.verdict is Verdict.BROKEN
            assert found.cause in (lie.causes or {"bad_answer"})
        else:
            assert not lie.causes
            assert repr(found) == repr(truth)
        assert used.bytes < 8 << 20


NUMBER = ("block_header", "raw_data", "number")
SHOWN = ("block_header", "raw_data", "timestamp")
LATEST, SOLID, RECEIPT = b"/wallet/", b"/walletsolidity/", b"/wallet/gettransactioninfobyid"
SEMANTIC: list[tuple[str, bytes, Lie, set[str]]] = [
    ("used", b"/wallet/getaccount", changed("address", value="41" + "00" * 20), {"other_account"}),
    ("used", b"/wallet/getaccount", changed("balance", value="1"), {"bad_answer"}),
    ("pin", b"getblock", changed("blockID", value="00" * 32), {"another_chain"}),
    ("pin", b"getblock", changed(*NUMBER[:2], value={"number": 5}), {"wrong_block"}),
    ("head", b"getblock", changed(*NUMBER, value=-1000), {"out_of_range"}),
    ("head", b"getblock", changed(*NUMBER, value=2**60), {"out_of_range"}),
    ("head", b"getblock", changed(*NUMBER, value=lambda old: old + 10**6), {"wrong_block"}),
    ("head", b"getblock", changed(*NUMBER, value="1"), {"bad_answer"}),
    ("head", b"getblock", changed(*SHOWN, value=2**62), {"impossible_time"}),
    ("head", b"getblock", changed(*SHOWN, value=-1), {"impossible_time"}),
    ("head", b"getblock", changed("blockID", value="11" * 31), {"bad_hash"}),
    ("head", b"getblock", changed(value={}), {"no_block"}),
    ("head", b"getblock", changed(value={"message": "unauthorised"}), {"bad_answer"}),
    ("balances", b"getaccount", changed("balance", value=-1), {"out_of_range"}),
    ("balances", b"getaccount", changed("balance", value=2**63), {"out_of_range"}),
    ("balances", b"getaccount", changed("balance", value="5"), {"bad_answer"}),
    ("balances", b"getaccount", changed("balance", value=1.0), {"bad_answer"}),
    ("balances", b"getaccount", changed("address", value=B.raw.hex()), {"other_account"}),
    ("balances", b"getaccount", changed("allowance", value=-1), {"out_of_range"}),
    ("balances", b"getaccount", changed("frozenV2", 0, "amount", value=-5), {"out_of_range"}),
    ("balances", b"getaccount", changed(value={"message": "unauthorised"}), {"bad_answer"}),
    ("balances", b"triggerconstantcontract", changed("constant_result", 0, value="zz"), {"bad_data"}),
    ("balances", b"triggerconstantcontract", changed("result", value={"code": "X"}), {"bad_answer"}),
    ("fees", b"getchainparameters", changed("chainParameter", ..., "value", value=2**63), {"out_of_range"}),
    ("fees", b"getchainparameters", changed("chainParameter", ..., "value", value=-1), {"out_of_range"}),
    ("fees", b"getchainparameters", changed("chainParameter", value=[]), {"bad_answer"}),
    ("broadcast", b"broadcasthex", changed("txid", value="12" * 32), {"other_transaction"}),
    ("status", RECEIPT, changed("id", value="12" * 32), {"other_transaction"}),
    ("status", RECEIPT, changed(value=lambda old: {**old, "fee": -1}), {"out_of_range"}),
    ("status", RECEIPT, changed("blockNumber", value=-1), {"out_of_range"}),
    ("status", RECEIPT, changed("blockNumber", value=lambda old: old - 1), {"moving"}),
    ("status", RECEIPT, changed("blockNumber", value=10**9), {"unknown_block"}),
    ("status", b"getblock", changed(*NUMBER, value=lambda old: old + 1), {"wrong_block"}),
]


@pytest.mark.parametrize(("call", "about", "lie", "causes"), SEMANTIC)
async def test_lies_about_the_chain(call: str, about: bytes, lie: Lie, causes: set[str], world: World) -> None:
    async with lying_http(world.fake.answer) as liar:
        calls = world.calls(liar)
        if call == "balances":
            await calls["balances"]()  # the decimals are known then
        if call == "broadcast":
            world.signed, world.ids = pay(world.fake, A, B.address, 3)
        liar.tell(lie, about=about)
        found = await ask(calls[call])
        await calls["close"]()
        assert isinstance(found, NodeError), found
        assert found.cause in causes


async def test_more_than_there_is_of_the_coin_is_a_lie() -> None:
    fake = FakeTronNode(TIME, "tron")
    fake.fund(A.address, 10**17 + 1)
    async with lying_http(fake.answer) as liar:
        source = Node(setup("tron"), Http(Secret(liar.url)))
        found = await ask(lambda: source.balances([A.holder], [coin_of(network("tron"))]))
        await source.close()
    assert found.verdict is Verdict.LYING


def test_all_calls_are_lied_about() -> None:
    assert Node.capabilities == {"head", "balances", "fees", "broadcast", "status", "used"}
