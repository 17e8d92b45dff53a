"""The composition root: from settings to a running service. The only package that knows implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from strongroom import __version__
from strongroom.access.api_keys import Authenticator
from strongroom.access.failures import FailureLimit
from strongroom.access.limits import RateLimits
from strongroom.bootstrap.cache import check_redis, open_redis
from strongroom.bootstrap.development import (
    DEVELOPMENT_TENANT,
    development_key,
    forget_unfinished,
    wants_development_key,
)
from strongroom.bootstrap.journal import open_journal
from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.storage import open_state
from strongroom.cache.base import Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.registry import CHAINS
from strongroom.config import Settings
from strongroom.domain.secret import Secret
from strongroom.health.checks import database_check, log_note, redis_check, vault_check
from strongroom.health.monitor import HealthMonitor
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import KeyWrap
from strongroom.operations.archived import ArchivedSweep
from strongroom.operations.keyring import Keyring
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Services
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

__all__ = [
    "DEVELOPMENT_TENANT",
    "Administration",
    "Service",
    "administration",
    "migrate_database",
    "prepare",
    "service",
]


@dataclass(frozen=True, slots=True)
class Service:
    """One process that answers."""

    pipeline: Pipeline
    health: HealthMonitor
    offload: Offload
    first_key: Secret | None = None
    """The development API key, if this process has just made it."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What the command line reaches without a running server."""

    settings: Settings
    storage: Storage
    keywrap: KeyWrap
    authenticity: Authenticity
    committer: Committer


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Everything of one process, up to the faces. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await open_state(stack, settings)
        committer = await open_journal(stack, settings, storage, authenticity)
        entries = Entries(
            committer,
            storage,
            authenticity.fingerprint_key,
            lease=timedelta(seconds=settings.idempotency.lease),
        )
        stack.push_async_callback(entries.drain)
        signer = _signer(stack, settings, keywrap, storage)
        networks = configured_networks(settings, CHAINS)
        redis = open_redis(settings.redis, authenticity)
        lifetimes = {kind: getattr(settings.cache, kind) for kind in Kind}
        cache = TieredCache(MemoryCache(settings.cache.memory), redis, lifetimes)
        stack.push_async_callback(cache.close)
        offload = _offload(stack, settings)
        services = Services(
            storage=storage,
            signer=signer,
            networks=networks,
            keyring=Keyring(networks, cache),
            authenticator=Authenticator(
                storage,
                authenticity.api_key_mac,
                ttl=settings.api_keys.cache_ttl,
                failures=FailureLimit(settings.rates.failed_authentication),
            ),
            limits=RateLimits(settings.rates.by_class()),
            entries=entries,
            offload=offload,
            timeout=settings.timeouts.operation,
        )
        checks = {"database": database_check(storage)}
        if settings.keywrap.kind == "vault":
            checks["vault"] = vault_check(keywrap)
        if redis is not None:
            checks["redis"] = redis_check(redis, cache, lambda: health.report())  # noqa: PLW0108 - it is made below
        required = checks.keys() & set(settings.health.required)
        health = HealthMonitor(
            checks, frozenset(required), __version__, interval=settings.health.interval, notes={"log": log_note()}
        )
        await health.start()
        stack.push_async_callback(health.stop)
        first_key = await development_key(settings, storage, authenticity, committer)
        yield Service(Pipeline(services), health, offload, first_key)


def _signer(stack: AsyncExitStack, settings: Settings, keywrap: KeyWrap, storage: Storage) -> SeededSigner:
    signer = SeededSigner(
        keywrap,
        ttl=settings.signer.ttl,
        max_uses=settings.signer.max_uses,
        max_entries=settings.signer.max_entries,
    )
    stack.push_async_callback(signer.close)
    sweep = ArchivedSweep(storage, signer.opened_wallets, signer.forget)
    sweep.start()
    stack.push_async_callback(sweep.close)
    return signer


def _offload(stack: AsyncExitStack, settings: Settings) -> Offload:
    bounds = settings.bounds
    offload = Offload(large=bounds.large, threads=bounds.large_at_once, waiting=bounds.large_waiting)
    stack.callback(offload.close)
    return offload


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """Works beside a running server, in short transactions. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await open_state(stack, settings)
        committer = await open_journal(stack, settings, storage, authenticity)
        yield Administration(settings, storage, keywrap, authenticity, committer)


async def migrate_database(settings: Settings) -> bool:
    """To the newest schema; False where it was there. Raises ConfigurationError, StorageUnavailable."""
    url = settings.database.url.reveal()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = settings.database.migrate_url
    return await migrate.migrate_url(url if owner is None else owner.reveal(), service_url=url)


async def prepare(settings: Settings) -> Secret | None:
    """What comes before the first worker: the schema of SQLite, the service secret, the development API key.

    Raises ConfigurationError for settings that can never work, StorageUnavailable and KeyWrapUnavailable for a
    component that is away.
    """
    configured_networks(settings, CHAINS)
    check_redis(settings.redis)
    if settings.database.url.reveal().startswith("sqlite"):
        await migrate_database(settings)
    forget_unfinished(settings)
    async with AsyncExitStack() as stack:
        _, storage, authenticity = await open_state(stack, settings)
        if not await wants_development_key(settings, storage):
            return None
        committer = await open_journal(stack, settings, storage, authenticity)
        return await development_key(settings, storage, authenticity, committer)
