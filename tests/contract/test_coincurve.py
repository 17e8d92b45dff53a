"""The stand-in for coincurve, used where no wheel is to be had, does what coincurve does."""

from __future__ import annotations

import random
from typing import Any

import coincurve
import pytest
from ecdsa.util import sigencode_der  # type: ignore[import-untyped]

from tests.without_wheels import coincurve as pure


@pytest.mark.parametrize("seed", range(8))
def test_keys_and_signatures_are_the_same(seed: int) -> None:
    draw = random.Random(seed)
    secret, digest, other = draw.randbytes(32), draw.randbytes(32), draw.randbytes(32)
    theirs, ours = coincurve.PrivateKey(secret), pure.PrivateKey(secret)
    public = theirs.public_key.format()
    assert (ours.secret, ours.public_key.format(), ours.public_key.format(compressed=False)) == (
        theirs.secret, public, theirs.public_key.format(compressed=False)
    )  # fmt: skip
    assert pure.PublicKey(public).point() == theirs.public_key.point()
    assert pure.PublicKey.from_point(*theirs.public_key.point()).format() == public
    signature = ours.sign_recoverable(digest)
    assert signature == theirs.sign_recoverable(digest, hasher=None)
    assert pure.PublicKey.from_signature_and_message(signature, digest).format() == public
    assert ours.sign_schnorr(digest, other) == theirs.sign_schnorr(digest, other)
    assert ours.public_key.multiply(other).format() == theirs.public_key.multiply(other).format()
    one, two = pure.PrivateKey(other).public_key, coincurve.PrivateKey(other).public_key
    assert ours.public_key.combine([one]).format() == theirs.public_key.combine([two]).format()


@pytest.mark.parametrize("library", [coincurve, pure])
def test_a_signature_of_something_else_does_not_verify(library: Any) -> None:
    key, digest, other = pure.PrivateKey(b"\x07" * 32), b"\x01" * 32, b"\x02" * 32
    made = key.sign_recoverable(digest)
    r, s = int.from_bytes(made[:32], "big"), int.from_bytes(made[32:64], "big")
    public = library.PublicKey(key.public_key.format())
    assert public.verify(sigencode_der(r, s, pure.N), digest, hasher=None)
    assert not public.verify(sigencode_der(r, s, pure.N), other, hasher=None)
    assert not public.verify(sigencode_der(r, pure.N - s, pure.N), digest, hasher=None)
    schnorr = key.sign_schnorr(digest, bytes(32))
    only_x = library.PublicKeyXOnly(key.public_key.format()[1:])
    assert only_x.verify(schnorr, digest)
    assert not only_x.verify(schnorr, other)


@pytest.mark.parametrize("data", [b"\x02" + b"\xff" * 32, bytes(33), b"\x05" * 33, b""])
def test_what_is_no_key_is_refused(data: bytes) -> None:
    for library in (coincurve, pure):
        with pytest.raises((ValueError, AssertionError)):  # ecdsa's is an AssertionError
            library.PublicKey(data)
