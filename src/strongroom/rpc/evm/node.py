"""Any node of an EVM network, by JSON-RPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median_low
from typing import Final

import msgspec

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Block,
    Capability,
    FeeQuality,
    Fees,
    Head,
    Holder,
    NodeError,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.evm import blocks, multicall, values
from strongroom.rpc.evm.reads import BlockId, Reads
from strongroom.rpc.evm.verdicts import KNOWN, UNKNOWN_BLOCK
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc, Question, all_of
from strongroom.rpc.source import Partial
from strongroom.telemetry.alarms import integrity_alarm

_BLOCKS_OF_FEES: Final = 20
_MOST_NONCE: Final = 2**64 - 1
_PERCENTILES: Final = (10, 50, 90)
_ORACLE: Final = "0x420000000000000000000000000000000000000f"
_UPPER_BOUND: Final = "0xf1c7a58b"
"""``getL1FeeUpperBound(uint256)`` of the OP stack's GasPriceOracle, since its upgrade Fjord.

It takes the size without the signature. More than 99.99 % of such transactions are cheaper, according to its authors.
"""
_USUAL_SIZE: Final = 200
"""The most bytes of a transfer of coins or tokens."""
_MOST_DATA_GAS: Final = 16 * 400
"""Gas for that many bytes, with a margin as large again, at Ethereum's price of calldata."""
_ETHER: Final = dict.fromkeys((1, 10, 8453, 42161, 59144, 534352), 200 * 10**6)
_MOST_COINS: Final = {**_ETHER, 56: 10**9, 100: 10**10, 137: 10**11, 43114: 10**9}
"""More coins than exist, by chain id. No account can hold that many."""
_MOST_COINS_ELSEWHERE: Final = 10**15


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    transaction_hash: str
    block_hash: str
    block_number: str
    gas_used: str
    status: str | None = None
    effective_gas_price: str | None = None
    l1_fee: str | None = None
    """What the OP stack charges for the data, besides the gas."""
    blob_gas_used: str | None = None
    blob_gas_price: str | None = None

    @property
    def failed(self) -> bool:
        return self.status is not None and values.quantity(self.status, 1) == 0

    @property
    def fee(self) -> int | None:
        if self.effective_gas_price is None:
            return None
        fee = values.quantity(self.gas_used) * values.quantity(self.effective_gas_price)
        if self.blob_gas_used is not None and self.blob_gas_price is not None:
            fee += values.quantity(self.blob_gas_used) * values.quantity(self.blob_gas_price)
        return values.bounded(fee + values.quantity(self.l1_fee or "0x0"), 2**256 - 1)


class _Transaction(msgspec.Struct, frozen=True, rename="camel"):
    hash: str
    block_number: str | None = None


class _FeeHistory(msgspec.Struct, frozen=True, rename="camel"):
    base_fee_per_gas: list[str] = []
    gas_used_ratio: list[float] = []
    reward: list[list[str]] | None = None


class Node(Partial):
    """``rpc`` has to classify errors with `verdicts.classify`."""

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

    def __init__(self, setup: Setup, rpc: JsonRpc) -> None:
        super().__init__(rpc)
        self._setup = setup
        self._rpc = rpc
        self._reads = Reads(rpc)
        self._by_hash = True
        """False once the node has refused EIP-1898."""
        self._decimals: dict[str, int] = {}

    async def pin(self) -> None:
        await blocks.pin(self._rpc, self._setup)

    async def head(self) -> Head:
        return await blocks.head(self._rpc, self._setup.finality)

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """The balances at the head. If the chain reorganises meanwhile, everything is read once more at the
        new head.
        """
        try:
            return await self._balances(await self.head(), holders, assets)
        except NodeError as error:
            if error.cause != UNKNOWN_BLOCK:
                raise
        return await self._balances(await self.head(), holders, assets)

    async def used(self, holders: Sequence[Holder]) -> Used:
        """An address is used if it has a nonce or holds something. An address that gave away everything has used a
        nonce.
        """
        questions = [Question("eth_getTransactionCount", [each.address, "latest"]) for each in holders]
        found = set()
        for each, nonce in zip(holders, all_of(await self._rpc.batch(questions, str)), strict=True):
            if values.quantity(nonce, _MOST_NONCE):
                found.add(each.address)
        held = await self.balances(holders, [self._setup.coin, *self._setup.tokens.values()])
        return Used(len(holders), frozenset(found | {each.address for each in held.found if each.confirmed}))

    async def wrong_decimals(self, assets: Sequence[Asset]) -> frozenset[str]:
        """Ids of assets whose contracts give other decimals than the registry. Each contract is asked once. Raises the
        alarm.
        """
        pinned = {a.contract.lower(): a for a in assets if a.contract is not None and a.decimals is not None}
        unasked = {contract: multicall.decimals(contract) for contract in pinned.keys() - self._decimals.keys()}
        if unasked:
            found = await self._reads.words(unasked.values(), "latest")
            for contract in unasked.keys() & {read.target for read in found}:
                self._decimals[contract] = found[unasked[contract]]
                if self._decimals[contract] != pinned[contract].decimals:
                    integrity_alarm("token_decimals", asset=pinned[contract].id)
        return frozenset(
            a.id for contract, a in pinned.items() if self._decimals.get(contract, a.decimals) != a.decimals
        )

    async def fees(self) -> Fees:
        found = await self._gas_fees()
        if not self._setup.op_stack:
            return found
        return replace(found, details={**found.details, "l1_fee": await self._data_fee()})

    async def _data_fee(self) -> int:
        """The most that `_USUAL_SIZE` bytes cost, in wei."""
        question = {"to": _ORACLE, "data": f"{_UPPER_BOUND}{_USUAL_SIZE:064x}"}
        found = multicall.word(values.data(await self._rpc.call("eth_call", [question, "latest"], str)))
        if found is None:
            raise NodeError(Verdict.ELSEWHERE, "no_oracle")
        return values.bounded(found, values.MOST_GAS_PRICE * _MOST_DATA_GAS)

    async def _gas_fees(self) -> Fees:
        params = [hex(_BLOCKS_OF_FEES), "latest", list(_PERCENTILES)]
        try:
            found = await self._rpc.call("eth_feeHistory", params, _FeeHistory)
        except NodeError as error:
            if error.cause != "no_method":
                raise
            found = _FeeHistory()
        if not found.base_fee_per_gas:
            price = values.quantity(await self._rpc.call("eth_gasPrice", [], str), values.MOST_GAS_PRICE)
            return Fees(price, price, price, "wei", FeeQuality.ESTIMATE, {"gas_price": price})
        base = values.quantity(found.base_fee_per_gas[-1], values.MOST_GAS_PRICE)
        tips, quality = _tips(found), FeeQuality.ESTIMATE
        if tips is None:
            tips, quality = [await self._tip()] * len(_PERCENTILES), FeeQuality.FLOOR
        slow, normal, fast = (values.bounded(2 * base + tip, values.MOST_GAS_PRICE) for tip in tips)
        named = {"tip_slow": tips[0], "tip_normal": tips[1], "tip_fast": tips[2]}
        return Fees(slow, normal, fast, "wei", quality, {"base_fee": base, **named})

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        try:
            said = await self._rpc.call("eth_sendRawTransaction", [signed], str, work=Work.BROADCAST)
        except NodeError as error:
            if error.cause == KNOWN:
                return Sent(ids.tx_ids[0], known=True)
            raise
        if said.lower() != ids.tx_ids[0]:
            raise NodeError(Verdict.LYING, "other_transaction")
        return Sent(ids.tx_ids[0])

    async def status(self, tracked: Tracked) -> Status:
        receipt = await self._receipt(tracked.tx_id)
        if receipt is None:
            found = await self._rpc.call("eth_getTransactionByHash", [tracked.tx_id], _Transaction | None)  # type: ignore[arg-type]
            if found is not None:
                return _pending(found, tracked.tx_id)
            return await self._missing(tracked)
        return await self._mined(receipt, await self.head())

    async def _balances(self, at: Head, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        wrong = await self.wrong_decimals(assets)
        shown = [asset for asset in assets if asset.id not in wrong]
        reads = {(h.address, a.id): multicall.balance(h.canonical, _contract(a)) for h in holders for a in shown}
        words = await self._at(at, list(reads.values()))
        # If the balance of one holder cannot be read, the asset is left out for all, because a partial sum would
        # mislead.
        partial = {asset_id for (_, asset_id), read in reads.items() if read not in words}
        found = [
            Balance(holder.address, asset, self._checked(asset, words[reads[holder.address, asset.id]]))
            for holder in holders
            for asset in shown
            if asset.id not in partial
        ]
        unreadable = [asset.id for asset in assets if asset.id in wrong | partial]
        return Balances(at, found, unreadable)

    async def _at(self, head: Head, reads: Sequence[multicall.Read]) -> Mapping[multicall.Read, int]:
        if self._by_hash:
            by_hash: BlockId = {"blockHash": head.hash, "requireCanonical": True}
            try:
                return await self._reads.words(reads, by_hash)
            except NodeError as error:
                if error.verdict is not Verdict.OURS:
                    raise
        words = await self._reads.words(reads, hex(head.height))
        self._by_hash = False  # It accepts the number of the same block, so it was the hash that it refused.
        if (await blocks.block(self._rpc, hex(head.height))).hash != head.hash:
            raise NodeError(Verdict.ELSEWHERE, UNKNOWN_BLOCK)
        return words

    def _checked(self, asset: Asset, amount: int) -> int:
        if asset.contract is None:
            coins = _MOST_COINS.get(self._setup.network.chain_id or 0, _MOST_COINS_ELSEWHERE)
            values.bounded(amount, coins * 10**self._setup.network.decimals)
        return amount

    async def _tip(self) -> int:
        """The tip to suggest if recent blocks are empty. A node without the method needs none."""
        try:
            return values.quantity(await self._rpc.call("eth_maxPriorityFeePerGas", [], str), values.MOST_GAS_PRICE)
        except NodeError as error:
            if error.cause != "no_method":
                raise
            return 0

    async def _receipt(self, tx_id: str) -> Receipt | None:
        found = await self._rpc.call("eth_getTransactionReceipt", [tx_id], Receipt | None)  # type: ignore[arg-type]
        if found is not None and values.hash32(found.transaction_hash) != tx_id.lower():
            raise NodeError(Verdict.LYING, "other_transaction")
        return found

    async def _missing(self, tracked: Tracked) -> Status:
        """The state of a transaction that the node does not know: has its nonce been used?"""
        if tracked.ids is None or not tracked.ids.consumes:
            return Status(State.UNKNOWN)
        [consumed] = tracked.ids.consumes
        sender, nonce = "0x" + consumed.address, int(consumed.sequence)
        if await self._nonce(sender, "latest") <= nonce:
            return Status(State.UNKNOWN)
        at = await self.head()
        receipt = await self._receipt(tracked.tx_id)  # it may have been mined between the two questions
        if receipt is not None:
            return await self._mined(receipt, at)
        # If no node names the spender of the nonce, it may be this transaction, with a receipt that the node has
        # deleted.
        spender = await self._spender(sender, nonce, tracked.tx_id)
        final = spender is not None and await self._used_at(sender, nonce, at.finalized)
        return Status(State.REPLACED, final=final, replaced_by=spender)

    async def _mined(self, receipt: Receipt, at: Head) -> Status:
        """The state of a mined transaction. It is final only if the chain still has the block of the receipt."""
        found = _mined(receipt, at)
        assert found.block is not None
        if found.final and (await blocks.block(self._rpc, hex(found.block.height))).hash != found.block.hash:
            raise NodeError(Verdict.ELSEWHERE, UNKNOWN_BLOCK)
        return found

    async def _used_at(self, sender: str, nonce: int, height: int) -> bool:
        """Whether the nonce was used at that height. False if the node no longer has the state of the block."""
        try:
            return await self._nonce(sender, hex(height)) > nonce
        except NodeError as error:
            if error.verdict is not Verdict.ELSEWHERE:
                raise
            return False

    async def _nonce(self, sender: str, at: str) -> int:
        return values.quantity(await self._rpc.call("eth_getTransactionCount", [sender, at], str), _MOST_NONCE)

    async def _spender(self, sender: str, nonce: int, ours: str) -> str | None:
        """The hash of the transaction that used the nonce. Few nodes can tell."""
        try:
            params = [sender, hex(nonce)]
            found = await self._rpc.call("ots_getTransactionBySenderAndNonce", params, str | None)  # type: ignore[arg-type]
        except NodeError:
            return None
        other = None if found is None else values.hash32(found)
        if other == ours.lower():
            raise NodeError(Verdict.ELSEWHERE, "contradicts_itself")
        return other


def _contract(asset: Asset) -> str | None:
    return None if asset.contract is None else asset.contract.lower()


def _pending(found: _Transaction, tx_id: str) -> Status:
    if values.hash32(found.hash) != tx_id.lower():
        raise NodeError(Verdict.LYING, "other_transaction")
    if found.block_number is not None:  # it is in a block, but this node does not have the receipt yet
        raise NodeError(Verdict.ELSEWHERE, "no_receipt")
    return Status(State.PENDING)


def _mined(receipt: Receipt, at: Head) -> Status:
    height = values.quantity(receipt.block_number, values.MOST_HEIGHT)
    final = height <= at.finalized
    return Status(
        state=State.FAILED if receipt.failed else State.FINAL if final else State.CONFIRMED,
        block=Block(height, values.hash32(receipt.block_hash), None),
        confirmations=max(1, at.height - height + 1),
        final=final,
        fee=receipt.fee,
    )


def _tips(found: _FeeHistory) -> list[int] | None:
    """The median of each percentile over the blocks that have transactions, because empty ones report 0.

    None if all of them are empty.
    """
    rewards = [
        [values.quantity(each, values.MOST_GAS_PRICE) for each in reward]
        for reward, used in zip(found.reward or [], found.gas_used_ratio, strict=False)
        if used > 0
    ]
    if any(len(reward) != len(_PERCENTILES) for reward in rewards):
        raise NodeError(Verdict.BROKEN, "bad_answer")
    if not rewards:
        return None
    tips = [median_low(column) for column in zip(*rewards, strict=True)]
    return [max(tips[: number + 1]) for number in range(len(tips))]
