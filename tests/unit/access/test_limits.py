from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from strongroom.access.limits import Quota, RateLimits
from strongroom.access.wallet_rates import WalletRates
from strongroom.domain.principal import Principal
from strongroom.domain.rate import Rate
from strongroom.domain.restriction import Restriction
from strongroom.errors import RateLimited
from strongroom.rates.local import LocalBuckets

TENANT = UUID(int=9)
ONE = Principal(UUID(int=1), TENANT, "one", frozenset())
TWO = Principal(UUID(int=2), TENANT, "two", frozenset())
HOT, COLD = UUID(int=21), UUID(int=22)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def rates(**texts: str) -> dict[str, Rate]:
    return {name: Rate.parse(text) for name, text in texts.items()}


def limits_of(by_class: dict[str, Rate], wallets: dict[str, Rate] | None = None, **options: Any) -> RateLimits:
    clock = options.pop("clock", Clock())
    return RateLimits(by_class, wallets, buckets=LocalBuckets(clock=clock), clock=clock, **options)


async def allowed(
    limits: RateLimits, limit_class: str, principal: Principal, calls: int, wallets: Sequence[UUID] = (), units: int = 1
) -> int:
    answers = await asyncio.gather(
        *(limits.charge(principal, limit_class, wallets, units) for _ in range(calls)), return_exceptions=True
    )
    assert all(isinstance(answer, RateLimited) for answer in answers if answer is not None)
    return answers.count(None)


async def test_so_many_and_not_one_more() -> None:
    assert await allowed(limits_of(rates(sign="10/day")), "sign", ONE, 100) == 10


async def test_callers_and_classes_are_counted_apart() -> None:
    limits = limits_of(rates(sign="2/day", read="2/day"))
    assert await allowed(limits, "sign", ONE, 5) == 2
    assert await allowed(limits, "sign", TWO, 5) == 2
    assert await allowed(limits, "read", ONE, 5) == 2


async def test_class_without_a_rate_is_not_limited() -> None:
    assert await allowed(limits_of(rates(sign="1/day")), "read", ONE, 50) == 50


async def test_units_come_back_one_by_one() -> None:
    clock = Clock()
    limits = limits_of(rates(sign="4/minute"), clock=clock)
    assert await allowed(limits, "sign", ONE, 9) == 4
    clock.now += 15
    assert await allowed(limits, "sign", ONE, 9) == 1
    clock.now += 600
    assert await allowed(limits, "sign", ONE, 9) == 4


async def test_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    limits = limits_of(rates(sign="1/hour"), clock=clock)
    await limits.charge(ONE, "sign")
    with pytest.raises(RateLimited) as caught:
        await limits.charge(ONE, "sign")
    assert caught.value.retry_after == 3600
    clock.now += 1800
    with pytest.raises(RateLimited) as caught:
        await limits.charge(ONE, "sign")
    assert caught.value.retry_after == 1800


async def test_wallet_is_charged_by_all_callers_together_and_apart_from_others() -> None:
    limits = limits_of(rates(sign="100/day"), rates(sign="3/day"))
    assert await allowed(limits, "sign", ONE, 2, [HOT]) == 2
    assert await allowed(limits, "sign", TWO, 5, [HOT]) == 1
    assert await allowed(limits, "sign", TWO, 5, [COLD]) == 3
    assert await allowed(limits, "sign", TWO, 5) == 5


async def test_refused_charge_charges_nobody() -> None:
    """Neither the principal nor the wallets that would have had room."""
    limits = limits_of(rates(sign="5/day"), rates(sign="2/day"))
    assert await allowed(limits, "sign", ONE, 2, [HOT]) == 2
    assert await allowed(limits, "sign", ONE, 9, [HOT, COLD]) == 0
    assert await allowed(limits, "sign", ONE, 9, [COLD]) == 2
    assert await allowed(limits, "sign", ONE, 9) == 1


async def test_units_of_a_batch() -> None:
    limits = limits_of(rates(sign="10/day"))
    assert await allowed(limits, "sign", ONE, 3, units=4) == 2
    assert await allowed(limits, "sign", ONE, 3) == 2


async def test_batch_larger_than_a_quota_needs_a_full_bucket_and_is_paid_off() -> None:
    clock = Clock()
    limits = limits_of(rates(sign="10/minute"), clock=clock)
    await limits.charge(ONE, "sign", units=30)
    with pytest.raises(RateLimited) as caught:
        await limits.charge(ONE, "sign")
    assert caught.value.retry_after == 126, "30 units are 3 minutes, of which the last must still leave room for one"
    clock.now += 127
    await limits.charge(ONE, "sign")
    with pytest.raises(RateLimited):
        await limits.charge(ONE, "sign", units=30)
    clock.now += 61
    await limits.charge(ONE, "sign", units=30)


async def test_rates_of_a_key_come_before_the_configured_ones() -> None:
    slow = Principal(
        UUID(int=3), TENANT, "slow", frozenset(), restriction=Restriction(rates={**rates(sign="1/day"), "read": None})
    )
    limits = limits_of(rates(sign="9/day", read="1/day"))
    assert await allowed(limits, "sign", slow, 5) == 1
    assert await allowed(limits, "read", slow, 5) == 5


class Wallets:
    """A fake of the database: which wallets have rates of their own."""

    def __init__(self, **rates: str) -> None:
        self.rates = rates
        self.asked: list[str] = []

    async def wallets_with_rates(self, limit: int) -> list[UUID]:
        self.asked.append("which")
        return [HOT][:limit] if self.rates else []

    async def wallet(self, _: UUID, wallet_id: UUID) -> Any:
        self.asked.append("wallet")
        text = "".join(f'{{"{name}":"{rate}"}}' for name, rate in self.rates.items())
        return type("Row", (), {"rates": text or None})


async def test_rates_of_a_wallet_come_before_the_configured_ones() -> None:
    clock = Clock()
    stored: Any = Wallets(sign="1/day")
    overrides = WalletRates(stored, clock=clock)
    limits = limits_of({}, rates(sign="4/day"), overrides=overrides, clock=clock)
    assert await allowed(limits, "sign", ONE, 9, [HOT]) == 1
    assert await allowed(limits, "sign", ONE, 9, [COLD]) == 4
    assert stored.asked == ["which", "wallet"], "and nobody asks again for what is known"
    stored.rates = {"sign": "off"}
    assert await allowed(limits, "sign", ONE, 9, [HOT]) == 0
    clock.now += 4.1
    assert await allowed(limits, "sign", ONE, 9, [HOT]) == 9


async def test_who_was_refused_is_not_charged_again_and_asks_nobody() -> None:
    clock = Clock()
    limits = limits_of(rates(sign="10/second"), clock=clock)
    assert await allowed(limits, "sign", ONE, 11) == 10
    with pytest.raises(RateLimited):
        limits.require_room(ONE, "sign")
    limits.require_room(ONE, "read")
    limits.require_room(TWO, "sign")
    clock.now += 0.11
    limits.require_room(ONE, "sign")
    assert await allowed(limits, "sign", ONE, 2) == 1


async def test_caller_is_told_its_quotas() -> None:
    told: list[Quota] = []
    clock = Clock()
    limits = limits_of(rates(sign="10/minute"), rates(sign="2/minute"), clock=clock)
    await limits.charge(ONE, "sign", [HOT], tell=told.extend)
    assert [(each.policy, each.left, each.full_after) for each in told] == [("sign", 9, 6), ("wallet-sign", 1, 30)]
    told.clear()
    await limits.charge(ONE, "sign", [HOT])
    with pytest.raises(RateLimited) as caught:
        await limits.charge(ONE, "sign", [HOT], tell=told.extend)
    assert [(each.policy, each.left, each.full_after) for each in told] == [("sign", 8, 12), ("wallet-sign", 0, 60)]
    assert caught.value.retry_after == 30


async def test_share_of_each_process() -> None:
    clock = Clock()
    shares = [RateLimits(rates(sign="100/minute"), buckets=LocalBuckets(4, clock=clock), clock=clock) for _ in range(4)]
    assert [await allowed(share, "sign", ONE, 99) for share in shares] == [25] * 4
    clock.now += 30
    assert [await allowed(share, "sign", ONE, 99) for share in shares] == [12] * 4


async def test_share_below_one_is_one_in_so_many_windows() -> None:
    clock = Clock()
    limits = RateLimits(rates(sign="1/minute"), buckets=LocalBuckets(10, clock=clock), clock=clock)
    assert await allowed(limits, "sign", ONE, 9) == 1
    clock.now += 599
    assert await allowed(limits, "sign", ONE, 9) == 0
    clock.now += 2
    assert await allowed(limits, "sign", ONE, 9) == 1


@pytest.mark.parametrize("text", ["", "many", "10", "10/fortnight", "-1/second", "0/second", "1/0 second", "١/second"])
def test_rate_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="a rate must be written as"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("10/second", "10/second", True),
        ("10/minute", "10/second", True),
        ("11/second", "10/second", False),
        ("10/second", "100/minute", False),
        ("100/minute", "10/second", False),
    ],
)
def test_rate_within_another(inner: str, outer: str, expected: bool) -> None:
    assert Rate.parse(inner).is_within(Rate.parse(outer)) is expected


async def test_a_batch_is_told_of_its_wallets_too() -> None:
    limits = limits_of(rates(sign="10/day"), rates(sign="2/day"))
    told: list[Quota] = []
    refused = await limits.charge_items(ONE, "sign", [[HOT], [COLD], [COLD], []], told.extend)
    assert refused == [None] * 4
    assert [(each.policy, each.left) for each in told] == [("sign", 6), ("wallet-sign", 1), ("wallet-sign", 0)]
    told.clear()
    refused = await limits.charge_items(ONE, "sign", [[HOT], [COLD]], told.extend)
    assert [each is None for each in refused] == [True, False]
    assert [(each.policy, each.left) for each in told] == [("sign", 4), ("wallet-sign", 0), ("wallet-sign", 0)]
