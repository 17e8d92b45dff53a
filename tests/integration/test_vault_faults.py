"""The key wrap against a real OpenBao that is killed, sealed, silent, slow or broken, or revokes what it gave.

Each test has its own server and short times. The service's own times are settings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from strongroom.breaker import CircuitBreaker
from strongroom.errors import KeyWrapUnavailable
from strongroom.keywrap.base import WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.vault.transit import VaultKeyWrap
from tests.support import openbao, vault
from tests.support.openbao import OpenBao
from tests.support.proxy import Proxy, proxy_to

pytestmark = pytest.mark.needs("openbao")

KEY, CONTEXT = bytes(range(32)), b"c" * 32
INTERVAL = 0.3
PATIENCE = 60.0
TIMEOUT = 3.0
"""Seconds per request, long enough for a healthy Vault on a busy machine."""


@pytest.fixture
def server() -> Iterator[OpenBao]:
    with openbao.running() as made:
        yield made


@pytest.fixture
async def proxy(server: OpenBao) -> AsyncIterator[Proxy]:
    async with proxy_to(server.port) as made:
        yield made


@pytest.fixture
async def keywrap(server: OpenBao, proxy: Proxy) -> AsyncIterator[VaultKeyWrap]:
    made = through(proxy, server.token())
    yield made
    proxy.garbage, proxy.blackhole, proxy.latency = None, False, 0
    await made.close()


def through(proxy: Proxy, token: str = "", **options: Any) -> VaultKeyWrap:
    breaker = CircuitBreaker("vault", threshold=5, interval=INTERVAL)
    url = f"http://127.0.0.1:{proxy.local_port}"
    return vault.keywrap(url, token=token, timeout=TIMEOUT, deadline=2 * TIMEOUT, breaker=breaker, **options)


async def state(keywrap: VaultKeyWrap) -> tuple[str, str | None]:
    status = await keywrap.check()
    return status.state, status.circuit_state


async def opens(keywrap: VaultKeyWrap, wrapped: Wrapped) -> bool:
    [answer] = await keywrap.unwrap([(wrapped, CONTEXT)])
    assert not isinstance(answer, WrapFailure) or answer.reason is WrapFailureReason.UNAVAILABLE
    return not isinstance(answer, WrapFailure)


async def wrapped_by(keywrap: VaultKeyWrap) -> Wrapped:
    [wrapped] = await keywrap.wrap([(KEY, CONTEXT)])
    return wrapped


async def until_open(keywrap: VaultKeyWrap, wrapped: Wrapped) -> None:
    """Under the load of ten callers. Nothing that Vault cannot do is done."""

    async def call_on() -> None:
        while keywrap._breaker.state == "closed":
            assert not await opens(keywrap, wrapped)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as callers:
        for _ in range(10):
            callers.create_task(call_on())


async def refuses_at_once(keywrap: VaultKeyWrap) -> None:
    for _ in range(20):
        if keywrap._breaker.state != "open":
            return
        with pytest.raises(KeyWrapUnavailable, match="is not being called now") as caught:
            await keywrap.wrap([(KEY, CONTEXT)])
        assert caught.value.retry_after


async def until_closed(keywrap: VaultKeyWrap, wrapped: Wrapped) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await opens(keywrap, wrapped):  # noqa: ASYNC110 - a look is a request
            await asyncio.sleep(0.05)
    assert await state(keywrap) == ("ok", "closed")


async def probes_alone(server: OpenBao, keywrap: VaultKeyWrap, wrapped: Wrapped) -> None:
    """Of many calls that arrive while it is half open, one goes through."""
    await asyncio.sleep(1.3 * INTERVAL)
    assert keywrap._breaker.state == "half_open"
    answers = await asyncio.gather(*(opens(keywrap, wrapped) for _ in range(50)))
    assert sum(answers) == 1


async def test_sealed_and_unsealed(server: OpenBao, keywrap: VaultKeyWrap) -> None:
    wrapped = await wrapped_by(keywrap)
    server.seal()
    await until_open(keywrap, wrapped)
    await refuses_at_once(keywrap)
    assert (await state(keywrap))[0] == "sealed"
    server.unseal()
    await probes_alone(server, keywrap, wrapped)
    await until_closed(keywrap, wrapped)


async def test_killed(server: OpenBao, keywrap: VaultKeyWrap) -> None:
    wrapped = await wrapped_by(keywrap)
    server.kill()
    await until_open(keywrap, wrapped)
    await refuses_at_once(keywrap)
    assert (await state(keywrap))[0] == "unreachable"


async def test_silent(server: OpenBao, proxy: Proxy, keywrap: VaultKeyWrap) -> None:
    wrapped = await wrapped_by(keywrap)
    proxy.blackhole = True
    await until_open(keywrap, wrapped)
    await refuses_at_once(keywrap)
    assert (await state(keywrap))[0] == "slow"
    proxy.blackhole = False
    await asyncio.sleep(0.1)
    await probes_alone(server, keywrap, wrapped)
    await until_closed(keywrap, wrapped)


async def test_slow(server: OpenBao, proxy: Proxy, keywrap: VaultKeyWrap) -> None:
    wrapped = await wrapped_by(keywrap)
    proxy.latency = 10 * TIMEOUT
    await until_open(keywrap, wrapped)
    await refuses_at_once(keywrap)
    assert (await state(keywrap))[0] == "slow"
    proxy.latency = 0.02
    await until_closed(keywrap, wrapped)


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\xff" * 500, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"data\""],
    ids=["not HTTP", "not JSON"],
)  # fmt: skip
async def test_garbage(server: OpenBao, proxy: Proxy, keywrap: VaultKeyWrap, garbage: bytes) -> None:
    wrapped = await wrapped_by(keywrap)
    proxy.garbage = garbage
    await until_open(keywrap, wrapped)
    await refuses_at_once(keywrap)
    assert (await state(keywrap))[0] == "bad_answer"
    proxy.garbage = None
    await until_closed(keywrap, wrapped)


async def test_connections_that_are_cut_are_not_noticed(proxy: Proxy, keywrap: VaultKeyWrap) -> None:
    wrapped = await wrapped_by(keywrap)
    for _ in range(10):
        proxy.reset()
        assert await opens(keywrap, wrapped)
    assert await state(keywrap) == ("ok", "closed")


async def test_a_policy_that_is_taken_away_denies_and_opens_nothing(
    server: OpenBao, proxy: Proxy, keywrap: VaultKeyWrap
) -> None:
    wrapped = await wrapped_by(keywrap)
    server.policy(empty=True)
    for _ in range(10):
        assert not await opens(keywrap, wrapped)
    assert await state(keywrap) == ("denied", "closed")
    server.policy()
    assert await opens(keywrap, wrapped)
    assert await state(keywrap) == ("ok", "closed")


async def test_a_given_token_that_is_revoked_is_denied(server: OpenBao, proxy: Proxy) -> None:
    token = server.token()
    keywrap = through(proxy, token)
    wrapped = await wrapped_by(keywrap)
    server.ask("POST", "auth/token/revoke", token=token)
    assert not await opens(keywrap, wrapped)
    assert await state(keywrap) == ("denied", "closed")
    await keywrap.close()


async def test_a_login_that_is_revoked_again_and_again_costs_no_call(server: OpenBao, proxy: Proxy) -> None:
    keywrap = through(proxy, method=vault.approle(*server.approle(token_ttl="1h")), pause=0)
    wrapped = await wrapped_by(keywrap)
    for _ in range(5):
        server.ask("POST", "sys/leases/revoke-prefix/auth/approle/login")
        assert all(await asyncio.gather(*(opens(keywrap, wrapped) for _ in range(20))))
    await keywrap.close()


@pytest.mark.parametrize(
    "role",
    [{"token_period": "1s"}, {"token_ttl": "1s", "token_max_ttl": "2s"}, {"token_ttl": "1s", "token_max_ttl": "1s"}],
    ids=["renewed", "longest life", "replaced"],
)
async def test_tokens_that_end_cost_no_call(server: OpenBao, proxy: Proxy, role: dict[str, str]) -> None:
    keywrap = through(proxy, method=vault.approle(*server.approle(**role)))
    wrapped = await wrapped_by(keywrap)
    until = time.monotonic() + 2.5
    calls = 0
    try:
        while time.monotonic() < until or calls < 100:
            assert await opens(keywrap, wrapped)
            calls += 1
            await asyncio.sleep(0.01)
        assert keywrap._session._no_login_before < until - 2.5, "no call met a denial"
    finally:
        await keywrap.close()


async def test_a_bad_item_in_a_batch_of_200(keywrap: VaultKeyWrap) -> None:
    wrapped = await keywrap.wrap([(KEY, CONTEXT)] * 200)
    turned = bytearray(wrapped[77].ciphertext)
    turned[40] = ord("A") if turned[40] != ord("A") else ord("B")
    wrapped[77] = replace(wrapped[77], ciphertext=bytes(turned))
    for call in (keywrap.unwrap, keywrap.rewrap):
        for _ in range(6):
            answers = await call([(each, CONTEXT) for each in wrapped])
            failed = [(n, answer.reason) for n, answer in enumerate(answers) if isinstance(answer, WrapFailure)]
            assert failed == [(77, WrapFailureReason.REFUSED)]
    assert await state(keywrap) == ("ok", "closed")


async def test_a_thousand_items_are_five_requests(server: OpenBao, keywrap: VaultKeyWrap) -> None:
    before = requests(server)
    wrapped = await keywrap.wrap([(KEY, CONTEXT)] * 1000)
    assert await keywrap.unwrap([(each, CONTEXT) for each in wrapped]) == [KEY] * 1000
    assert requests(server) - before <= 5 + 5 + 3


def requests(server: OpenBao) -> int:
    counted = server.ask("GET", "sys/metrics")
    return sum(each["Count"] for each in counted["Samples"] if each["Name"] == "vault.core.handle_request")
