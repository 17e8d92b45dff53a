"""Data keys that go under another wrapping key. Nothing else in a secret's row changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Dialect, Select, and_, func, not_, select, tuple_, update

from strongroom.domain.record import ServiceSecret
from strongroom.domain.wallet import SealedSecret
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.bulk import bulk_update
from strongroom.storage.mapping import KIND_OF
from strongroom.storage.tables import secrets, service_secrets

_PLACE = (secrets.c.wallet_id, secrets.c.version)

COUNTS = (
    select(secrets.c.kek, secrets.c.kek_version, func.count())
    .group_by(secrets.c.kek, secrets.c.kek_version)
    .order_by(secrets.c.kek, secrets.c.kek_version)
)


def not_under(kek: str, version: int, after: tuple[UUID, int] | None, limit: int) -> Select[tuple[SealedSecret]]:
    query = select(secrets).where(not_(and_(secrets.c.kek == kek, secrets.c.kek_version == version)))
    if after is not None:
        query = query.where(tuple_(*_PLACE) > after)
    return query.order_by(*_PLACE).limit(limit)


def rewrap(
    connection: Connection,
    dialect: Dialect,
    authenticity: Authenticity,
    pairs: Sequence[tuple[SealedSecret, SealedSecret]],
) -> int:
    """Stores pairs of (old, new). A row that was changed meanwhile stays as it is. Returns how many were moved."""
    statement = bulk_update(
        dialect, secrets, ("wallet_id", "version", "wrapped_dek"), ("kek", "kek_version", "wrapped_dek", "mac")
    )
    moved = [
        (old, replace(old, kek=new.kek, kek_version=new.kek_version, wrapped_dek=new.wrapped_dek))
        for old, new in sorted(pairs, key=lambda pair: (pair[0].wallet_id, pair[0].version))
    ]
    rows = [
        (
            old.wallet_id,
            old.version,
            old.wrapped_dek,
            new.kek,
            new.kek_version,
            new.wrapped_dek,
            _mac(new, authenticity),
        )
        for old, new in moved
    ]
    return statement.run(connection, statement.bind(rows)) if rows else 0


def rewrap_service_secret(
    connection: Connection, authenticity: Authenticity, old: ServiceSecret, new: ServiceSecret
) -> bool:
    table = service_secrets
    change = (
        update(table)
        .where(table.c.version == old.version, table.c.wrapped == old.wrapped)
        .values(kek=new.kek, kek_version=new.kek_version, wrapped=new.wrapped, mac=_mac(new, authenticity))
    )
    return connection.execute(change).rowcount == 1


def _mac(row: SealedSecret | ServiceSecret, authenticity: Authenticity) -> bytes:
    mac: bytes = KIND_OF[type(row)].values(row, authenticity)[-1]
    return mac
