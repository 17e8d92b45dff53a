"""The contract of every key wrap. A new implementation is one more parameter of `keywrap`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from strongroom.keywrap.base import KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.gathered import GatheredKeyWrap
from strongroom.keywrap.local import LocalKeyWrap
from tests.support import vault

KEY, CONTEXT = bytes(range(32)), b"c" * 32


@pytest.fixture(params=["local", "gathered", pytest.param("openbao", marks=pytest.mark.needs("openbao"))])
async def keywrap(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KeyWrap]:
    made: KeyWrap
    if request.param == "local":
        made = LocalKeyWrap.from_key_file(tmp_path / "key", create=True)
    elif request.param == "gathered":
        made = GatheredKeyWrap(LocalKeyWrap.from_key_file(tmp_path / "key", create=True))
    else:
        server = request.getfixturevalue("openbao")
        made = vault.keywrap(server.url, token=server.token())
    yield made
    await made.close()


async def test_what_was_wrapped_is_unwrapped_in_order(keywrap: KeyWrap) -> None:
    items = [(bytes([n]) * 32, bytes([n]) * 32) for n in range(250)]
    wrapped = await keywrap.wrap(items)
    contexts = [context for _, context in items]
    assert await keywrap.unwrap(list(zip(wrapped, contexts, strict=True))) == [key for key, _ in items]
    assert len({wrap.ciphertext for wrap in wrapped}) == len(items)


async def test_an_empty_batch(keywrap: KeyWrap) -> None:
    assert await keywrap.wrap([]) == await keywrap.unwrap([]) == await keywrap.rewrap([]) == []


async def test_the_same_key_is_never_wrapped_alike(keywrap: KeyWrap) -> None:
    first, second = await keywrap.wrap([(KEY, CONTEXT)] * 2)
    assert first.ciphertext != second.ciphertext
    assert KEY not in first.ciphertext


async def test_a_bad_item_fails_alone(keywrap: KeyWrap) -> None:
    [good] = await keywrap.wrap([(KEY, CONTEXT)])
    cut, turned = good.ciphertext[:-1], good.ciphertext[:-1] + bytes([good.ciphertext[-1] ^ 1])
    bad: list[tuple[Wrapped, bytes]] = [
        (good, b"d" * 32),
        (good, b""),
        (replace(good, ciphertext=cut), CONTEXT),
        (replace(good, ciphertext=turned), CONTEXT),
        (replace(good, ciphertext=b""), CONTEXT),
        (replace(good, ciphertext=b"\xff\x00" * 40), CONTEXT),
        (replace(good, ciphertext=good.ciphertext * 1000), CONTEXT),
        (replace(good, ciphertext=good.ciphertext[:8]), CONTEXT),
        (replace(good, version=good.version + 1), CONTEXT),
        (replace(good, kek="other"), CONTEXT),
    ]
    for item in bad:
        for call in (keywrap.unwrap, keywrap.rewrap):
            first, failed, last = await call([(good, CONTEXT), item, (good, CONTEXT)])
            assert isinstance(failed, WrapFailure)
            assert failed.reason is WrapFailureReason.REFUSED
            assert not isinstance(first, WrapFailure)
            assert not isinstance(last, WrapFailure)


async def test_what_was_rewrapped_opens_under_the_same_context(keywrap: KeyWrap) -> None:
    wrapped = await keywrap.wrap([(KEY, CONTEXT)])
    [again] = await keywrap.rewrap([(wrapped[0], CONTEXT)])
    assert isinstance(again, Wrapped)
    assert again != wrapped[0]
    [other] = await keywrap.unwrap([(again, b"d" * 32)])
    assert isinstance(other, WrapFailure)
    assert await keywrap.unwrap([(again, CONTEXT)]) == [KEY]


async def test_check(keywrap: KeyWrap) -> None:
    status = await keywrap.check()
    assert status.ok
    assert status.latency_ms >= 0


async def test_the_newest_version_is_the_one_that_wraps(keywrap: KeyWrap) -> None:
    [wrapped] = await keywrap.wrap([(KEY, CONTEXT)])
    assert (wrapped.kek, wrapped.version) == (keywrap.name, await keywrap.newest_version())
