"""Many reads of contracts in few requests, with Multicall3 if it is deployed, otherwise one by one.

The contract is that of https://github.com/mds1/multicall3 (deployments.json). Tron derives an address from the id of
the transaction that deployed it, so nobody can put another contract there on another network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.evm import multicall
from strongroom.rpc.evm.multicall import Read
from strongroom.rpc.tron.api import Api, Face
from strongroom.rpc.tron.refusals import text

CHUNK: Final = 100
"""Reads per call. Nodes stop a call after 100 million units of energy, and after some hundred milliseconds."""

_MULTICALL: Final = "0x32a4f47a74a6810bd0bf861cabab99656a75de9e"
"""TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED."""
_NOBODY: Final = "41" + 40 * "0"
_AGGREGATE3: Final = "aggregate3((address,bool,bytes)[])"
_SELECTORS: Final = {
    "70a08231": "balanceOf(address)", "313ce567": "decimals()", "4d2301cc": "getEthBalance(address)",
}  # fmt: skip
_FAILED: Final = "FAILED"
_NO_CONTRACT: Final = "CONTRACT_VALIDATE_ERROR"
_OTHER: Final = "OTHER_ERROR"
_TOO_MUCH: Final = "too_long"


class _Result(msgspec.Struct, frozen=True):
    result: bool = False
    code: str = ""
    message: str = ""


class _Ret(msgspec.Struct, frozen=True):
    ret: str = ""


class _Simulated(msgspec.Struct, frozen=True):
    ret: list[_Ret] = []


class _Constant(msgspec.Struct, frozen=True):
    result: _Result = _Result()
    constant_result: list[str] = []
    transaction: _Simulated = _Simulated()


def coins(holder: bytes) -> Read:
    """The coin balance of an address of 20 bytes. Only with Multicall3."""
    return replace(multicall.balance(holder, None), target=_MULTICALL)


class Reads:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._together: bool | None = None

    async def words(self, reads: Iterable[Read], face: Face) -> dict[Read, int]:
        """The word that each read returned. Those that failed or did not return one word are left out. Raises
        NodeError.

        A read that fails among others is repeated alone before it counts as failed, because a contract that burns all
        energy makes the reads after it fail too.
        """
        asked = list(dict.fromkeys(reads))
        found: dict[Read, int] = {}
        if len(asked) > 1 and await self.has_multicall():
            for start in range(0, len(asked), CHUNK):
                await self._chunk(asked[start : start + CHUNK], face, found)
        bad: set[str] = set()
        for read in asked:
            if read in found or read.target in bad:
                continue
            word = await self._alone(read, face)
            if word is None:
                bad.add(read.target)
            else:
                found[read] = word
        return found

    async def has_multicall(self) -> bool:
        """Whether Multicall3 is deployed. Asked once."""
        if self._together is None:
            nothing = multicall.encode([])[10:]
            data = await self._call(_MULTICALL, _AGGREGATE3, nothing, Face.SOLID)
            self._together = data is not None and data.hex() == nothing
        return self._together

    async def _chunk(self, reads: Sequence[Read], face: Face, found: dict[Read, int]) -> None:
        """Reads a chunk with one call. If that fails, halves it. What is left in the end is read one by one."""
        try:
            data = await self._call(_MULTICALL, _AGGREGATE3, multicall.encode(reads)[10:], face)
        except NodeError as error:
            if error.cause != _TOO_MUCH:
                raise
            data = None
        if data is not None:
            words = multicall.decode(data, len(reads))
            found.update((read, word) for read, word in zip(reads, words, strict=True) if word is not None)
        elif len(reads) > 1:
            half = len(reads) // 2
            await self._chunk(reads[:half], face, found)
            await self._chunk(reads[half:], face, found)

    async def _alone(self, read: Read, face: Face) -> int | None:
        selector = _SELECTORS[read.call[:4].hex()]
        data = await self._call(read.target, selector, read.call[4:].hex(), face)
        return None if data is None else multicall.word(data)

    async def _call(self, contract: str, selector: str, parameter: str, face: Face) -> bytes | None:
        """The result, or None if the contract fails or does not exist. Only the simulated transaction tells of a
        revert.
        """
        answer = await self._api.ask(
            face,
            "triggerconstantcontract",
            _Constant,
            owner_address=_NOBODY,
            contract_address="41" + contract[2:],
            function_selector=selector,
            parameter=parameter,
        )
        if not answer.result.result:
            if answer.result.code not in (_NO_CONTRACT, _OTHER):
                raise NodeError(Verdict.BROKEN, "bad_answer")
            if "not support constant" in text(answer.result.message):
                raise NodeError(Verdict.ELSEWHERE, "no_constant_calls")
            return None
        if any(each.ret == _FAILED for each in answer.transaction.ret) or not answer.constant_result:
            return None
        try:
            return bytes.fromhex("".join(answer.constant_result))
        except ValueError:
            raise NodeError(Verdict.BROKEN, "bad_data") from None
