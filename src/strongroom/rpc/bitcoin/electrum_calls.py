"""The calls of the Electrum protocol, versions 1.4 to 1.6, which ElectrumX, Fulcrum and electrs support."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import msgspec

from strongroom.codecs.bip144 import Transaction
from strongroom.codecs.hash256 import hash256
from strongroom.rpc.base import Block, NodeError, Rejection, Setup, Verdict
from strongroom.rpc.bitcoin import facts, refusals
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import Fault, Question, all_of
from strongroom.rpc.lines import Lines

T = TypeVar("T")

CLIENT: Final = "strongroom"
VERSIONS: Final = ("1.4", "1.6")
NOT_FOUND: Final = "not_found"

_REFILL: Final = 60.0
"""Seconds. ElectrumX's budget of 1,000 units grows by one per second."""
_MOVING: Final = "moving"
_HEADER: Final = 80
_PARENT_PENDING: Final = -1
_MAYBE_TEXT: Final[type[str | None]] = cast("Any", str | None)
_FEW: Final = 25
"""Up to this many scripts, balances are asked for without checking first which scripts have a history."""
_TRIES: Final = 3
_MISSING: Final = re.compile(r"no such mempool|missing transaction|not found|(?<!\d)-5(?!\d)", re.IGNORECASE)
_MOST: Final = 1_000


def classify(fault: Fault) -> NodeError | None:
    """`jsonrpc.Classify` for Electrum servers, by their own codes and by the texts of the node behind them."""
    said = fault.message[:_MOST]
    if "rejected by network rules" in said:
        return refusals.of(said) or NodeError(Verdict.NO, str(Rejection.POLICY), rejection=Rejection.POLICY)
    if fault.code in (-101, -102) or "server busy" in said or "excessive resource usage" in said:
        return NodeError(Verdict.BUSY, "rate_limited", retry_after=_REFILL)
    if "too large" in said or "too many" in said:
        return NodeError(Verdict.ELSEWHERE, "history_too_large")
    if (
        "out of range" in said or "nvalid height" in said
    ):  # during a reorganisation a history can be ahead of the headers
        return NodeError(Verdict.ELSEWHERE, _MOVING)
    if "catching up" in said:
        return NodeError(Verdict.ELSEWHERE, "syncing")
    if (refused := refusals.of(said)) is not None:
        return refused
    if _MISSING.search(said):
        return NodeError(Verdict.ELSEWHERE, NOT_FOUND)
    return NodeError(Verdict.OURS, "bad_request") if fault.code == 1 else None


def script_hash(script: bytes) -> str:
    return sha256(script).digest()[::-1].hex()


class Tip(msgspec.Struct, frozen=True):
    height: int
    hex: str


class Sum(msgspec.Struct, frozen=True):
    confirmed: int
    unconfirmed: int


_NO_STATUS: Final = 64 * "0"
_NOTHING: Final = Sum(0, 0)


class Unspent(msgspec.Struct, frozen=True):
    tx_hash: str
    height: int
    value: int


class Row(msgspec.Struct, frozen=True):
    tx_hash: str
    height: int
    """0 in the mempool, or -1 if it spends an output that is in the mempool too."""
    fee: int | None = None


class _Verbose(msgspec.Struct, frozen=True):
    blockhash: str | None = None
    confirmations: int = 0


class _Mempool(msgspec.Struct, frozen=True):
    mempoolminfee: Decimal
    minrelaytxfee: Decimal


class Calls:
    """``lines`` has to be made with `classify`. Every connection negotiates the version and checks the chain first."""

    def __init__(self, setup: Setup, lines: Lines) -> None:
        self._setup, self._lines = setup, lines
        self._protocol: tuple[int, ...] = (1, 4)
        lines.on_connect = self._greet

    async def _greet(self) -> None:
        _, version = await self._lines.call("server.version", [CLIENT, VERSIONS], tuple[str, str])
        try:
            self._protocol = tuple(int(part) for part in version.split("."))[:2]
        except ValueError:
            raise NodeError(Verdict.BROKEN, "bad_answer") from None
        await self.check_chain()

    async def check_chain(self) -> None:
        """Checks the chain by the first header, which every server has. The hash in `server.features` need not be the
        server's.
        """
        found = block(0, await self._lines.call("blockchain.block.header", [0], str))
        facts.check_pin(self._setup, found.hash)

    async def tip(self) -> Tip:
        found = await self._lines.call("blockchain.headers.subscribe", [], Tip)
        facts.height(found.height)
        return found

    async def steady(self, read: Callable[[Tip], Awaitable[T]]) -> tuple[Tip, T]:
        """Reads while the tip stays the same, because a server contradicts itself during a reorganisation."""
        tip = await self.tip()
        for _ in range(_TRIES):
            found = await read(tip)
            last, tip = tip, await self.tip()
            if last == tip:
                return tip, found
        raise NodeError(Verdict.ELSEWHERE, _MOVING)

    async def sums(self, hashes: Sequence[str]) -> list[Sum]:
        used = await self.used(hashes) if len(hashes) > _FEW else hashes
        found = dict(zip(used, await self._all("blockchain.scripthash.get_balance", used, Sum), strict=True))
        for each in found.values():
            facts.amount(each.confirmed)
            facts.change(each.unconfirmed)
        return [found.get(each, _NOTHING) for each in hashes]

    async def used(self, hashes: Sequence[str]) -> Sequence[str]:
        """The scripts with a history. ElectrumX charges a third of a balance for each, out of 1,000 units per
        client.
        """
        statuses = await self._all("blockchain.scripthash.subscribe", hashes, _MAYBE_TEXT)
        for status in statuses:
            facts.a_hash(status or _NO_STATUS)
        return [each for each, status in zip(hashes, statuses, strict=True) if status is not None]

    async def unspent(self, hashes: Sequence[str]) -> list[list[Unspent]]:
        return await self._all("blockchain.scripthash.listunspent", hashes, list[Unspent], work=Work.HISTORY)

    async def rows(self, script: bytes) -> list[Row]:
        """The whole history, oldest first, then the mempool."""
        found = await self._lines.call(
            "blockchain.scripthash.get_history", [script_hash(script)], list[Row], work=Work.HISTORY
        )
        for row in found:
            facts.a_hash(row.tx_hash)
            facts.height(row.height if row.height != _PARENT_PENDING else 0)
        return found

    async def raw(self, tx_id: str) -> str:
        return await self._lines.call("blockchain.transaction.get", [tx_id], str, work=Work.HISTORY)

    async def is_in_mempool(self, tx_id: str) -> bool:
        """Whether the node behind the server has it in its mempool. It may know a transaction before the server does.

        Raises NodeError if the server does not forward the question, or if the transaction is in a block that the
        server has not seen.
        """
        found = await self._lines.call("blockchain.transaction.get", [tx_id, True], _Verbose, work=Work.HISTORY)
        if found.blockhash is not None and found.confirmations > 0:
            raise NodeError(Verdict.ELSEWHERE, "behind")
        return found.blockhash is None

    async def transactions(self, tx_ids: Iterable[str]) -> dict[str, Transaction]:
        """The transactions by id, each checked to have that id."""
        wanted = sorted(set(tx_ids))
        found = await self._all("blockchain.transaction.get", wanted, str, work=Work.HISTORY)
        return {tx_id: facts.asked_for(tx_id, raw) for tx_id, raw in zip(wanted, found, strict=True)}

    async def blocks(self, heights: Iterable[int]) -> dict[int, Block]:
        wanted = sorted(set(heights))
        found = await self._all("blockchain.block.header", wanted, str, work=Work.HISTORY)
        return {height: block(height, header) for height, header in zip(wanted, found, strict=True)}

    async def estimates(self, targets: Sequence[int]) -> list[Decimal]:
        """BTC per kilobyte for each target, or -1 if there is no estimate."""
        return await self._all("blockchain.estimatefee", targets, Decimal)

    async def floor(self) -> Decimal:
        """BTC per kilobyte. It must not be the first call, because its name depends on the negotiated version."""
        if self._protocol < (1, 6):
            return await self._lines.call("blockchain.relayfee", [], Decimal)
        pool = await self._lines.call("mempool.get_info", [], _Mempool)
        return max(pool.mempoolminfee, pool.minrelaytxfee)

    async def send(self, signed: str) -> str:
        return await self._lines.call("blockchain.transaction.broadcast", [signed], str, work=Work.BROADCAST)

    async def _all(self, method: str, of_each: Sequence[object], of: type[T], *, work: Work = Work.READ) -> list[T]:
        questions = [Question(method, [each]) for each in of_each]
        return all_of(await self._lines.batch(questions, of, work=work))


def block(height: int, header: str) -> Block:
    block_hash, seconds = read_header(header)
    return facts.block(height, block_hash, seconds)


def read_header(header: str) -> tuple[str, int]:
    """The hash, computed from the header itself, and the time in seconds."""
    try:
        raw = bytes.fromhex(header)
    except ValueError:
        raw = b""
    if len(raw) != _HEADER:
        raise NodeError(Verdict.BROKEN, "bad_answer")
    return hash256(raw)[::-1].hex(), int.from_bytes(raw[68:72], "little")
