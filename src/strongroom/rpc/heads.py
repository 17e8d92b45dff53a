"""How far a network has come, and which sources can be believed about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from strongroom.domain.network import Network
from strongroom.rpc.base import Head, NodeError, Verdict
from strongroom.telemetry.metrics import RPC_LAG_BLOCKS

_BLOCK_SECONDS: Final = {"bitcoin": 600.0, "tron": 3.0, "solana": 0.4, "ton": 1.0}
_ETHEREUM: Final = 12.0
_FASTEST: Final = 0.25
"""Seconds per block of other EVM networks, which may be as fast as Arbitrum."""
_LAG: Final = {"bitcoin": (1, None), "solana": (50, None)}
_USUAL_LAG: Final = (3, 15.0)
"""Blocks and seconds. A source that is behind by more than both is used last. Bitcoin's block times are not in
order.
"""
_LEAP: Final = 4
_LEAST_LEAP: Final = 16
_FUTURE: Final = timedelta(hours=3)
"""More than the two hours that Bitcoin allows."""
_LATELY: Final = 60.0
_REMEMBERED: Final = 30.0
"""Seconds after which a source that was behind gets another chance."""


def _now() -> datetime:
    return datetime.now(UTC)


class Heads:
    """The last head of each source, by its name, as reported with the responses to one question.

    ``now``: the wall clock, which block times are compared with. Test networks are unpredictable, so no source of one
    is called lying or outdated.
    """

    def __init__(
        self,
        network: Network,
        *,
        block_seconds: float | None = None,
        now: Callable[[], datetime] = _now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        is_ethereum = network.chain == "evm" and network.chain_id == 1
        usual = _ETHEREUM if is_ethereum else _BLOCK_SECONDS.get(network.chain, _FASTEST)
        self._network = network
        self._block_seconds = block_seconds or usual
        self._now = now
        self._clock = clock
        self._heads: dict[str, Head] = {}
        self._seen_at: dict[str, float] = {}
        self._lag: dict[str, int] = {}
        self._behind_until: dict[str, float] = {}
        self._served: tuple[Head, float] | None = None
        """The highest head that was returned, and when."""

    def behind(self, name: str) -> bool:
        return self._behind_until.get(name, 0.0) > self._clock()

    def lag(self, name: str) -> int | None:
        return self._lag.get(name)

    def judge(self, name: str, head: Head) -> None:
        """Records a head. Raises NodeError with LYING if it is impossible."""
        if not self._network.testnet:
            if head.time > self._now() + _FUTURE:
                raise NodeError(Verdict.LYING, "future")
            self._expose(name, head)
            best = max(self._heads.values(), key=_height, default=head)
            if head.height > best.height + self._leap(best):
                raise NodeError(Verdict.LYING, "height")
        self._heads[name], self._seen_at[name] = head, self._clock()
        best = self._best(head)
        lag = self._lag[name] = best.height - head.height
        RPC_LAG_BLOCKS.labels(self._network.name, name).set(lag)
        blocks, seconds = _LAG.get(self._network.chain, _USUAL_LAG)
        if lag > blocks and (seconds is None or (best.time - head.time).total_seconds() > seconds):
            self._behind_until[name] = self._clock() + _REMEMBERED
        else:
            self._behind_until.pop(name, None)

    def older(self, head: Head) -> bool:
        """Whether it is older than what was returned before."""
        floor = self._floor()
        return floor is not None and head.height < floor.height

    def serve(self, head: Head) -> None:
        floor = self._floor()
        if not self._network.testnet and (floor is None or head.height >= floor.height):
            self._served = (head, self._clock())

    def _floor(self) -> Head | None:
        return self._served[0] if self._served is not None and self._is_recent(self._served[1]) else None

    def _best(self, head: Head) -> Head:
        """The highest of the recent heads. The claim of a single source does not last."""
        lately = [known for name, known in self._heads.items() if self._is_recent(self._seen_at[name])]
        return max([head, *lately, *([] if (floor := self._floor()) is None else [floor])], key=_height)

    def _is_recent(self, seen_at: float) -> bool:
        return self._clock() - seen_at <= max(_LATELY, 2 * self._block_seconds)

    def _leap(self, head: Head) -> float:
        """The most blocks that can have followed it by now."""
        return max(_LEAST_LEAP, _LEAP * (self._now() - head.time).total_seconds() / self._block_seconds)

    def _expose(self, name: str, head: Head) -> None:
        """Forgets the best head if two other sources contradict it."""
        others = {**self._heads, name: head}
        for liar, claimed in list(self._heads.items()):
            doubts = sum(claimed.height > other.height + self._leap(other) for other in others.values())
            if doubts >= 2:
                del self._heads[liar]
                self._served = None


def _height(head: Head) -> int:
    return head.height
