"""The two databases behind one face: a piece of synchronous work over a `Connection`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Dialect, exc

from strongroom.errors import InternalError, StorageUnavailable

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

_LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a connection to PostgreSQL, in seconds; those of statements are kept by the server, and 0 is none there.

    ``timeout`` is what `read` and `write` take at most, all in all; None: as long as it takes.
    """

    pool_size: int = 10
    timeout: float | None = 1.5
    pool_timeout: float = 1.0
    connect_timeout: float = 1.0
    statement_timeout: float = 1.2
    lock_timeout: float = 1.0
    idle_in_transaction_timeout: float = 10.0


class OutcomeUnknown(StorageUnavailable):
    """COMMIT was sent, and no answer came: the transaction may be committed, or may still come to be."""


class Database(Protocol):
    """``work`` may be run more than once: a transaction that lost to another, or its connection, is tried again.

    Both raise StorageUnavailable where the database cannot be asked, InternalError where it cannot take a value, and
    let SQLAlchemy's IntegrityError through: only who wrote the rows knows what it means.
    """

    @property
    def dialect(self) -> Dialect: ...

    @property
    def connections(self) -> int:
        """How many are open."""

    async def read(self, work: Work[T]) -> T: ...

    async def scan(self, work: Work[T]) -> T:
        """As `read`, for what may have to look at many rows: it never holds up the event loop."""
        ...

    async def write(self, work: Work[T]) -> T:
        """In one transaction, committed when ``work`` returns and rolled back when it raises. Raises OutcomeUnknown."""

    async def close(self) -> None: ...


async def persist(attempt: Callable[[], Awaitable[T]], passes: Callable[[Exception], bool], seconds: float) -> T:
    """Runs ``attempt`` again for ``seconds`` while what stops it ``passes``; foreign errors become ours."""
    until = time.monotonic() + seconds
    pause = 0.01
    while True:
        try:
            return await attempt()
        except exc.IntegrityError:
            raise
        except (exc.DataError, exc.ProgrammingError) as error:
            denied = _state(error) == "42501"
            raise InternalError(
                "the role of the database may not do this" if denied else "the database does not take a row"
            ) from error
        except (exc.SQLAlchemyError, OSError) as error:
            if not passes(error) or time.monotonic() + pause > until:
                raise unavailable(error) from error
        await asyncio.sleep(random.uniform(0, pause))  # noqa: S311
        pause = min(pause * 2, _LONGEST_PAUSE)


def unavailable(error: Exception) -> StorageUnavailable:
    state = _state(error)
    _log.warning("database.unavailable", error=type(getattr(error, "orig", None) or error).__name__, state=state)
    locked = state == "55P03"
    return StorageUnavailable(
        "somebody else holds a lock in the database" if locked else "the database does not answer", retry_after=1
    )


def _state(error: Exception) -> str | None:
    """SQLSTATE: 42501 is insufficient_privilege, 55P03 lock_not_available."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)
