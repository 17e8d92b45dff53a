"""The history of a holder: signatures by account, then the transactions themselves.

A node lists the signatures of one account, newest first, without an order within a slot. The lists of the owner's
account and its token accounts are merged by (slot, signature), descending. A cursor is a place in that order, so no
list has to begin at a signature of another account, to which some nodes respond with an empty list as if there were no
more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from strongroom.codecs import base58
from strongroom.rpc.base import Entry, Holder, NodeError, Page, Setup, Verdict
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc, Question
from strongroom.rpc.solana import entries, values
from strongroom.rpc.solana.entries import Change, Read, Transaction
from strongroom.rpc.solana.verdicts import VERSION

AT_ONCE: Final = 1000
"""Signatures per list, the most that agave returns."""
MOST_TRANSACTIONS: Final = 50
"""Transactions that are fetched for one page."""
MOST_ACCOUNTS: Final = 24
"""Accounts that are listed for one page."""
MOST_LISTINGS: Final = 20
"""Lists of one account for one page."""
_MOST_HINTS: Final = 4
_TAG: Final = 8
"""Characters that tell the accounts of one holder apart."""

Place = tuple[int, str]
"""Slot and signature: the place of a transaction in a history."""


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    signature: str
    slot: int
    confirmation_status: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """``slot:signature`` of the last transaction that was returned, then ``:tag.signature`` for each account with more
    than one list above it. That signature is where its next list may begin.
    """

    place: Place
    hints: Mapping[str, str]

    def __str__(self) -> str:
        slot, signature = self.place
        return ":".join([str(slot), signature, *(f"{tag}.{start}" for tag, start in self.hints.items())])

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Raises NodeError."""
        slot, _, rest = text.partition(":")
        signature, *hints = rest.split(":")
        pairs = [hint.partition(".")[::2] for hint in hints]
        good = slot.isascii() and slot.isdigit() and len(slot) <= 16 and len(pairs) <= _MOST_HINTS
        if not good or not all(map(values.is_signature, [signature, *(start for _, start in pairs)])):
            raise NodeError(Verdict.OURS, "bad_cursor")
        return cls((int(slot), signature), dict(pairs))


@dataclass(slots=True)
class _Stream:
    """The rows that were listed of one account."""

    account: str
    rows: dict[str, _Row] = field(default_factory=dict)
    floor: int = -1
    """Slots above it are listed completely; -1 if all are."""
    starts: list[tuple[int, str]] = field(default_factory=list)
    """The last slot and signature of each list except the last. A list above the cursor has the highest slot
    instead.
    """

    def below(self, place: Place | None) -> list[Place]:
        found = [(row.slot, row.signature) for row in self.rows.values() if row.slot > self.floor]
        return found if place is None else [each for each in found if each < place]


class History:
    def __init__(self, setup: Setup, rpc: JsonRpc) -> None:
        self._setup = setup
        self._rpc = rpc

    async def page(self, holder: Holder, tokens: Sequence[bytes], begin: str | None, most: int) -> Page:
        """A page. ``tokens``: the holder's token accounts, the most important ones first. Raises NodeError."""
        cursor = None if begin is None else Cursor.read(begin)
        place = None if cursor is None else cursor.place
        wanted = max(1, min(most, MOST_TRANSACTIONS))
        accounts = [holder.address, *map(base58.encode, tokens)][:MOST_ACCOUNTS]
        streams = [await self._list(account, cursor, wanted) for account in accounts]
        rows, floor = _merged(streams), max(stream.floor for stream in streams)
        places = sorted({p for s in streams for p in s.below(place) if p[0] > floor}, reverse=True)
        taken = places[:wanted]
        reads, unread = await self._transactions([rows[signature] for _, signature in taken])
        more = floor >= 0 or len(taken) < len(places)
        parted = {
            -1 if place is None else place[0],
            taken[-1][0] if more else -1,
        }  # slots of which other pages may have more
        cannot_see = {
            "older": True,
            "closed_accounts": True,
            "accounts": len(accounts) <= len(tokens),
            "unreadable": unread > 0,
            "gaps": not _whole([each for each in reads if each.slot not in parted], accounts),
        }
        return Page(
            self._entries(reads, rows, holder, accounts),
            str(Cursor(taken[-1], _hints(streams, taken[-1]))) if more else None,
            tuple(name for name, holds in cannot_see.items() if holds),
        )

    def _entries(
        self, reads: Iterable[Read], rows: Mapping[str, _Row], holder: Holder, accounts: Sequence[str]
    ) -> list[Entry]:
        found: list[Entry] = []
        for each in reads:
            if each.coins.keys().isdisjoint(accounts):
                raise NodeError(Verdict.LYING, "not_its_history")
            final = rows[each.tx_id].confirmation_status == values.FINALIZED
            found += entries.entries(each, holder, self._setup, final=final)
        return sorted(found, key=_rank, reverse=True)

    async def _list(self, account: str, cursor: Cursor | None, wanted: int) -> _Stream:
        """Lists an account until enough transactions lie below the cursor, in slots that are listed completely."""
        before = None if cursor is None else cursor.hints.get(account[:_TAG])
        stream = _Stream(account, starts=[] if before is None else [(values.MOST_SLOT, before)])
        limit = min(wanted + 1, AT_ONCE) if cursor is None else AT_ONCE
        hinted = before is not None
        for _ in range(MOST_LISTINGS):
            rows = await self._listing(account, before, limit)
            if hinted and not rows:
                await self._must_know(before or "")
            hinted = False
            self._take(stream, rows)
            if len(rows) < limit:
                stream.floor = -1
                return stream
            if len(stream.below(None if cursor is None else cursor.place)) >= wanted:
                return stream
            stream.starts.append((rows[-1].slot, before := rows[-1].signature))
            limit = AT_ONCE
        raise NodeError(Verdict.ELSEWHERE, "history_too_large")

    async def _listing(self, account: str, before: str | None, limit: int) -> list[_Row]:
        options = {"limit": limit, "commitment": values.COMMITMENT} | ({"before": before} if before else {})
        rows = await self._rpc.call("getSignaturesForAddress", [account, options], list[_Row], work=Work.HISTORY)
        if len(rows) > limit:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        for row in rows:
            values.slot(row.slot)
            values.signature(row.signature)
        return rows

    def _take(self, stream: _Stream, rows: Sequence[_Row]) -> None:
        """Adds the rows of a list. Repeated rows are ignored.

        Raises NodeError if a list has nothing new, or newer slots than the list before, because it then does not
        continue that.
        """
        fresh = {row.signature: row for row in rows if row.signature not in stream.rows}
        lowest = stream.floor
        if rows and not fresh:
            raise NodeError(Verdict.BROKEN, "endless_history")
        if lowest >= 0 and any(row.slot > lowest for row in fresh.values()):
            raise NodeError(Verdict.BROKEN, "bad_order")
        stream.rows |= fresh
        if rows:
            stream.floor = min(row.slot for row in rows)

    async def _must_know(self, signature: str) -> None:
        """Raises NodeError if the node does not know the signature, because it then lists nothing, as if there were no
        more.
        """
        params = [[signature], {"searchTransactionHistory": True}]
        found = await self._rpc.call("getSignatureStatuses", params, _Known, work=Work.HISTORY)
        if not values.is_there(found.value[0]):
            raise NodeError(Verdict.ELSEWHERE, "unknown_cursor")

    async def _transactions(self, rows: Sequence[_Row]) -> tuple[list[Read], int]:
        """The transactions, and the number of those whose version is not supported here."""
        answers = await self._rpc.batch(
            [question(row.signature) for row in rows],
            Transaction | None,  # type: ignore[arg-type]
            work=Work.HISTORY,
        )
        found = []
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, NodeError):
                if answer.cause != VERSION:
                    raise answer
                continue
            if answer is None:
                raise NodeError(Verdict.ELSEWHERE, "no_transaction")
            read = entries.read(answer, row.signature)
            if read.slot != row.slot:
                raise NodeError(Verdict.ELSEWHERE, "contradicts_itself")
            found.append(read)
        return found, len(rows) - len(found)


class _Known(msgspec.Struct, frozen=True):
    value: tuple[values.Anything]


def question(signature: str) -> Question:
    options = {"encoding": "json", "commitment": values.COMMITMENT, "maxSupportedTransactionVersion": 0}
    return Question("getTransaction", [signature, options])


def _merged(streams: Iterable[_Stream]) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    for stream in streams:
        for signature, row in stream.rows.items():
            if found.setdefault(signature, row).slot != row.slot:
                raise NodeError(Verdict.ELSEWHERE, "contradicts_itself")
    return found


def _hints(streams: Iterable[_Stream], last: Place) -> dict[str, str]:
    """For each account the end of its last list that lies above the last place. The next list may begin there."""
    found: dict[str, str] = {}
    for stream in streams:
        above = [signature for slot, signature in stream.starts if slot > last[0]]
        if above and len(found) < _MOST_HINTS:
            found[stream.account[:_TAG]] = above[-1]
    return found


def _whole(reads: Sequence[Read], accounts: Sequence[str]) -> bool:
    """Whether no transaction is missing between those of a page."""
    owner, *tokens = accounts
    changes: dict[tuple[str, str], list[tuple[int, Change]]] = {}
    for each in reads:
        if (coin := each.coins.get(owner)) is not None:
            changes.setdefault((owner, ""), []).append((each.slot, coin))
        for token in each.tokens:
            if token.account in tokens:
                changes.setdefault((token.account, token.mint), []).append((each.slot, token))
    return all(entries.continuous(of_account) for of_account in changes.values())


def _rank(entry: Entry) -> tuple[int, str, str]:
    return (entry.block.height if entry.block else 0, entry.tx_id, entry.index)
