"""The composition root: from settings to a running service. The only package that knows implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
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
from strongroom.bootstrap.journal import authenticate_alone, look_at, open_journal
from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.sources import check_sources, open_reading
from strongroom.bootstrap.storage import open_state
from strongroom.bootstrap.tasks import open_tasks
from strongroom.cache.base import Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.registry import CHAINS
from strongroom.config import Settings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.health.checks import audit_check, database_check, log_note, nodes_note, redis_check, vault_check
from strongroom.health.monitor import HealthMonitor
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.restored import Gate
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import KeyWrap
from strongroom.operations.archived import ArchivedSweep
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Services
from strongroom.operations.verification import verify_recent
from strongroom.rpc import assets
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

__all__ = [
    "DEVELOPMENT_TENANT",
    "Administration",
    "Service",
    "administration",
    "import_tokens",
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
    drain_tasks: Callable[[], None]
    """No more background work begins; what runs has the drain limit to end."""
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
        signer = _signer(stack, settings, keywrap, storage)
        known = networks(settings)
        redis = open_redis(settings.redis, authenticity)
        lifetimes = {kind: getattr(settings.cache, kind) for kind in Kind}
        cache = TieredCache(MemoryCache(settings.cache.memory), redis, lifetimes)
        stack.push_async_callback(cache.close)
        offload = _offload(stack, settings)
        limits = RateLimits(settings.rates.by_class())
        reading, sources = open_reading(stack, settings, known, cache, authenticity.cursor_key)
        services = Services(
            storage=storage,
            signer=signer,
            networks=known,
            keyring=Keyring(known, cache),
            authenticator=_authenticator(settings, storage, authenticity),
            limits=limits,
            reading=reading,
            entries=entries,
            gate=journal.gate,
            offload=offload,
            timeout=settings.timeouts.operation,
            serves=settings.tasks.role != "only",
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
        notes = {"log": log_note()}
        if (nodes := nodes_note(sources)) is not None:
            notes["nodes"] = nodes
        health = HealthMonitor(checks, frozenset(required), __version__, interval=settings.health.interval, notes=notes)
        await health.start()
        stack.push_async_callback(health.stop)
        first_key = await development_key(settings, storage, authenticity, journal.committer)
        runner = await open_tasks(stack, settings, storage, authenticity, journal.committer, known, reading)
        yield Service(Pipeline(services), health, offload, _nothing if runner is None else runner.drain, first_key)


def _authenticator(settings: Settings, storage: Storage, authenticity: Authenticity) -> Authenticator:
    return Authenticator(
        storage,
        authenticity.api_key_mac,
        ttl=settings.api_keys.cache_ttl,
        failures=FailureLimit(settings.rates.failed_authentication),
    )


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
        journal = await open_journal(stack, settings, storage, authenticity)
        yield Administration(
            settings, storage, keywrap, authenticity, journal.committer, journal.gate, journal.known_heads
        )


def networks(settings: Settings) -> Networks:
    """Those of this deployment. Raises ConfigurationError."""
    return configured_networks(settings, CHAINS)


def import_tokens(settings: Settings, content: bytes) -> tuple[bytes, int, Sequence[assets.Refused]]:
    """A token list of Uniswap's format as a file for `Settings.tokens`; how many were taken, and what was not.

    Raises ConfigurationError.
    """
    known = [network for network, _ in networks(settings).listed()]
    try:
        found = assets.import_token_list(content, known)
    except ValueError as refusal:
        raise ConfigurationError(f"this is no token list: {refusal}") from None
    return assets.as_list(found.tokens), len(found.tokens), found.refused


def _nothing() -> None:
    pass


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
    check_sources(settings, configured_networks(settings, CHAINS))
    check_redis(settings.redis)
    if settings.database.url.reveal().startswith("sqlite"):
        await migrate_database(settings)
    forget_unfinished(settings)
    async with AsyncExitStack() as stack:
        _, storage, authenticity = await open_state(stack, settings)
        await authenticate_alone(settings, storage, authenticity)
        if not await wants_development_key(settings, storage):
            return None
        journal = await open_journal(stack, settings, storage, authenticity)
        return await development_key(settings, storage, authenticity, journal.committer)
