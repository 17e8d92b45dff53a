"""Alerts, the sightings that cause them and the notifications that they cause.

Any process that notices something writes a `Sighting`. An `Alert` is the state of one rule and subject. A
`Notification` is one message for one channel. Only the alert's task turns sightings into alerts and notifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("6f1f0a3e-6d0c-5b0e-9d53-1c7a5a0c2b11")
SUBJECT_LENGTH: Final = 96
EVERY_SUBJECT: Final = "*"
MOST_ALIKE: Final = 20
"""Subjects of one rule and tenant within a minute. Any further ones become one alert, to spare the channels."""
OTHERS: Final = "and others"
"""The subject of that alert."""
ALERT_TASK: Final = "alert"
NOTIFY_TASK: Final = "notify"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    """Keys or money may be at stake, or nothing can be signed. Sent during quiet hours too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    name: str
    """The anchor of the runbook section in docs/operations.md is this name after `#alert-`."""
    severity: Severity
    title: str
    hold: timedelta = timedelta()
    """How long a process must see the condition without a break before it counts."""
    cool_down: timedelta = timedelta(hours=1)
    """The least time between two notifications of an alert that keeps firing."""
    clear: timedelta = timedelta(minutes=2)
    """The alert ends once no process has seen its condition for this long."""

    @property
    def runbook(self) -> str:
        return f"docs/operations.md#alert-{self.name.replace('_', '-')}"


Key = tuple[str, str, UUID | None]
"""Rule, subject, tenant."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule applies now."""

    rule: str
    subject: str
    tenant_id: UUID | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """``wallet`` is the id of a wallet. Messages show its label beside it."""

    @property
    def key(self) -> Key:
        return (self.rule, self.subject, self.tenant_id)


@dataclass(frozen=True, slots=True)
class Sighting:
    """When the condition of a rule was last seen on a subject. There is one row, which each process overwrites."""

    id: UUID
    rule: str
    subject: str
    tenant_id: UUID | None
    """The tenant that the alert belongs to, or None for the service's own alerts."""
    seen_at: datetime
    told_at: datetime | None
    """When the process that saw it notified the channels itself, because the database was down."""
    facts: str
    """A JSON object of strings, with further details for the message."""


class AlertState(StrEnum):
    FIRING = "firing"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one rule and subject."""

    id: UUID
    rule: str
    subject: str
    tenant_id: UUID | None
    severity: Severity
    state: AlertState
    since: datetime
    """When the alert last started firing."""
    seen_at: datetime
    ended_at: datetime | None
    told_at: datetime | None
    """When the channels were last notified that it fires. The cool-down counts from here, even if the alert ends."""
    told_of: datetime | None
    """The ``since`` that the channels were notified of. If it is the current one, they are notified of the end too."""
    facts: str

    @property
    def is_told(self) -> bool:
        return self.told_of == self.since


@dataclass(frozen=True, slots=True)
class Silence:
    """Suppresses notifications of a rule and subject (`*` for any subject) until a time.

    Only the newest silence of a tenant for a rule and subject counts.
    """

    id: UUID
    rule: str
    subject: str
    tenant_id: UUID
    """The tenant of the principal that made the silence. It covers only alerts that this tenant can see."""
    until: datetime
    principal_id: UUID
    created_at: datetime


class Message(StrEnum):
    """What a notification says."""

    FIRING = "firing"
    STILL = "still"
    RECOVERED = "recovered"
    SILENCED = "silenced"
    TEST = "test"


class NotificationState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for one channel, as a row of the outbox."""

    id: UUID
    alert_id: UUID
    tenant_id: UUID | None
    channel: str
    message: Message
    rule: str
    subject: str
    severity: Severity
    since: datetime
    facts: str
    state: NotificationState
    error: str | None
    """Error code of the last attempt."""
    created_at: datetime
    ended_at: datetime | None
    """When it was sent or abandoned."""


def alert_id(rule: str, subject: str, tenant_id: UUID | None) -> UUID:
    return uuid5(tenant_id or _NAMESPACE, f"alert/{rule}/{subject}")


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one evaluation of an alert."""

    alert: Alert
    message: Message | None = None
    """The message to send to the channels."""
    again: timedelta | None = None
    """Time until the next evaluation. None to wait for the next sighting."""


def look(
    rule: Rule, known: Alert | None, sighting: Sighting, *, silenced_until: datetime | None, now: datetime
) -> Step:
    """The next state of an alert, and the message to send if any. Pure, so that one commit decides it once."""
    is_seen = now - sighting.seen_at < rule.clear
    if known is None:
        known = Alert(
            sighting.id, rule.name, sighting.subject, sighting.tenant_id, rule.severity, AlertState.ENDED,
            sighting.seen_at, sighting.seen_at, None, None, None, sighting.facts,
        )  # fmt: skip
    if not is_seen:
        return _ended(known, sighting)
    if known.state is AlertState.ENDED:
        known = replace(known, state=AlertState.FIRING, since=sighting.seen_at, ended_at=None)
    known = replace(known, severity=rule.severity, seen_at=sighting.seen_at, facts=sighting.facts)
    if sighting.told_at is not None and (known.told_at is None or known.told_at < sighting.told_at):
        known = replace(known, told_at=sighting.told_at, told_of=known.since)
    told_next = now if known.told_at is None else known.told_at + rule.cool_down
    if silenced_until is not None and silenced_until > told_next:
        told_next = silenced_until
    message = None
    if told_next <= now:
        message = Message.STILL if known.is_told else Message.FIRING
        known = replace(known, told_at=now, told_of=known.since)
        told_next = now + rule.cool_down
    return Step(known, message, max(min(sighting.seen_at + rule.clear, told_next) - now, timedelta(milliseconds=50)))


def _ended(known: Alert, sighting: Sighting) -> Step:
    if known.state is AlertState.ENDED:
        return Step(known)
    ended = replace(known, state=AlertState.ENDED, ended_at=sighting.seen_at, seen_at=sighting.seen_at)
    return Step(ended, Message.RECOVERED if known.is_told else None)


def silenced_until(silences: Iterable[Silence], of: Alert | Sighting, operator: UUID | None) -> datetime | None:
    """When the last silence that covers an alert ends, or None.

    ``silences`` are in the order in which they were made. Only the newest one per tenant and subject counts, and it may
    be one that ended an earlier silence. The silences of the tenant ``operator`` cover the service's own alerts. If
    ``operator`` is None, those of every tenant do.
    """
    newest: dict[tuple[UUID, str], datetime] = {}
    for each in silences:
        may = each.tenant_id == of.tenant_id if of.tenant_id is not None else operator in (None, each.tenant_id)
        if may and each.rule == of.rule and each.subject in (of.subject, EVERY_SUBJECT):
            newest[each.tenant_id, each.subject] = each.until
    return max(newest.values(), default=None)


_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule(name="integrity", severity=Severity.CRITICAL, title="Stored data was changed from outside",
             clear=_HOUR),
        Rule(name="audit", severity=Severity.CRITICAL, title="Verification found an inconsistency",
             cool_down=6 * _HOUR, clear=10 * _MINUTE),
        Rule(name="anchor", severity=Severity.CRITICAL, title="The audit heads cannot be written outside the database",
             hold=_MINUTE),
        Rule(name="restored", severity=Severity.CRITICAL, title="The database is older than its audit heads"),
        Rule(name="database", severity=Severity.CRITICAL, title="The database does not respond",
             hold=timedelta(seconds=20)),
        Rule(name="database_read_only", severity=Severity.CRITICAL, title="The database is read-only",
             hold=timedelta(seconds=20)),
        Rule(name="vault", severity=Severity.CRITICAL, title="Vault is unavailable", hold=timedelta(seconds=15)),
        Rule(name="circuit", severity=Severity.WARNING, title="A component fails and is not being called",
             hold=_MINUTE),
        Rule(name="foreign_chain", severity=Severity.CRITICAL,
             title="A source serves a different chain from the one configured",
             clear=10 * _MINUTE),
        Rule(name="lying_node", severity=Severity.WARNING, title="A source returns data that cannot be true",
             clear=10 * _MINUTE),
        Rule(name="fee_cap", severity=Severity.WARNING, title="A transaction was refused by a limit",
             clear=10 * _MINUTE),
        Rule(name="denials", severity=Severity.WARNING, title="An API key keeps requesting what it may not do",
             clear=5 * _MINUTE),
        Rule(name="failed_logins", severity=Severity.WARNING, title="Many invalid API keys from one address",
             clear=10 * _MINUTE),
        Rule(name="key_version", severity=Severity.WARNING, title="Secrets are still wrapped by an old key",
             cool_down=_DAY, clear=3 * _HOUR),
        Rule(name="queue", severity=Severity.WARNING, title="Background work is late", hold=_MINUTE),
        Rule(name="given_up", severity=Severity.WARNING, title="Background work failed for good", clear=30 * _MINUTE),
        Rule(name="expiry", severity=Severity.WARNING, title="Something expires soon", cool_down=_DAY,
             clear=3 * _HOUR),
        Rule(name="balance", severity=Severity.WARNING, title="A wallet is running out of coins for fees",
             cool_down=6 * _HOUR, clear=20 * _MINUTE),
    )
}  # fmt: skip
