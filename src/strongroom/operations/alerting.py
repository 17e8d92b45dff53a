"""The tasks behind alerts.

`alert`   belongs to one rule and subject. It looks at the sighting, decides, and puts a message for each channel into
          the outbox. All of that is in the commit that settles the task, so the decision to notify is made once.
`notify`  belongs to one message and channel. It sends the message. If the process dies after the channel took the
          message and before the commit, the message is sent again with the same id, marked as a repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from strongroom.alerts.base import UNSURE, Alerting, NotDelivered, Note, SharedKeys, receivers
from strongroom.domain.alert import (
    EVERY_SUBJECT,
    NOTIFY_TASK,
    RULES,
    Alert,
    Message,
    Notification,
    NotificationState,
    Rule,
    Sighting,
    look,
    silenced_until,
)
from strongroom.domain.ids import new_id
from strongroom.domain.task import Task
from strongroom.errors import IntegrityError
from strongroom.operations.duties import Duties
from strongroom.storage.base import Change, Unit, Wake
from strongroom.tasks.base import Done
from strongroom.telemetry.metrics import ALERT_NOTIFICATIONS_TOTAL

_log = structlog.get_logger(__name__)

_GIVEN_UP_AFTER: Final = timedelta(hours=24)
_LEAST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_BEHIND: Final = timedelta(seconds=2)
"""How long a message waits for an earlier message of the same alert before it looks again."""
_EARLIER: Final = 20
_TEST_TITLE: Final = "This is a test"
_ALERTS: Final = "docs/operations.md#alerts"


async def follow(task: Task, duties: Duties) -> Done:
    """The handler of `alert`. The task's key is the id of an alert."""
    try:
        sighting = await duties.storage.sighting(UUID(task.key))
    except IntegrityError:  # the alarm was raised; the next process that sees the subject writes the row again
        return Done()
    rule = None if sighting is None else duties.alerting.rules.get(sighting.rule)
    if sighting is None or rule is None:
        return Done()
    now = duties.clock()
    step = look(
        rule,
        await _known(sighting.id, duties),
        sighting,
        silenced_until=await _silenced_until(sighting, duties),
        now=now,
    )
    unit = Unit(puts=[step.alert])
    if step.message is not None:
        facts = await _named(sighting, duties)
        unit = joined(unit, outbox(duties.alerting, rule, step.alert, step.message, now, facts))
    return Done(unit, again=step.again)


def outbox(
    alerting: Alerting,
    rule: Rule,
    alert: Alert,
    message: Message,
    now: datetime,
    facts: Mapping[str, str],
) -> Unit:
    """A message for each channel that receives this alert, and the wakes of their tasks."""
    waiting = [
        Notification(
            new_id(), alert.id, alert.tenant_id, channel.name, message, rule.name, alert.subject, alert.severity,
            alert.since, msgspec.json.encode(dict(facts)).decode(), NotificationState.WAITING, None, now, None,
        )
        for channel in receivers(alerting.channels, alert.tenant_id, alert.severity)
    ]  # fmt: skip
    return Unit(rows=waiting, wakes=[Wake(NOTIFY_TASK, str(each.id), each.tenant_id) for each in waiting])


def joined(first: Unit, second: Unit) -> Unit:
    return replace(
        first,
        rows=(*first.rows, *second.rows),
        puts=(*first.puts, *second.puts),
        wakes=(*first.wakes, *second.wakes),
    )


async def notify(task: Task, duties: Duties) -> Done:
    """The handler of `notify`. The task's key is the id of a notification."""
    try:
        row = await duties.storage.notification(UUID(task.key))
    except IntegrityError:  # the row was tampered with, so nothing is sent
        return Done()
    if row is None or row.state is not NotificationState.WAITING:
        return Done()
    now = duties.clock()
    channel = duties.alerting.channels.get(row.channel)
    if channel is None:
        return _ended(row, NotificationState.FAILED, "no_channel", now)
    until = duties.alerting.quiet_until(row.severity, now)
    if until is not None and row.message is not Message.TEST:
        return Done(again=until - now)
    if await _is_behind(row, duties):
        return Done(again=_BEHIND)
    try:
        await channel.send(_note(row, is_repeat=task.attempts > 1 or row.error in UNSURE))
    except NotDelivered as failure:
        return _not_delivered(row, failure, now)
    ALERT_NOTIFICATIONS_TOTAL.labels(row.channel, "sent").inc()
    await _remember(row, duties.alerting)
    return _ended(row, NotificationState.SENT, None, duties.clock())


async def _remember(row: Notification, alerting: Alerting) -> None:
    """Keeps the cool-down in the shared cache, so that nobody repeats the alert if the database fails meanwhile."""
    rule = alerting.rules.get(row.rule)
    if alerting.shared is not None and rule is not None and row.message in (Message.FIRING, Message.STILL):
        keys = SharedKeys((row.rule, row.subject, row.tenant_id), row.channel)
        await alerting.shared.keep(keys.claim, rule.cool_down.total_seconds())


def _not_delivered(row: Notification, failure: NotDelivered, now: datetime) -> Done:
    age = now - row.created_at
    if failure.is_final or age > _GIVEN_UP_AFTER:
        ALERT_NOTIFICATIONS_TOTAL.labels(row.channel, "given_up").inc()
        _log.error("alerts.given_up", channel=row.channel, rule=row.rule, reason=failure.reason)
        return _ended(row, NotificationState.FAILED, failure.reason, now)
    ALERT_NOTIFICATIONS_TOTAL.labels(row.channel, "failed").inc()
    _log.warning("alerts.not_delivered", channel=row.channel, rule=row.rule, reason=failure.reason)
    pause = min(max(age // 2, _LEAST_PAUSE), _LONGEST_PAUSE)  # the pause grows with the message's age
    if failure.retry_after is not None:
        pause = timedelta(seconds=failure.retry_after)
    change = Change(Notification, row.id, {"state": row.state}, {"error": failure.reason})
    return Done(Unit(changes=[change]), again=pause)


def _ended(row: Notification, state: NotificationState, error: str | None, now: datetime) -> Done:
    new = {"state": state, "error": error, "ended_at": now}
    return Done(Unit(changes=[Change(Notification, row.id, {"state": row.state}, new)]))


async def _known(alert_id: UUID, duties: Duties) -> Alert | None:
    """The stored alert, or None if there is none or its row was tampered with. The alert then starts anew."""
    try:
        return await duties.storage.alert(alert_id)
    except IntegrityError:
        return None


async def _silenced_until(sighting: Sighting, duties: Duties) -> datetime | None:
    """When the silence ends. A silence whose row was tampered with is ignored."""
    try:
        found = await duties.storage.silences(sighting.rule, [sighting.subject, EVERY_SUBJECT])
    except IntegrityError:
        return None
    return silenced_until(found, sighting, duties.alerting.operator)


async def _named(sighting: Sighting, duties: Duties) -> dict[str, str]:
    """The sighting's facts, with the label of the wallet if they name one."""
    facts: dict[str, str] = msgspec.json.decode(sighting.facts, type=dict[str, str])
    if sighting.tenant_id is None or "wallet" not in facts:
        return facts
    try:
        wallet = await duties.storage.wallet(sighting.tenant_id, UUID(facts["wallet"]))
    except (IntegrityError, ValueError):
        return facts
    return facts if wallet is None or wallet.label is None else {**facts, "label": wallet.label}


async def _is_behind(row: Notification, duties: Duties) -> bool:
    """Whether an earlier message of the same alert is still waiting for this channel."""
    try:
        earlier = await duties.storage.notifications_of(row.alert_id, row.id, _EARLIER)
    except IntegrityError:
        return False
    return any(each.channel == row.channel and each.state is NotificationState.WAITING for each in earlier)


def _note(row: Notification, *, is_repeat: bool) -> Note:
    rule = RULES.get(row.rule)
    return Note(
        id=row.id,
        message=row.message,
        rule=row.rule,
        severity=row.severity,
        title=_TEST_TITLE if rule is None else rule.title,
        subject=row.subject,
        since=row.since,
        at=row.created_at,
        runbook=_ALERTS if rule is None else rule.runbook,
        facts=msgspec.json.decode(row.facts, type=dict[str, str]),
        is_repeat=is_repeat,
    )
