"""A key wrap that takes over from another one. Its `rewrap` moves what the other one wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from strongroom.keywrap.base import KeyWrap, KeyWrapStatus, WrapFailure, Wrapped

T = TypeVar("T")


class MovingKeyWrap:
    """Wraps with ``present``. Unwraps with whichever of the two the name of the wrapping key belongs to."""

    def __init__(self, present: KeyWrap, previous: KeyWrap) -> None:
        self._present = present
        self._previous = previous

    @property
    def name(self) -> str:
        return self._present.name

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        return await self._present.wrap(items)

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        old, new = self._sorted(items)
        return _together(
            (old, await self._previous.unwrap([items[place] for place in old])),
            (new, await self._present.unwrap([items[place] for place in new])),
        )

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        old, new = self._sorted(items)
        return _together(
            (old, await self._move([items[place] for place in old])),
            (new, await self._present.rewrap([items[place] for place in new])),
        )

    async def newest_version(self) -> int:
        return await self._present.newest_version()

    async def check(self) -> KeyWrapStatus:
        return await self._present.check()

    async def close(self) -> None:
        await self._present.close()
        await self._previous.close()

    def _sorted(self, items: Sequence[tuple[Wrapped, bytes]]) -> tuple[list[int], list[int]]:
        """Positions of the items that the previous key wrap wrapped, and positions of the rest."""
        old = [place for place, (wrapped, _) in enumerate(items) if wrapped.kek == self._previous.name]
        return old, sorted(set(range(len(items))) - set(old))

    async def _move(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        opened = await self._previous.unwrap(items)
        keys = [
            (key, context) for key, (_, context) in zip(opened, items, strict=True) if not isinstance(key, WrapFailure)
        ]
        wrapped = iter(await self._present.wrap(keys))
        return [key if isinstance(key, WrapFailure) else next(wrapped) for key in opened]


def _together(*parts: tuple[list[int], list[T]]) -> list[T]:
    """The results of the parts of a batch, in the order of the whole batch."""
    placed = {place: answer for places, answers in parts for place, answer in zip(places, answers, strict=True)}
    return [placed[place] for place in range(len(placed))]
