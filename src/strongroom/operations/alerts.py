"""Alerts for operators: list them, see who was notified, silence one for a while, send a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.alerts.base import receivers
from strongroom.domain.alert import (
    ALERT_TASK,
    EVERY_SUBJECT,
    NOTIFY_TASK,
    RULES,
    SUBJECT_LENGTH,
    Alert,
    Message,
    Notification,
    NotificationState,
    Severity,
    Silence,
    alert_id,
    silenced_until,
)
from strongroom.domain.ids import new_id
from strongroom.domain.label import label_digest
from strongroom.errors import Forbidden, InvalidField, NotFound
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_uuid, page_of
from strongroom.operations.fields import Cursor, PageSize, Timestamp, clean_text
from strongroom.storage.base import Wake

_MOST_SECONDS = 7 * 86_400

RuleName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z_]+$", description="Name of the rule")]
Subject = Annotated[
    str,
    Meta(min_length=1, max_length=SUBJECT_LENGTH, pattern=r"^[^\x00]+$", description="What the alert is about"),
]
ChannelName = Annotated[
    str, Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9-]+$", description="Only this channel")
]
SeverityName = Literal["info", "warning", "critical"]


class ListAlerts(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    state: Annotated[Literal["firing", "ended"] | None, Meta(description="Only alerts in this state")] = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class ListNotifications(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    cursor: Cursor | None = None
    limit: PageSize = 50


class SilenceAlert(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    rule: RuleName
    subject: Annotated[Subject, Meta(description="What the alert is about; `*` for anything")] = EVERY_SUBJECT
    seconds: Annotated[int, Meta(ge=0, le=_MOST_SECONDS, description="Seconds from now; 0 ends a silence")]


class SendTestAlert(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    channel: ChannelName | None = None
    severity: Annotated[SeverityName, Meta(description="Severity of the test message")] = "info"


class AlertView(msgspec.Struct, kw_only=True, frozen=True):
    rule: str
    subject: str
    of_service: Annotated[
        bool, Meta(description="Whether the alert is about the service itself and not about the tenant")
    ]
    severity: str
    title: Annotated[str, Meta(description="What the rule means, in words")]
    state: Annotated[str, Meta(description="firing or ended")]
    since: Annotated[Timestamp, Meta(description="When it last began")]
    seen_at: Annotated[Timestamp, Meta(description="When it was last observed")]
    ended_at: Timestamp | None
    told_at: Annotated[Timestamp | None, Meta(description="When the channels were last notified that it is firing")]
    silenced_until: Timestamp | None
    facts: Annotated[dict[str, str], Meta(description="What was seen, as names and values")]
    runbook: Annotated[str, Meta(description="Section of the documentation with what to do")]


class AlertPage(msgspec.Struct, kw_only=True, frozen=True):
    alerts: Annotated[list[AlertView], Meta(description="Alerts of this page")]
    next_cursor: str | None


class NotificationView(msgspec.Struct, kw_only=True, frozen=True):
    id: Annotated[UUID, Meta(description="Id of the notification")]
    channel: Annotated[str, Meta(description="Name of the channel")]
    message: Annotated[str, Meta(description="firing, still, recovered, silenced or test")]
    rule: str
    subject: str
    severity: str
    state: Annotated[str, Meta(description="waiting, sent or failed")]
    error: Annotated[str | None, Meta(description="What went wrong at the last attempt, or null")]
    created_at: Timestamp
    ended_at: Timestamp | None

    @classmethod
    def of(cls, row: Notification) -> NotificationView:
        return cls(
            id=row.id,
            channel=row.channel,
            message=row.message,
            rule=row.rule,
            subject=row.subject,
            severity=row.severity,
            state=row.state,
            error=row.error,
            created_at=row.created_at,
            ended_at=row.ended_at,
        )


class NotificationPage(msgspec.Struct, kw_only=True, frozen=True):
    notifications: Annotated[list[NotificationView], Meta(description="Notifications of this page")]
    next_cursor: str | None


class SilenceView(msgspec.Struct, kw_only=True, frozen=True):
    rule: str
    subject: str
    until: Timestamp


class SentTest(msgspec.Struct, kw_only=True, frozen=True):
    notifications: Annotated[
        list[NotificationView],
        Meta(description="One for each channel; `alerts.notifications` shows whether they arrived"),
    ]


async def list_(command: ListAlerts, call: Call) -> AlertPage:
    after = cursor_uuid(command.cursor)
    found = await call.storage.alerts(call.tenant_id, command.state, after, command.limit + 1)
    page, more = page_of(found, command.limit, lambda each: (each.id,))
    return AlertPage(alerts=[await _view(each, call) for each in page], next_cursor=more)


async def notifications(command: ListNotifications, call: Call) -> NotificationPage:
    before = cursor_uuid(command.cursor)
    found = await call.storage.notifications(call.tenant_id, before, command.limit + 1)
    page, more = page_of(found, command.limit, lambda each: (each.id,))
    return NotificationPage(notifications=[NotificationView.of(each) for each in page], next_cursor=more)


async def silence(command: SilenceAlert, call: Call) -> SilenceView:
    """Silences the tenant's own alerts and, if the tenant is the operator, those of the service. The channels are told
    who silenced an alert of the service.

    Raises InvalidField, Forbidden.
    """
    if command.rule not in RULES:
        raise InvalidField("there is no alert rule with this name", field="rule", allowed=list(RULES))
    operator = call.alerting.operator
    subject = clean_text(command.subject, "subject") or EVERY_SUBJECT
    row = Silence(
        new_id(), command.rule, subject, call.tenant_id, call.now + timedelta(seconds=command.seconds),
        call.principal.id, call.now,
    )  # fmt: skip
    view = SilenceView(rule=row.rule, subject=row.subject, until=row.until)
    ids = [alert_id(row.rule, row.subject, each) for each in (None, call.tenant_id)]
    known = [] if row.subject == EVERY_SUBJECT else [await call.storage.alert(each) for each in ids]
    if operator not in (None, call.tenant_id) and any(each is not None and each.tenant_id is None for each in known):
        raise Forbidden("only the tenant in alerts.operator can silence an alert of the service itself")
    told = [] if operator not in (None, call.tenant_id) else _messages(row, call)
    wakes = [Wake(ALERT_TASK, str(each.id), each.tenant_id) for each in known if each is not None]
    # The audit outlives everything that can be deleted, so it gets a digest of what the caller wrote, as for labels.
    told_of = row.subject if row.subject == EVERY_SUBJECT else label_digest(row.subject)
    details = {"rule": row.rule, "subject": told_of, "until": row.until.isoformat()}
    async with call.journal.intent(details=details) as intent:
        intent.settle(view, rows=[row, *told], wakes=[*wakes, *_wakes(told)])
    return view


async def send_test(command: SendTestAlert, call: Call) -> SentTest:
    """Sends a message to the channels of the tenant and of the service, even in quiet hours. Raises NotFound."""
    channels = {
        each.name
        for tenant in (None, call.tenant_id)
        for each in receivers(call.alerting.channels, tenant, Severity.CRITICAL)
    }
    if command.channel is not None:
        channels &= {command.channel}
    if not channels:
        raise NotFound("there is no alert channel with this name", field="channel")
    severity, by = Severity(command.severity), call.principal.name
    rows = [_message(call, name, Message.TEST, "test", "test", severity, {"by": by}) for name in sorted(channels)]
    view = SentTest(notifications=[NotificationView.of(each) for each in rows])
    async with call.journal.intent(details={"channels": ",".join(sorted(channels))}) as intent:
        intent.settle(view, rows=rows, wakes=_wakes(rows))
    return view


def _messages(row: Silence, call: Call) -> list[Notification]:
    rule = RULES[row.rule]
    facts = {"until": row.until.isoformat(), "by": call.principal.name, "tenant": str(row.tenant_id)}
    return [
        _message(call, each.name, Message.SILENCED, row.rule, row.subject, rule.severity, facts)
        for each in receivers(call.alerting.channels, None, rule.severity)
    ]


def _message(
    call: Call, channel: str, message: Message, rule: str, subject: str, severity: Severity, facts: dict[str, str]
) -> Notification:
    id_ = new_id()
    return Notification(
        id_, id_, call.tenant_id, channel, message, rule, subject, severity, call.now,
        msgspec.json.encode(facts).decode(), NotificationState.WAITING, None, call.now, None,
    )  # fmt: skip


def _wakes(rows: list[Notification]) -> list[Wake]:
    return [Wake(NOTIFY_TASK, str(each.id), each.tenant_id) for each in rows]


async def _view(alert: Alert, call: Call) -> AlertView:
    rule = RULES.get(alert.rule)
    silences = await call.storage.silences(alert.rule, [alert.subject, EVERY_SUBJECT])
    operator = call.alerting.operator
    until: datetime | None = silenced_until(silences, alert, operator)
    # An alert of the service may be about a row of one tenant, and its facts then name that row.
    sees_facts = alert.tenant_id is not None or operator in (None, call.tenant_id)
    return AlertView(
        rule=alert.rule,
        subject=alert.subject,
        of_service=alert.tenant_id is None,
        severity=alert.severity,
        title=alert.rule if rule is None else rule.title,
        state=alert.state,
        since=alert.since,
        seen_at=alert.seen_at,
        ended_at=alert.ended_at,
        told_at=alert.told_at,
        silenced_until=None if until is None or until <= call.now else until,
        facts=msgspec.json.decode(alert.facts, type=dict[str, str]) if sees_facts else {},
        runbook="docs/operations.md#alerts" if rule is None else rule.runbook,
    )
