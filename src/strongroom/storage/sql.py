"""Storage over SQL: SQLite and PostgreSQL by the same statements."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from sqlalchemy import exc, text

from strongroom.errors import InternalError
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Unit
from strongroom.storage.database import Database
from strongroom.storage.reads import Reads
from strongroom.storage.writes import Lost, Unsure, Writes

_ATTEMPTS = 5


class SqlStorage(Reads):
    """The implementation of `storage.base.Storage`."""

    def __init__(self, database: Database, authenticity: Authenticity) -> None:
        super().__init__(database, authenticity)
        self._writes = Writes(database.dialect, authenticity)

    async def apply(self, units: Sequence[Unit]) -> Applied:
        for attempt in range(_ATTEMPTS):
            try:
                return await self._database.write(partial(self._writes.apply, units=units, look=attempt > 0))
            except Lost as lost:
                return Applied(conflicts=lost.conflicts)
            except (Unsure, exc.IntegrityError):
                continue  # a row is in the way, or came in between
        raise InternalError("rows refer to what is not there")

    async def ping(self) -> float:
        started = time.perf_counter()
        await self._database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
        return (time.perf_counter() - started) * 1000

    async def close(self) -> None:
        await self._database.close()
