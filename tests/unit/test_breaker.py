"""The circuit breaker by a clock of the test's own."""

from __future__ import annotations

import pytest

from strongroom.breaker import CircuitBreaker, CircuitOpen, CircuitState
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("vault", threshold=3, interval=10, clock=clock, uniform=lambda low, high: high)


def settle(breaker: CircuitBreaker, *failed: bool | None) -> None:
    for each in failed:
        with breaker.call() as call:
            call.failed = each


def refusal(breaker: CircuitBreaker) -> float:
    with pytest.raises(CircuitOpen) as caught, breaker.call():
        pass
    return caught.value.retry_after


def test_opens_after_so_many_failures_in_a_row(breaker: CircuitBreaker) -> None:
    settle(breaker, True, True, False, True, True)
    assert breaker.state is CircuitState.CLOSED
    settle(breaker, True)
    assert breaker.state is CircuitState.OPEN


def test_what_is_left_unsaid_counts_for_nothing(breaker: CircuitBreaker) -> None:
    settle(breaker, True, True, None)
    with pytest.raises(ZeroDivisionError), breaker.call():
        raise ZeroDivisionError
    assert breaker.state is CircuitState.CLOSED
    settle(breaker, True)
    assert breaker.state is CircuitState.OPEN


def test_says_when_to_come_back(breaker: CircuitBreaker, clock: Clock) -> None:
    settle(breaker, True, True, True)
    assert refusal(breaker) == 12  # 10 and the jitter
    clock.now += 5
    assert refusal(breaker) == 7


def test_one_probe_at_a_time(breaker: CircuitBreaker, clock: Clock) -> None:
    settle(breaker, True, True, True)
    clock.now += 12
    assert breaker.state is CircuitState.HALF_OPEN
    with breaker.call() as probe:
        assert refusal(breaker) > 0
        assert refusal(breaker) > 0
        probe.failed = False
    assert breaker.state is CircuitState.CLOSED
    settle(breaker, True, True, False)
    assert breaker.state is CircuitState.CLOSED


def test_a_probe_that_fails_opens_it_for_another_interval(breaker: CircuitBreaker, clock: Clock) -> None:
    settle(breaker, True, True, True)
    clock.now += 12
    settle(breaker, True)
    assert breaker.state is CircuitState.OPEN
    assert refusal(breaker) == 12


def test_a_probe_that_is_cancelled_makes_room_for_the_next(breaker: CircuitBreaker, clock: Clock) -> None:
    settle(breaker, True, True, True)
    clock.now += 12
    settle(breaker, None)
    assert breaker.state is CircuitState.HALF_OPEN
    settle(breaker, False)
    assert breaker.state is CircuitState.CLOSED


@pytest.mark.parametrize("late", [True, False])
def test_a_call_from_before_says_nothing_about_now(breaker: CircuitBreaker, clock: Clock, late: bool) -> None:
    with breaker.call() as slow:
        settle(breaker, True, True, True)
        slow.failed = late
    assert breaker.state is CircuitState.OPEN
    assert refusal(breaker) == 12
    clock.now += 12
    settle(breaker, False)
    with breaker.call() as first:
        first.failed = True
    settle(breaker, True)
    assert breaker.state is CircuitState.CLOSED


def test_replicas_do_not_probe_together() -> None:
    waits = set()
    for _ in range(20):
        each = CircuitBreaker("vault", threshold=1, interval=10, clock=lambda: 0.0)
        settle(each, True)
        waits.add(refusal(each))
    assert len(waits) > 10
    assert all(8 <= wait <= 12 for wait in waits)
