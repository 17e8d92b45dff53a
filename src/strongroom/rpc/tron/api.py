"""The HTTP interface of java-tron, and of TronGrid in front of it, with its statuses and its errors that come
with 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from strongroom.rpc.base import Head, NodeError, Verdict
from strongroom.rpc.http import Answer, Http, Work, decode, meaning
from strongroom.rpc.tron import values

T = TypeVar("T")

_LIMITED: Final = ("frequency limit", "rate exceeded", "allowed_rps", "suspended", "too many requests", "daily usage")
_CLOSED: Final = ("api is unavailable", "api is closed", "lite fullnode", "does not support")
_SUSPENDED: Final = re.compile(r"suspended for ([0-9]{1,6}) ?s", re.ASCII)
_WORDS: Final = 500
_OK: Final = 200
_REFUSING: Final = (401, 403, 404, 429, 503)


class Face(StrEnum):
    """Two states of the chain, served by the same node."""

    LATEST = "wallet"
    SOLID = "walletsolidity"
    """Only blocks that two thirds of the witnesses have built on, which do not change any more."""


class _Fault(msgspec.Struct, frozen=True):
    Error: str | None = None
    error: str | None = None


class _Raw(msgspec.Struct, frozen=True):
    timestamp: int = 0
    number: int = 0


class _Header(msgspec.Struct, frozen=True):
    raw_data: _Raw = _Raw()


class Block(msgspec.Struct, frozen=True, rename={"block_id": "blockID"}):
    block_id: str
    block_header: _Header = _Header()

    @property
    def height(self) -> int:
        return values.height(self.block_header.raw_data.number)

    @property
    def milliseconds(self) -> int:
        return self.block_header.raw_data.timestamp


class Api:
    """``solid``: the transport to ``/walletsolidity`` if that has its own address, as with java-tron, which gives it
    its own port.
    """

    def __init__(self, http: Http, solid: Http | None = None) -> None:
        self._http = http
        self._solid = solid or http

    async def ask(self, face: Face, method: str, of: type[T], work: Work = Work.READ, **fields: object) -> T:
        """The result. Raises NodeError."""
        http = self._solid if face is Face.SOLID else self._http
        return _read(await http.exchange("POST", f"/{face}/{method}", json=fields, work=work), of)

    async def find(self, face: Face, method: str, of: type[T], **fields: object) -> T | None:
        """The result, or None for ``{}``, which alone means unknown. A response that lacks a field is broken."""
        http = self._solid if face is Face.SOLID else self._http
        answer = await http.exchange("POST", f"/{face}/{method}", json=fields)
        if answer.status == _OK and answer.body.strip() == b"{}":
            return None
        return _read(answer, of)

    async def get(self, path: str, of: type[T], query: Mapping[str, str | int], work: Work = Work.READ) -> T:
        """A question to TronGrid's own interface. Raises NodeError."""
        return _read(await self._http.exchange("GET", path, query=query, work=work), of)

    async def block(self, face: Face, height: int | None = None) -> Block | None:
        """A block without its transactions, which may be megabytes. The newest one if ``height`` is None. None if not
        there.
        """
        which = {} if height is None else {"id_or_num": str(height)}
        found = await self.find(face, "getblock", Block, detail=False, **which)
        if found is None:
            return None
        if height is not None and found.height != height:
            raise NodeError(Verdict.LYING, "wrong_block")
        if not values.a_hash(found.block_id).startswith(f"{found.height:016x}"):
            raise NodeError(Verdict.LYING, "wrong_block")  # the id begins with the number
        return found

    async def now(self, face: Face) -> Block:
        found = await self.block(face)
        if found is None:
            raise NodeError(Verdict.ELSEWHERE, "no_block")
        return found

    async def head(self) -> Head:
        """The head. The solid block is asked for first, so that it is not ahead of the newest one."""
        solid = await self.now(Face.SOLID)
        latest = await self.now(Face.LATEST)
        if solid.height > latest.height:  # two nodes behind one address
            latest = solid
        return Head(latest.height, latest.block_id, values.time(latest.milliseconds), solid.height)

    async def pin(self, reference: str) -> None:
        """Checks the chain. ``reference``: 0x and the last bytes of the genesis block's id, or the whole id."""
        genesis = await self.block(Face.LATEST, 0)
        if genesis is None:
            raise NodeError(Verdict.ELSEWHERE, "pruned")
        expected = reference.lower().removeprefix("0x")
        if not expected or not genesis.block_id.endswith(expected):
            raise NodeError(Verdict.LYING, "another_chain")

    async def close(self) -> None:
        await self._http.close()
        if self._solid is not self._http:
            await self._solid.close()


def _read(answer: Answer, of: type[T]) -> T:
    """The result. Errors come with any status, mostly with 200. A lite node says in plain text what it does
    not keep.
    """
    fault = _fault(answer)
    if fault is not None:
        raise fault
    if not 200 <= answer.status < 300:
        raise meaning(answer)
    return decode(answer.body, of)


def _fault(answer: Answer) -> NodeError | None:
    said = _said(answer)
    if said is None:
        return None
    words = said[:_WORDS].lower()
    if any(each in words for each in _LIMITED):
        pause = _SUSPENDED.search(words)
        return NodeError(Verdict.BUSY, "rate_limited", retry_after=float(pause[1]) if pause else answer.retry_after)
    if any(each in words for each in _CLOSED):
        return NodeError(Verdict.ELSEWHERE, "pruned" if "lite" in words else "no_method")
    if answer.status in _REFUSING or answer.status >= 500:
        return None  # the status decides
    return NodeError(Verdict.OURS, "bad_request")


def _said(answer: Answer) -> str | None:
    """The text of an error, or None if there is none. It is read and never passed on."""
    if answer.body[:1] != b"{":
        text = answer.body[:_WORDS].decode("ascii", "replace")
        return text if text.lstrip('"').startswith("this API is") else None
    if b'"Error"' not in answer.body and b'"error"' not in answer.body:
        return None
    found = decode(answer.body, _Fault)
    return found.Error if found.Error is not None else found.error
