"""Finds out which idempotency keys were used before, with one query for all callers that wait.

Most keys are new. So the query only says which exist, and the row of one that does is read as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Connection

from strongroom.errors import StorageUnavailable
from strongroom.saturation import Gathering
from strongroom.storage.database import Database
from strongroom.telemetry import tracing

_log = structlog.get_logger(__name__)

Key = tuple[UUID, UUID, str]
"""Tenant, principal, idempotency key."""

_AT_ONCE: Final = 256
_POSTGRESQL: Final = """
SELECT g.n - 1
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS g (tenant_id, principal_id, idempotency_key, n)
CROSS JOIN LATERAL (
    SELECT 1 FROM operations o
    WHERE o.tenant_id = g.tenant_id AND o.principal_id = g.principal_id AND o.idempotency_key = g.idempotency_key
    LIMIT 1
) AS there
"""
"""LIMIT keeps PostgreSQL from joining the tables in another way than by looking up each key."""
_SQLITE: Final = """
WITH g (n, tenant_id, principal_id, idempotency_key) AS (VALUES %s)
SELECT n FROM g WHERE EXISTS (
    SELECT 1 FROM operations o
    WHERE o.tenant_id = g.tenant_id AND o.principal_id = g.principal_id AND o.idempotency_key = g.idempotency_key
)
"""


@dataclass(slots=True)
class _Waiting:
    key: Key
    span: tracing.Span | tracing.Nothing
    known: asyncio.Future[bool]


class KnownKeys:
    """One query runs at a time. The keys that are asked for meanwhile are in the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = Gathering()
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def has(self, key: Key) -> bool:
        """Whether there is an operation with this key. Raises StorageUnavailable."""
        with tracing.span("idempotency.wait") as span:
            waiting = _Waiting(key, span, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            if self._task is None:  # without the caller's context, because it works for others too
                self._task = asyncio.create_task(self._look_up(), context=Context())
            return await waiting.known

    async def _look_up(self) -> None:
        try:
            while self._waiting:
                await self._gathering.more(len(self._waiting))
                asked, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
                await self._ask(asked)
        finally:
            self._task = None

    async def _ask(self, asked: Sequence[_Waiting]) -> None:
        keys = [each.key for each in asked]
        refusal: StorageUnavailable | None = None
        known = set(range(len(keys)))
        try:
            with tracing.join("idempotency.keys", asked):
                known = await self._database.read(lambda connection: _known(connection, keys))
        except StorageUnavailable as error:
            refusal = error
            asked, self._waiting = [*asked, *self._waiting], []  # nobody waits for the database twice
        except Exception as error:  # noqa: BLE001 - each caller reads its row then, and meets its own fault
            _log.warning("storage.keys_not_looked_up", reason=type(error).__name__)
        finally:
            _tell(asked, known, refusal)


def _tell(asked: Sequence[_Waiting], known: set[int], refusal: StorageUnavailable | None) -> None:
    for n, each in enumerate(asked):
        if each.known.done():  # its caller was cancelled
            continue
        if refusal is None:
            each.known.set_result(n in known)
            continue
        own = StorageUnavailable(refusal.message, retry_after=refusal.retry_after)
        own.cause = refusal.cause
        each.known.set_exception(own)


def _known(connection: Connection, keys: Sequence[Key]) -> set[int]:
    """The places of the keys that exist."""
    return {row[0] for row in connection.exec_driver_sql(*_query(connection.dialect.name, keys)).all()}


def _query(dialect: str, keys: Sequence[Key]) -> tuple[str, tuple[Any, ...]]:
    if dialect != "sqlite":
        return _POSTGRESQL, tuple([*column] for column in zip(*keys, strict=True))
    rows = ", ".join(f"({n}, ?, ?, ?)" for n in range(len(keys)))
    return _SQLITE % rows, tuple(cell for tenant, user, key in keys for cell in (tenant.bytes, user.bytes, key))
