"""The two databases behind one interface: a piece of synchronous work over a `Connection`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection, Dialect, exc

from strongroom.errors import InternalError, StorageUnavailable
from strongroom.storage.disk import DISK, is_full_disk

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

_LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a connection to PostgreSQL, in seconds. The server enforces those of statements, and 0 means none
    there.

    ``timeout`` is the longest time for `read` and `write` as a whole; None for no limit.
    """

    pool_size: int = 10
    timeout: float | None = 1.5
    pool_timeout: float = 1.0
    connect_timeout: float = 1.0
    statement_timeout: float = 1.2
    lock_timeout: float = 1.0
    idle_in_transaction_timeout: float = 10.0


class NoConnection(OSError):
    """No connection could be made. ``cause`` is one sentence. If ``lasting``, an operator has to mend it."""

    def __init__(self, cause: str, *, lasting: bool = False, state: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.lasting = lasting
        self.sqlstate = state


class OutcomeUnknown(StorageUnavailable):
    """COMMIT was sent without a response, so the transaction may be committed, or may still become so."""


class Refused(Exception):
    """The server, or the driver before it, refused the statement. Nothing was done."""


class Again(OSError):
    """Nothing was done, and another try may go well. ``orig`` is the driver's own error, as with SQLAlchemy's."""

    def __init__(self, orig: BaseException) -> None:
        super().__init__(type(orig).__name__)
        self.orig = orig


class Direct(Protocol):
    """The shortest way to a commit, past SQLAlchemy. All raise StorageUnavailable."""

    async def ping(self) -> None:
        """Returns if a commit could begin now."""

    async def commit(self, parts: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        """The rows of some of `parts.PARTS`, in one transaction. Raises Refused, OutcomeUnknown."""

    async def secrets_and_wallets(self, wallet_ids: Sequence[UUID]) -> Sequence[Sequence[Any]]:
        """The secrets of these wallets by their version, each row with that of its wallet behind it."""
        ...

    async def standing(self, of: type, keys: Sequence[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        """The guards or addresses with these primary keys."""
        ...


class Database(Protocol):
    """``work`` may run more than once, because a transaction that lost to another, or lost its connection, is retried.

    Both raise StorageUnavailable if the database cannot be reached and InternalError if it cannot take a value.
    SQLAlchemy's IntegrityError is passed on, because only the caller knows what it means.
    """

    @property
    def dialect(self) -> Dialect: ...

    @property
    def direct(self) -> Direct: ...

    @property
    def connections(self) -> int:
        """Number of open connections."""

    async def read(self, work: Work[T]) -> T: ...

    async def scan(self, work: Work[T]) -> T:
        """As `read`, for work that may look at many rows. It never blocks the event loop."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Runs ``work`` in one transaction, committed when it returns and rolled back when it raises. Raises
        OutcomeUnknown.
        """

    async def close(self) -> None: ...


async def persist(attempt: Callable[[], Awaitable[T]], passes: Callable[[Exception], bool], seconds: float) -> T:
    """Repeats ``attempt`` for ``seconds`` while its error ``passes``. Foreign errors become ours."""
    until = time.monotonic() + seconds
    pause = 0.01
    while True:
        try:
            return await attempt()
        except exc.IntegrityError:
            raise
        except (exc.DataError, exc.ProgrammingError) as error:
            raise InternalError(_REFUSED.get(_state(error) or "", "the database refused a row")) from error
        except (exc.SQLAlchemyError, OSError) as error:
            if not passes(error) or time.monotonic() + pause > until:
                raise unavailable(error) from error
        await asyncio.sleep(random.uniform(0, pause))  # noqa: S311
        pause = min(pause * 2, _LONGEST_PAUSE)


def unavailable(error: Exception) -> StorageUnavailable:
    state = _state(error)
    if is_full_disk(getattr(error, "orig", error)):
        state = "53100"
        DISK.refused()
    _log.warning("database.unavailable", error=type(getattr(error, "orig", None) or error).__name__, state=state)
    refusal = StorageUnavailable(_UNAVAILABLE.get(state or "", "the database does not respond"), retry_after=1)
    origin = getattr(error, "orig", error)
    refusal.cause = origin.cause if isinstance(origin, NoConnection) else None
    return refusal


_UNAVAILABLE: Final = {
    "55P03": "another session holds a lock in the database",
    "53100": "the database's disk is full",
}
_REFUSED: Final = {
    "42501": "the role in database.url lacks a privilege: run `strongroom migrate`, which grants it",
    "42P01": "a table is missing in the database: check that it is the right one, and run `strongroom migrate`",
    "3F000": "the schema is missing in the database: check the search_path of the role",
    "42703": "a column is missing in the database: run `strongroom migrate`",
    "42P05": "a pooler gives each transaction another database connection: configure it to pool sessions",
    "26000": "a pooler gives each transaction another database connection: configure it to pool sessions",
}


def _state(error: Exception) -> str | None:
    """SQLSTATE: 42501 is insufficient_privilege, 55P03 lock_not_available, 53100 disk_full."""
    return getattr(getattr(error, "orig", error), "sqlstate", None)
