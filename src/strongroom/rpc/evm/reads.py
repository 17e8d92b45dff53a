"""Many balances at one block, in as few requests as a node takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
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
_Ask = Callable[[Sequence[Read], BlockId], Awaitable[list[int | None]]]

_ROUNDS: Final = 3
_TOO_MUCH: Final = {"too_long", REVERTED}
"""Causes with which a whole chunk fails because of what one contract in it returns or burns: halves tell which."""
_TEMPORARY: Final = {"slow", "unreachable", "no_answer", "credential", "too_long"}


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
        """What each gave; a token that fails, or does not give one word, is not in it. Raises NodeError.

        A read that fails among others is asked for alone before it is believed: a contract that burns all gas makes
        those behind it fail too.
        """
        found: dict[Read, int] = {}
        left = list(dict.fromkeys(reads))
        bad: set[str] = set()
        for _ in range(_ROUNDS):
            if not left or await self._best() is Way.SINGLY:
                break
            left = await self._some(left, at, self._aggregate, multicall.CHUNK, found, bad)
            suspects = list({read.target: read for read in reversed(left)}.values())
            bad.update(read.target for read in await self._some(suspects, at, self._singly, 100, found, bad))
            left = [read for read in left if read not in found and read.target not in bad]
        left = await self._some(left, at, self._singly, 100, found, bad)
        if any(read.native for read in left):
            raise NodeError(Verdict.BROKEN, "no_balance")
        return found

    async def _some(
        self, reads: Sequence[Read], at: BlockId, ask: _Ask, size: int, found: dict[Read, int], bad: set[str]
    ) -> list[Read]:
        """Those that failed, but for those of ``bad`` contracts: one whose answer alone is too long becomes one."""
        failed: list[Read] = []
        stack = [reads[start : start + size] for start in range(0, len(reads), size)][::-1]
        while stack:
            chunk = [read for read in stack.pop() if read.target not in bad]
            if not chunk:
                continue
            try:
                words = await ask(chunk, at)
            except NodeError as error:
                if error.cause not in _TOO_MUCH:
                    raise
                if len(chunk) > 1:
                    half = len(chunk) // 2
                    stack += [chunk[half:], chunk[:half]]
                    continue
                if error.cause == "too_long" and not chunk[0].native:
                    bad.add(chunk[0].target)
                words = [None]
            for read, word in zip(chunk, words, strict=True):
                if word is None:
                    failed.append(read)
                else:
                    found[read] = word
        return failed

    async def _best(self) -> Way:
        """Asked once."""
        if self._way is None:
            self._way = await self._find()
        return self._way

    async def _find(self) -> Way:
        try:
            code = values.data(await self._rpc.call("eth_getCode", [multicall.ADDRESS, "latest"], str))
            if keccak256(code) == multicall.CODE_HASH:
                return Way.DEPLOYED
            await self._aggregate([multicall.balance(bytes(20), None)], "latest", override=True)
        except NodeError as error:
            if error.verdict is Verdict.BUSY or error.cause in _TEMPORARY:
                raise
            return Way.SINGLY
        return Way.OVERRIDE

    async def _aggregate(self, reads: Sequence[Read], at: BlockId, *, override: bool = False) -> list[int | None]:
        params: list[object] = [{"to": multicall.ADDRESS, "data": multicall.encode(reads)}, at]
        if override or self._way is Way.OVERRIDE:
            params.append({multicall.ADDRESS: {"code": multicall.code()}})
        return multicall.decode(values.data(await self._rpc.call("eth_call", params, str)), len(reads))

    async def _singly(self, reads: Sequence[Read], at: BlockId) -> list[int | None]:
        words: list[int | None] = []
        answers = await self._rpc.batch([_question(read, at) for read in reads], str)
        for read, answer in zip(reads, answers, strict=True):
            if isinstance(answer, NodeError):
                if answer.verdict is not Verdict.NO:
                    raise answer
                words.append(None)
            else:
                words.append(values.quantity(answer) if read.native else multicall.word(values.data(answer)))
        return words


def _question(read: Read, at: BlockId) -> Question:
    if read.native:
        return Question("eth_getBalance", [read.holder, at])
    return Question("eth_call", [{"to": read.target, "data": "0x" + read.call.hex()}, at])
