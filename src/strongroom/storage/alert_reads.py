"""Reads for alerts, and the deletion of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Connection, Table, delete, func, or_, select

from strongroom.domain.alert import Alert, AlertState, Notification, Sighting, Silence
from strongroom.domain.principal import ApiKey
from strongroom.storage.alert_tables import alerts, notifications, sightings, silences
from strongroom.storage.reads import Reads
from strongroom.storage.tables import api_keys

_SILENCES: Final = 1000
"""Silences per rule and subject. If somebody makes more, the oldest are ignored."""
_AGES: Final[tuple[tuple[Table, Column[Any]], ...]] = (
    (notifications, notifications.c.created_at),
    (silences, silences.c.until),
    (alerts, alerts.c.seen_at),
    (sightings, sightings.c.seen_at),
)


class AlertReads(Reads):
    async def sighting(self, alert_id: UUID) -> Sighting | None:
        return await self._one(Sighting, id=alert_id)

    async def alert(self, alert_id: UUID) -> Alert | None:
        return await self._one(Alert, id=alert_id)

    async def alerts(self, tenant_id: UUID, state: str | None, after: UUID | None, limit: int) -> list[Alert]:
        query = select(alerts).where(or_(alerts.c.tenant_id == tenant_id, alerts.c.tenant_id.is_(None)))
        if state is not None:
            query = query.where(alerts.c.state == state)
        if after is not None:
            query = query.where(alerts.c.id > after)
        return await self._scan(Alert, query.order_by(alerts.c.id).limit(limit))

    async def alerts_firing(self) -> dict[str, int]:
        firing = alerts.c.state == AlertState.FIRING.value
        query = select(alerts.c.rule, func.count()).where(firing).group_by(alerts.c.rule)
        return await self._database.scan(lambda connection: {row[0]: row[1] for row in connection.execute(query).all()})

    async def silences(self, rule: str, subjects: Sequence[str]) -> list[Silence]:
        """The newest ones, in the order in which they were made."""
        query = select(silences).where(silences.c.rule == rule, silences.c.subject.in_(subjects))
        return (await self._all(Silence, query.order_by(silences.c.id.desc()).limit(_SILENCES)))[::-1]

    async def notification(self, notification_id: UUID) -> Notification | None:
        return await self._one(Notification, id=notification_id)

    async def notifications_of(self, alert_id: UUID, before: UUID, limit: int) -> list[Notification]:
        table = notifications.c
        query = select(notifications).where(table.alert_id == alert_id, table.id < before)
        return await self._all(Notification, query.order_by(table.id.desc()).limit(limit))

    async def notifications(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Notification]:
        table = notifications.c
        query = select(notifications).where(or_(table.tenant_id == tenant_id, table.tenant_id.is_(None)))
        if before is not None:
            query = query.where(table.id < before)
        return await self._scan(Notification, query.order_by(table.id.desc()).limit(limit))

    async def api_keys_ending(self, after: datetime, before: datetime, limit: int) -> list[ApiKey]:
        table = api_keys.c
        ending = (table.revoked_at.is_(None), table.expires_at >= after, table.expires_at < before)
        return await self._scan(ApiKey, select(api_keys).where(*ending).order_by(table.expires_at).limit(limit))

    async def forget_alerts(self, before: datetime, most: int) -> int:
        def work(connection: Connection) -> int:
            return sum(_forget(connection, table, age, before, most) for table, age in _AGES)

        return await self._database.write(work)


def _forget(connection: Connection, table: Table, age: Column[Any], before: datetime, most: int) -> int:
    some = select(table.c.id).where(age < before).limit(most)
    return connection.execute(delete(table).where(table.c.id.in_(some))).rowcount
