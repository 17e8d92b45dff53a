"""Which secrets the seeded signer keeps open, for how long, and how often it calls the key wrap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Algorithm, Purpose, SignRequest, ToSign
from strongroom.domain.wallet import Owner, SealedSecret
from strongroom.errors import KeyWrapUnavailable
from strongroom.keys.base import KeyFailure, KeyFailureReason, NewSeed, RawKey, RawKeyFormat, Want
from strongroom.keys.opened import Opened
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.local import LocalKeyWrap
from tests.support.clock import Clock


class CountingKeyWrap(LocalKeyWrap):
    """Records the size of each unwrap, and responds when told to."""

    def __init__(self) -> None:
        super().__init__([bytes(32)])
        self.unwraps: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | WrapFailure | None = None

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        if isinstance(self.failure, Exception):
            raise self.failure
        return await super().wrap(items)

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        self.unwraps.append(len(items))
        await self.gate.wait()
        if isinstance(self.failure, WrapFailure):
            return [self.failure for _ in items]
        if self.failure is not None:
            raise self.failure
        return await super().unwrap(items)


@pytest.fixture
def keywrap() -> CountingKeyWrap:
    return CountingKeyWrap()


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def wiped(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    """Every opened secret that was wiped."""
    seen: list[Opened] = []
    wipe = Opened.wipe

    def watched(opened: Opened) -> None:
        seen.append(opened)
        wipe(opened)

    monkeypatch.setattr(Opened, "wipe", watched)
    return seen


async def wallet(signer: SeededSigner, number: int = 1, path: str = "m") -> SignRequest:
    raw = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret(f"{number:064x}"))
    created = await signer.restore(Owner(UUID(int=1), UUID(int=number)), raw, [Want("m", Curve.SECP256K1)])
    return signing(created.secret, path, created.public[0].public_key)


def signing(secret: SealedSecret, path: str, public_key: bytes) -> SignRequest:
    item = ToSign(path, Algorithm.ECDSA, b"p" * 32, public_key, Purpose.TRANSACTION)
    return SignRequest(secret, item, UUID(int=3))


async def test_one_unwrap_a_wallet_and_one_batch_a_call(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap, ttl=0)
    requests = [await wallet(signer, number) for number in (1, 2, 3)]
    answers = await signer.sign(requests * 100)
    assert all(isinstance(answer, bytes) for answer in answers)
    assert answers[:3] * 100 == answers
    assert keywrap.unwraps == [3]


async def test_an_opened_secret_is_used_again(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap)
    requests = [await wallet(signer, number) for number in (1, 2)]
    await signer.sign(requests[:1])
    await signer.sign(requests)
    await signer.public(requests[0].secret, [])
    assert keywrap.unwraps == [1, 1]
    await signer.close()


@pytest.mark.parametrize("bound", ["ttl", "max_uses", "max_entries"])
async def test_a_bound_of_zero_keeps_nothing(keywrap: CountingKeyWrap, bound: str, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap, **{bound: 0})  # type: ignore[arg-type]
    request = await wallet(signer)
    wiped.clear()
    for done in (1, 2, 3):
        await signer.sign([request])
        assert len(wiped) == done
    assert keywrap.unwraps == [1, 1, 1]


async def test_the_age_is_absolute(keywrap: CountingKeyWrap, clock: Clock) -> None:
    signer = SeededSigner(keywrap, ttl=60, clock=clock)
    request = await wallet(signer)
    for clock.now in (0.0, 30.0, 59.9):
        await signer.sign([request])
    assert keywrap.unwraps == [1]
    clock.now = 60.0
    await signer.sign([request])
    assert keywrap.unwraps == [1, 1]
    await signer.close()


async def test_an_idle_secret_is_wiped_in_time(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap, ttl=0.02)
    request = await wallet(signer)
    wiped.clear()
    await signer.sign([request])
    async with asyncio.timeout(60):
        while not wiped:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)
    assert len(wiped) == 1


async def test_uses_are_counted(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap, max_uses=10)
    request = await wallet(signer)
    await signer.sign([request] * 6)
    await signer.sign([request] * 4)
    assert keywrap.unwraps == [1]
    await signer.sign([request])
    assert keywrap.unwraps == [1, 1]
    await signer.sign([request] * 50)
    assert keywrap.unwraps == [1, 1, 1]
    await signer.close()


async def test_the_oldest_goes_first(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap, max_entries=4)  # a raw key takes two: the secret, and the key derived from it
    first, second, third = [await wallet(signer, number) for number in (1, 2, 3)]
    wiped.clear()
    for request in (first, second, first, third):
        await signer.sign([request])
    assert len(wiped) == 1
    await signer.sign([first, third])
    assert keywrap.unwraps == [1, 1, 1]
    await signer.sign([second])
    assert keywrap.unwraps == [1, 1, 1, 1]
    await signer.close()


async def test_derived_keys_are_bounded(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap)
    paths = [f"m/{index}" for index in range(40)]
    wants = [Want(path, Curve.SECP256K1) for path in paths]
    created = await signer.create(Owner(UUID(int=1), UUID(int=2)), NewSeed(), wants)
    requests = [
        signing(created.secret, path, node.public_key) for path, node in zip(paths, created.public, strict=True)
    ]
    answers = await signer.sign(requests)
    assert await signer.sign(requests) == answers
    assert signer._opened._held == 17
    assert keywrap.unwraps == [1]
    await signer.close()
    assert signer._opened._held == 0


async def test_callers_at_once_share_one_unwrap(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap)
    requests = [await wallet(signer, number) for number in (1, 2)]
    keywrap.gate.clear()
    calls = [asyncio.create_task(signer.sign(requests if n else requests[:1])) for n in range(10)]
    await asyncio.sleep(0)
    keywrap.gate.set()
    answers = await asyncio.gather(*calls)
    assert all(isinstance(signature, bytes) for answer in answers for signature in answer)
    assert keywrap.unwraps == [1, 1]
    await signer.close()


async def test_a_caller_that_gives_up_does_not_hurt_the_others(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap, ttl=0)
    request = await wallet(signer)
    wiped.clear()
    keywrap.gate.clear()
    first, second = asyncio.create_task(signer.sign([request])), asyncio.create_task(signer.sign([request]))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    keywrap.gate.set()
    assert isinstance((await second)[0], bytes)
    assert first.cancelled()
    assert keywrap.unwraps == [1]
    assert len(wiped) == 1


async def test_a_secret_that_nobody_waits_for_any_more_is_wiped(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap, ttl=0)
    request = await wallet(signer)
    wiped.clear()
    keywrap.gate.clear()
    call = asyncio.create_task(signer.sign([request]))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.sleep(0)
    keywrap.gate.set()
    await signer.close()
    await asyncio.sleep(0)
    assert len(wiped) == 1


async def test_forget(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap)
    first, second = [await wallet(signer, number) for number in (1, 2)]
    wiped.clear()
    await signer.sign([first, second])
    await signer.forget(first.secret.wallet_id)
    assert len(wiped) == 1
    await signer.sign([second])
    assert keywrap.unwraps == [2]
    await signer.sign([first])
    assert keywrap.unwraps == [2, 1]
    await signer.close()
    assert len(wiped) == 3


async def test_what_is_forgotten_while_it_opens_is_not_kept(keywrap: CountingKeyWrap, wiped: list[Opened]) -> None:
    signer = SeededSigner(keywrap)
    request = await wallet(signer)
    wiped.clear()
    keywrap.gate.clear()
    call = asyncio.create_task(signer.sign([request]))
    await asyncio.sleep(0)
    await signer.forget(request.secret.wallet_id)
    keywrap.gate.set()
    assert isinstance((await call)[0], bytes)
    await asyncio.sleep(0)
    assert len(wiped) == 1
    await signer.sign([request])
    assert keywrap.unwraps == [1, 1]
    await signer.close()


@pytest.mark.parametrize(
    "failure", [KeyWrapUnavailable("the key wrap is away"), WrapFailure(WrapFailureReason.UNAVAILABLE)]
)
async def test_a_key_wrap_that_is_away_is_asked_again(
    keywrap: CountingKeyWrap, failure: Exception | WrapFailure
) -> None:
    signer = SeededSigner(keywrap)
    request = await wallet(signer)
    keywrap.failure = failure
    for answer in await signer.sign([request] * 2):
        assert isinstance(answer, KeyFailure)
        assert answer.reason is KeyFailureReason.UNAVAILABLE
    with pytest.raises(KeyFailure, match="unavailable"):
        await signer.public(request.secret, [])
    keywrap.failure = None
    assert isinstance((await signer.sign([request]))[0], bytes)
    await signer.close()


async def test_nothing_is_created_while_the_key_wrap_is_away(keywrap: CountingKeyWrap) -> None:
    keywrap.failure = KeyWrapUnavailable("the key wrap is away")
    with pytest.raises(KeyFailure, match="unavailable"):
        await SeededSigner(keywrap).create(Owner(UUID(int=1), UUID(int=2)), NewSeed(), [])


async def test_a_fault_of_the_key_wrap_reaches_the_caller(keywrap: CountingKeyWrap) -> None:
    signer = SeededSigner(keywrap)
    request = await wallet(signer)
    keywrap.failure = RuntimeError("a fault")
    with pytest.raises(RuntimeError, match="a fault"):
        await signer.sign([request])
    keywrap.failure = None
    assert isinstance((await signer.sign([request]))[0], bytes)
    await signer.close()
