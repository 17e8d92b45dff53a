"""toncenter's older API, v2, on top of a lite server, for use without an index.

It sends messages and reads balances of coins. It can tell that a message is on the chain, but never that it is final,
failed, replaced or expired, because its transactions do not tell their outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balances,
    Capability,
    Fees,
    Head,
    Holder,
    NodeError,
    Rejection,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.http import Http, Query, Work, decode, meaning
from strongroom.rpc.source import Partial
from strongroom.rpc.ton import refusals, rows, values
from strongroom.rpc.ton.index import finalized
from strongroom.rpc.ton.toncenter3 import FEE, coins, fixed, taken

T = TypeVar("T")

_SHARD: Final = -(2**63)
_RECENT: Final = 20
_UNINITIALIZED: Final = "uninitialized"
_AT_ONCE: Final = 5
"""Accounts per response, with one request each. A hosted server accepts one per second."""
_BAD_INPUT: Final = (409, 416, 422)
_ZERO_STATES: Final = {
    "-239": "F6OpKZKqvqeFp6CQmFomXNMfMj2EnaUSOXN+Mh+wVWk=",
    "-3": "gj+B8wb/AmlPk1z1AhVI484rhrUpgSr2oSFIh56VoSg=",
}
"""Root hashes of the zero states of the two networks (ton.org, global.config.json and testnet-global.config.json)."""


class _Id(msgspec.Struct, frozen=True):
    workchain: int
    seqno: int
    root_hash: str


class _Info(msgspec.Struct, frozen=True):
    last: _Id
    init: _Id


class _Header(msgspec.Struct, frozen=True):
    id: _Id
    global_id: int
    gen_utime: int


class _Place(msgspec.Struct, frozen=True):
    lt: str


class _Account(msgspec.Struct, frozen=True):
    balance: str | int
    state: str
    block_id: _Id
    last_transaction_id: _Place | None = None


class _Message(msgspec.Struct, frozen=True):
    hash: str | None = None
    source: str = ""


class _Transaction(msgspec.Struct, frozen=True):
    in_msg: _Message | None = None
    out_msgs: list[_Message] = msgspec.field(default_factory=list)


class _Sent(msgspec.Struct, frozen=True):
    hash: str
    hash_norm: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")


class Toncenter2(Partial):
    """The URL of ``http`` ends where the names of methods begin, such as ``https://…/api/v2``."""

    capabilities = frozenset(
        {
            Capability.HEAD,
            Capability.BALANCES,
            Capability.FEES,
            Capability.BROADCAST,
            Capability.STATUS,
            Capability.USED,
        }
    )

    def __init__(self, setup: Setup, http: Http, *, fee: int = FEE) -> None:
        super().__init__(http)
        self._setup, self._http = setup, http
        self._fee = fee

    async def pin(self) -> None:
        """Checks the chain's zero state, if the network is a public one, and the network id in the header."""
        found = await self._info()
        await self._header(found.last.seqno)

    async def head(self) -> Head:
        return await self._header((await self._info()).last.seqno)

    async def _info(self) -> _Info:
        found = await self._read("getMasterchainInfo", _Info)
        expected = _ZERO_STATES.get(self._setup.pin)
        if expected is not None and values.hash32(found.init.root_hash) != values.hash32(expected):
            raise NodeError(Verdict.LYING, "wrong_chain")
        return found

    async def _header(self, seqno: int) -> Head:
        height = values.bounded(seqno, values.MOST_HEIGHT)
        query: Query = {"workchain": values.MASTERCHAIN, "shard": _SHARD, "seqno": height}
        found = await self._read("getBlockHeader", _Header, query)
        if str(found.global_id) != self._setup.pin:
            raise NodeError(Verdict.LYING, "wrong_chain")
        if (found.id.workchain, found.id.seqno) != (values.MASTERCHAIN, height):
            raise NodeError(Verdict.LYING, "wrong_block")
        time = values.time(found.gen_utime)
        return Head(height, values.hash32(found.id.root_hash), time, finalized(self._setup, height))

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """One request per holder, each at the newest block of the server that responds. The head is that of the oldest
        of them.
        """
        if any(each.contract is not None for each in assets):
            raise NodeError(Verdict.ELSEWHERE, "unsupported")
        found, heights = [], []
        for holder in holders:
            told = await self._information(holder)
            found += [coins(holder, asset, _account(told)) for asset in assets]
            heights.append(told.block_id.seqno)
        return Balances(await self._header(min(heights)) if heights else await self.head(), found)

    async def used(self, holders: Sequence[Holder]) -> Used:
        """An address is used if it has code, coins or a transaction. One that only holds jettons is not recognised."""
        asked = holders[:_AT_ONCE]
        return Used(len(asked), frozenset([each.address for each in asked if await self._is_used(each)]))

    async def _is_used(self, holder: Holder) -> bool:
        told = await self._information(holder)
        last = 0 if told.last_transaction_id is None else values.number(told.last_transaction_id.lt, values.MOST_LT)
        return told.state != _UNINITIALIZED or last > 0 or values.coins(_account(told).balance) > 0

    async def _information(self, holder: Holder) -> _Account:
        query: Query = {"address": values.shown(self._setup.network, holder.canonical)}
        return await self._read("getAddressInformation", _Account, query)

    async def fees(self) -> Fees:
        return fixed(self._fee)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        answer = await self._http.exchange("POST", "/sendBocReturnHash", json={"boc": signed}, work=Work.BROADCAST)
        if 200 <= answer.status < 300:
            told = _result(answer.body, _Sent)
            return taken(ids, [each for each in (told.hash_norm, told.hash) if each])
        error = refusals.of(answer, ids)
        if error.verdict is not Verdict.NO:
            raise error
        if await self._on_chain(ids) is not None:
            return Sent(ids.tx_ids[0], known=True)
        if error.cause == refusals.SEQNO:
            spent = ids.consumes[0]
            waits_for = await self._seqno(bytes.fromhex(spent.address))
            if int(spent.sequence) > waits_for:
                raise NodeError(Verdict.NO, Rejection.NONCE_GAP, rejection=Rejection.NONCE_GAP)
            if int(spent.sequence) == waits_for:  # from a node that is behind the one that refused
                raise NodeError(Verdict.ELSEWHERE, "behind")
        raise error

    async def status(self, tracked: Tracked) -> Status:
        """Looks among the last transactions of the wallet. If the transaction sent nothing, only an index can
        tell why.
        """
        if tracked.ids is None or not tracked.ids.consumes:
            raise NodeError(Verdict.ELSEWHERE, "unsupported")
        found = await self._on_chain(tracked.ids)
        if found is None:
            return Status(State.UNKNOWN)
        if not found.out_msgs:
            raise NodeError(Verdict.ELSEWHERE, "outcome_unknown")
        return Status(State.CONFIRMED)

    async def _on_chain(self, ids: SignedIds) -> _Transaction | None:
        address = values.shown(self._setup.network, bytes.fromhex(ids.consumes[0].address))
        query: Query = {"address": address, "limit": _RECENT}
        for each in await self._read("getTransactions", list[_Transaction], query):
            message = each.in_msg
            if message is None or message.source or message.hash is None:
                continue
            if values.hash32(message.hash) in ids.tx_ids:
                return each
        return None

    async def _seqno(self, address: bytes) -> int:
        """The seqno, or 0 if there is no such method because nothing was deployed."""
        question = {"address": values.shown(self._setup.network, address), "method": "seqno", "stack": []}
        answer = await self._http.exchange("POST", "/runGetMethod", json=question)
        if not 200 <= answer.status < 300:
            raise meaning(answer)
        found = _result(answer.body, _Got)
        if found.exit_code not in (0, 1) or not found.stack:
            return 0
        return _quantity(found.stack[0])

    async def _read(self, method: str, of: type[T], query: Query | None = None) -> T:
        answer = await self._http.exchange("GET", f"/{method}", query=query)
        if answer.status in _BAD_INPUT:
            raise NodeError(Verdict.OURS, "bad_request")
        if not 200 <= answer.status < 300:
            raise meaning(answer)
        return _result(answer.body, of)


class _Got(msgspec.Struct, frozen=True):
    exit_code: int
    stack: list[list[object]] = msgspec.field(default_factory=list)


def _result(body: bytearray, of: type[T]) -> T:
    found = decode(body, _Answer)
    if not found.ok:
        raise NodeError(Verdict.BROKEN, "error")
    return decode(found.result, of)


def _quantity(entry: Sequence[object]) -> int:
    """A number on the stack, in hex."""
    try:
        kind, text = entry
        return values.bounded(int(str(text), 16) if kind == "num" else -1, 2**32 - 1)
    except ValueError:
        raise NodeError(Verdict.BROKEN, "bad_number") from None


def _account(told: _Account) -> rows.Account:
    """The account. The lite server gives a balance of -1 for an account that never existed."""
    empty = told.state == _UNINITIALIZED and str(told.balance) == "-1"
    return rows.Account("", "0" if empty else str(told.balance), told.state)
