"""The port of alerts: channels that people read, and the state of alerts that replicas share without the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, Protocol
from uuid import UUID

from strongroom.domain.alert import RULES, Key, Message, Rule, Seen, Severity

Condition = Callable[[], Awaitable[Iterable[Seen]]]
"""Returns what is wrong now. May raise StrongroomError if that cannot be found out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One message. Its texts are plain and may come from outside; the channel escapes them."""

    id: UUID
    """The same each time the message is sent, so that a receiver can recognise a repeat."""
    message: Message
    rule: str
    severity: Severity
    title: str
    subject: str
    since: datetime
    at: datetime
    runbook: str
    facts: Mapping[str, str] = field(default_factory=dict)
    is_repeat: bool = False
    """It may have been sent before, by a process that died before it could record that."""


UNSURE: Final = frozenset({"slow", "unanswered"})
"""Reasons of `NotDelivered` after which the message may have arrived all the same."""


class NotDelivered(Exception):
    """``reason`` is a word of ours, because the other side's text may hold its token. ``retry_after`` is in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.is_final = is_final
        """The same message will not be accepted later either."""


@dataclass(frozen=True, slots=True)
class SharedKeys:
    """The keys under which replicas share the state of one alert in one channel."""

    key: Key
    channel: str

    @property
    def claim(self) -> str:
        """A process is sending the alert, or has sent it within the cool-down."""
        return self._named("fire")

    @property
    def open(self) -> str:
        """The alert was sent, and its end was not."""
        return self._named("open")

    @property
    def ending(self) -> str:
        """A process is sending the end."""
        return self._named("end")

    def _named(self, kind: str) -> str:
        rule, subject, tenant_id = self.key
        return "/".join((kind, str(tenant_id), self.channel, rule, subject))


class Channel(Protocol):
    """A place where people read alerts."""

    @property
    def name(self) -> str: ...

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant whose alerts go here. None: those of the service, and of tenants without a channel."""

    @property
    def least(self) -> Severity:
        """The least severity that is sent here."""

    async def send(self, note: Note) -> None:
        """Takes at most its own timeout. Raises NotDelivered."""


class Shared(Protocol):
    """State that replicas share without the database. If they cannot, each process acts alone."""

    async def first(self, key: str, seconds: float) -> bool:
        """Whether no other process has claimed the key in the last ``seconds``. True also if nothing can be read."""

    async def keep(self, key: str, seconds: float, value: str = "1") -> None:
        """Keep the value for ``seconds`` from now."""

    async def read(self, key: str) -> str | None:
        """The value, or "" if there is none. None if nothing can be read."""

    async def forget(self, key: str) -> None: ...


_WEIGHT: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def receivers(channels: Mapping[str, Channel], tenant_id: UUID | None, severity: Severity) -> list[Channel]:
    """The channels that an alert goes to: the tenant's own if it has any, else those of the service."""
    own = [each for each in channels.values() if tenant_id is not None and each.tenant_id == tenant_id]
    found = own or [each for each in channels.values() if each.tenant_id is None]
    return [each for each in found if _WEIGHT[severity] >= _WEIGHT[each.least]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """The alerting settings: rules, channels, and when to stay quiet."""

    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)
    """The enabled rules."""
    channels: Mapping[str, Channel] = field(default_factory=dict)
    quiet: tuple[time, time] | None = None
    """Begin and end (UTC) of the hours in which only critical alerts are sent."""
    operator: UUID | None = None
    """The tenant that may silence the service's own alerts. None: any tenant."""
    shared: Shared | None = None
    """State shared with other replicas, or None."""

    def quiet_until(self, severity: Severity, now: datetime) -> datetime | None:
        """The time until which an alert of this severity is held back. None if it may be sent now."""
        if self.quiet is None or severity is Severity.CRITICAL:
            return None
        begin, end = self.quiet
        at = now.astimezone(UTC).time()
        is_quiet = begin <= at < end if begin <= end else at >= begin or at < end
        if not is_quiet:
            return None
        until = now.astimezone(UTC).replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
        return until if until > now else until + timedelta(days=1)
