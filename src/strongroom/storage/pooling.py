"""Whether a pooler between us and PostgreSQL gives each transaction another connection.

The service needs connections of its own, because time limits and prepared statements belong to a connection. PgBouncer
shows its clients a false process id. So one query tells whether there is a pooler at all, and more are sent only then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from strongroom.storage.database import NoConnection

_ROUNDS: Final = 4
"""A pooler that uses its connections in turn shows it within this many transactions."""
_PID: Final = "SELECT pg_backend_pid()"


async def shares_connections(connect: Callable[[], Awaitable[Any]]) -> bool:
    """``connect`` makes an asyncpg connection. Raises what that raises."""
    first = await connect()
    try:
        pid = await first.fetchval(_PID)
        if pid == first.get_server_pid():
            return False
        return await _is_given_to_others(first, pid, connect)
    finally:
        await first.close()


async def _is_given_to_others(first: Any, pid: int, connect: Callable[[], Awaitable[Any]]) -> bool:
    """Holds transactions open on other connections while ``first`` is idle. A connection of our own is not lent to
    them, and is still the same afterwards.

    If no other is to be had, all that the pooler grants are held, and none of them was that of ``first``.
    """
    others: list[Any] = []
    try:
        for _ in range(_ROUNDS):
            try:
                other = await connect()
            except NoConnection:
                return bool(await first.fetchval(_PID) != pid)
            others.append(other)
            try:
                await other.execute("BEGIN")
                lent = await other.fetchval(_PID) == pid
            except asyncpg.PostgresError:
                return True  # statement pooling refuses transactions
            if lent or await first.fetchval(_PID) != pid:
                return True
    finally:
        for other in others:
            await other.close()
    return False
