"""Bitcoin Core's JSON-RPC, version 25 or later.

It has no index of addresses, so there is no history. A balance needs a scan of all unspent outputs, which takes minutes
on the main network and does not see unconfirmed ones. A mined transaction is found by its id only with -txindex. The
URL contains user and password, or those of the cookie file.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

import msgspec

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Block,
    Capability,
    Fees,
    Head,
    Holder,
    NodeError,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Verdict,
)
from strongroom.rpc.bitcoin import facts, fees, refusals
from strongroom.rpc.bitcoin.fees import Rate, rate
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import Fault, JsonRpc, Question
from strongroom.rpc.source import Partial

_ASKED: Final = frozenset(
    {Capability.HEAD, Capability.FEES, Capability.BROADCAST, Capability.STATUS, Capability.TRANSACTION}
)
_NOT_FOUND: Final = "not_found"
_OUTPUTS: Final = 4
"""How many outputs of a transaction are looked at to find its block."""


def classify(fault: Fault) -> NodeError | None:
    """`jsonrpc.Classify` for Bitcoin Core, with the codes of `src/rpc/protocol.h`."""
    match fault.code:
        case -5:
            return NodeError(Verdict.ELSEWHERE, _NOT_FOUND)
        case -8 if fault.message.startswith("Scan already in progress"):
            return NodeError(Verdict.BUSY, "scanning")
        case -8:
            return NodeError(Verdict.OURS, "bad_request")
        case -28:
            return NodeError(Verdict.BUSY, "starting")
        case -22 | -25 | -26 | -27:
            return refusals.of(fault.message, fault.code)
    return None


T = TypeVar("T")


class _Chain(msgspec.Struct, frozen=True):
    blocks: int
    bestblockhash: str
    time: int


class _Header(msgspec.Struct, frozen=True):
    hash: str
    height: int
    time: int
    confirmations: int


class _Unspent(msgspec.Struct, frozen=True):
    scriptPubKey: str  # noqa: N815
    amount: Decimal
    coinbase: bool
    height: int


class _Scan(msgspec.Struct, frozen=True):
    success: bool
    height: int
    bestblock: str
    unspents: list[_Unspent]


class _Estimate(msgspec.Struct, frozen=True):
    feerate: Decimal | None = None


class _Mempool(msgspec.Struct, frozen=True):
    mempoolminfee: Decimal
    minrelaytxfee: Decimal


class _Transaction(msgspec.Struct, frozen=True):
    txid: str
    blockhash: str | None = None
    confirmations: int = 0
    fee: Decimal | None = None


class _Charged(msgspec.Struct, frozen=True):
    base: Decimal


class _Entry(msgspec.Struct, frozen=True):
    fees: _Charged


class _Index(msgspec.Struct, frozen=True):
    synced: bool


class _Output(msgspec.Struct, frozen=True):
    bestblock: str
    confirmations: int


_MAYBE_OUTPUT: Final[type[_Output | None]] = cast("Any", _Output | None)


class _Spending(msgspec.Struct, frozen=True):
    spendingtxid: str | None = None


class Core(Partial):
    """``scans``: whether balances may be asked for. None allows it on test networks, where a scan is quick."""

    def __init__(self, setup: Setup, rpc: JsonRpc, *, scans: bool | None = None) -> None:
        super().__init__(rpc)
        self._setup, self._rpc = setup, rpc
        scans = setup.network.testnet if scans is None else scans
        self.capabilities = _ASKED | {Capability.BALANCES} if scans else _ASKED

    async def pin(self) -> None:
        facts.check_pin(self._setup, await self._rpc.call("getblockhash", [0], str))

    async def head(self) -> Head:
        found = await self._rpc.call("getblockchaininfo", [], _Chain)
        return facts.head(self._setup, found.blocks, found.bestblockhash, found.time)

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """Confirmed balances only. Immature coinbase outputs are shown separately."""
        scripts = [f"raw({each.canonical.hex()})" for each in holders]
        found = await self._rpc.call("scantxoutset", ["start", list(dict.fromkeys(scripts))], _Scan, work=Work.HISTORY)
        if not found.success:
            raise NodeError(Verdict.BUSY, "scanning")
        header = await self._header(found.bestblock)
        if header.height != found.height:
            raise NodeError(Verdict.LYING, "impossible_height")
        at = facts.head(self._setup, header.height, header.hash, header.time)
        return Balances(at, [self._balance(each, asset, found) for each in holders for asset in assets])

    def _balance(self, holder: Holder, asset: Asset, scan: _Scan) -> Balance:
        script = holder.canonical.hex()
        confirmed = immature = 0
        for output in scan.unspents:
            if output.scriptPubKey == script:
                value = facts.satoshis(output.amount)
                confirmed += value
                if output.coinbase and facts.is_immature(output.height, scan.height):
                    immature += value
        facts.amount(confirmed)
        return Balance(holder.address, asset, confirmed, spendable=confirmed - immature, immature=immature)

    async def fees(self) -> Fees:
        estimates = [Question("estimatesmartfee", [blocks, "economical"]) for blocks in fees.TARGETS]
        found = await self._rpc.batch(estimates, _Estimate)
        pool = await self._rpc.call("getmempoolinfo", [], _Mempool)
        floor = max(rate(pool.mempoolminfee, Rate.BTC_PER_KVB), rate(pool.minrelaytxfee, Rate.BTC_PER_KVB))
        told = [each.feerate for each in map(_answer, found)]
        return fees.suggest([None if each is None else rate(each, Rate.BTC_PER_KVB) for each in told], floor)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        try:
            return facts.sent(ids, await self._rpc.call("sendrawtransaction", [signed], str, work=Work.BROADCAST))
        except NodeError as error:
            if error.cause == refusals.INPUTS_GONE and await self._has(ids.tx_ids[0]):
                return Sent(ids.tx_ids[0], known=True)
            return facts.known(ids, error)

    async def _has(self, tx_id: str) -> bool:
        """Whether the node has it. Raises NodeError if that cannot be told, because the node has no index of mined
        transactions.
        """
        found = await self.status(Tracked(tx_id))
        return found.state is not State.UNKNOWN

    async def status(self, tracked: Tracked) -> Status:
        try:
            # a read's limits do not suffice, because the response also has the decoded form
            found = await self._rpc.call("getrawtransaction", [tracked.tx_id, 2], _Transaction, work=Work.HISTORY)
        except NodeError as error:
            if error.cause != _NOT_FOUND:
                raise
            return await self._missing(tracked)
        if found.txid != tracked.tx_id:
            raise NodeError(Verdict.LYING, "wrong_transaction")
        if found.blockhash is None:
            return Status(State.PENDING, fee=await self._pending_fee(tracked.tx_id))
        header = await self._header(found.blockhash)
        if header.confirmations <= 0 or found.confirmations <= 0:  # the block is no longer in the best chain
            return await self._missing(tracked)
        fee = None if found.fee is None else facts.satoshis(found.fee)
        return facts.included(self._setup, _block(header), header.height + header.confirmations - 1, fee)

    async def _pending_fee(self, tx_id: str) -> int | None:
        try:
            found = await self._rpc.call("getmempoolentry", [tx_id], _Entry)
        except NodeError as error:
            if error.cause != _NOT_FOUND:
                raise
            return None
        return facts.satoshis(found.fees.base)

    async def _missing(self, tracked: Tracked) -> Status:
        """The state of a transaction that is neither in the mempool nor, as far as the node has an index, in a
        block.
        """
        indexes = await self._rpc.call("getindexinfo", ["txindex"], dict[str, _Index])
        if not any(each.synced for each in indexes.values()):
            return await self._by_outputs(tracked.tx_id)
        for spent in tracked.ids.consumes if tracked.ids else ():
            outpoint = facts.outpoint(spent.sequence)
            if (replaced := await self._replaced(*outpoint, ours=tracked.tx_id)) is not None:
                return replaced
        return Status(State.UNKNOWN)

    async def _by_outputs(self, tx_id: str) -> Status:
        """Finds a mined transaction by its unspent outputs. Raises NodeError if it has none, because nothing can be
        told then.
        """
        found = await self._rpc.batch(
            [Question("gettxout", [tx_id, vout, False]) for vout in range(_OUTPUTS)], _MAYBE_OUTPUT
        )
        for output in map(_answer, found):
            if output is not None:
                best = await self._header(output.bestblock)
                mined = best.height - output.confirmations + 1
                block_hash = await self._rpc.call("getblockhash", [facts.height(mined)], str)
                return facts.included(self._setup, _block(await self._header(block_hash)), best.height)
        raise NodeError(Verdict.ELSEWHERE, "no_index")

    async def _replaced(self, tx_id: str, vout: int, *, ours: str) -> Status | None:
        """The state of ``ours`` if another transaction spends the output. Pending if ``ours`` itself has arrived
        meanwhile.
        """
        (spending,) = await self._rpc.call("gettxspendingprevout", [[{"txid": tx_id, "vout": vout}]], tuple[_Spending])
        if spending.spendingtxid == ours:
            return Status(State.PENDING)
        if spending.spendingtxid is not None:
            return Status(State.REPLACED, replaced_by=facts.a_hash(spending.spendingtxid))
        if await self._rpc.call("gettxout", [tx_id, vout, False], _MAYBE_OUTPUT) is not None:
            return None
        # It is spent in a block if its own transaction is in one. Without an index of spenders no node tells in which.
        found = await self.status(Tracked(tx_id))
        if found.block is None:
            return None
        if (await self.status(Tracked(ours))).state is not State.UNKNOWN:
            raise NodeError(Verdict.ELSEWHERE, "moving")
        return Status(State.REPLACED)

    async def transaction(self, tx_id: str) -> bytes:
        found = await self._rpc.call("getrawtransaction", [tx_id, 0], str, work=Work.HISTORY)
        facts.asked_for(tx_id, found)
        return bytes.fromhex(found)

    async def _header(self, block_hash: str) -> _Header:
        found = await self._rpc.call("getblockheader", [facts.a_hash(block_hash)], _Header)
        if found.hash != block_hash:
            raise NodeError(Verdict.LYING, "wrong_block")
        return found


def _block(header: _Header) -> Block:
    return facts.block(header.height, header.hash, header.time)


def _answer(found: T | NodeError) -> T:
    if isinstance(found, NodeError):
        raise found
    return found
