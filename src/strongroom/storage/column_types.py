"""Column types that SQLite and PostgreSQL store differently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, TypeDecorator, Uuid
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Timestamp(TypeDecorator[datetime]):
    """UTC. timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _microseconds_of if dialect.name == "sqlite" else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        at: datetime = _EPOCH + value * _MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return at


class Id(TypeDecorator[UUID]):
    """uuid on PostgreSQL, its 16 bytes on SQLite."""

    impl = Uuid()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else Uuid())

    def bind_processor(self, dialect: Dialect) -> Callable[[UUID | None], Any] | None:
        return _bytes_of if dialect.name == "sqlite" else None

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return UUID(bytes=value) if value is not None and dialect.name == "sqlite" else value


# Bound without the layers that SQLAlchemy puts around process_bind_param, because a signature binds 25 of these.


def _microseconds_of(value: datetime | None) -> int | None:
    return None if value is None else (value - _EPOCH) // _MICROSECOND


def _bytes_of(value: UUID | None) -> bytes | None:
    return None if value is None else value.int.to_bytes(16, "big")
