"""Assembles the alerts of one process: channels, rules, conditions, and what its tasks need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from strongroom.alerts.base import Alerting, Shared
from strongroom.alerts.conditions import now_and_then, of_circuits, of_database, of_health, of_tasks
from strongroom.alerts.direct import Direct
from strongroom.alerts.shared import Alone, InRedis
from strongroom.alerts.watch import Watch
from strongroom.bootstrap.cache import open_client
from strongroom.config.alerts import RuleSettings
from strongroom.config.secret_files import FileSecret, Word
from strongroom.config.settings import Settings
from strongroom.domain.alert import RULES, Rule, Severity
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.journal.base import Commit
from strongroom.operations.watching import LowBalance, Newest, Watched
from strongroom.storage.sql import SqlStorage

if TYPE_CHECKING:
    from strongroom.alerts.by_apprise import AppriseChannel

_SELDOM_TIMES: Final = 3
"""Conditions that query the database once per kind of work are evaluated only every so many times."""
_CHECKED: Final = {"key_version", "expiry", "balance"}
"""Rules that a task checks. They are over only after the task has missed them twice."""
_TIMES: Final = 2.5


def open_alerting(stack: AsyncExitStack, settings: Settings) -> Alerting:
    """Raises ConfigurationError."""
    channels = _channels(settings)
    for each in channels.values():
        stack.callback(each.close)
    return Alerting(
        rules=_rules(settings.alert_rules, settings.alerts.check_interval),
        channels={**channels},
        quiet=settings.alerts.quiet,
        operator=settings.alerts.operator,
        shared=_shared(stack, settings),
    )


def check_alerts(settings: Settings) -> None:
    """Check the channels without any I/O to them. Raises ConfigurationError for one that cannot be used."""
    _channels(settings)


def watched(settings: Settings, keywrap: Newest) -> Watched:
    """What the tasks of alerts check: balances, certificates and the key wrap's versions."""
    files = {
        "tls.certificate": settings.tls.certificate,
        "tls.client_ca": settings.tls.client_ca,
        "vault.ca_file": settings.vault.ca_file if "vault" in settings.keywrap.kinds else None,
        "redis.ca_file": settings.redis.ca_file,
        **{f"sources.{each.name}.ca_file": each.ca_file for each in settings.sources},
    }
    return Watched(
        keywrap=keywrap,
        balances=[
            LowBalance(each.tenant, each.wallet, each.network, int(each.least)) for each in settings.alert_balances
        ],
        certificates={name: path for name, path in files.items() if path is not None},
        expiry=timedelta(days=settings.alerts.expiry_days),
    )


def heartbeat(settings: Settings) -> Callable[[], Awaitable[None]] | None:
    """The function that sends a heartbeat, or None if no URL is configured."""
    if settings.alerts.heartbeat_url is None:
        return None
    from strongroom.alerts.heartbeat import Heartbeat  # noqa: PLC0415 - imports httpx, which most processes do without

    return Heartbeat(settings.alerts.heartbeat_url)


async def no_heartbeat() -> None:
    """Used if no heartbeat is configured."""


def start_watch(
    stack: AsyncExitStack,
    settings: Settings,
    alerting: Alerting,
    storage: SqlStorage,
    commit: Commit,
    report: Callable[[], Mapping[str, Any]],
    kinds: list[str],
) -> None:
    """Start the watch. When stopped, it writes what it has seen before the committer is closed."""
    tasks = of_tasks(storage.queue.backlog, kinds, storage, age=settings.alerts.queue_age)
    watch = Watch(
        alerting.rules,
        [
            of_health(report, expiry=settings.alerts.expiry_days * 86_400.0),
            of_circuits(),
            of_database(storage),
            now_and_then(tasks, _SELDOM_TIMES * settings.alerts.interval),
        ],
        commit,
        Direct(alerting, alerting.shared or Alone()),
        interval=settings.alerts.interval,
    )
    watch.start()
    stack.push_async_callback(watch.stop)


def _channels(settings: Settings) -> dict[str, AppriseChannel]:
    channels: dict[str, AppriseChannel] = {}
    for name, url, tenant, least in named_channels(settings):
        from strongroom.alerts.by_apprise import AppriseChannel  # noqa: PLC0415 - imports Apprise and requests

        if name in channels:
            raise ConfigurationError(f"two alert channels have the name {name}")
        channels[name] = AppriseChannel(name, url, tenant, least)
    return channels


def named_channels(settings: Settings) -> list[tuple[str, Secret, UUID | None, Severity]]:
    """Name, URL, tenant and least severity of each channel. Raises ConfigurationError."""
    found: list[tuple[str, Secret, UUID | None, Severity]] = []
    if settings.alerts.urls is not None:
        from strongroom.alerts.by_apprise import channel_name  # noqa: PLC0415

        counted: dict[str, int] = {}
        for place in range(len(settings.alerts.urls.reveal().split())):
            url: Secret = Word(settings.alerts.urls, place)
            name = channel_name(url)
            counted[name] = counted.get(name, 0) + 1
            number = "" if counted[name] == 1 else f"-{counted[name]}"
            found.append((f"{name}{number}", url, None, Severity.INFO))
    for each in settings.alert_channels:
        url = each.url or _read(each.name, each.url_file)
        found.append((each.name, url, each.tenant, Severity(each.severity)))
    return found


def _read(name: str, path: Path | None) -> Secret:
    assert path is not None
    try:
        return Word(FileSecret(path), 0)
    except (OSError, UnicodeDecodeError, IndexError):
        raise ConfigurationError(f"alert channel {name}: its url_file cannot be read") from None


def _rules(given: Mapping[str, RuleSettings], check_interval: float) -> dict[str, Rule]:
    found = {}
    for name, rule in RULES.items():
        changed = given.get(name, RuleSettings())
        if not changed.enabled:
            continue
        if name in _CHECKED:
            rule = replace(rule, clear=max(rule.clear, timedelta(seconds=_TIMES * check_interval)))  # noqa: PLW2901
        found[name] = replace(
            rule,
            severity=rule.severity if changed.severity is None else Severity(changed.severity),
            hold=rule.hold if changed.hold is None else timedelta(seconds=changed.hold),
            cool_down=rule.cool_down if changed.cool_down is None else timedelta(seconds=changed.cool_down),
            clear=rule.clear if changed.clear is None else timedelta(seconds=changed.clear),
        )
    return found


def _shared(stack: AsyncExitStack, settings: Settings) -> Shared | None:
    client = open_client(settings.redis)
    if client is None:
        return None
    from strongroom.redis_link import disconnect  # noqa: PLC0415 - imports redis-py

    stack.push_async_callback(disconnect, client)
    return InRedis(client)
