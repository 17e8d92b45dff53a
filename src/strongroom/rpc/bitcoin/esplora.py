"""Esplora's REST interface, as on the servers of Blockstream, of mempool.space, and on your own.

Balances are computed from outputs and the mempool. Its statistics of an address have counted twice after
reorganisations (Blockstream/electrs#61, mempool/electrs#112), so they decide nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from strongroom.codecs.bip144 import Transaction
from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Capability,
    Entry,
    Fees,
    Head,
    Holder,
    NodeError,
    Page,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.bitcoin import entries, facts, fees, refusals
from strongroom.rpc.bitcoin.fees import Rate, rate
from strongroom.rpc.http import Answer, Http, Work, decode, meaning
from strongroom.rpc.source import Partial

T = TypeVar("T")

FLOOR: Final = 1_000
"""In sat/kvB, what nodes relay by default. Esplora does not say what its own node relays."""

_NOT_FOUND: Final = "not_found"
_TRIES: Final = 3
_BAD: Final = 400
_ABSENT: Final = 404
_REFUSING: Final = (400, 422, 500)
_WORDS: Final = 1_000
_DIGITS: Final = 9
_MEMPOOL_PAGE: Final = 50
_LEAST_PAGE: Final = 10
"""A page of mined transactions has 25, or what the operator set, but not fewer than this."""
_PAGES: Final = 40
_RECENT: Final = 20
"""Transactions that are looked at for coinbase outputs. If there are more, spendable is left unknown."""
_AT_ONCE: Final = 5
"""Scripts per response, with one request each. A public server accepts one per second."""


class _Placed(msgspec.Struct, frozen=True):
    confirmed: bool
    block_height: int | None = None
    block_hash: str | None = None
    block_time: int | None = None


class _Block(msgspec.Struct, frozen=True):
    id: str
    height: int
    timestamp: int


class _Utxo(msgspec.Struct, frozen=True):
    txid: str
    vout: int
    value: int
    status: _Placed


class _Output(msgspec.Struct, frozen=True):
    scriptpubkey: str
    value: int
    scriptpubkey_address: str | None = None


class _Input(msgspec.Struct, frozen=True):
    txid: str
    vout: int
    is_coinbase: bool = False
    prevout: _Output | None = None


class _Transaction(msgspec.Struct, frozen=True):
    txid: str
    vin: list[_Input]
    vout: list[_Output]
    fee: int
    status: _Placed


class _Outspend(msgspec.Struct, frozen=True):
    spent: bool
    txid: str | None = None
    status: _Placed | None = None


class _Count(msgspec.Struct, frozen=True):
    tx_count: int


class _Stats(msgspec.Struct, frozen=True):
    chain_stats: _Count
    mempool_stats: _Count


class Esplora(Partial):
    """The URL of ``http`` ends where Esplora's paths begin, such as ``https://…/api``."""

    capabilities = frozenset(Capability) - {Capability.TOKENS}

    def __init__(self, setup: Setup, http: Http) -> None:
        super().__init__(http)
        self._setup, self._http = setup, http

    async def pin(self) -> None:
        facts.check_pin(self._setup, await self._text("/block-height/0"))

    async def head(self) -> Head:
        tip = facts.a_hash(await self._text("/blocks/tip/hash"))
        found = await self._http.read("GET", f"/block/{tip}", of=_Block)
        if found.id != tip:
            raise NodeError(Verdict.LYING, "wrong_block")
        return facts.head(self._setup, found.height, found.id, found.timestamp)

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """Makes two requests per script, one after another, as public servers prefer."""
        at = await self.head()
        for _ in range(_TRIES):
            found = [await self._balance(holder, asset, at.height) for holder in holders for asset in assets]
            before, at = at, await self.head()
            if before.hash == at.hash:
                return Balances(at, found, tells_pending=True)
        raise NodeError(Verdict.ELSEWHERE, "moving")

    async def _balance(self, holder: Holder, asset: Asset, tip: int) -> Balance:
        """An output that is confirmed but spent in the mempool is not listed any more. It is found in its spender."""
        path, script = _path(holder), holder.canonical.hex()
        outputs = await self._read(f"{path}/utxo", list[_Utxo])
        waiting = await self._read(f"{path}/txs/mempool", list[_Transaction])
        if len(waiting) >= _MEMPOOL_PAGE:
            raise NodeError(Verdict.ELSEWHERE, "too_many_pending")
        here = {each.txid for each in waiting}
        confirmed = {(each.txid, each.vout): facts.amount(each.value) for each in outputs if each.status.confirmed}
        unspent, pending = sum(confirmed.values()), 0
        for each in waiting:
            pending += sum(facts.amount(output.value) for output in each.vout if output.scriptpubkey == script)
            for spent in each.vin:
                if spent.prevout is not None and spent.prevout.scriptpubkey == script:
                    pending -= facts.amount(spent.prevout.value)
                    if spent.txid not in here:
                        confirmed[spent.txid, spent.vout] = spent.prevout.value
        total = facts.amount(sum(confirmed.values()))
        immature = await self._immature(outputs, tip)
        return Balance(
            holder.address, asset, total, pending, None if immature is None else unspent - immature, immature
        )

    async def _immature(self, outputs: Sequence[_Utxo], tip: int) -> int | None:
        recent = [each for each in outputs if each.status.confirmed and facts.is_immature(_height(each.status), tip)]
        ids = {each.txid for each in recent}
        if len(ids) > _RECENT:
            return None
        made = {tx_id: await self._raw(tx_id) for tx_id in sorted(ids)}
        return sum(each.value for each in recent if made[each.txid].is_coinbase)

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page of history. ``begin``: id of the last mined transaction of the previous page. Pages end with a whole
        block.
        """
        if begin is not None and not facts.HASH.fullmatch(begin):
            raise NodeError(Verdict.OURS, "bad_cursor")
        path = _path(holder)
        tip = await self._tip()
        rows = await self._read(path + ("/txs" if begin is None else f"/txs/chain/{begin}"), list[_Transaction])
        waiting = [each for each in rows if not each.status.confirmed]
        mined = [each for each in rows if each.status.confirmed]
        more = len(mined) >= _LEAST_PAGE
        for _ in range(_PAGES):
            if not more or _height(mined[0].status) != _height(mined[-1].status):
                break
            # the next page may have more of the same block
            following = await self._read(f"{path}/txs/chain/{facts.a_hash(mined[-1].txid)}", list[_Transaction])
            mined += following
            more = len(following) >= _LEAST_PAGE
        else:
            raise NodeError(Verdict.ELSEWHERE, "history_too_large")
        kept = _whole_blocks(mined, max(1, most - len(waiting)), more=more)
        begin = kept[-1].txid if more or len(kept) < len(mined) else None
        ranked = sorted(waiting + kept, key=_rank, reverse=True)
        cannot_see = ("pending",) if len(waiting) >= _MEMPOOL_PAGE else ()  # older pending ones are not shown
        return Page([self._entry(holder, each, tip) for each in ranked], begin, cannot_see, indexed=tip)

    async def _read(self, path: str, of: type[T]) -> T:
        """Reads a list that anybody can make too long for one response. That is not a failure of the server."""
        try:
            answer = await self._http.exchange("GET", path, work=Work.HISTORY)
        except NodeError as error:
            if error.cause != "too_long":
                raise
            raise NodeError(Verdict.ELSEWHERE, "history_too_large") from None
        if answer.status == _BAD and b"too many" in answer.body[:_WORDS].lower():
            raise NodeError(Verdict.ELSEWHERE, "history_too_large")
        if not 200 <= answer.status < 300:
            raise meaning(answer)
        return decode(answer.body, of)

    def _entry(self, holder: Holder, row: _Transaction, tip: int) -> Entry:
        script = holder.canonical.hex()
        received = [facts.amount(output.value) for output in row.vout if output.scriptpubkey == script]
        taken = {
            index: facts.amount(each.prevout.value)
            for index, each in enumerate(row.vin)
            if each.prevout is not None and each.prevout.scriptpubkey == script
        }
        if not received and not taken:
            raise NodeError(Verdict.LYING, "not_its_history")
        return entries.entry(
            holder,
            self._setup.coin,
            facts.a_hash(row.txid),
            self._status(row.status, tip),
            received=sum(received),
            spent=sum(taken.values()),
            alone=len(received) == len(row.vout),
            fee=facts.amount(row.fee) if 0 in taken else None,
            reward=any(each.is_coinbase for each in row.vin),
            counterparty=_counterparty(row, script, paid=bool(taken)),
        )

    async def used(self, holders: Sequence[Holder]) -> Used:
        """Uses the address statistics. Counting twice after a reorganisation does not matter here."""
        asked = holders[:_AT_ONCE]
        return Used(len(asked), frozenset([each.address for each in asked if await self._is_used(each)]))

    async def _is_used(self, holder: Holder) -> bool:
        found = await self._http.read("GET", _path(holder), of=_Stats)
        counts = (found.chain_stats.tx_count, found.mempool_stats.tx_count)
        if min(counts) < 0:
            raise NodeError(Verdict.LYING, "impossible_count")
        return any(counts)

    async def fees(self) -> Fees:
        found = await self._http.read("GET", "/fee-estimates", of=dict[str, Decimal])
        told = [found.get(str(blocks)) for blocks in fees.TARGETS]
        if not all(each.isdigit() for each in found):
            raise NodeError(Verdict.BROKEN, "bad_answer")
        return fees.suggest([None if each is None else rate(each, Rate.SAT_PER_VB) for each in told], FLOOR)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        answer = await self._http.exchange("POST", "/tx", text=signed, work=Work.BROADCAST)
        told = answer.body.decode("utf-8", "replace").strip()
        if 200 <= answer.status < 300:
            return facts.sent(ids, told)
        page = told.startswith("<")  # a page of a proxy may contain any text
        refused = refusals.of(told) if answer.status in _REFUSING and not page else None
        if refused is None:
            raise meaning(answer)
        if refused.cause == refusals.INPUTS_GONE and await self._found(ids.tx_ids[0]) is not None:
            return Sent(ids.tx_ids[0], known=True)
        return facts.known(ids, refused)

    async def status(self, tracked: Tracked) -> Status:
        found = await self._found(tracked.tx_id)
        if found is not None:
            fee = facts.amount(found.fee)
            return replace(self._status(found.status, await self._tip() if found.status.confirmed else 0), fee=fee)
        for spent in tracked.ids.consumes if tracked.ids else ():
            if (replaced := await self._replaced(tracked.tx_id, *facts.outpoint(spent.sequence))) is not None:
                return replaced
        return Status(State.UNKNOWN)

    async def _found(self, tx_id: str) -> _Transaction | None:
        """The whole transaction, because ``/status`` reports unknown ones as merely unconfirmed."""
        answer = await self._http.exchange("GET", f"/tx/{tx_id}", work=Work.HISTORY)
        if answer.status == _ABSENT:
            return None
        if not 200 <= answer.status < 300:
            raise meaning(answer)
        found = decode(answer.body, _Transaction)
        if found.txid != tx_id:
            raise NodeError(Verdict.LYING, "wrong_transaction")
        return found

    async def _replaced(self, ours: str, tx_id: str, vout: int) -> Status | None:
        found = await self._http.read("GET", f"/tx/{tx_id}/outspend/{vout}", of=_Outspend)
        if not found.spent or found.txid is None or found.status is None or found.txid == ours:
            return None
        status = self._status(found.status, await self._tip() if found.status.confirmed else 0)
        return replace(status, state=State.REPLACED, replaced_by=facts.a_hash(found.txid))

    async def transaction(self, tx_id: str) -> bytes:
        answer = await self._http.exchange("GET", f"/tx/{tx_id}/hex", work=Work.HISTORY)
        if answer.status == _ABSENT:
            raise NodeError(Verdict.ELSEWHERE, _NOT_FOUND)
        found = _ascii(answer)
        facts.asked_for(tx_id, found)
        return bytes.fromhex(found)

    async def _raw(self, tx_id: str) -> Transaction:
        return facts.asked_for(tx_id, (await self.transaction(tx_id)).hex())

    async def _tip(self) -> int:
        text = await self._text("/blocks/tip/height")
        if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        return facts.height(int(text))

    async def _text(self, path: str) -> str:
        return _ascii(await self._http.exchange("GET", path))

    def _status(self, placed: _Placed, tip: int) -> Status:
        if not placed.confirmed:
            return Status(State.PENDING)
        if placed.block_hash is None or placed.block_time is None:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        block = facts.block(_height(placed), placed.block_hash, placed.block_time)
        return facts.included(self._setup, block, tip)


def _path(holder: Holder) -> str:
    return f"/scripthash/{sha256(holder.canonical).hexdigest()}"


def _height(placed: _Placed) -> int:
    if placed.block_height is None:
        raise NodeError(Verdict.BROKEN, "bad_answer")
    return facts.height(placed.block_height)


def _rank(row: _Transaction) -> entries.Rank:
    return entries.rank(_height(row.status) if row.status.confirmed else 0, row.txid)


def _whole_blocks(mined: Sequence[_Transaction], wanted: int, *, more: bool) -> list[_Transaction]:
    """As many as wanted, and the rest of the last block. A block that continues on the next page is left out."""
    heights = [_height(each.status) for each in mined]
    if heights != sorted(heights, reverse=True):
        raise NodeError(Verdict.BROKEN, "bad_order")
    last = heights[-1] if more else -1
    at = heights[wanted - 1] if len(mined) >= wanted else 0
    kept = [each for each, height in zip(mined, heights, strict=True) if height >= at and height != last]
    return kept or list(mined)


def _counterparty(row: _Transaction, script: str, *, paid: bool) -> str | None:
    """The recipient of the first output to another script or, for a receipt, the owner of the first such input."""
    outputs = row.vout if paid else [each.prevout for each in row.vin if each.prevout is not None]
    others = [each.scriptpubkey_address for each in outputs if each.scriptpubkey != script]
    return others[0] if others else None


def _ascii(answer: Answer) -> str:
    if not 200 <= answer.status < 300:
        raise meaning(answer)
    if not answer.body.isascii():
        raise NodeError(Verdict.BROKEN, "bad_answer")
    return answer.body.decode().strip()
