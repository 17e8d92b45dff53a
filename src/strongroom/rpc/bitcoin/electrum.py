"""Electrum servers. Everything is asked for by script hash.

A balance counts immature coinbase outputs as confirmed, so recent ones are looked at one by one. A history only names
transactions, so each transaction and what it spends are fetched and checked by their ids.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from strongroom.codecs.bip144 import Transaction, TxOut
from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Block,
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
from strongroom.rpc.bitcoin import electrum_calls, entries, facts, fees, refusals
from strongroom.rpc.bitcoin.electrum_calls import NOT_FOUND, Calls, Row, Sum, Tip, script_hash
from strongroom.rpc.bitcoin.fees import Rate, rate
from strongroom.rpc.lines import Lines
from strongroom.rpc.source import Partial

classify = electrum_calls.classify

_RECENT: Final = 100
"""Scripts, and transactions, that are looked at for coinbase outputs. If there are more, spendable is left unknown."""
_OUTPUTS: Final = 4
"""Outputs whose history is searched for the block of their transaction."""
_RETURN: Final = b"\x6a"
_PARENTS: Final = 20
"""Inputs of a transaction up to which its fee is computed. Each input costs a call."""
_SPENDERS: Final = 50
"""Transactions of a history that are searched for the spender of an output, newest first."""


@dataclass(frozen=True, slots=True)
class _Outputs:
    """The unspent confirmed outputs of one script, and the immature part of them, in satoshis."""

    unspent: int
    immature: int


class Electrum(Partial):
    """``lines`` has to be made with `classify`."""

    capabilities = frozenset(Capability) - {Capability.TOKENS}

    def __init__(self, setup: Setup, lines: Lines) -> None:
        super().__init__(lines)
        self._setup, self._calls = setup, Calls(setup, lines)

    async def pin(self) -> None:
        await self._calls.check_chain()

    async def head(self) -> Head:
        return self._head(await self._calls.tip())

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        hashes = list(dict.fromkeys(script_hash(each.canonical) for each in holders))
        tip, found = await self._calls.steady(lambda tip: self._sums(hashes, tip))
        sums = dict(zip(hashes, found, strict=True))
        return Balances(
            self._head(tip),
            [_balance(each, asset, *sums[script_hash(each.canonical)]) for each in holders for asset in assets],
            tells_pending=True,
        )

    async def _sums(self, hashes: Sequence[str], tip: Tip) -> list[tuple[Sum, _Outputs | None]]:
        """The balance of each script, and its outputs if they can be told. Outputs spent in the mempool are not listed
        any more.
        """
        sums = await self._calls.sums(hashes)
        funded = [each for each, found in zip(hashes, sums, strict=True) if found.confirmed]
        if len(funded) > _RECENT:
            return [(found, None) for found in sums]
        listed = zip(funded, await self._calls.unspent(funded), strict=True)
        mined = {each: [one for one in unspent if one.height > 0] for each, unspent in listed}
        recent = {
            each: [one for one in unspent if facts.is_immature(one.height, tip.height)]
            for each, unspent in mined.items()
        }
        ids = {one.tx_hash for unspent in recent.values() for one in unspent}
        if len(ids) > _RECENT:
            return [(found, None) for found in sums]
        made = await self._calls.transactions(ids)
        outputs = {
            each: _Outputs(
                sum(facts.amount(one.value) for one in unspent),
                sum(facts.amount(one.value) for one in recent[each] if made[one.tx_hash].is_coinbase),
            )
            for each, unspent in mined.items()
        }
        return [(found, outputs.get(each, _Outputs(0, 0))) for each, found in zip(hashes, sums, strict=True)]

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        _, page = await self._calls.steady(lambda tip: self._page(holder, begin, most, tip))
        return page

    async def _page(self, holder: Holder, begin: str | None, most: int, tip: Tip) -> Page:
        rows = {entries.rank(row.height, row.tx_hash): row for row in await self._calls.rows(holder.canonical)}
        after = None if begin is None else entries.unmark(begin)
        ranks = [each for each in sorted(rows, reverse=True) if after is None or each < after]
        page = [rows[each] for each in ranks[:most]]
        made = await self._calls.transactions(row.tx_hash for row in page)
        parents = await self._parents(holder.canonical, made.values(), {row.tx_hash for row in rows.values()})
        blocks = await self._calls.blocks(row.height for row in page if row.height > 0)
        found = [self._entry(holder, row, made[row.tx_hash], parents, blocks.get(row.height), tip) for row in page]
        return Page(found, entries.mark(ranks[most - 1]) if len(ranks) > most else None, indexed=tip.height)

    async def _parents(self, script: bytes, made: Collection[Transaction], ours: Set[str]) -> Mapping[str, Transaction]:
        """The transactions that ``made`` may spend from. Those paying to the script are in its history, ``ours``. The
        others are fetched only if the fee is needed.
        """
        found = await self._calls.transactions(tx_id for each in made for tx_id in _spends(each) if tx_id in ours)
        paying = [each for each in made if _taken(each, script, found)]
        missing = {tx_id for each in paying for tx_id in _spends(each)} - found.keys()
        return found | await self._calls.transactions(missing)

    def _entry(
        self,
        holder: Holder,
        row: Row,
        made: Transaction,
        parents: Mapping[str, Transaction],
        block: Block | None,
        tip: Tip,
    ) -> Entry:
        script = holder.canonical
        received = [output.value for output in made.outputs if output.script == script]
        taken = _taken(made, script, parents)
        if not received and not taken:
            raise NodeError(Verdict.LYING, "not_its_history")
        return entries.entry(
            holder,
            self._setup.coin,
            row.tx_hash,
            Status(State.PENDING) if block is None else facts.included(self._setup, block, tip.height),
            received=sum(received),
            spent=sum(taken.values()),
            alone=len(received) == len(made.outputs),
            fee=_fee(made, parents) if 0 in taken else None,
            reward=made.is_coinbase,
        )

    async def used(self, holders: Sequence[Holder]) -> Used:
        hashes = {script_hash(each.canonical): each.address for each in holders}
        return Used(len(holders), frozenset(hashes[each] for each in await self._calls.used(list(hashes))))

    async def fees(self) -> Fees:
        found = await self._calls.estimates(fees.TARGETS)
        floor = rate(await self._calls.floor(), Rate.BTC_PER_KVB)
        return fees.suggest([None if each < 0 else rate(each, Rate.BTC_PER_KVB) for each in found], floor)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        try:
            return facts.sent(ids, await self._calls.send(signed))
        except NodeError as error:
            if error.cause == refusals.INPUTS_GONE and await self._has(ids.tx_ids[0]):
                return Sent(ids.tx_ids[0], known=True)
            return facts.known(ids, error)

    async def _has(self, tx_id: str) -> bool:
        found = await self._found(tx_id)
        return found is not None and await self._placed(tx_id, found) is not None

    async def status(self, tracked: Tracked) -> Status:
        found = await self._found(tracked.tx_id)
        row = None if found is None else await self._placed(tracked.tx_id, found)
        if found is not None and row is not None:
            status = await self._status(row)
            return status if status.block is None else replace(status, fee=await self._paid(found))
        for spent in tracked.ids.consumes if tracked.ids else ():
            outpoint = facts.outpoint(spent.sequence)
            if (replaced := await self._replaced(*outpoint, ours=tracked.tx_id)) is not None:
                return replaced
        if found is not None and await self._calls.is_in_mempool(tracked.tx_id):
            return Status(State.PENDING)  # the server asks its node for news only every few seconds
        return Status(State.UNKNOWN)

    async def _found(self, tx_id: str) -> Transaction | None:
        """The transaction. It need not be in the best chain, because the index of a node keeps what a reorganisation
        removed.
        """
        try:
            return facts.asked_for(tx_id, await self._calls.raw(tx_id))
        except NodeError as error:
            if error.cause != NOT_FOUND:
                raise
            return None

    async def _placed(self, tx_id: str, found: Transaction) -> Row | None:
        """Its row in the history of one of its spendable outputs, if that history is not too long."""
        for output in [each for each in found.outputs if each.script[:1] != _RETURN][:_OUTPUTS]:
            try:
                rows = await self._calls.rows(output.script)
            except NodeError as error:
                if error.verdict is not Verdict.ELSEWHERE:
                    raise
                continue
            return next((row for row in rows if row.tx_hash == tx_id), None)
        raise NodeError(Verdict.ELSEWHERE, "no_history")

    async def _status(self, row: Row) -> Status:
        if row.height <= 0:
            return Status(State.PENDING, fee=None if row.fee is None else facts.amount(row.fee))
        tip, blocks = await self._calls.steady(lambda _: self._calls.blocks([row.height]))
        return facts.included(self._setup, blocks[row.height], tip.height)

    async def _paid(self, made: Transaction) -> int | None:
        """The fee of a mined transaction. The server itself tells it only for pending ones."""
        if len(made.inputs) > _PARENTS:
            return None
        return _fee(made, await self._calls.transactions(_spends(made)))

    async def _replaced(self, tx_id: str, vout: int, *, ours: str) -> Status | None:
        """The state of ``ours`` according to the spender of this output, which is another transaction or ``ours`` after
        all.
        """
        parent = await self._found(tx_id)
        if parent is None or vout >= len(parent.outputs):
            return None
        rows = await self._calls.rows(parent.outputs[vout].script)
        latest = sorted(rows, key=lambda row: entries.rank(row.height, row.tx_hash), reverse=True)[:_SPENDERS]
        made = await self._calls.transactions(row.tx_hash for row in latest)
        for row in latest:
            if f"{tx_id}:{vout}" in (str(each.outpoint) for each in made[row.tx_hash].inputs):
                found = await self._status(row)
                if row.tx_hash == ours:
                    return found
                return replace(found, state=State.REPLACED, fee=None, replaced_by=row.tx_hash)
        return None

    async def transaction(self, tx_id: str) -> bytes:
        found = await self._calls.raw(tx_id)
        facts.asked_for(tx_id, found)
        return bytes.fromhex(found)

    def _head(self, tip: Tip) -> Head:
        return facts.head(self._setup, tip.height, *electrum_calls.read_header(tip.hex))


def _balance(holder: Holder, asset: Asset, found: Sum, outputs: _Outputs | None) -> Balance:
    if outputs is None:
        return Balance(holder.address, asset, found.confirmed, found.unconfirmed)
    spendable = facts.amount(outputs.unspent - outputs.immature)
    return Balance(holder.address, asset, found.confirmed, found.unconfirmed, spendable, outputs.immature)


def _spends(made: Transaction) -> list[str]:
    """The ids of the transactions that it spends from, by input. Empty for a coinbase."""
    return [] if made.is_coinbase else [each.outpoint.txid[::-1].hex() for each in made.inputs]


def _prevouts(made: Transaction, parents: Mapping[str, Transaction]) -> list[TxOut | None]:
    found: list[TxOut | None] = []
    for tx_id, each in zip(_spends(made), made.inputs, strict=False):
        outputs = parents[tx_id].outputs if tx_id in parents else ()
        found.append(outputs[each.outpoint.vout] if each.outpoint.vout < len(outputs) else None)
    return found


def _taken(made: Transaction, script: bytes, parents: Mapping[str, Transaction]) -> dict[int, int]:
    """The value that it takes from the script, by input."""
    prevouts = enumerate(_prevouts(made, parents))
    return {index: spent.value for index, spent in prevouts if spent is not None and spent.script == script}


def _fee(made: Transaction, parents: Mapping[str, Transaction]) -> int | None:
    prevouts = [spent for spent in _prevouts(made, parents) if spent is not None]
    if len(prevouts) != len(made.inputs):
        return None
    return facts.amount(sum(each.value for each in prevouts) - sum(each.value for each in made.outputs))
