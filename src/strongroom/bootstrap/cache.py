"""Assembles what uses Redis, if it is configured: the cache behind memory, and rates shared by all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.access.limits import RateLimits
from strongroom.access.wallet_rates import WalletRates
from strongroom.breaker import CircuitBreaker
from strongroom.cache.base import Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.config.sections import RedisSettings
from strongroom.config.settings import Settings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.rates.base import Buckets
from strongroom.rates.local import LocalBuckets
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from strongroom.cache.redis import RedisCache
    from strongroom.redis_link import RedisLink


def open_redis(settings: RedisSettings) -> RedisLink | None:
    """One link for everything in the process, so that all of it finds out together that Redis is down."""
    if settings.url is None or not settings.enabled:
        return None
    from strongroom.redis_link import RedisLink  # noqa: PLC0415 - imports redis-py, which some processes do without

    breaker = CircuitBreaker("redis", threshold=1, interval=settings.breaker_interval)
    return RedisLink(_client(settings, settings.url), breaker, timeout=settings.timeout)


def open_tier(link: RedisLink | None, authenticity: Authenticity) -> RedisCache | None:
    """The Redis tier of the cache, or None without Redis."""
    if link is None:
        return None
    from strongroom.cache.envelope import Envelopes  # noqa: PLC0415
    from strongroom.cache.redis import RedisCache  # noqa: PLC0415

    return RedisCache(link, Envelopes(authenticity.cache_key))


def open_cache(settings: Settings, redis: RedisCache | None) -> TieredCache:
    """The cache with the configured lifetimes, in memory and, if there is a tier, in Redis."""
    lifetimes = {kind: getattr(settings.cache, kind) for kind in Kind}
    return TieredCache(MemoryCache(settings.cache.memory), redis, lifetimes)


def open_limits(settings: Settings, link: RedisLink | None, storage: Storage) -> RateLimits:
    """The rate limits, shared through Redis if there is a link. Without it, each process has its share."""
    share = LocalBuckets(settings.rates.replicas * settings.workers.count)
    buckets: Buckets = share
    if link is not None:
        from strongroom.rates.redis import SharedBuckets  # noqa: PLC0415

        buckets = SharedBuckets(link, share)
    return RateLimits(
        settings.rates.by_class(), settings.wallet_rates.by_class(), buckets=buckets, overrides=WalletRates(storage)
    )


def open_client(settings: RedisSettings) -> Redis | None:
    """A client of its own, for uses other than the cache. None if no Redis is configured."""
    return None if settings.url is None or not settings.enabled else _client(settings, settings.url)


def check_redis(settings: RedisSettings) -> None:
    """Raises ConfigurationError if no client can be made from the settings. Does no I/O to Redis."""
    if settings.url is not None and settings.enabled:
        _client(settings, settings.url)


def _client(settings: RedisSettings, url: Secret) -> Redis:
    from strongroom.cache.client import connect  # noqa: PLC0415

    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise ConfigurationError("redis.ca_file cannot be read", field="redis.ca_file")
    try:
        return connect(
            url,
            username=settings.username,
            password=settings.password,
            ca_file=settings.ca_file,
            pool_size=settings.pool_size,
        )
    except (ValueError, TypeError, OSError):
        raise ConfigurationError(
            "the settings of Redis cannot be used: check redis.url and the settings next to it", field="redis.url"
        ) from None
