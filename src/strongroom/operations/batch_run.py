"""One run of a batch. Each item is an operation of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from strongroom.domain.record import AuditEntry
from strongroom.errors import DeadlineExceeded, InternalError, StrongroomError, Unavailable
from strongroom.journal.base import Commit, Entries, Entry, Intent, Lost, Outdated
from strongroom.keys.base import Signer
from strongroom.operations.batches import AllAtOnce, Item, Outcome, Step, item_key
from strongroom.operations.canonical import canonical, replayed
from strongroom.operations.deadline import Deadline
from strongroom.operations.handling import Asked, Handling
from strongroom.operations.registry import Batch
from strongroom.operations.sight import Touches
from strongroom.operations.signer_together import ForMany, SignerTogether
from strongroom.operations.together import Meeting, Pace, Slices
from strongroom.storage.base import Row, Unit
from strongroom.telemetry.metrics import OPERATIONS_TOTAL

log = structlog.get_logger(__name__)

_IN_ONE_COMMIT: Final = 100
"""Items per commit."""


class BatchRun:
    """``touched``: what each item names. ``refused``: why an item is not run, or None."""

    def __init__(
        self,
        handling: Handling,
        batch: Batch,
        items: Sequence[Item],
        touched: Sequence[Touches],
        refused: Sequence[StrongroomError | None],
        asked: Asked,
        entries: Entries,
        signer: Signer,
    ) -> None:
        self._handling = handling
        self._batch = batch
        self._items = items
        self._touched = touched
        self._asked = asked
        self._entries = entries
        self._signer = ForMany(signer)
        self._outcomes: list[Outcome | None] = list(refused)

    async def outcomes(self, slices: Slices, until: float, *, repeated: bool) -> list[Outcome]:
        """The outcome of each item, in order.

        ``until``: time of the event loop at which unfinished items are cut off. ``repeated``: an earlier call may have
        done some of the items.
        """
        if repeated and await self._recall():
            self._asked.on_replay()
        if self._batch.at_once is not None:
            await self._run_at_once(self._batch.at_once, slices, until)
        missing = self._in_order(self._missing())
        works = [partial(self._run, n, Deadline(until)) for n in missing]
        for n, ended in zip(missing, await slices.run(works, self._batch.slice, until), strict=True):
            self._outcomes[n] = self._told(n, ended)
        found = [outcome or InternalError("this item was not processed") for outcome in self._outcomes]
        self._count(found)
        return found

    async def _recall(self) -> bool:
        """Recalls what earlier calls with this key have done. True if they did everything."""
        open_ = self._missing()
        stored = await self._entries.replays([self._entry(n, self._asked_of(n)) for n in open_])
        for n, each in zip(open_, stored, strict=True):
            self._outcomes[n] = replayed(self._batch.of.result, each) if isinstance(each, bytes) else each
        return all(isinstance(each, bytes) for each in stored)

    def _missing(self) -> list[int]:
        return [n for n, outcome in enumerate(self._outcomes) if outcome is None]

    async def _run_at_once(self, prepare: AllAtOnce, slices: Slices, until: float) -> None:
        """Commits items that open no key, many at a time. Items that remain are run one by one afterwards."""
        missing = self._missing()
        if not missing:
            return
        first = missing[0]
        asked = self._asked_of(first)
        entry = self._entry(first, asked, self._commit_patiently)
        call = self._handling.call(asked, entry, Deadline(until), self._touched[first])
        try:
            async with asyncio.timeout_at(until):
                steps = await prepare(self._items[first].command, call, len(missing))
        except (StrongroomError, Lost, Outdated, TimeoutError):
            return  # each item then reports the error itself
        pairs = list(zip(missing, steps, strict=False))
        parts = [pairs[start : start + _IN_ONE_COMMIT] for start in range(0, len(pairs), _IN_ONE_COMMIT)]
        await slices.each(parts, self._commit_at_once, until)

    async def _commit_at_once(self, part: Sequence[tuple[int, Step]]) -> None:
        made: dict[int, msgspec.Struct] = {}
        intents: list[Intent] = []
        pace = Pace()
        for chunk in pace.chunks(part):
            for n, step in chunk:
                with suppress(StrongroomError):
                    made[n], intent = step(self._entry(n, self._asked_of(n)))
                    intents.append(intent)
            await pace.rest()
        try:
            await self._entries.commit_at_once(intents)
        except Lost:
            return
        except StrongroomError as error:
            self._outcomes_of(dict.fromkeys(made, error))
        else:
            self._outcomes_of(made)

    def _outcomes_of(self, found: Mapping[int, Outcome]) -> None:
        for n, outcome in found.items():
            self._outcomes[n] = outcome

    async def _commit_patiently(self, unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]:
        [found] = await self._entries.commit_all([(unit, audit)])
        if isinstance(found, BaseException):
            raise found
        return found

    def _in_order(self, positions: list[int]) -> list[int]:
        """The positions with items of the same wallet, say, next to each other, otherwise in their original order."""
        name = self._batch.near
        if name is None:
            return positions
        first: dict[Any, int] = {}
        for n in positions:
            first.setdefault(getattr(self._items[n].command, name), n)
        return sorted(positions, key=lambda n: (first[getattr(self._items[n].command, name)], n))

    async def _run(self, n: int, deadline: Deadline, meeting: Meeting) -> Outcome:
        async def commit(unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]:
            return await meeting.ask(self._entries.commit_all, (unit, audit))

        try:
            asked = self._asked_of(n)
            return await self._handling.handle(
                self._batch.of,
                self._items[n].command,
                asked,
                self._entry(n, asked, commit),
                deadline,
                self._touched[n],
                SignerTogether(self._signer, meeting),
            )
        except asyncio.CancelledError:
            if deadline.answer is None:
                raise
            return deadline.answer
        except StrongroomError as error:
            error.let_go()
            return deadline.answer if deadline.answer is not None and isinstance(error, Unavailable) else error

    def _entry(self, n: int, asked: Asked, commit: Commit | None = None) -> Entry:
        command = canonical(self._items[n].command) if asked.key else b""
        return self._handling.entry(self._batch.of, asked, command, commit)

    def _asked_of(self, n: int) -> Asked:
        key = self._asked.key
        return self._asked if key is None else replace(self._asked, key=item_key(key, n))

    def _told(self, n: int, ended: Outcome | BaseException) -> Outcome:
        if isinstance(ended, msgspec.Struct | StrongroomError):
            return ended
        if isinstance(ended, TimeoutError):
            return DeadlineExceeded(
                "the deadline passed before this item was known to be done: send the same batch with the same "
                "idempotency key"
            )
        log.error(
            "operation.crashed",
            operation=self._batch.of.name, item=n, request_id=self._asked.request_id, exc_info=ended,
        )  # fmt: skip
        return InternalError("unexpected error: look for the request id in the log")

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        codes = Counter(each.code if isinstance(each, StrongroomError) else "ok" for each in outcomes)
        for code, count in codes.items():
            OPERATIONS_TOTAL.labels(self._batch.of.name, code).inc(count)
