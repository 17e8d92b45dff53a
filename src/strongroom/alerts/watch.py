"""Watches, in each process, which rules apply, and records them.

Lasting conditions are evaluated regularly. Events arrive as signals (`telemetry.signals`), or are written in the
transaction in which they happen (`journal.base.sighting_unit`). A sighting and the wake of its alert's task are one
unit. If the database does not accept that unit, `alerts.direct` sends to the channels.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from strongroom.alerts.base import Condition
from strongroom.alerts.direct import Direct
from strongroom.domain.alert import MOST_ALIKE, OTHERS, Key, Rule, Seen
from strongroom.errors import StrongroomError
from strongroom.journal.base import Commit, Lost, sighting_unit
from strongroom.storage.base import Unit
from strongroom.telemetry.metrics import ALERTS_SEEN
from strongroom.telemetry.signals import SIGNALS, Signals

_log = structlog.get_logger(__name__)

_PAST_THE_DATABASE: Final = {"database", "database_read_only"}
"""Rules about the database itself. They are never written to it."""
_SHARE: Final = 3
"""A lasting condition is recorded this many times in the time after which it would count as over."""
_LONGEST: Final = 20.0
_PATIENCE: Final = 10.0
"""Seconds without a commit after which alerts are sent to the channels directly."""
_MOST: Final = 500
_ALIKE_SECONDS: Final = 60.0


class Watch:
    """Watches the enabled ``rules`` between `start` and `stop`."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        conditions: Sequence[Condition],
        commit: Commit,
        direct: Direct,
        *,
        interval: float,
        signals: Signals = SIGNALS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._conditions = conditions
        self._commit = commit
        self._direct = direct
        self._interval = interval
        self._signals = signals
        self._clock = clock
        self._lasting: dict[Key, float] = {}
        """The time since which a condition has been seen without interruption."""
        self._written: dict[Key, float] = {}
        self._waiting: dict[Key, tuple[Seen, float]] = {}
        """What the database has not accepted yet, and since when."""
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.create_task(self._keep_looking(), name="alerts")

    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        for signal in self._signals.take():
            self._take(Seen(signal.rule, signal.subject, signal.tenant_id, signal.facts))
        await self._write()
        await self._direct.close()

    async def adopt(self) -> None:
        """Take over what earlier processes sent without the database and could not end."""
        for name in sorted(_PAST_THE_DATABASE & self._rules.keys()):
            await self._direct.adopt(self._rules[name], Seen(name, "database"))

    async def look(self) -> None:
        lasting, unsure = await self._conditions_now()
        now = self._clock()
        for key in self._lasting.keys() - lasting.keys():
            if not unsure:
                del self._lasting[key]
        for key, seen in lasting.items():
            since = self._lasting.setdefault(key, now)
            if now - since >= self._rules[seen.rule].hold.total_seconds():
                self._take(seen)
        for signal in self._signals.take():
            self._take(Seen(signal.rule, signal.subject, signal.tenant_id, signal.facts))
        for key in list(self._direct.told):
            if key not in lasting and key not in self._waiting and not unsure:
                await self._direct.end(self._rules[key[0]], key)
        await self._write()
        many = Counter(rule for rule, _, _ in lasting)
        for name in self._rules:
            ALERTS_SEEN.labels(name).set(many[name])

    async def _conditions_now(self) -> tuple[dict[Key, Seen], bool]:
        """Return the current conditions, and whether any of them could not be evaluated."""
        found: dict[Key, Seen] = {}
        unsure = False
        for condition in self._conditions:
            try:
                seen: Iterable[Seen] = await condition()
            except StrongroomError as error:
                unsure = True
                _log.warning("alerts.not_looked", code=error.code)
            except Exception as error:  # noqa: BLE001 - one condition must not stop the others
                unsure = True
                _log.error("alerts.not_looked", exc_info=error)
            else:
                found |= {each.key: each for each in seen if each.rule in self._rules}
        return found, unsure

    def _take(self, seen: Seen) -> None:
        """Keep it for the next unit, unless it was written a short while ago."""
        rule = self._rules.get(seen.rule)
        if rule is None:
            return
        if self._is_one_of_many(seen.key):
            seen = Seen(seen.rule, OTHERS, seen.tenant_id)
        pause = min(rule.clear.total_seconds() / _SHARE, _LONGEST)
        if self._clock() - self._written.get(seen.key, -pause) < pause:
            return
        known = self._waiting.get(seen.key)
        if known is not None or len(self._waiting) < _MOST:
            self._waiting[seen.key] = (seen, self._clock() if known is None else known[1])

    def _is_one_of_many(self, key: Key) -> bool:
        since = self._clock() - _ALIKE_SECONDS
        known = {each for each, at in self._written.items() if at > since} | self._waiting.keys()
        alike = sum(1 for rule, _, tenant in known if (rule, tenant) == (key[0], key[2]))
        return alike >= MOST_ALIKE and key not in known

    async def _write(self) -> None:
        apart = {key for key in self._waiting if key[0] in _PAST_THE_DATABASE}
        for key in apart:
            seen, _ = self._waiting.pop(key)
            await self._direct.tell(self._rules[seen.rule], seen)
        if not self._waiting:
            return
        taken = dict(self._waiting)
        now = datetime.now(UTC)
        told = {key: self._direct.told[key].at for key in taken if key in self._direct.told}
        units = [sighting_unit(self._rules[seen.rule], seen, now, told.get(key)) for key, (seen, _) in taken.items()]
        unit = Unit(puts=[put for each in units for put in each.puts], wakes=[w for each in units for w in each.wakes])
        try:
            await self._commit(unit)
        except (StrongroomError, Lost) as error:
            await self._tell_directly(error)
            return
        at = self._clock()
        self._written = {key: when for key, when in self._written.items() if at - when < _ALIKE_SECONDS}
        for key in taken:
            self._written[key] = at
            self._waiting.pop(key, None)
            await self._direct.hand_over(key)

    async def _tell_directly(self, error: StrongroomError | Lost) -> None:
        """Send what has waited too long to be written. It is kept, and written once the database accepts it."""
        code = error.code if isinstance(error, StrongroomError) else "conflict"
        _log.warning("alerts.not_written", code=code, waiting=len(self._waiting))
        if isinstance(error, Lost):
            return
        for seen, since in list(self._waiting.values()):
            if self._clock() - since >= _PATIENCE:
                await self._direct.tell(self._rules[seen.rule], seen)

    async def _keep_looking(self) -> None:
        await self.adopt()
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the loop must go on
                _log.error("alerts.watch_failed", exc_info=error)
            await asyncio.sleep(self._interval)
