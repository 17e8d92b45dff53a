"""Tries every component in the settings at the same time, and says what is wrong with it and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from strongroom.bootstrap.alerts import named_channels
from strongroom.bootstrap.connecting import database, key_wrap, nodes, redis, watching
from strongroom.bootstrap.connecting.reaching import Fault
from strongroom.bootstrap.networks import configured_networks
from strongroom.bootstrap.sources import check_sources
from strongroom.chains.registry import CHAINS
from strongroom.config.settings import Settings
from strongroom.config.tls import TlsSettings
from strongroom.errors import ConfigurationError

_SECONDS: Final = 45.0
"""For one component. Its steps have shorter limits of their own."""

Look = Callable[[], Awaitable[str]]
"""Returns what there is to know about a component that works, or "". Raises Fault."""
ReadTls = Callable[[TlsSettings], datetime]
"""Returns when the certificate expires. Raises ConfigurationError."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one component."""

    component: str
    ok: bool
    cause: str | None
    """A word for programs if the component does not work."""
    message: str
    """What is wrong and what to do, or what there is to know about a component that works."""


async def connect(settings: Settings, read_tls: ReadTls) -> Sequence[Finding]:
    """Findings in the order of the settings. Changes nothing except one key in Redis that lives for a second."""
    looks = list(_looks(settings, read_tls))
    found = await asyncio.gather(*(_look(name, look) for name, look in looks))
    well = {each.component for each in found if each.ok}
    if {"database", "keywrap"} <= well:
        found.append(await _look("service secret", partial(key_wrap.check_service_secret, settings)))
    return found


async def _look(name: str, look: Look) -> Finding:
    try:
        async with asyncio.timeout(_SECONDS):
            return Finding(name, True, None, await look())
    except Fault as fault:
        return Finding(name, False, fault.cause, fault.message)
    except TimeoutError:
        return Finding(name, False, "timeout", "it does not respond in time")
    except Exception as bug:  # noqa: BLE001 - the other findings still count, and the error's text may hold anything
        return Finding(name, False, "failed", f"the check itself failed: please report it ({type(bug).__name__})")


def _looks(settings: Settings, read_tls: ReadTls) -> Iterator[tuple[str, Look]]:
    yield "database", partial(database.check_database, settings)
    if settings.database.migrate_url is not None:
        yield "database (migrate_url)", partial(database.check_owner, settings.database.migrate_url)
    if "vault" in settings.keywrap.kinds:
        name = "keywrap" if settings.keywrap.kind == "vault" else "keywrap (previous)"
        yield name, partial(key_wrap.check_vault, settings.vault)
    if "local" in settings.keywrap.kinds:
        name = "keywrap" if settings.keywrap.kind == "local" else "keywrap (previous)"
        yield name, _at_once(partial(key_wrap.check_local, settings))
    if settings.redis.url is not None and settings.redis.enabled:
        yield "redis", partial(redis.check_redis_server, settings.redis)
    yield from _sources(settings)
    for issuer in settings.access.jwt:
        yield f"issuer {issuer.name}", partial(watching.check_issuer, issuer)
    if settings.tracing.enabled:
        yield "tracing", partial(watching.check_tracing, settings.tracing)
    yield from _alerts(settings)
    if settings.tls.certificate is not None:
        yield "tls", _at_once(partial(watching.check_files_of_tls, settings.tls, read_tls))
    if settings.audit.heads_file is not None:
        yield "audit.heads", _at_once(partial(watching.check_heads, settings.audit.heads_file))


def _sources(settings: Settings) -> Iterator[tuple[str, Look]]:
    try:
        sources = check_sources(settings, configured_networks(settings, CHAINS))
    except ConfigurationError as error:
        yield "sources", _fails(error)
        return
    for given in sources.values():
        for network, source in given:
            yield f"source {network.name}/{source.name}", partial(nodes.check_source, network, source)


def _alerts(settings: Settings) -> Iterator[tuple[str, Look]]:
    try:
        for name, url, _, _ in named_channels(settings):
            yield f"alert channel {name}", partial(watching.check_channel, name, url)
    except ConfigurationError as error:
        yield "alert channels", _fails(error)
    if settings.alerts.heartbeat_url is not None:
        yield "alerts.heartbeat_url", partial(watching.check_heartbeat, settings.alerts.heartbeat_url)


def _at_once(look: Callable[[], str]) -> Look:
    return partial(asyncio.to_thread, look)


def _fails(error: ConfigurationError) -> Look:
    async def look() -> str:
        raise Fault("configuration", error.message)

    return look
