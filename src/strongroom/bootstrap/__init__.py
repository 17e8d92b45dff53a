"""The composition root, from settings to a running service. Only this package knows the implementations of ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from strongroom import __version__
from strongroom.bootstrap.access import bound_certificates, check_issuers, explain, open_callers
from strongroom.bootstrap.alerts import check_alerts, open_alerting
from strongroom.bootstrap.cache import check_redis, open_cache, open_limits, open_redis, open_tier
from strongroom.bootstrap.development import (
    development_key,
    forget_unfinished,
    wants_development_key,
)
from strongroom.bootstrap.journal import OpenJournal, authenticate_alone, look_at, open_journal
from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.sources import check_sources, open_reading
from strongroom.bootstrap.storage import open_state
from strongroom.bootstrap.tasks import open_tasks
from strongroom.bootstrap.tracing import open_tracing
from strongroom.chains.registry import CHAINS
from strongroom.config.settings import Settings
from strongroom.config.tls import TlsSettings
from strongroom.domain.principal import DEVELOPMENT_TENANT
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, StorageUnavailable
from strongroom.health.base import Check, Note
from strongroom.health.checks import (
    TlsState,
    audit_check,
    database_check,
    issuers_note,
    log_note,
    nodes_note,
    redis_check,
    tls_note,
    vault_check,
)
from strongroom.health.descriptors import Descriptors
from strongroom.health.monitor import HealthMonitor
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.restored import Gate
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap import local
from strongroom.keywrap.base import KeyWrap
from strongroom.operations.archived import ArchivedSweep
from strongroom.operations.handling import Services
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline
from strongroom.operations.verification import verify_recent
from strongroom.rpc import assets
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage
from strongroom.storage.disk import DISK

if TYPE_CHECKING:
    from strongroom.bootstrap.connecting import Finding

__all__ = [
    "DEVELOPMENT_TENANT",
    "Administration",
    "Service",
    "administration",
    "connect",
    "explain_token",
    "import_tokens",
    "migrate_database",
    "prepare",
    "service",
]


@dataclass(frozen=True, slots=True)
class Service:
    """One process that serves requests."""

    pipeline: Pipeline
    health: HealthMonitor
    offload: Offload
    drain_tasks: Callable[[], None]
    """Start no more background work. Work that is running has until the drain limit to end."""
    first_key: Secret | None = None
    """The development API key, if this process has just created it."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What the command line uses without a running server."""

    settings: Settings
    storage: Storage
    keywrap: KeyWrap
    authenticity: Authenticity
    committer: Committer
    gate: Gate
    known_heads: Sequence[Head] | None


@asynccontextmanager
async def service(settings: Settings, tls: TlsState | None = None) -> AsyncIterator[Service]:
    """Open everything of one process except its listeners. ``tls`` is the state of their certificate.

    Raises ConfigurationError, StorageUnavailable.
    """
    async with AsyncExitStack() as stack:
        open_tracing(stack, settings.tracing)
        keywrap, storage, authenticity = await open_state(stack, settings)
        journal = await open_journal(stack, settings, storage, authenticity)
        verifier = Reconciler(storage, authenticity.audit_key)
        findings = (await verify_recent(verifier)).findings
        entries = _entries(stack, settings, journal, storage, authenticity)
        signer = _signer(stack, settings, keywrap, storage)
        known = networks(settings)
        link = open_redis(settings.redis)
        redis = open_tier(link, authenticity)
        cache = open_cache(settings, redis)
        stack.push_async_callback(cache.close)
        offload = _offload(stack, settings)
        limits = open_limits(settings, link, storage)
        alerting = open_alerting(stack, settings)
        reading, sources = open_reading(stack, settings, known, cache, authenticity.cursor_key)
        callers, key_faults = open_callers(stack, settings, storage, authenticity)
        services = Services(
            storage=storage,
            signer=signer,
            networks=known,
            keyring=Keyring(known, cache),
            callers=callers,
            limits=limits,
            reading=reading,
            entries=entries,
            gate=journal.gate,
            alerting=alerting,
            offload=offload,
            timeout=settings.timeouts.operation,
            gap=settings.nodes.gap,
            serves=settings.tasks.role != "only",
        )
        audit = audit_check(
            look_at(journal.gate, storage, authenticity), findings=len(findings), required=settings.audit.require_anchor
        )
        checks = {"database": database_check(storage, lambda: DISK.full), "audit": audit}
        if settings.keywrap.kind == "vault":
            checks["vault"] = vault_check(keywrap)
        if redis is not None:
            checks["redis"] = redis_check(redis, cache, lambda: health.report())  # noqa: PLW0108 - `health` is assigned below
        health = _monitor(settings, checks, {
            "process": _descriptors(stack), "log": log_note(),
            "nodes": nodes_note(sources), "issuers": issuers_note(key_faults),
            "tls": None if tls is None else tls_note(tls),
        })  # fmt: skip
        await health.start()
        stack.push_async_callback(health.stop)
        first_key = await development_key(settings, storage, authenticity, journal.committer)
        runner = await open_tasks(
            stack, settings, storage, authenticity, journal.committer, known, reading, alerting, keywrap, health.report
        )
        yield Service(Pipeline(services), health, offload, _nothing if runner is None else runner.drain, first_key)


def _descriptors(stack: AsyncExitStack) -> Note:
    descriptors = Descriptors()
    watching = asyncio.create_task(descriptors.watch(), name="descriptors")
    stack.callback(watching.cancel)
    return descriptors.note


def _monitor(settings: Settings, checks: Mapping[str, Check], notes: Mapping[str, Note | None]) -> HealthMonitor:
    required = checks.keys() & set(settings.health.required)
    told = {name: note for name, note in notes.items() if note is not None}
    return HealthMonitor(checks, frozenset(required), __version__, interval=settings.health.interval, notes=told)


def _entries(
    stack: AsyncExitStack, settings: Settings, journal: OpenJournal, storage: Storage, authenticity: Authenticity
) -> Entries:
    entries = Entries(
        journal.committer,
        storage,
        authenticity.fingerprint_key,
        lease=timedelta(seconds=settings.idempotency.lease),
        gate=journal.gate,
    )
    stack.push_async_callback(entries.drain)
    return entries


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
    """Uses short transactions, so it can run beside a server. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await open_state(stack, settings)
        journal = await open_journal(stack, settings, storage, authenticity)
        yield Administration(
            settings, storage, keywrap, authenticity, journal.committer, journal.gate, journal.known_heads
        )


async def connect(settings: Settings, read_tls: Callable[[TlsSettings], datetime]) -> Sequence[Finding]:
    """Try every component in the settings. ``read_tls`` returns when the certificate of the listeners expires."""
    from strongroom.bootstrap.connecting import connect as tried  # noqa: PLC0415 - workers do not need it

    return await tried(settings, read_tls)


async def explain_token(administration: Administration, token: str) -> dict[str, Any]:
    """Whether the service would accept the token, and why not; without its signature. Raises ConfigurationError."""
    return await explain(administration.settings, administration.storage, token)


def networks(settings: Settings) -> Networks:
    """The networks of this deployment. Raises ConfigurationError."""
    return configured_networks(settings, CHAINS)


def import_tokens(settings: Settings, content: bytes) -> tuple[bytes, int, Sequence[assets.Refused]]:
    """Convert a token list in Uniswap's format. Returns a file for `Settings.tokens`, its length, and what was refused.

    Raises ConfigurationError.
    """
    known = [network for network, _ in networks(settings).listed()]
    try:
        found = assets.import_token_list(content, known)
    except ValueError as refusal:
        raise ConfigurationError(f"this is not a token list: {refusal}") from None
    return assets.as_list(found.tokens), len(found.tokens), found.refused


def _nothing() -> None:
    pass


async def migrate_database(settings: Settings, progress: migrate.Progress = migrate.quietly) -> bool:
    """Migrate to the newest schema. False if it is there already. Raises ConfigurationError, StorageUnavailable."""
    url = settings.database.url.reveal()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = settings.database.migrate_url
    if owner is None:
        return await migrate.migrate_url(url, service_url=url, progress=progress)
    try:
        return await migrate.migrate_url(owner.reveal(), service_url=url, progress=progress)
    except (ConfigurationError, StorageUnavailable) as error:
        said = (error.cause if isinstance(error, StorageUnavailable) else None) or error.message
        raise type(error)(said.replace("database.url", "database.migrate_url"), field=error.field) from error


async def prepare(settings: Settings) -> Secret | None:
    """Do what comes before the first worker: the schema of SQLite, the service secret, the development API key.

    Returns that key if it was created. Raises ConfigurationError for settings that can never work, and
    StorageUnavailable or KeyWrapUnavailable for a component that is down.
    """
    check_sources(settings, configured_networks(settings, CHAINS))
    check_redis(settings.redis)
    bound_certificates(settings)
    check_issuers(settings)
    check_alerts(settings)
    if settings.keywrap.kind == "local":
        local.warn()
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
