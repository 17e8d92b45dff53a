"""Regular checks that one process makes for all: balances, key versions, and what is about to expire.

It also sends the heartbeat: a POST to a monitor outside as long as the service and its background tasks live. The
monitor raises the alarm if none arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import structlog
from cryptography import x509

from strongroom.alerts.base import NotDelivered
from strongroom.domain.alert import Seen
from strongroom.domain.asset import coin_of
from strongroom.domain.task import Task
from strongroom.errors import KeyWrapUnavailable, StrongroomError
from strongroom.journal.base import sighting_unit
from strongroom.operations.alerting import joined
from strongroom.operations.duties import Duties
from strongroom.rpc.base import Holder
from strongroom.storage.base import AddressFilter, KekCount, Unit
from strongroom.tasks.base import Done

_log = structlog.get_logger(__name__)

_MOST_ADDRESSES: Final = 1000
"""Addresses per wallet that are summed. A wallet that pays fees has few."""
_MOST_KEYS: Final = 1000
_KEYS_BY_NAME: Final = 10
"""API keys of a tenant that get an alert each when they are about to expire. More share one alert, because some keys
live only for a day on purpose.
"""


class Newest(Protocol):
    """The part of the key wrap that is needed here."""

    @property
    def name(self) -> str: ...
    async def newest_version(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LowBalance:
    """A wallet that should hold at least ``least`` base units of a network's coin."""

    tenant_id: UUID
    wallet_id: UUID
    network: str
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    keywrap: Newest | None = None
    balances: Sequence[LowBalance] = ()
    certificates: Mapping[str, Path] = field(default_factory=dict)
    """PEM files, by the name of their setting."""
    expiry: timedelta = timedelta(days=14)


def watcher(watched: Watched) -> Callable[[Task, Duties], Awaitable[Done]]:
    """The handler of `watch`. The task's key says what is checked."""
    looks: Mapping[str, Callable[[Watched, Duties], Awaitable[list[Seen]]]] = {
        "balances": _balances,
        "certificates": _certificates,
        "keys": _keys,
        "api_keys": _api_keys,
    }

    async def watch(task: Task, duties: Duties) -> Done:
        look = looks.get(task.key)
        unit = Unit()
        for seen in () if look is None else await look(watched, duties):
            rule = duties.alerting.rules.get(seen.rule)
            if rule is not None:
                unit = joined(unit, sighting_unit(rule, seen, duties.clock()))
        return Done(unit)

    return watch


def heartbeat(beat: Callable[[], Awaitable[None]]) -> Callable[[Task, Duties], Awaitable[Done]]:
    """The handler of `heartbeat`. A failed one is not retried, because the next one is due soon."""

    async def run(_: Task, __: Duties) -> Done:
        try:
            await beat()
        except NotDelivered as failure:
            _log.warning("alerts.no_heartbeat", reason=failure.reason)
        return Done()

    return run


async def _keys(watched: Watched, duties: Duties) -> list[Seen]:
    if watched.keywrap is None:
        return []
    try:
        newest = await watched.keywrap.newest_version()
    except KeyWrapUnavailable:  # this has an alert of its own
        return []
    name = watched.keywrap.name
    behind = [each for each in await duties.storage.secrets_by_kek() if (each.kek, each.version) != (name, newest)]
    return [_behind(behind, newest)] if behind else []


def _behind(behind: Sequence[KekCount], newest: int) -> Seen:
    facts = {"secrets": str(sum(each.secrets for each in behind)), "newest version": str(newest)}
    return Seen("key_version", "secrets", facts=facts)


async def _certificates(watched: Watched, duties: Duties) -> list[Seen]:
    now = duties.clock()
    found = []
    for name, path in watched.certificates.items():
        try:
            ends = await asyncio.to_thread(_first_end, path)
        except (OSError, ValueError) as error:
            _log.warning("alerts.certificate_unreadable", setting=name, error=type(error).__name__)
            continue
        if ends - now < watched.expiry:
            found.append(Seen("expiry", name, facts={"ends": ends.isoformat()}))
    return found


def _first_end(path: Path) -> datetime:
    """When the first certificate in the file expires. Raises OSError, ValueError."""
    return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(path.read_bytes()))


async def _api_keys(watched: Watched, duties: Duties) -> list[Seen]:
    now = duties.clock()
    ending = await duties.storage.api_keys_ending(now, now + watched.expiry, _MOST_KEYS)
    by_tenant: dict[UUID, list[Seen]] = {}
    for key in ending:
        if key.expires_at is not None:
            facts = {"name": key.name, "ends": key.expires_at.isoformat()}
            seen = Seen("expiry", f"api-key/{key.id}", key.tenant_id, facts)
            by_tenant.setdefault(key.tenant_id, []).append(seen)
    return [seen for tenant, found in by_tenant.items() for seen in _few(tenant, found)]


def _few(tenant_id: UUID, found: list[Seen]) -> list[Seen]:
    """One alert per API key, or one for all if there are many. ``found`` is sorted by expiry."""
    if len(found) <= _KEYS_BY_NAME:
        return found
    return [Seen("expiry", "api-keys", tenant_id, {"keys": str(len(found)), "first": found[0].facts["ends"]})]


async def _balances(watched: Watched, duties: Duties) -> list[Seen]:
    found = []
    for each in watched.balances:
        try:
            seen = await _low(each, duties)
        except StrongroomError as error:  # no source responds, which says nothing about the balance
            _log.warning("alerts.balance_unknown", wallet_id=str(each.wallet_id), code=error.code)
            continue
        if seen is not None:
            found.append(seen)
    return found


async def _low(watched: LowBalance, duties: Duties) -> Seen | None:
    network, chain = duties.networks.resolve(watched.network)
    where = AddressFilter(keyspace=network.keyspace)
    addresses = await duties.storage.addresses(watched.tenant_id, watched.wallet_id, where, None, _MOST_ADDRESSES)
    if not addresses:
        return None
    schemes = chain.schemes(network.keyspace)
    holders = [
        Holder(each.canonical, chain.render(network, schemes[each.scheme], each.public_key).address)
        for each in addresses
    ]
    coin = coin_of(network)
    balances, _ = await duties.reading.balances(network, watched.wallet_id, "", holders, [coin], fresh=False)
    held = sum(each.confirmed for each in balances.found if each.asset == coin)
    if held >= watched.least:
        return None
    facts = {
        "wallet": str(watched.wallet_id),
        "network": network.name,
        "holds": str(held),
        "least": str(watched.least),
        "coin": network.symbol,
    }
    return Seen("balance", f"{watched.wallet_id}/{network.name}", watched.tenant_id, facts)
