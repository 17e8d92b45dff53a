"""Token buckets of failed authentications, by client address."""

from __future__ import annotations

import pytest

from strongroom.access.failures import FailureLimit
from strongroom.errors import ConfigurationError, RateLimited
from tests.support.clock import Clock


def is_limited(limit: FailureLimit, client: str) -> bool:
    try:
        limit.check(client)
    except RateLimited as error:
        return (error.retry_after or 0) >= 1
    return False


def test_a_bucket_empties_and_fills_again() -> None:
    clock = Clock()
    limit = FailureLimit("6/minute", clock=clock)
    for _ in range(6):
        assert not is_limited(limit, "192.0.2.1")
        limit.count("192.0.2.1")
    assert is_limited(limit, "192.0.2.1")
    assert not is_limited(limit, "192.0.2.2")
    clock.now += 10
    assert not is_limited(limit, "192.0.2.1")
    limit.count("192.0.2.1")
    assert is_limited(limit, "192.0.2.1")
    clock.now += 3600
    for _ in range(6):
        limit.count("192.0.2.1")
    assert is_limited(limit, "192.0.2.1")


def test_an_ipv6_network_is_one_client() -> None:
    limit = FailureLimit("1/hour")
    limit.count("2001:db8::1")
    assert is_limited(limit, "2001:db8::ffff:1")
    assert not is_limited(limit, "2001:db8:0:1::1")


def test_memory_is_bounded() -> None:
    limit = FailureLimit("1/hour", size=100)
    for each in range(1000):
        limit.count(f"10.0.{each // 256}.{each % 256}")
    assert len(limit._buckets) == 100


def test_it_may_be_off_and_is_checked() -> None:
    limit = FailureLimit(None)
    for _ in range(1000):
        limit.count("192.0.2.1")
    assert not is_limited(limit, "192.0.2.1")
    with pytest.raises(ConfigurationError):
        FailureLimit("lots")
