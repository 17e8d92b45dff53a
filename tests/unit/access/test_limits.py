from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from strongroom.access.limits import RateLimits
from strongroom.errors import ConfigurationError, RateLimited

ONE, TWO = UUID(int=1), UUID(int=2)


async def allowed(limits: RateLimits, limit_class: str, principal: UUID, calls: int) -> int:
    answers = await asyncio.gather(*(limits.hit(limit_class, principal) for _ in range(calls)), return_exceptions=True)
    assert all(isinstance(answer, RateLimited) for answer in answers if answer is not None)
    return answers.count(None)


async def test_so_many_and_not_one_more() -> None:
    assert await allowed(RateLimits({"sign": "10/day"}), "sign", ONE, 100) == 10


async def test_callers_and_classes_are_counted_apart() -> None:
    limits = RateLimits({"sign": "2/day", "read": "2/day"})
    assert await allowed(limits, "sign", ONE, 5) == 2
    assert await allowed(limits, "sign", TWO, 5) == 2
    assert await allowed(limits, "read", ONE, 5) == 2


async def test_class_without_a_rate_is_not_limited() -> None:
    assert await allowed(RateLimits({"sign": "1/day"}), "read", ONE, 50) == 50


async def test_refusal_says_when_to_come_back() -> None:
    limits = RateLimits({"sign": "1/hour"})
    await limits.hit("sign", ONE)
    with pytest.raises(RateLimited) as caught:
        await limits.hit("sign", ONE)
    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 2 * 3600


@pytest.mark.parametrize("rate", ["", "many", "10", "10/fortnight", "-1/second"])
def test_rate_that_cannot_be_read(rate: str) -> None:
    with pytest.raises(ConfigurationError, match="sign"):
        RateLimits({"sign": rate})
