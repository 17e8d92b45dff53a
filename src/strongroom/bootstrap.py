"""The composition root: from settings to a running service. The only module that knows implementations."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from strongroom import __version__
from strongroom.access.api_keys import Authenticator, new_key
from strongroom.access.limits import RateLimits
from strongroom.access.scopes import SCOPES
from strongroom.breaker import CircuitBreaker
from strongroom.cache.base import Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.base import Chain
from strongroom.chains.registry import CHAINS
from strongroom.config import Settings
from strongroom.config.sections import DatabaseSettings, NetworkSettings, RedisSettings, VaultSettings
from strongroom.domain.network import Network
from strongroom.domain.record import ServiceSecret
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, IntegrityError, KeyWrapUnavailable
from strongroom.health.checks import database_check, redis_check, vault_check
from strongroom.health.monitor import HealthMonitor
from strongroom.journal import audit
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.journal.heads import FileHeads, HeadsSink, HeadsWriter, LogHeads
from strongroom.keys.sealing import SERVICE_CONTEXT
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.gathered import GatheredKeyWrap
from strongroom.keywrap.local import LocalKeyWrap
from strongroom.keywrap.moving import MovingKeyWrap
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.pipeline import Pipeline, Services
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage, Unit
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage

if TYPE_CHECKING:
    from strongroom.cache.redis import RedisCache

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


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Everything of one process, up to the faces. Raises ConfigurationError, StorageUnavailable."""
    async with AsyncExitStack() as stack:
        keywrap, storage, authenticity = await _state(stack, settings)
        committer = await _committer(stack, settings, storage, authenticity)
        entries = Entries(
            committer,
            storage,
            authenticity.fingerprint_key,
            lease=timedelta(seconds=settings.idempotency.lease),
        )
        stack.push_async_callback(entries.drain)
        signer = SeededSigner(
            keywrap,
            ttl=settings.signer.ttl,
            max_uses=settings.signer.max_uses,
            max_entries=settings.signer.max_entries,
        )
        stack.push_async_callback(signer.close)
        networks = _networks(settings, CHAINS)
        redis = _redis(settings.redis, authenticity)
        lifetimes = {kind: getattr(settings.cache, kind) for kind in Kind}
        cache = TieredCache(MemoryCache(settings.cache.memory), redis, lifetimes)
        stack.push_async_callback(cache.close)
        services = Services(
            storage=storage,
            signer=signer,
            networks=networks,
            keyring=Keyring(networks, cache),
            authenticator=Authenticator(storage, authenticity.api_key_mac, ttl=settings.api_keys.cache_ttl),
            limits=RateLimits(settings.rates.by_class()),
            entries=entries,
            timeout=settings.timeouts.operation,
        )
        checks = {"database": database_check(storage)}
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
        keywrap, storage, authenticity = await _state(stack, settings)
        committer = await _committer(stack, settings, storage, authenticity)
        yield Administration(settings, storage, keywrap, authenticity, committer)


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
        _, storage, authenticity = await _state(stack, settings)
        if settings.profile != "embedded" or await storage.api_keys(DEVELOPMENT_TENANT, None, 1):
            return None
        made = new_key(
            DEVELOPMENT_TENANT, "development", tuple(sorted(SCOPES)), None, authenticity.api_key_mac, datetime.now(UTC)
        )
        await storage.apply([Unit(rows=[made.row])])
        return made.text


async def _state(stack: AsyncExitStack, settings: Settings) -> tuple[KeyWrap, SqlStorage, Authenticity]:
    """The database, and the key wrap that its service secret opens under; whoever starts first makes the secret."""
    database = open_database(settings.database.url.reveal(), _limits(settings.database))
    stack.push_async_callback(database.close)
    if await migrate.version(database) != migrate.HEAD:
        raise ConfigurationError("the database is not at the version of this program: run `strongroom migrate`")
    unlocked = SqlStorage(database, Authenticity(bytes(32)))  # the service secret's own table is under no MAC
    stored = await unlocked.service_secret()
    keywrap = _keywrap(settings, create=stored is None)
    stack.push_async_callback(keywrap.close)
    if stored is None:
        [wrapped] = await keywrap.wrap([(secrets.token_bytes(32), SERVICE_CONTEXT)])
        await unlocked.apply([Unit(rows=[ServiceSecret(1, wrapped.kek, wrapped.version, wrapped.ciphertext)])])
        stored = await unlocked.service_secret()
        assert stored is not None
    wrapped = Wrapped(stored.kek, stored.kek_version, stored.wrapped)
    [opened] = await keywrap.unwrap([(wrapped, SERVICE_CONTEXT)])
    if isinstance(opened, WrapFailure):
        if opened.reason is WrapFailureReason.UNAVAILABLE:
            raise KeyWrapUnavailable("the key wrap does not answer", retry_after=opened.retry_after)
        raise IntegrityError("the service secret does not open under this key wrap: is it the one of this database?")
    authenticity = Authenticity(opened)
    return keywrap, SqlStorage(database, authenticity), authenticity


def _limits(settings: DatabaseSettings) -> Limits:
    return Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})


def _keywrap(settings: Settings, *, create: bool) -> KeyWrap:
    """``create``: the database is new, so a key may be made; beside an old one a new key could open nothing."""
    present = _vault(settings.vault) if settings.keywrap.kind == "vault" else _local(settings, create=create)
    if settings.keywrap.previous is None:
        return present
    previous = _vault(settings.vault) if settings.keywrap.previous == "vault" else _local(settings, create=False)
    return MovingKeyWrap(present, previous)


def _local(settings: Settings, *, create: bool) -> LocalKeyWrap:
    if settings.keywrap.passphrase is not None:
        file = settings.data_dir / "keywrap.json"
        return LocalKeyWrap.from_passphrase(settings.keywrap.passphrase, file, create=create)
    if settings.keywrap.key_file is None:
        raise ConfigurationError("the local key wrap needs a passphrase or a key file", field="keywrap.key_file")
    return LocalKeyWrap.from_key_file(settings.keywrap.key_file, create=create)


def _vault(settings: VaultSettings) -> KeyWrap:
    from strongroom.keywrap.vault import login  # noqa: PLC0415 - brings httpx, which others do without
    from strongroom.keywrap.vault.client import VaultClient  # noqa: PLC0415
    from strongroom.keywrap.vault.transit import VaultKeyWrap  # noqa: PLC0415

    assert settings.url is not None
    client = VaultClient(settings.url, namespace=settings.namespace, ca_file=settings.ca_file, timeout=settings.timeout)
    mount = settings.auth_mount or settings.auth
    method: login.Method
    if settings.token is not None and settings.auth == "token":
        method = login.TokenMethod(settings.token)
    elif settings.role is not None and settings.auth == "kubernetes":
        method = login.KubernetesMethod(mount, settings.role, settings.jwt_file)
    else:
        assert settings.role_id is not None
        assert settings.secret_id is not None
        method = login.AppRoleMethod(mount, settings.role_id, settings.secret_id)
    breaker = CircuitBreaker("vault", threshold=settings.breaker_failures, interval=settings.breaker_interval)
    session = login.Session(client, method)
    return GatheredKeyWrap(
        VaultKeyWrap(client, session, breaker, mount=settings.mount, key=settings.key, deadline=settings.deadline)
    )


def _redis(settings: RedisSettings, authenticity: Authenticity) -> RedisCache | None:
    if settings.url is None or not settings.enabled:
        return None
    from strongroom.cache.envelope import Envelopes  # noqa: PLC0415 - brings redis-py, which others do without
    from strongroom.cache.redis import RedisCache, connect  # noqa: PLC0415

    client = connect(
        settings.url.reveal(),
        username=settings.username,
        password=None if settings.password is None else settings.password.reveal(),
        ca_file=settings.ca_file,
        pool_size=settings.pool_size,
    )
    breaker = CircuitBreaker("redis", threshold=1, interval=settings.breaker_interval)
    return RedisCache(client, Envelopes(authenticity.cache_key), breaker, timeout=settings.timeout)


async def _committer(
    stack: AsyncExitStack, settings: Settings, storage: Storage, authenticity: Authenticity
) -> Committer:
    """Registers this process as a writer of the audit, and anchors the head of its chain outside the database."""
    chain = await audit.register(storage, authenticity.audit_key, socket.gethostname())
    committer = Committer(storage, chain)
    committer.start()
    heads = HeadsWriter(committer.head, _heads_sink(settings.audit.heads), settings.audit.interval)
    await heads.start()
    stack.push_async_callback(heads.close)
    stack.push_async_callback(committer.close)
    return committer


def _heads_sink(text: str) -> HeadsSink:
    return LogHeads() if text == "log" else FileHeads(Path(text.removeprefix("file:")))


def _networks(settings: Settings, chains: Mapping[str, Chain]) -> Networks:
    if unknown := settings.chains.keys() - chains.keys():
        raise ConfigurationError(f"chains: there is no chain {', '.join(sorted(unknown))}")
    for name, limits in settings.chains.items():
        if strange := limits.keys() - chains[name].limits.keys():
            raise ConfigurationError(f"chains.{name}: there is no limit {', '.join(sorted(strange))}")
    built_in = [  # with what is set for their chain: who turns a limit off means it on all networks
        replace(network, limits={**network.limits, **settings.chains.get(network.chain, {})})
        for chain in chains.values()
        for network in chain.networks
    ]
    configured = [_network(given, chains) for given in settings.networks]
    own = {network.name for network in configured} | {network.caip2 for network in configured}
    kept = [network for network in built_in if not own & {network.name, network.caip2}]
    return Networks(chains, [*kept, *configured], limits=settings.chains, any_network=settings.any_network)


def _network(given: NetworkSettings, chains: Mapping[str, Chain]) -> Network:
    """A configured network; one with the name or id of a built-in one takes its place."""
    caip2 = f"eip155:{given.chain_id}"
    base = chains[given.chain].network_for(caip2)
    assert base is not None
    return Network(
        name=given.name,
        chain=given.chain,
        keyspace=base.keyspace,
        caip2=caip2,
        chain_id=given.chain_id,
        symbol=given.symbol,
        decimals=given.decimals,
        testnet=given.testnet,
        aliases=given.aliases,
        limits=given.limits,
    )
