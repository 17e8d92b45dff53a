"""History of ERC-20 transfers only, by ``eth_getLogs`` of any node, in windows of blocks downwards from the head."""

from __future__ import annotations

from typing import Final

from strongroom.rpc.base import Capability, Entry, Holder, NodeError, Page, Setup, Verdict
from strongroom.rpc.evm import blocks, values
from strongroom.rpc.evm.entries import Entries, height_of, newest_first
from strongroom.rpc.evm.transfers import TRANSFER, Log, entry, padded
from strongroom.rpc.evm.verdicts import RANGE
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc, Question, all_of
from strongroom.rpc.source import Partial

WINDOW: Final = 1000
"""Blocks per question, which most providers allow without payment."""
_MOST_WINDOWS: Final = 32
"""Windows per page. The page then ends where it is."""
_TOO_MUCH: Final = {RANGE, "too_long"}


class Logs(Partial):
    """``window``: blocks that the node allows in one question."""

    capabilities = frozenset({Capability.HISTORY})

    def __init__(self, setup: Setup, rpc: JsonRpc, *, window: int = WINDOW) -> None:
        super().__init__(rpc)
        self._setup = setup
        self._rpc = rpc
        self._window = window

    async def pin(self) -> None:
        await blocks.pin(self._rpc, self._setup)

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page of transfers. It may be empty without being the last, if the windows that it covers have no
        transfer.
        """
        head = await blocks.head(self._rpc, self._setup.finality)
        top = head.height if begin is None else min(values.decimal(begin, values.MOST_HEIGHT), head.height)
        entries, window = Entries(self._setup, holder.address), self._window
        found: list[Entry] = []
        for _ in range(_MOST_WINDOWS):
            low = max(0, top - window + 1)
            try:
                logs = await self._logs(entries.ours, low, top)
            except NodeError as error:
                if error.cause not in _TOO_MUCH:
                    raise
                if low == top:  # a single block, which others can make arbitrarily full
                    raise NodeError(Verdict.ELSEWHERE, "history_too_large") from None
                window = (top - low + 1) // 2  # the newer half first
                continue
            made = (entry(entries, log, log.placed(head.finalized)) for log in logs)
            found += [each for each in made if each is not None]
            top = low - 1
            if top < 0 or len(found) >= most:
                break
        return _page(newest_first(found), most, top)

    async def _logs(self, ours: str, low: int, high: int) -> list[Log]:
        span = {"fromBlock": hex(low), "toBlock": hex(high)}
        sides: list[list[str | None]] = [[TRANSFER, padded(ours)], [TRANSFER, None, padded(ours)]]
        found: list[Log] = []
        questions = [Question("eth_getLogs", [span | {"topics": topics}]) for topics in sides]
        for logs in all_of(await self._rpc.batch(questions, list[Log], work=Work.HISTORY)):
            found += logs
        if any(not low <= log.block.height <= high for log in found):
            raise NodeError(Verdict.LYING, "not_what_was_asked")
        return found


def _page(found: list[Entry], most: int, top: int) -> Page:
    """As many entries as wanted, and the rest of the last block."""
    if len(found) > most:
        last = height_of(found[most - 1])
        found, top = [each for each in found if height_of(each) >= last], last - 1
    return Page(found, None if top < 0 else str(top), ("pending", "native", "internal"))
