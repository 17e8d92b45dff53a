"""History and tokens from TronGrid's own interface (``/v1``), which has the same address as its node.

A history is made of two lists: transactions, with calls inside them, and TRC-20 transfers. Only solid ones are asked
for, so pages do not move. Pages continue by time, and within one moment by the list's ``fingerprint``. The second list
has no heights, so the node is asked for the height of each transaction that is only in that list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

from strongroom.rpc.assets import unlisted
from strongroom.rpc.base import Balance, Balances, Capability, Holder, NodeError, Page, Setup, Verdict
from strongroom.rpc.http import Http, Work
from strongroom.rpc.source import Partial
from strongroom.rpc.tron import values
from strongroom.rpc.tron.api import Api, Face
from strongroom.rpc.tron.rows import Entries, Row, Transaction, Transfer
from strongroom.rpc.tron.status import find

R = TypeVar("R", Transaction, Transfer)

_MOST_ENTRIES: Final = 50
"""Entries per page. Each may need a question of its own."""
_LEAST_ROWS: Final = 20
_MOST_ROWS: Final = 200
_PAGES: Final = 20
"""Pages for one moment."""
_BETWEEN: Final = 1_500
"""Milliseconds. Blocks are three seconds apart, so it does not matter whether bounds are inclusive."""
_NOWHERE: Final = -1
_DIGITS: Final = 16
_UNSEEN: Final = ("pending", "internal")
"""The list has some of the calls inside transactions, but not all."""


class _Meta(msgspec.Struct, frozen=True):
    fingerprint: str | None = None


class _List(msgspec.Struct, Generic[R], frozen=True):
    data: list[R]
    meta: _Meta = _Meta()


class _Account(msgspec.Struct, frozen=True):
    address: str
    trc20: list[dict[str, str]] = []


class _Accounts(msgspec.Struct, frozen=True):
    data: list[_Account]


class TronGrid(Partial):
    """The URL of ``http`` ends before ``/v1`` and ``/wallet``. A key goes into the header ``TRON-PRO-API-KEY``."""

    capabilities = frozenset({Capability.HISTORY, Capability.TOKENS})

    def __init__(self, setup: Setup, http: Http) -> None:
        self._api = Api(http)
        super().__init__(self._api)
        self._setup = setup

    async def pin(self) -> None:
        await self._api.pin(self._setup.pin)

    async def tokens(self, holder: Holder) -> Balances:
        """The tokens of a holder. Unlisted ones have only an amount."""
        at = await self._api.head()
        query = {"only_confirmed": "true"}
        found = await self._api.get(f"/v1/accounts/{holder.address}", _Accounts, query, Work.HISTORY)
        if any(values.shown(account.address) != holder.address for account in found.data):
            raise NodeError(Verdict.LYING, "other_account")
        amounts = {
            values.shown(contract): values.decimal(amount)
            for account in found.data
            for held in account.trc20
            for contract, amount in held.items()
        }
        listed, network = self._setup.tokens, self._setup.network
        return Balances(
            at,
            [
                Balance(holder.address, listed.get(contract) or unlisted(network, contract), amount)
                for contract, amount in amounts.items()
                if amount
            ],
        )

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page. ``begin``: time in milliseconds. The page has this moment and older ones."""
        top, wanted = _place(begin), max(1, min(most, _MOST_ENTRIES))
        transactions, floor = await self._list(_List[Transaction], holder, "transactions", top, wanted)
        transfers, other = await self._list(_List[Transfer], holder, "transactions/trc20", top, wanted)
        floor = max(floor, other)
        listed: list[Row] = [*transactions, *transfers]
        rows = [row for row in listed if row.block_timestamp > floor]
        rows.sort(key=lambda row: row.block_timestamp, reverse=True)
        rest = None if floor == _NOWHERE else floor + _BETWEEN
        if len(rows) > wanted:
            last = rows[wanted - 1].block_timestamp
            kept = [row for row in rows if row.block_timestamp >= last]
            if len(kept) < len(rows):
                rows, rest = kept, last - _BETWEEN
        solid = (await self._api.now(Face.SOLID)).height
        entries = Entries(self._setup, holder.address, solid).of(rows, await self._heights(rows))
        return Page(entries, None if rest is None else str(rest), _UNSEEN)

    async def _list(
        self, of: type[_List[R]], holder: Holder, name: str, top: int | None, wanted: int
    ) -> tuple[list[R], int]:
        """The beginning of a list, newest first: the rows that are wanted, and more until the time changes. Also the
        time at and before which it is incomplete.
        """
        query: dict[str, str | int] = {
            "only_confirmed": "true",
            "order_by": "block_timestamp,desc",
            "limit": max(_LEAST_ROWS, min(wanted + 1, _MOST_ROWS)),
        }
        if top is not None:
            query["max_timestamp"] = top
        rows: list[R] = []
        for _ in range(_PAGES):
            path = f"/v1/accounts/{holder.address}/{name}"
            found = await self._api.get(path, of, query, Work.HISTORY)
            rows += found.data
            _check(rows, top)
            if not found.data or not found.meta.fingerprint:
                return rows, _NOWHERE
            if len(rows) > wanted and rows[-1].block_timestamp < rows[0].block_timestamp:
                return rows, rows[-1].block_timestamp
            query["fingerprint"] = found.meta.fingerprint
        raise NodeError(Verdict.ELSEWHERE, "history_too_large")

    async def _heights(self, rows: Sequence[Row]) -> dict[str, int]:
        """The heights by id of the transaction."""
        found = {row.id: values.height(row.height) for row in rows if row.height is not None}
        for row in rows:
            if row.id in found:
                continue
            info = await find(self._api, Face.SOLID, row.id)
            if info is None:  # the node is behind the index
                raise NodeError(Verdict.ELSEWHERE, "no_receipt")
            if info.milliseconds != row.block_timestamp:
                raise NodeError(Verdict.LYING, "wrong_block")
            found[row.id] = values.height(info.number)
        return found


def _check(rows: Sequence[Row], top: int | None) -> None:
    times = [row.block_timestamp for row in rows]
    for each in times:
        values.time(each)
    if top is not None and any(each > top for each in times):
        raise NodeError(Verdict.LYING, "not_what_was_asked")
    if times != sorted(times, reverse=True):
        raise NodeError(Verdict.BROKEN, "bad_order")


def _place(begin: str | None) -> int | None:
    if begin is None:
        return None
    if not (begin.isascii() and begin.isdigit() and len(begin) < _DIGITS):
        raise NodeError(Verdict.OURS, "bad_cursor")
    return int(begin)
