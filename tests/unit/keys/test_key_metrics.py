"""The metrics of keys count every request, whatever its result."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prometheus_client import REGISTRY

from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Algorithm, Purpose, SignRequest, ToSign
from strongroom.domain.wallet import Owner
from strongroom.errors import KeyWrapUnavailable
from strongroom.keys.base import RawKey, RawKeyFormat, Want
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import WrapFailure, Wrapped
from strongroom.keywrap.local import LocalKeyWrap


class KeyWrapThatMayBeAway(LocalKeyWrap):
    away = False

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        if self.away:
            raise KeyWrapUnavailable("the key wrap is away")
        return await super().unwrap(items)


def signatures(result: str) -> float:
    labels = {"algorithm": "secp256k1-ecdsa", "purpose": "message", "result": result}
    return REGISTRY.get_sample_value("strongroom_signatures_total", labels) or 0.0


def unwraps(result: str) -> float:
    return REGISTRY.get_sample_value("strongroom_unwraps_total", {"result": result}) or 0.0


def counted() -> tuple[float, ...]:
    return (
        signatures("ok"),
        signatures("wrong_public_key"),
        signatures("unavailable"),
        unwraps("ok"),
        unwraps("unavailable"),
    )


async def test_signatures_and_unwraps_are_counted_by_result() -> None:
    keywrap = KeyWrapThatMayBeAway([bytes(32)])
    signer = SeededSigner(keywrap, ttl=0)
    key = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret("11" * 32))
    before = counted()
    created = await signer.restore(Owner(UUID(int=1), UUID(int=2)), key, [Want("m", Curve.SECP256K1)])
    assert counted() == before

    right, wrong = (
        SignRequest(created.secret, ToSign("m", Algorithm.ECDSA, bytes(32), public, Purpose.MESSAGE), UUID(int=3))
        for public in (created.public[0].public_key, b"\2" * 33)
    )
    await signer.sign([right, wrong, right])
    keywrap.away = True
    await signer.sign([right])
    rise = tuple(now - then for now, then in zip(counted(), before, strict=True))
    assert rise == (2, 1, 1, 1, 1)


async def test_what_is_open_is_told_until_it_is_forgotten() -> None:
    signer = SeededSigner(LocalKeyWrap([bytes(32)]))
    key = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret("11" * 32))
    owner = Owner(UUID(int=1), UUID(int=2))
    created = await signer.restore(owner, key, [Want("m", Curve.SECP256K1)])
    await signer.public(created.secret, [Want("m", Curve.SECP256K1)])
    assert REGISTRY.get_sample_value("strongroom_opened_keys") == 2  # the secret and the key of its path
    await signer.forget(owner.wallet_id)
    assert REGISTRY.get_sample_value("strongroom_opened_keys") == 0
