"""How the key wrap handles responses that a real Vault does not give on demand."""

from __future__ import annotations

import traceback
from base64 import b64encode
from typing import Any

import httpx
import pytest

from strongroom.breaker import CircuitBreaker, CircuitState
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, KeyWrapUnavailable
from strongroom.keywrap.base import WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.vault.login import Session, TokenMethod
from strongroom.keywrap.vault.transit import VaultKeyWrap
from tests.support.clock import Clock
from tests.unit.keywrap.vault.fake import FakeVault, error, look_up

ENCRYPT, DECRYPT, KEY = "transit/encrypt/k", "transit/decrypt/k", "transit/keys/k"
CONTEXT = b"c" * 32
SEALED = "vault:v1:" + b64encode(b"s" * 60).decode()
WRAPPED = Wrapped("transit/k", 1, SEALED.encode())
TOKEN = "hvs.canary-token"


def batch(*results: dict[str, Any], status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={"data": {"batch_results": list(results)}})


def key(**fields: Any) -> httpx.Response:
    whole = {"latest_version": 1, "derived": True, "exportable": False, "deletion_allowed": False, **fields}
    return httpx.Response(200, json={"data": whole})


def plain(size: int = 32) -> dict[str, str]:
    return {"plaintext": b64encode(b"p" * size).decode()}


@pytest.fixture
def vault() -> FakeVault:
    fake = FakeVault()
    fake.on("auth/token/lookup-self", look_up(0, renewable=False))
    fake.on(KEY, key())
    return fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("vault", threshold=1, clock=clock)


@pytest.fixture
def keywrap(vault: FakeVault, breaker: CircuitBreaker) -> VaultKeyWrap:
    async def no_pause(_: float) -> None:
        return

    client = vault.client(namespace="team")
    return VaultKeyWrap(client, Session(client, TokenMethod(Secret(TOKEN))), breaker, key="k", sleep=no_pause)


OUTAGES = {
    "unreachable": httpx.ConnectError("x"),
    "disconnected": httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "not HTTP": httpx.RemoteProtocolError("illegal status line"),
    "slow": httpx.ReadTimeout("x"),
    "sealed": error(503, "Vault is sealed"),
    "not initialised": error(501),
    "standby": error(429),
    "recovering standby": error(472),
    "performance standby": error(473),
    "redirect to the active node": httpx.Response(307, headers={"Location": "http://elsewhere/"}),
    "failing": error(500),
    "gateway": httpx.Response(502, text="<html>"),
    "not JSON": httpx.Response(200, text="<html>"),
    "not JSON though it says so": httpx.Response(200, content=b"{", headers={"Content-Type": "application/json"}),
    "another content type": httpx.Response(200, content=b'{"data":{"batch_results":[{"plaintext":"cA=="}]}}'),
    "empty": httpx.Response(204),
    "another shape": httpx.Response(200, json={"data": []}),
    "too few results": batch(),
    "too many results": batch(plain(), plain()),
    "a result of nothing": batch({}),
    "a short key": batch(plain(31)),
    "a long key": batch(plain(33)),
    "not base64": batch({"plaintext": "***"}),
    "a number": batch({"plaintext": 7}),
    "too long": httpx.Response(200, json={"data": "x" * 2_000_000}),
}


@pytest.mark.parametrize("answer", OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_is_tried_three_times_and_counted_once(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, answer: httpx.Response | Exception
) -> None:
    vault.on(DECRYPT, answer)
    [failed] = await keywrap.unwrap([(WRAPPED, CONTEXT)])
    assert isinstance(failed, WrapFailure)
    assert failed.reason is WrapFailureReason.UNAVAILABLE
    assert failed.retry_after
    assert vault.count(DECRYPT) == 3
    assert breaker.state is CircuitState.OPEN


@pytest.mark.parametrize("answer", OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_that_passes_is_not_noticed(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, answer: httpx.Response | Exception
) -> None:
    vault.on(DECRYPT, answer, answer, batch(plain()))
    assert await keywrap.unwrap([(WRAPPED, CONTEXT)]) == [b"p" * 32]
    assert breaker.state is CircuitState.CLOSED


@pytest.mark.parametrize("status", [400, 403, 404, 405])
async def test_what_is_no_outage_is_not_tried_again_nor_counted(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, status: int
) -> None:
    vault.on(DECRYPT, error(status))
    [failed] = await keywrap.unwrap([(WRAPPED, CONTEXT)])
    assert isinstance(failed, WrapFailure)
    assert failed.reason is WrapFailureReason.UNAVAILABLE
    assert vault.count(DECRYPT) == 1
    assert breaker.state is CircuitState.CLOSED


@pytest.mark.parametrize("status", [200, 400])
async def test_results_with_a_bad_item_are_results(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, status: int
) -> None:
    vault.on(
        DECRYPT, batch(plain(), {"plaintext": "", "error": "cipher: message authentication failed"}, status=status)
    )
    good, bad = await keywrap.unwrap([(WRAPPED, CONTEXT)] * 2)
    assert good == b"p" * 32
    assert isinstance(bad, WrapFailure)
    assert bad.reason is WrapFailureReason.REFUSED
    assert breaker.state is CircuitState.CLOSED


async def test_an_open_circuit_asks_nothing(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    vault.on(DECRYPT, error(500))
    await keywrap.unwrap([(WRAPPED, CONTEXT)])
    asked = len(vault.asked)
    [failed] = await keywrap.unwrap([(WRAPPED, CONTEXT)])
    assert isinstance(failed, WrapFailure)
    assert failed.retry_after is not None
    assert failed.retry_after > 3
    with pytest.raises(KeyWrapUnavailable):
        await keywrap.wrap([(b"p" * 32, CONTEXT)])
    assert len(vault.asked) == asked


async def test_one_chunk_that_fails_does_not_take_the_others_along(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker
) -> None:
    def by_size(request: httpx.Request) -> httpx.Response:
        size = request.content.count(b'"ciphertext"')
        return error(500) if size < 200 else batch(*[plain()] * size)

    vault.on(DECRYPT, by_size)
    answers = await keywrap.unwrap([(WRAPPED, CONTEXT)] * 250)
    assert answers[:200] == [b"p" * 32] * 200
    assert all(isinstance(answer, WrapFailure) for answer in answers[200:])
    assert breaker.state is CircuitState.OPEN


@pytest.mark.parametrize("ciphertext", ["", "vault:v1:", "v1:aaaa", "vault:v0:" + "A" * 80, "vault:v1:" + "*" * 80])
async def test_a_ciphertext_that_is_none_is_a_bad_answer(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, ciphertext: str
) -> None:
    vault.on(ENCRYPT, batch({"ciphertext": ciphertext}))
    with pytest.raises(KeyWrapUnavailable):
        await keywrap.wrap([(b"p" * 32, CONTEXT)])
    assert breaker.state is CircuitState.OPEN


async def test_the_version_is_the_one_in_the_ciphertext(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    vault.on(ENCRYPT, batch({"ciphertext": SEALED.replace("v1", "v17")}))
    [wrapped] = await keywrap.wrap([(b"p" * 32, CONTEXT)])
    assert (wrapped.kek, wrapped.version) == ("transit/k", 17)


async def test_a_key_that_is_not_derived_is_not_used(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    vault.on(KEY, key(derived=False))
    with pytest.raises(ConfigurationError, match="derived"):
        await keywrap.wrap([(b"p" * 32, CONTEXT)])
    assert vault.count(ENCRYPT) == 0


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (key(), "ok"),
        (error(503, "Vault is sealed"), "sealed"),
        (error(501), "sealed"),
        (error(429), "standby"),
        (error(472), "standby"),
        (error(502), "failing"),
        (httpx.ConnectError("x"), "unreachable"),
        (httpx.ReadTimeout("x"), "slow"),
        (httpx.Response(200, text="<html>"), "bad_answer"),
        (httpx.Response(200, json={"data": 1}), "bad_answer"),
        (error(403), "denied"),
        (error(404), "rejected"),
    ],
)
async def test_states_are_told_apart(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, answer: httpx.Response, state: str
) -> None:
    vault.on(KEY, answer)
    status = await keywrap.check()
    assert (status.state, status.ok, status.circuit_state) == (state, state == "ok", "closed")
    assert vault.count(ENCRYPT) == vault.count(DECRYPT) == 0


async def test_a_check_is_one_request(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    await keywrap.check()  # logs in
    before = len(vault.asked)
    for _ in range(3):
        await keywrap.check()
    assert [request.url.path for request in vault.asked[before:]] == [f"/v1/{KEY}"] * 3


async def test_a_check_that_succeeds_closes_a_circuit_that_is_half_open(
    vault: FakeVault, keywrap: VaultKeyWrap, breaker: CircuitBreaker, clock: Clock
) -> None:
    vault.on(DECRYPT, error(502))
    await keywrap.unwrap([(WRAPPED, CONTEXT)])
    assert (await keywrap.check()).circuit_state == "open"
    clock.now += 60
    assert breaker.state is CircuitState.HALF_OPEN
    vault.on(KEY, error(502))
    assert (await keywrap.check()).circuit_state == "half_open"
    vault.on(KEY, key())
    assert (await keywrap.check()).circuit_state == "closed"


async def test_a_namespace_goes_with_every_request(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    await keywrap.check()
    sent = {request.url.path: request.headers.get("X-Vault-Namespace") for request in vault.asked}
    assert sent == {"/v1/auth/token/lookup-self": "team", f"/v1/{KEY}": "team"}


async def test_a_failure_tells_nothing_of_what_was_sent(vault: FakeVault, keywrap: VaultKeyWrap) -> None:
    secret = b"canary" + bytes(26)
    vault.on(ENCRYPT, error(500, TOKEN + b64encode(secret).decode()))
    with pytest.raises(KeyWrapUnavailable) as caught:
        await keywrap.wrap([(secret, CONTEXT)])
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__)
    assert "canary" not in told
    assert b64encode(secret).decode()[:12] not in told
