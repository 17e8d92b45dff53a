"""The composition root: from settings to a running service. The only package that knows implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from strongroom import __version__
from strongroom.access.api_keys import Authenticator, new_key
from strongroom.access.limits import RateLimits
from strongroom.access.scopes import SCOPES
from strongroom.bootstrap.cache import open_redis
from strongroom.bootstrap.journal import authenticate_alone, look_at, open_journal
from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.storage import open_state
from strongroom.cache.base import Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.registry import CHAINS
from strongroom.config import Settings
from strongroom.domain.secret import Secret
from strongroom.health.checks import audit_check, database_check, redis_check, vault_check
from strongroom.health.monitor import HealthMonitor
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.restored import Gate
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import KeyWrap
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.pipeline import Pipeline, Services
from strongroom.operations.verification import verify_recent
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage, Unit

DEVELOPMENT_TENANT: Final = UUID(int=0)
"""The tenant of the development API key, and the one that the command line takes where none is named."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process that answers."""

    pipeline: Pipeline
    health: HealthMonitor


@dataclass(frozen=True, slots=True)
class Administration:
    """What the command line reaches without a running server."""

    settings: Settings
    storage: Storage
    keywrap: KeyWrap
    authenticity: Authenticity
    committer: Committer
    gate: Gate
    known_heads: Sequence[Head] | None


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Everything of one process, up to the faces. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await open_state(stack, settings)
        journal = await open_journal(stack, settings, storage, authenticity)
        verifier = Reconciler(storage, authenticity.audit_key)
        findings = (await verify_recent(verifier)).findings
        entries = Entries(
            journal.committer,
            storage,
            authenticity.fingerprint_key,
            lease=timedelta(seconds=settings.idempotency.lease),
            gate=journal.gate,
        )
        stack.push_async_callback(entries.drain)
        signer = SeededSigner(
            keywrap,
            ttl=settings.signer.ttl,
            max_uses=settings.signer.max_uses,
            max_entries=settings.signer.max_entries,
        )
        stack.push_async_callback(signer.close)
        known = networks(settings)
        redis = open_redis(settings.redis, authenticity)
        lifetimes = {kind: getattr(settings.cache, kind) for kind in Kind}
        cache = TieredCache(MemoryCache(settings.cache.memory), redis, lifetimes)
        stack.push_async_callback(cache.close)
        services = Services(
            storage=storage,
            signer=signer,
            networks=known,
            keyring=Keyring(known, cache),
            authenticator=Authenticator(storage, authenticity.api_key_mac, ttl=settings.api_keys.cache_ttl),
            limits=RateLimits(settings.rates.by_class()),
            entries=entries,
            gate=journal.gate,
            timeout=settings.timeouts.operation,
        )
        checks = {
            "database": database_check(storage),
            "audit": audit_check(
                look_at(journal.gate, storage, authenticity),
                findings=len(findings),
                required=settings.audit.require_anchor,
            ),
        }
        if settings.keywrap.kind == "vault":
            checks["vault"] = vault_check(keywrap)
        if redis is not None:
            checks["redis"] = redis_check(redis, cache, lambda: health.report())  # noqa: PLW0108 - it is made below
        required = checks.keys() & set(settings.health.required)
        health = HealthMonitor(checks, frozenset(required), __version__, interval=settings.health.interval)
        await health.start()
        stack.push_async_callback(health.stop)
        yield Service(Pipeline(services), health)


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """Works beside a running server, in short transactions. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await open_state(stack, settings)
        journal = await open_journal(stack, settings, storage, authenticity)
        yield Administration(
            settings, storage, keywrap, authenticity, journal.committer, journal.gate, journal.known_heads
        )


def networks(settings: Settings) -> Networks:
    """Those of this deployment. Raises ConfigurationError."""
    return configured_networks(settings, CHAINS)


async def migrate_database(settings: Settings) -> bool:
    """To the newest schema; False where it was there. Raises ConfigurationError, StorageUnavailable."""
    url = settings.database.url.reveal()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = settings.database.migrate_url
    return await migrate.migrate_url(url if owner is None else owner.reveal(), service_url=url)


async def prepare(settings: Settings) -> Secret | None:
    """What comes before the first worker: the schema of SQLite, the service secret, the development API key.

    The key is made where the profile allows one and there is none of any kind; it is returned that once.
    """
    if settings.database.url.reveal().startswith("sqlite"):
        await migrate_database(settings)
    async with AsyncExitStack() as stack:
        _, storage, authenticity = await open_state(stack, settings)
        await authenticate_alone(settings, storage, authenticity)
        if settings.profile != "embedded" or await storage.api_keys(DEVELOPMENT_TENANT, None, 1):
            return None
        made = new_key(
            DEVELOPMENT_TENANT, "development", tuple(sorted(SCOPES)), None, authenticity.api_key_mac, datetime.now(UTC)
        )
        await storage.apply([Unit(rows=[made.row])])
        return made.text
