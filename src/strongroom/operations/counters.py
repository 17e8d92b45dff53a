"""Chooses the index of an account that is handed out next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from strongroom.domain.scheme import MAX_INDEX
from strongroom.domain.wallet import Account
from strongroom.errors import AddressNotDerived, InFlight, InvalidField
from strongroom.journal.base import Lost
from strongroom.operations.context import Context
from strongroom.storage.base import Change, Unit

_TRIES: Final = 20
_PASSED_AT_ONCE: Final = 200


class _Turn:
    """The calls that are taking indexes of one account at the moment."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wanted = 0
        self.taken: deque[int] = deque()
        """Indexes that are reserved for waiting calls."""


class Counters:
    """The counters of all accounts.

    Calls of this process take turns. Another process is noticed because the stored value has changed. The call whose
    turn it is reserves indexes for all that wait, so a hundred calls move the counter once.
    """

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[UUID, _Turn] = WeakValueDictionary()

    async def take(self, call: Context, account_id: UUID, read: Callable[[], Awaitable[Account | None]]) -> int:
        """The next index. No two callers get the same one. ``read`` gives the account as it is stored.

        An operation that fails afterwards leaves a gap, which does no harm.

        Raises InFlight, AddressNotDerived, InvalidField (no index is left).
        """
        turn = self._turn(account_id)
        turn.wanted += 1
        try:
            async with turn.lock:
                if not turn.taken:
                    turn.taken += await _reserve(call, turn.wanted, read)
                return turn.taken.popleft()
        finally:
            turn.wanted -= 1

    async def take_many(
        self, call: Context, account_id: UUID, count: int, read: Callable[[], Awaitable[Account | None]]
    ) -> list[int]:
        """At least one index, at most ``count``. Raises as `take`."""
        async with self._turn(account_id).lock:
            return await _reserve(call, count, read)

    def _turn(self, account_id: UUID) -> _Turn:
        turn = self._turns.get(account_id)
        if turn is None:
            turn = self._turns[account_id] = _Turn()
        return turn


async def _reserve(call: Context, count: int, read: Callable[[], Awaitable[Account | None]]) -> list[int]:
    """At least one index, at most ``count``. Raises as `Counters.take`."""
    lost = 0
    while lost < _TRIES:
        account = await read()
        if account is None:
            raise AddressNotDerived("the account has not been opened yet", field="account")
        try:
            indexes = await _advance(call, account, count)
        except Lost:
            lost += 1
            continue
        if indexes:
            return indexes
    raise InFlight("other requests are taking addresses of this account: try again", retry_after=1)


async def _advance(call: Context, account: Account, count: int) -> list[int]:
    """Moves the counter past the first ``count`` free indexes and returns them.

    Returns fewer, or none, if so many of the next indexes were handed out by number that one step passes only some of
    them. A call that runs out of time then leaves less for the next one to pass.
    """
    start = account.next_index
    given = await call.storage.given_indexes(call.tenant_id, account.id, start, _PASSED_AT_ONCE)
    known = start + len(given) + count
    if len(given) == _PASSED_AT_ONCE:  # nobody has looked at the indexes after these yet
        known = min(known, given[-1] + 1)
    taken = set(given)
    free = [index for index in range(start, min(known, MAX_INDEX + 1)) if index not in taken][:count]
    if not free and known > MAX_INDEX:
        raise InvalidField("the account has no unused index left: use another account", field="account")
    change = Change(Account, account.id, {"next_index": start}, {"next_index": free[-1] + 1 if free else known})
    await call.journal.commit(Unit(changes=[change]))
    return free
