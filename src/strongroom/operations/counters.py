"""Which index of an account is handed out next."""

from __future__ import annotations

import asyncio
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


class Counters:
    """The counters of all accounts. Calls of this process take turns; another process is noticed by the old value."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def take(self, call: Context, account_id: UUID, read: Callable[[], Awaitable[Account | None]]) -> int:
        """The next index; no two callers get the same. ``read`` gives the account as it is stored.

        An operation that fails afterwards leaves a gap, which costs nothing.

        Raises InFlight, AddressNotDerived, InvalidField (no index is left).
        """
        async with self._turns.setdefault(account_id, asyncio.Lock()):
            lost = 0
            while lost < _TRIES:
                account = await read()
                if account is None:
                    raise AddressNotDerived("the account has not been opened yet", field="account")
                try:
                    index = await _advance(call, account)
                except Lost:
                    lost += 1
                    continue
                if index is not None:
                    return index
        raise InFlight("others are taking addresses of this account; try again", retry_after=1)


async def _advance(call: Context, account: Account) -> int | None:
    """Moves the counter past the first index that is free and returns that index.

    None if there are so many that were asked for by their index that the counter only passed some of them. However many
    there are, a call that runs out of time leaves fewer to the next one.
    """
    start = account.next_index
    given = await call.storage.given_indexes(call.tenant_id, account.id, start, _PASSED_AT_ONCE)
    index = next((n for n, each in enumerate(given, start) if each != n), start + len(given))
    if index > MAX_INDEX:
        raise InvalidField("the account has no index left: use another account", field="account")
    is_free = index < start + _PASSED_AT_ONCE
    change = Change(Account, account.id, {"next_index": start}, {"next_index": index + is_free})
    await call.journal.commit(Unit(changes=[change]))
    return index if is_free else None
