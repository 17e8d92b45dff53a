"""Every kind of source, opened from its configuration, with a node that lies in its first response to every question.

The kinds and their questions are read from the code. So a new kind or question is tested without being listed, and the
test fails if it does not know how to ask it. Lies that need honest responses first are in the suites of the chains.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, get_args
from unittest.mock import patch

import pytest

from strongroom.bootstrap import source_kinds, sources
from strongroom.chains.registry import CHAINS
from strongroom.config.chains import SourceKind, SourceSettings
from strongroom.domain.asset import coin_of
from strongroom.domain.signing import Consumed, SignedIds
from strongroom.rpc.base import Capability, Holder, NodeError, Setup, Source, Tracked, Verdict
from strongroom.rpc.http import Http, Work
from strongroom.rpc.lines import Lines
from tests.support.liar import LIES, Liar, Lie, Peak, lying_http, lying_lines, weighed

MOST = 8 << 20
KINDS = list(source_kinds._KINDS)
IN_LINES = {"electrum"}
LONG, SHORT = dict.fromkeys(Work, 60.0), dict.fromkeys(Work, 2.0)
NETWORKS = {
    "bitcoin": "bitcoin-regtest", "evm": "ethereum", "tron": "tron-nile", "solana": "solana", "ton": "ton",
}  # fmt: skip
ADDRESSES = {
    "bitcoin": "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",  # BIP-173's program on regtest
    "evm": "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
    "tron": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "solana": "So11111111111111111111111111111111111111112",
    "ton": "0:" + "35" * 32,
}
TX_IDS = {"evm": "0x" + "ab" * 32, "solana": "1" * 64}
"""Ids of the other chains are 64 hex digits."""
ASKS_NOBODY = {"toncenter-v2": {"fees"}, "toncenter-v3": {"fees"}}
"""They are fixed there."""
WEIGHED = {"pin", Capability.HISTORY, Capability.BROADCAST}
"""One question of each `Work`, which bounds the length of a response."""
TOLD = [lie for lie in LIES.values() if lie.causes]
"""Leaves out lies that may pass for the truth."""

Ask = Callable[[Source], Coroutine[Any, Any, object]]


def given_to(kind: str) -> Setup:
    """The arguments of a source of this kind."""
    chain = CHAINS[sources.CHAINS[kind]]
    [network] = [each for each in chain.networks if each.name == NETWORKS[chain.name]]
    return Setup(network, coin_of(network), {}, network.caip2.partition(":")[2])


def questions(kind: str) -> Mapping[str, Ask]:
    setup = given_to(kind)
    network, chain = setup.network, setup.network.chain
    parsed = CHAINS[chain].parse_address(network, ADDRESSES[chain])
    holder = Holder(parsed.canonical, ADDRESSES[chain])
    tx_id = TX_IDS.get(chain, "ab" * 32)
    consumed = (Consumed(parsed.canonical.hex(), "0"),) if chain == "ton" else ()
    ids = SignedIds((tx_id,), datetime(2026, 1, 1, tzinfo=UTC), consumed)
    return {
        "pin": lambda source: source.pin(),
        Capability.HEAD: lambda source: source.head(),
        Capability.BALANCES: lambda source: source.balances([holder], [setup.coin]),
        Capability.USED: lambda source: source.used([holder]),
        Capability.TOKENS: lambda source: source.tokens(holder),
        Capability.HISTORY: lambda source: source.history(holder, begin=None, most=10),
        Capability.FEES: lambda source: source.fees(),
        Capability.BROADCAST: lambda source: source.broadcast("00", ids),
        Capability.STATUS: lambda source: source.status(Tracked(tx_id, ids)),
        Capability.TRANSACTION: lambda source: source.transaction(tx_id),
    }


async def nothing(method: str, path: str, body: bytes) -> tuple[int, bytes]:
    return 200, b"{}"


async def no_line(line: bytes) -> bytes:
    return b"{}\n"


def open_to(kind: str, liar: Liar) -> Source:
    """Opens the source as the service does."""
    scheme = "tcp" if kind in IN_LINES else "http"
    given = SourceSettings.model_validate(
        {"network": "n", "name": "s", "kind": kind, "url": f"{scheme}://127.0.0.1:{liar.port}"}
    )
    return source_kinds.open_source(given, given_to(kind))


@asynccontextmanager
async def lied_to(kind: str, lie: Lie) -> AsyncIterator[tuple[Liar, Source]]:
    async with lying_lines(no_line) if kind in IN_LINES else lying_http(nothing) as liar:
        liar.tell(lie)
        source = open_to(kind, liar)
        try:
            yield liar, source
        finally:
            await source.close()
        assert liar.trapped == 0


async def refusal(kind: str, question: str, lie: Lie) -> None:
    async with lied_to(kind, lie) as (liar, source):
        async with asyncio.timeout(60):
            with pytest.raises(NodeError) as caught:
                await questions(kind)[question](source)
        assert liar.told, (question, lie)
    found = caught.value
    expected = (Verdict.BROKEN, Verdict.LYING) if found.cause != "history_too_large" else (Verdict.ELSEWHERE,)
    assert found.verdict in expected, (question, lie, found)


def asked_of(kind: str) -> list[str]:
    found = {"pin", *open_to(kind, Liar(port=1)).capabilities}
    return sorted(found - ASKS_NOBODY.get(kind, set()))


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> Iterator[None]:
    with (
        patch.dict(Http.__init__.__kwdefaults__, seconds=request.param),
        patch.dict(Lines.__init__.__kwdefaults__, seconds=request.param),
    ):
        yield


def fitting(kind: str, *, slow: bool) -> list[Lie]:
    return [lie for lie in TOLD if ("slow" in lie.causes) is slow and not (kind in IN_LINES and lie.http_only)]


@pytest.mark.parametrize("patience", [LONG], ids=["patient"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
async def test_each_lie_in_the_first_answer_to_each_question(kind: str, patience: None) -> None:
    for lie in fitting(kind, slow=False):
        for question in asked_of(kind):
            with weighed(lie) if question in WEIGHED else nullcontext(Peak()) as memory:
                await refusal(kind, question, lie)
            assert memory.bytes <= MOST, (question, lie)


@pytest.mark.parametrize("patience", [SHORT], ids=["hurried"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
async def test_each_lie_that_takes_its_time(kind: str, patience: None) -> None:
    """All at once."""
    told = [(question, lie) for question in asked_of(kind) for lie in fitting(kind, slow=True)]
    await asyncio.gather(*(refusal(kind, *each) for each in told))


def test_every_kind_that_can_be_configured_is_here() -> None:
    assert set(KINDS) == set(get_args(SourceKind)) == set(sources.CHAINS)
    assert set(NETWORKS) == set(ADDRESSES) == set(CHAINS)
    for kind in KINDS:
        assert set(asked_of(kind)) <= set(questions(kind))
        assert ASKS_NOBODY.get(kind, set()) <= open_to(kind, Liar(port=1)).capabilities
