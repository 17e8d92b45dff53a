"""The cache: in memory, before Redis if the settings name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.breaker import CircuitBreaker
from strongroom.config.sections import RedisSettings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.storage.authenticity import Authenticity

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from strongroom.cache.redis import RedisCache


def open_redis(settings: RedisSettings, authenticity: Authenticity) -> RedisCache | None:
    if settings.url is None or not settings.enabled:
        return None
    from strongroom.cache.envelope import Envelopes  # noqa: PLC0415 - brings redis-py, which others do without
    from strongroom.cache.redis import RedisCache  # noqa: PLC0415

    client = _client(settings, settings.url)
    breaker = CircuitBreaker("redis", threshold=1, interval=settings.breaker_interval)
    return RedisCache(client, Envelopes(authenticity.cache_key), breaker, timeout=settings.timeout)


def check_redis(settings: RedisSettings) -> None:
    """Raises ConfigurationError for settings from which no client can be made. Asks nobody."""
    if settings.url is not None and settings.enabled:
        _client(settings, settings.url)


def _client(settings: RedisSettings, url: Secret) -> Redis:
    from strongroom.cache.redis import connect  # noqa: PLC0415

    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise ConfigurationError("the file of redis.ca_file cannot be read", field="redis.ca_file")
    try:
        return connect(
            url.reveal(),
            username=settings.username,
            password=None if settings.password is None else settings.password.reveal(),
            ca_file=settings.ca_file,
            pool_size=settings.pool_size,
        )
    except (ValueError, TypeError, OSError):
        raise ConfigurationError("redis.url, or what stands beside it, cannot be used", field="redis.url") from None
