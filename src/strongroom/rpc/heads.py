"""How far a network has come, as far as its sources can be believed."""

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
"""Other EVM networks may be as fast as Arbitrum."""
_LAG: Final = {"bitcoin": (1, 0.0), "solana": (50, 0.0)}
_USUAL_LAG: Final = (3, 15.0)
"""Blocks and seconds: who is behind by more than both is used last."""
_LEAP: Final = 4
_LEAST_LEAP: Final = 16
_FUTURE: Final = timedelta(hours=2)
_FLOOR: Final = 60.0
_REMEMBERED: Final = 30.0
"""Seconds after which a source that was behind gets another chance."""


def _now() -> datetime:
    return datetime.now(UTC)


class Heads:
    """The last head of each source, by its name, as answers to one question tell it.

    ``now``: the wall clock, for the times that blocks bear.

    Networks for testing do as they please: there nobody is said to lie, or to be too old.
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
        self._lag: dict[str, int] = {}
        self._behind_until: dict[str, float] = {}
        self._served: tuple[Head, float] | None = None
        """The highest that went out, and when it did."""

    def behind(self, name: str) -> bool:
        return self._behind_until.get(name, 0.0) > self._clock()

    def lag(self, name: str) -> int | None:
        return self._lag.get(name)

    def judge(self, name: str, head: Head) -> None:
        """Takes note of a head. Raises NodeError: LYING where it cannot be."""
        if not self._network.testnet:
            if head.time > self._now() + _FUTURE:
                raise NodeError(Verdict.LYING, "future")
            self._expose(name, head)
            best = self._best()
            if best is not None and head.height > best.height + self._leap(best):
                raise NodeError(Verdict.LYING, "height")
        self._heads[name] = head
        best = self._best() or head
        lag = self._lag[name] = best.height - head.height
        RPC_LAG_BLOCKS.labels(self._network.name, name).set(lag)
        blocks, seconds = _LAG.get(self._network.chain, _USUAL_LAG)
        if lag > blocks and (best.time - head.time).total_seconds() > seconds:
            self._behind_until[name] = self._clock() + _REMEMBERED
        else:
            self._behind_until.pop(name, None)

    def older(self, head: Head) -> bool:
        """Than what was served before."""
        floor = self._floor()
        return floor is not None and head.height < floor.height

    def serve(self, head: Head) -> None:
        floor = self._floor()
        if not self._network.testnet and (floor is None or head.height >= floor.height):
            self._served = (head, self._clock())

    def _floor(self) -> Head | None:
        """What was served lately: a mistake must not stand above the truth for long."""
        if self._served is None or self._clock() - self._served[1] > max(_FLOOR, 2 * self._block_seconds):
            return None
        return self._served[0]

    def _best(self) -> Head | None:
        floor = self._floor()
        known = [*self._heads.values(), *([] if floor is None else [floor])]
        return max(known, key=lambda head: head.height, default=None)

    def _leap(self, head: Head) -> float:
        """Blocks that there can be after it by now."""
        return max(_LEAST_LEAP, _LEAP * (self._now() - head.time).total_seconds() / self._block_seconds)

    def _expose(self, name: str, head: Head) -> None:
        """Where two others say that the best head cannot be, nobody believes it any more."""
        others = {**self._heads, name: head}
        for liar, claimed in list(self._heads.items()):
            doubts = sum(claimed.height > other.height + self._leap(other) for other in others.values())
            if doubts >= 2:
                del self._heads[liar]
                self._served = None
