"""Buckets in Redis, which all processes share. While Redis is down, each process allows its own share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog
from redis.exceptions import ResponseError

from strongroom.breaker import CircuitOpen
from strongroom.rates.base import Bucket, Charged, level
from strongroom.rates.local import LocalBuckets
from strongroom.redis_link import Lost, RedisLink
from strongroom.telemetry.metrics import RATE_CHARGES_TOTAL

_log = structlog.get_logger(__name__)

_NAMESPACE: Final = "strongroom:rate:1:"

_SCRIPT: Final = """
local units = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = (tonumber(time[1]) - 1750000000) + tonumber(time[2]) / 1000000
local backlogs, waits, accepted = {}, {}, 1
for i = 1, #KEYS do
  local quota, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local backlog = (tonumber(redis.call('GET', KEYS[i]) or now) or now) - now
  if not (backlog > 0 and backlog < 1e9) then backlog = 0 end
  local wait = backlog + math.min(units, quota) * window / quota - window
  if wait > 1e-6 then accepted = 0 else wait = 0 end
  backlogs[i], waits[i] = backlog, wait
end
local answer = {accepted}
for i = 1, #KEYS do
  if accepted == 1 then
    backlogs[i] = backlogs[i] + units * tonumber(ARGV[2 * i + 1]) / tonumber(ARGV[2 * i])
    redis.call('SET', KEYS[i], string.format('%.7f', now + backlogs[i]), 'PX', math.ceil(backlogs[i] * 1000) + 1)
  end
  answer[2 * i] = string.format('%.7f', backlogs[i])
  answer[2 * i + 1] = string.format('%.7f', waits[i])
end
return answer
"""
"""A bucket is stored as the time at which it will be full, by Redis's own clock, so replicas' clocks do not matter.
Any other value, whoever wrote it, counts as a full bucket."""


class SharedBuckets:
    """Counts what Redis accepts in ``share`` too, so that this process has no fresh share when Redis fails."""

    def __init__(self, link: RedisLink, share: LocalBuckets) -> None:
        self._link = link
        self._share = share
        self._run = link.client.register_script(_SCRIPT)

    async def charge(self, buckets: Sequence[Bucket], units: int) -> Charged:
        try:
            answer = await self._link.ask(lambda: self._ask(buckets, units))
            charged = _charged(buckets, answer)
        except CircuitOpen:
            RATE_CHARGES_TOTAL.labels("skipped").inc()
        except (Lost, ResponseError, ValueError, TypeError) as error:
            RATE_CHARGES_TOTAL.labels("error").inc()
            if not isinstance(error, Lost):
                _log.warning("rates.refused", error=type(error).__name__)
        else:
            RATE_CHARGES_TOTAL.labels("ok").inc()
            if charged.accepted:
                self._share.take(buckets, units, already=True)
            return charged
        return self._share.take(buckets, units)

    async def _ask(self, buckets: Sequence[Bucket], units: int) -> Any:
        rates = [number for bucket in buckets for number in (bucket.rate.quota, bucket.rate.window)]
        return await self._run(keys=[_NAMESPACE + bucket.key for bucket in buckets], args=[units, *rates])


def _charged(buckets: Sequence[Bucket], answer: Any) -> Charged:
    """Raises ValueError or TypeError for a reply of another form."""
    accepted, *numbers = answer
    pairs = zip(map(float, numbers[::2]), map(float, numbers[1::2]), strict=True)
    levels = [
        level(bucket.rate, backlog, bucket.rate.window / bucket.rate.quota, bucket.rate.window, wait)
        for bucket, (backlog, wait) in zip(buckets, pairs, strict=True)
    ]
    return Charged(accepted == 1, levels)
