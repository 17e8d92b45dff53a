"""The committer's own connection to PostgreSQL, directly on asyncpg, for statements that are a transaction each.

There is no BEGIN and no COMMIT, so a response means that the transaction is committed. A statement that was sent
without a response may be committed or not, so it is never sent twice from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg
from asyncpg.protocol import protocol

from strongroom.storage.database import Again, OutcomeUnknown, Refused, persist, unavailable
from strongroom.telemetry import tracing

_LONG: Final = 10.0
"""Seconds for which something is retried if there is no other limit."""
_LOST_TO_OTHERS: Final = {"40001", "40P01", "55P03"}
"""serialization_failure, deadlock_detected, lock_not_available."""
_READ_ONLY: Final = "25006"
"""Another server is the primary by now."""
_CANCELLED: Final = "57014"
"""By statement_timeout, so the statement had not finished."""
_SAYS_NOTHING: Final = {"08", "57", "XX"}
"""Classes of errors after which it may be committed: connection, operator, internal."""


def _spare_checks() -> None:
    """Makes asyncpg accept only lists and tuples as arrays.

    For each element of an array it checks whether that is an array too, with the abstract base classes of
    `collections`. Those are written in Python: 130 calls per signature, 4 % of its cost. The names are asyncpg's own,
    so a test checks that they still exist. Without them this has no effect.
    """
    protocol.IterableABC = protocol.SizedABC = (list, tuple)


_spare_checks()


class DirectConnection:
    """A connection that is made when it is first needed, and again when it is lost. It runs one statement at a time.

    ``make_room`` is called if it cannot be made, and closes idle connections of ours: the server, or a pooler before
    it, may grant no more than those. ``seconds``: the longest time for `fetch` as a whole; None for no limit.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        make_room: Callable[[], Awaitable[None]],
        seconds: float | None,
    ) -> None:
        self._connect = connect
        self._make_room = make_room
        self._seconds = seconds
        self._connection: Any = None
        self._turn = asyncio.Lock()
        self._sent = False

    @property
    def connections(self) -> int:
        return int(self._connection is not None and not self._connection.is_closed())

    @tracing.traced("sql.write", tracing.CLIENT)
    async def fetch(self, statement: str, arguments: Sequence[object]) -> Sequence[Any]:
        """The rows of a statement. Raises Refused, OutcomeUnknown, StorageUnavailable."""

        async def attempt() -> Sequence[Any]:
            return await self._attempt(statement, arguments)

        async with self._turn:
            self._sent = False
            try:
                async with asyncio.timeout(self._seconds):
                    return await persist(attempt, lambda error: isinstance(error, Again), self._seconds or _LONG)
            except TimeoutError as error:
                if self._connection is None:
                    await self._make_room()
                raise self._lost(error) from error

    async def close(self) -> None:
        self._drop()

    async def _attempt(self, statement: str, arguments: Sequence[object]) -> Sequence[Any]:
        connection = await self._ready()
        self._sent = True
        try:
            rows: Sequence[Any] = await connection.fetch(statement, *arguments)
        except asyncpg.PostgresError as error:
            raise self._meaning(error) from error
        except (OSError, asyncpg.InternalClientError) as error:
            self._drop()
            raise self._lost(error) from error
        except asyncpg.InterfaceError as error:  # from the driver itself: it could not encode a value, or was closed
            if connection.is_closed():
                self._drop()
                raise self._lost(error) from error
            raise Refused from error
        except BaseException:
            self._drop()
            raise
        return rows

    async def _ready(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._connect()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                await self._make_room()
                raise Again(error) from error
        return self._connection

    def _meaning(self, error: asyncpg.PostgresError) -> Exception:
        state = error.sqlstate or ""
        self._sent = state[:2] in _SAYS_NOTHING and state != _CANCELLED
        if state in _LOST_TO_OTHERS:
            return Again(error)
        if state == _READ_ONLY:
            self._drop()
            return Again(error)
        if state == _CANCELLED:
            return unavailable(Again(error))
        if self._sent:
            self._drop()
            return self._lost(error)
        return Refused()

    def _lost(self, error: Exception) -> Exception:
        what = unavailable(Again(error))
        return OutcomeUnknown(what.message, retry_after=what.retry_after) if self._sent else what

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
