"""Many balances at one block, in as few requests as the node accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from strongroom.codecs.keccak import keccak256
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.evm import multicall, values
from strongroom.rpc.evm.multicall import Read
from strongroom.rpc.evm.verdicts import REVERTED
from strongroom.rpc.jsonrpc import JsonRpc, Question

BlockId = str | dict[str, object]
"""A tag, a height in hex, or `{blockHash, requireCanonical}` (EIP-1898)."""

_ROUNDS: Final = 3
_SINGLY: Final = 100
_TOO_MUCH: Final = {"too_long", REVERTED}
"""Causes for which a whole chunk fails because of what one contract in it returns or burns. Halving the chunk
finds it.
"""


class Way(StrEnum):
    DEPLOYED = "deployed"
    OVERRIDE = "override"
    """The code of Multicall3 is sent with each call (state override)."""
    SINGLY = "singly"


class Reads:
    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self._way: Way | None = None

    async def words(self, reads: Iterable[Read], at: BlockId) -> dict[Read, int]:
        """The word that each read returned. Tokens that failed or did not return one word are left out. Raises
        NodeError.

        A read that fails among others is repeated alone before it counts as failed, because a contract that burns all
        gas makes the reads after it fail too.
        """
        asked = _Asked(list(dict.fromkeys(reads)), at)
        if not asked.reads:
            return {}
        way = await self._best()
        for _ in range(_ROUNDS if way is not Way.SINGLY else 0):
            left = asked.left()
            for start in range(0, len(left), multicall.CHUNK):
                await self._chunk(left[start : start + multicall.CHUNK], asked)
        await self._suspects(asked.left(), asked)
        left = asked.left()
        for start in range(0, len(left), _SINGLY):
            await self._singly(left[start : start + _SINGLY], asked)
        if any(read.native for read in asked.left()):
            raise NodeError(Verdict.BROKEN, "no_balance")
        return asked.found

    async def _chunk(self, reads: Sequence[Read], asked: _Asked) -> None:
        """Reads a chunk with one call. If that fails, leaves out the contract at fault, or halves the chunk."""
        if not (chunk := asked.left(reads)):
            return
        try:
            answer = await self._aggregate(chunk, asked.at)
        except NodeError as error:
            if error.cause not in _TOO_MUCH:
                raise
            answer = None
        if answer is not None:
            asked.found.update((read, word) for read, word in zip(chunk, answer, strict=True) if word is not None)
        fault = await self._suspects(asked.left(chunk), asked)
        if answer is None and fault:
            await self._chunk(chunk, asked)
        elif answer is None and len(chunk) > 1:
            half = len(chunk) // 2
            await self._chunk(chunk[:half], asked)
            await self._chunk(chunk[half:], asked)

    async def _suspects(self, reads: Sequence[Read], asked: _Asked) -> bool:
        """Reads one balance of each token alone. True if that found a bad contract."""
        bad = len(asked.bad)
        for read in {read.target: read for read in reversed(reads) if not read.native}.values():
            try:
                word = multicall.word(values.data(await self._rpc.call(*_question(read, asked.at), str)))
            except NodeError as error:
                if error.cause not in _TOO_MUCH:
                    raise
                word = None
            asked.take(read, word)
        return len(asked.bad) > bad

    async def _singly(self, reads: Sequence[Read], asked: _Asked) -> None:
        """Reads with one question each, as many per request as the provider accepts."""
        if not (reads := asked.left(reads)):
            return
        try:
            answers = await self._rpc.batch([Question(*_question(read, asked.at)) for read in reads], str)
        except NodeError as error:
            if error.cause != "too_long":
                raise
            if len(reads) == 1:
                asked.take(reads[0], None)
                return
            half = len(reads) // 2
            await self._singly(reads[:half], asked)
            await self._singly(reads[half:], asked)
            return
        for read, answer in zip(reads, answers, strict=True):
            if isinstance(answer, NodeError):
                if answer.cause != REVERTED:
                    raise answer
                asked.take(read, None)
            else:
                asked.take(read, values.quantity(answer) if read.native else multicall.word(values.data(answer)))

    async def _best(self) -> Way:
        """The best way, which is remembered unless the reason for it may pass."""
        if self._way is not None:
            return self._way
        way, lasts = await self._find()
        if lasts:
            self._way = way
        return way

    async def _find(self) -> tuple[Way, bool]:
        try:
            code = values.data(await self._rpc.call("eth_getCode", [multicall.ADDRESS, "latest"], str))
            if keccak256(code) == multicall.CODE_HASH:
                return Way.DEPLOYED, True
            await self._aggregate([multicall.balance(bytes(20), None)], "latest", override=True)
        except NodeError as error:
            if error.verdict in (Verdict.NO, Verdict.ELSEWHERE, Verdict.OURS) or error.cause == "bad_multicall":
                return Way.SINGLY, True
            if error.cause != "error":
                raise
            return Way.SINGLY, False
        return Way.OVERRIDE, True

    async def _aggregate(self, reads: Sequence[Read], at: BlockId, *, override: bool = False) -> list[int | None]:
        params: list[object] = [{"to": multicall.ADDRESS, "data": multicall.encode(reads)}, at]
        if override or self._way is Way.OVERRIDE:
            params.append({multicall.ADDRESS: {"code": multicall.code()}})
        return multicall.decode(values.data(await self._rpc.call("eth_call", params, str)), len(reads))


class _Asked:
    """The state of one call of `Reads.words`."""

    def __init__(self, reads: Sequence[Read], at: BlockId) -> None:
        self.reads = reads
        self.at = at
        self.found: dict[Read, int] = {}
        self.bad: set[str] = set()
        """Contracts that failed even alone."""

    def left(self, among: Sequence[Read] | None = None) -> list[Read]:
        reads = self.reads if among is None else among
        return [read for read in reads if read not in self.found and read.target not in self.bad]

    def take(self, read: Read, word: int | None) -> None:
        """Takes the result of a read that was made alone."""
        if word is not None:
            self.found[read] = word
        elif not read.native:
            self.bad.add(read.target)


def _question(read: Read, at: BlockId) -> tuple[str, list[object]]:
    if read.native:
        return "eth_getBalance", [read.holder, at]
    return "eth_call", [{"to": read.target, "data": "0x" + read.call.hex()}, at]
