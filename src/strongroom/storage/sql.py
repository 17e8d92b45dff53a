"""Storage over SQL. SQLite and PostgreSQL share the statements."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import exc, text

from strongroom.domain.record import AuditRecord, HeldGuard, ServiceSecret
from strongroom.domain.wallet import SealedSecret
from strongroom.errors import InternalError, StorageUnavailable
from strongroom.storage import rewraps
from strongroom.storage.alert_reads import AlertReads
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Row, Unit
from strongroom.storage.database import Database, OutcomeUnknown
from strongroom.storage.disk import DISK
from strongroom.storage.groups import Groups, Several
from strongroom.storage.scans import Scans
from strongroom.storage.tasks import SqlTasks
from strongroom.storage.writes import Lost, Unsure, Writes

_log = structlog.get_logger(__name__)

_ATTEMPTS = 5


class SqlStorage(AlertReads, Scans):
    """The implementation of `storage.base.Storage`."""

    def __init__(self, database: Database, authenticity: Authenticity) -> None:
        super().__init__(database, authenticity)
        self._writes = Writes(database.dialect, authenticity)
        self._direct = database.direct
        self._groups = Groups(self._direct, self._writes)
        self.queue = SqlTasks(database, authenticity)
        """The tasks of the same database."""

    async def apply(self, units: Sequence[Unit]) -> Applied:
        look = unknown = False
        at_once = self._groups if _witness(units) is not None else None
        for _ in range(_ATTEMPTS):
            try:
                if at_once is not None:
                    return await at_once.apply(units)
                return await self._database.write(partial(self._writes.apply, units=units, look=look))
            except Several:
                at_once = None
                continue
            except OutcomeUnknown:
                if _witness(units) is None:
                    raise
                # Written once more. If the first attempt succeeded or still succeeds, its rows are in the way of these.
                unknown = True
            except (Lost, Unsure, exc.IntegrityError) as met:
                if unknown and await self._is_committed(units):
                    return Applied(present=await self._present(units))
                if isinstance(met, Lost):
                    return Applied(conflicts=met.conflicts)
            look, at_once = True, None
        if unknown:
            raise StorageUnavailable("it is not known whether this was committed", retry_after=1)
        raise InternalError("rows refer to what is not there")

    async def _is_committed(self, units: Sequence[Unit]) -> bool:
        """Whether ``units`` are committed. One audit record of theirs decides, because its MAC belongs to this batch
        alone.
        """
        witness = _witness(units)
        assert witness is not None
        committed = await self.audit_chain(witness.writer_id, witness.sequence - 1, 1) == [witness]
        _log.warning("storage.outcome_known", committed=committed)
        return committed

    async def _present(self, units: Sequence[Unit]) -> list[tuple[int, Row]]:
        """The rows that existed before ``units`` were committed, which differ from those in ``units``."""
        present: list[tuple[int, Row]] = []
        for n, unit in enumerate(units):
            for row in unit.same:
                found: Row | None
                if isinstance(row, HeldGuard):
                    found = await self.guard(row.guard)
                else:
                    found = await self.address(row.tenant_id, row.account_id, row.change, row.index)
                if found is not None and found != row:
                    present.append((n, found))
        return present

    async def rewrap_secrets(self, pairs: Sequence[tuple[SealedSecret, SealedSecret]]) -> int:
        return await self._database.write(
            partial(rewraps.rewrap, dialect=self._database.dialect, authenticity=self._authenticity, pairs=pairs)
        )

    async def rewrap_service_secret(self, old: ServiceSecret, new: ServiceSecret) -> bool:
        return await self._database.write(
            partial(rewraps.rewrap_service_secret, authenticity=self._authenticity, old=old, new=new)
        )

    @property
    def connections(self) -> int:
        return self._database.connections

    async def ping(self) -> float:
        started = time.perf_counter()
        await self._database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
        await self._direct.ping()
        return (time.perf_counter() - started) * 1000

    async def is_writable(self) -> bool:
        if DISK.full:
            return False
        if self._database.dialect.name != "sqlite":
            read_only = text("SHOW transaction_read_only")
            return await self._database.write(lambda connection: connection.execute(read_only).scalar()) == "off"
        try:
            await self._database.write(lambda _: None)  # it begins with the write lock
        except StorageUnavailable:
            return False
        return True

    async def close(self) -> None:
        await self._database.close()


def _witness(units: Sequence[Unit]) -> AuditRecord | None:
    return next((row for unit in units for row in unit.rows if isinstance(row, AuditRecord)), None)
