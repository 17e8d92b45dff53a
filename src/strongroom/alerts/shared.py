"""State of alerts that replicas share through Redis, and its form for a process without Redis."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = structlog.get_logger(__name__)

_NAMESPACE: Final = "strongroom:alerted:"
_SECONDS: Final = 1.0
_LONGEST: Final = 200
"""The longest value in bytes. Anybody else with access to Redis may have put a gigabyte there."""


class Alone:
    """Implements `alerts.base.Shared` for a process that shares nothing."""

    async def first(self, key: str, seconds: float) -> bool:  # noqa: ARG002
        return True

    async def keep(self, key: str, seconds: float, value: str = "1") -> None:
        pass

    async def read(self, key: str) -> str | None:  # noqa: ARG002
        return None

    async def forget(self, key: str) -> None:
        pass


class InRedis:
    """Implements `alerts.base.Shared`.

    Anyone who can write to Redis can suppress or repeat an alert about the database. Of the stored text, only an id and
    a time are used.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def first(self, key: str, seconds: float) -> bool:
        try:
            async with asyncio.timeout(_SECONDS):
                return bool(await self._client.set(_place(key), b"1", px=_milliseconds(seconds), nx=True))
        except Exception as error:  # noqa: BLE001 - of any kind: an alert that is sent twice is better than none
            _log.warning("alerts.not_shared", error=type(error).__name__)
            return True

    async def keep(self, key: str, seconds: float, value: str = "1") -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._client.set(_place(key), value.encode(), px=_milliseconds(seconds))
        except Exception as error:  # noqa: BLE001
            _log.warning("alerts.not_shared", error=type(error).__name__)

    async def read(self, key: str) -> str | None:
        try:
            async with asyncio.timeout(_SECONDS):
                found = await self._client.getrange(_place(key), 0, _LONGEST)
        except Exception as error:  # noqa: BLE001
            _log.warning("alerts.not_shared", error=type(error).__name__)
            return None
        return found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)

    async def forget(self, key: str) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._client.delete(_place(key))
        except Exception as error:  # noqa: BLE001
            _log.warning("alerts.not_shared", error=type(error).__name__)


def _place(key: str) -> str:
    return _NAMESPACE + hashlib.sha256(key.encode()).hexdigest()


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
