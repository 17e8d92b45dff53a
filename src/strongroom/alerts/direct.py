"""Alerts that bypass the database, for when the database itself fails.

The process sends to the channels itself. For each channel, Redis remembers across replicas whether a process is sending
and what was sent. Without Redis, each process sends once per cool-down. What began here also ends here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Self
from uuid import UUID, uuid5

import structlog

from strongroom.alerts.base import (
    UNSURE,
    Alerting,
    Channel,
    NotDelivered,
    Note,
    Shared,
    SharedKeys,
    receivers,
)
from strongroom.domain.alert import Key, Message, Rule, Seen
from strongroom.domain.ids import new_id
from strongroom.telemetry.metrics import ALERT_NOTIFICATIONS_TOTAL

_log = structlog.get_logger(__name__)

_CLAIM: Final = 60.0
"""Seconds for which a process that is about to send keeps the others from it."""
_ASK: Final = 5.0
"""Seconds between two checks whether the process that sent it is still alive."""
_OPEN: Final = 7 * 86_400.0
"""Seconds for which an end that is still to be sent is remembered."""
_TRIES: Final = 20
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that was sent without the database."""

    seen: Seen
    at: datetime
    since: datetime
    by_us: set[str] = field(default_factory=set)
    """The channels to which this process sent it."""


@dataclass(frozen=True, slots=True)
class _Open:
    """The shared record of an alert in one channel, kept until its end was accepted there."""

    id: UUID
    """The id of the message that says that it began."""
    since: datetime
    is_told: bool

    def __str__(self) -> str:
        return f"{'told' if self.is_told else 'telling'} {self.id} {self.since.isoformat()}"

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """None also for a text that is not ours."""
        try:
            state, id_, since = (text or "").split(" ")
            return cls(UUID(id_), datetime.fromisoformat(since).astimezone(UTC), state == "told")
        except (ValueError, OverflowError):
            return None


class Direct:
    """Sends alerts and their ends to the channels without the database."""

    def __init__(self, alerting: Alerting, shared: Shared, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._alerting = alerting
        self._channels = channels = alerting.channels
        self._shared = shared
        self._clock = clock
        self._told: dict[Key, Told] = {}
        self._again: dict[SharedKeys, float] = {}
        """When it may be sent again, or when the shared record is looked at again."""
        self._ends: set[SharedKeys] = set()
        """Ends that are on their way to a channel."""
        self._turns = {name: asyncio.Lock() for name in channels}
        """Messages to a channel arrive in the order in which they were sent."""
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def told(self) -> Mapping[Key, Told]:
        """What this or another process has sent without the database, and whose end was not sent yet."""
        return self._told

    async def adopt(self, rule: Rule, seen: Seen) -> None:
        """Take over what earlier processes sent and could not end, so that this process ends it."""
        for channel in receivers(self._channels, seen.tenant_id, rule.severity):
            known = _Open.read(await self._shared.read(SharedKeys(seen.key, channel.name).open))
            if known is not None:
                self._told.setdefault(seen.key, Told(seen, known.since, known.since))

    async def tell(self, rule: Rule, seen: Seen) -> None:
        """Send it once per cool-down, except in quiet hours. Returns before the channels have accepted it."""
        now = datetime.now(UTC)
        if self._alerting.quiet_until(rule.severity, now) is not None:
            return
        told = self._told.get(seen.key) or Told(seen, now, now)
        for channel in receivers(self._channels, seen.tenant_id, rule.severity):
            keys = SharedKeys(seen.key, channel.name)
            if self._clock() < self._again.get(keys, 0.0):
                continue
            first = await self._shared.first(keys.claim, _CLAIM)
            self._again[keys] = self._clock() + (rule.cool_down.total_seconds() if first else _ASK)
            if first:
                await self._begin(rule, seen, channel, self._told.setdefault(seen.key, told))
            elif (known := _Open.read(await self._shared.read(keys.open))) is not None:
                self._told.setdefault(seen.key, replace(told, since=known.since))
            # Otherwise it was sent and ended, or sent by its task, within the cool-down. Nothing more is sent now.

    async def _begin(self, rule: Rule, seen: Seen, channel: Channel, told: Told) -> None:
        keys, now = SharedKeys(seen.key, channel.name), datetime.now(UTC)
        known = _Open.read(await self._shared.read(keys.open))
        is_still = channel.name in told.by_us if known is None else known.is_told
        if known is None:
            known = _Open(new_id(), told.since, is_told=False)
            await self._shared.keep(keys.open, _OPEN, str(known))
            is_repeat = False
        else:  # the process that was sending it has died; how far it got is unknown
            is_repeat = not known.is_told
        told.by_us.add(channel.name)
        self._told[seen.key] = replace(told, at=now)
        message = Message.STILL if is_still else Message.FIRING
        note = _note(new_id() if is_still else known.id, rule, seen, message, known.since, now)
        seconds = rule.cool_down.total_seconds()

        async def taken() -> None:
            await self._shared.keep(keys.claim, seconds)
            await self._shared.keep(keys.open, _OPEN, str(replace(known, is_told=True)))

        self._send(channel, [(replace(note, is_repeat=is_repeat), keys.claim, taken)])

    async def end(self, rule: Rule, key: Key) -> None:
        """Send the end of an alert.

        The first process to notice sends it, and another one does if that process dies. Without shared state, each
        process that sent the alert sends its end. Call this until the key is no longer in `told`.
        """
        told = self._told[key]
        channels = receivers(self._channels, told.seen.tenant_id, rule.severity)
        left = [await self._end(rule, told, channel) for channel in channels]
        if not any(left):
            self._told.pop(key, None)

    async def _end(self, rule: Rule, told: Told, channel: Channel) -> bool:
        """Whether this has to be called again."""
        keys = SharedKeys(told.seen.key, channel.name)
        if keys in self._ends:
            return True
        text = await self._shared.read(keys.open)
        if text is None:  # the shared state cannot be read
            if channel.name in told.by_us:
                told.by_us.remove(channel.name)
                self._send_end(rule, told, channel, _Open(new_id(), told.since, is_told=True))
            return False
        known = _Open.read(text)
        if known is None:  # another process has ended it
            return False
        is_lost = not known.is_told and channel.name not in told.by_us
        if is_lost and not await self._shared.first(keys.claim, _CLAIM):
            return True  # a process is still sending the beginning
        if not await self._shared.first(keys.ending, _CLAIM):
            return True
        if await self._shared.read(keys.open) == "":  # another process has ended it since it was read above
            await self._shared.forget(keys.ending)
            return False
        self._send_end(rule, told, channel, known, is_lost=is_lost)
        return True

    def _send_end(self, rule: Rule, told: Told, channel: Channel, known: _Open, *, is_lost: bool = False) -> None:
        """``is_lost``: the process that was sending the beginning has died, so the beginning is sent first."""
        keys, now = SharedKeys(told.seen.key, channel.name), datetime.now(UTC)
        begun = _note(known.id, rule, told.seen, Message.FIRING, known.since, told.at)
        ended = _note(uuid5(known.id, "ended"), rule, told.seen, Message.RECOVERED, known.since, now)

        async def was_told() -> None:
            await self._shared.keep(keys.claim, rule.cool_down.total_seconds())

        async def was_ended() -> None:
            await self._shared.forget(keys.open)
            await self._shared.forget(keys.ending)

        self._ends.add(keys)
        first = [(replace(begun, is_repeat=True), keys.claim, was_told)] if is_lost else []
        sending = self._send(channel, [*first, (ended, keys.ending, was_ended)])
        sending.add_done_callback(lambda _: self._ends.discard(keys))

    async def hand_over(self, key: Key) -> None:
        """The database has recorded the alert, so its task will send the end."""
        told = self._told.pop(key, None)
        for channel in self._channels if told is not None else ():
            await self._shared.forget(SharedKeys(key, channel).open)

    async def close(self) -> None:
        for each in self._sending:
            each.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _send(self, channel: Channel, notes: Iterable[_Sent]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._deliver(channel, notes), name=f"alert-{channel.name}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return task

    async def _deliver(self, channel: Channel, notes: Iterable[_Sent]) -> None:
        async with self._turns[channel.name]:
            for note, claim, taken in notes:
                if await self._try(channel, note, claim):
                    await taken()

    async def _try(self, channel: Channel, note: Note, claim: str) -> bool:
        """Try for some minutes while keeping other replicas from it. If this process dies, one of them sends it."""
        pause = _FIRST_PAUSE
        for _ in range(_TRIES):
            try:
                await channel.send(note)
            except NotDelivered as failure:
                ALERT_NOTIFICATIONS_TOTAL.labels(channel.name, "failed").inc()
                _log.warning("alerts.not_delivered", channel=channel.name, rule=note.rule, reason=failure.reason)
                if failure.is_final:
                    return False
                wait = failure.retry_after or pause
                await self._shared.keep(claim, wait + _CLAIM)
                await asyncio.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE)
                note = replace(note, is_repeat=note.is_repeat or failure.reason in UNSURE)
            else:
                ALERT_NOTIFICATIONS_TOTAL.labels(channel.name, "sent").inc()
                return True
        return False


_Sent = tuple[Note, str, Callable[[], Awaitable[None]]]
"""A note, the claim that keeps others from sending it, and what to do once it was accepted."""


def _note(id_: UUID, rule: Rule, seen: Seen, message: Message, since: datetime, at: datetime) -> Note:
    return Note(
        id=id_,
        message=message,
        rule=rule.name,
        severity=rule.severity,
        title=rule.title,
        subject=seen.subject,
        since=since,
        at=at,
        runbook=rule.runbook,
        facts=seen.facts,
    )
