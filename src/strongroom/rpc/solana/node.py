"""Any node of a Solana cluster, by JSON-RPC. Heights are slots. Only the head's block has a hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from strongroom.codecs import base58, solana
from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.assets import unlisted
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
    Page,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.solana import entries, history, values
from strongroom.rpc.solana.accounts import (
    SYSTEM,
    Account,
    Accounts,
    Context,
    Mint,
    TokenAccount,
    associated,
    token_account,
)
from strongroom.rpc.solana.entries import Transaction
from strongroom.rpc.solana.history import History
from strongroom.rpc.solana.verdicts import KNOWN
from strongroom.rpc.source import Partial
from strongroom.telemetry.alarms import integrity_alarm

LAMPORTS_A_SIGNATURE: Final = 5000

_CLOCK: Final = solana.from_text("SysvarC1ock11111111111111111111111111111111")
_SYSVARS: Final = solana.from_text("Sysvar1111111111111111111111111111111111111")
_CLOCK_SIZE: Final = 40
_LIVES: Final = 150
"""Blocks for which a transaction is valid, because nodes accept its blockhash for that long (agave,
MAX_PROCESSING_AGE).
"""
_MOST_RENT: Final = 10**8
"""In lamports: a hundred times what an empty account has ever needed."""
_PERCENTILES: Final = (25, 50, 90)
_MOST_PRIORITY: Final = 10**10
"""In micro-lamports per unit: 14 SOL for a transaction of 1.4 million units."""
_MOST_KEYS: Final = 200
"""Accounts that are read for one response about used addresses."""
_MOST_MINTS: Final = 1000
"""Unlisted tokens whose decimals are asked for."""


class _Blockhash(msgspec.Struct, frozen=True):
    blockhash: str


class _Latest(msgspec.Struct, frozen=True):
    context: Context
    value: _Blockhash


class _Signature(msgspec.Struct, frozen=True, rename="camel"):
    slot: int
    confirmations: int | None
    err: values.Anything = values.NOTHING
    confirmation_status: str | None = None


class _Valid(msgspec.Struct, frozen=True):
    value: bool


class _Statuses(msgspec.Struct, frozen=True):
    context: Context
    value: list[_Signature | None]


class _Priority(msgspec.Struct, frozen=True, rename="camel"):
    prioritization_fee: int


class _Epoch(msgspec.Struct, frozen=True, rename="camel"):
    absolute_slot: int
    block_height: int


class _Kept(msgspec.Struct, frozen=True, rename="camel"):
    block_height: int | None = None


class Node(Partial):
    """``rpc`` has to classify errors with `verdicts.classify`. Most providers accept no batches of these calls."""

    capabilities = frozenset(Capability) - {Capability.TRANSACTION}

    def __init__(self, setup: Setup, rpc: JsonRpc) -> None:
        super().__init__(rpc)
        self._setup = setup
        self._rpc = rpc
        self._accounts = Accounts(rpc)
        self._history = History(setup, rpc)
        self._mints: dict[str, Mint] = {}
        self._rent: int | None = None

    async def pin(self) -> None:
        """Checks ``getGenesisHash``."""
        said = await self._rpc.call("getGenesisHash", [], str)
        values.key(said)
        if not self._setup.pin or not said.startswith(self._setup.pin):
            raise NodeError(Verdict.LYING, "another_chain")

    async def head(self) -> Head:
        latest = await self._rpc.call("getLatestBlockhash", [{"commitment": values.COMMITMENT}], _Latest)
        height = values.slot(latest.context.slot)
        values.key(latest.value.blockhash)
        clock = (await self._accounts.many([_CLOCK], since=height, size=_CLOCK_SIZE)).get(_CLOCK)
        if clock is None or clock.owner != _SYSVARS or len(clock.data) != _CLOCK_SIZE:
            raise NodeError(Verdict.BROKEN, "no_clock")
        time = values.time(int.from_bytes(clock.data[32:], "little", signed=True))
        finalized = values.slot(await self._rpc.call("getSlot", [{"commitment": values.FINALIZED}], int))
        return Head(height, latest.value.blockhash, time, min(finalized, height))

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """The balances. Of a token, the balance of the associated account.

        Nodes cannot read at a given slot. So no balance is older than the head, but some may be a little newer.
        """
        at = await self.head()
        mints, rent = await self._known_mints(assets, at.height), await self._rent_exempt()
        shown = [asset for asset in assets if asset.contract is None or asset.contract in mints]
        keys = {(holder, asset.id): _place(holder, asset, mints) for holder in holders for asset in shown}
        accounts = await self._accounts.many(list(keys.values()), since=at.height)
        found = []
        for holder in holders:
            for asset in shown:
                account = accounts.get(key := keys[holder, asset.id])
                if asset.contract is None:
                    found.append(_coins(holder, asset, account, rent))
                else:
                    token = None if account is None else token_account(base58.encode(key), account)
                    found.append(_tokens(holder, asset, token))
        return Balances(at, found, [asset.id for asset in assets if asset not in shown])

    async def tokens(self, holder: Holder) -> Balances:
        """The sum of all accounts of each token."""
        at = await self.head()
        by_mint: dict[str, list[TokenAccount]] = {}
        for each in await self._accounts.of(holder, since=at.height):
            if each.amount:
                by_mint.setdefault(base58.encode(each.mint), []).append(each)
        listed = [asset for mint, asset in self._setup.tokens.items() if mint in by_mint]
        known = await self._known_mints(listed, at.height)
        assets = {mint: asset for mint, asset in self._setup.tokens.items() if mint in known and mint in by_mint}
        others = sorted(by_mint.keys() - self._setup.tokens.keys())
        asked = [solana.from_text(mint) for mint in others[:_MOST_MINTS]]
        said = await self._accounts.mints(asked, since=at.height)
        for mint in others:
            decimals = said.get(solana.from_text(mint))
            assets[mint] = unlisted(self._setup.network, mint, decimals=decimals and decimals.decimals)
        found = [_sum(holder, asset, by_mint[mint]) for mint, asset in assets.items()]
        return Balances(at, found, [asset.id for asset in listed if asset.contract not in assets])

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """The history of the holder's account, of the associated accounts of listed tokens, and of its other token
        accounts.
        """
        since = values.slot(await self._rpc.call("getSlot", [{"commitment": values.COMMITMENT}], int))
        mints = await self._known_mints(list(self._setup.tokens.values()), since)
        listed = [associated(holder.canonical, solana.from_text(key), mint.program) for key, mint in mints.items()]
        owned = sorted(await self._accounts.of(holder, since=since), key=lambda each: (-each.amount, each.address))
        tokens = dict.fromkeys([*listed, *(solana.from_text(each.address) for each in owned)])
        return await self._history.page(holder, list(tokens), begin, most)

    async def used(self, holders: Sequence[Holder]) -> Used:
        """An address is used if it has an account, or a token account of a listed token, which costs its owner
        nothing.
        """
        since = values.slot(await self._rpc.call("getSlot", [{"commitment": values.COMMITMENT}], int))
        mints = await self._known_mints(list(self._setup.tokens.values()), since)
        listed = [(solana.from_text(contract), mint.program) for contract, mint in mints.items()]
        asked = holders[: max(1, _MOST_KEYS // (1 + len(listed)))]
        keys = {
            each.address: [each.canonical, *(associated(each.canonical, *mint) for mint in listed)] for each in asked
        }
        found = await self._accounts.many([key for own in keys.values() for key in own], since=since)
        used = frozenset(address for address, own in keys.items() if any(key in found for key in own))
        return Used(len(asked), used)

    async def fees(self) -> Fees:
        """The lowest fees that recent blocks took, without the blocks that took none."""
        found = await self._rpc.call("getRecentPrioritizationFees", [[]], list[_Priority])
        paid = sorted(values.bounded(each.prioritization_fee, values.MOST_U64) for each in found)
        paid = [each for each in paid if each]
        details = {"lamports_per_signature": LAMPORTS_A_SIGNATURE}
        if not paid:
            return Fees(0, 0, 0, "micro-lamport/CU", FeeQuality.FLOOR, details)
        slow, normal, fast = (
            values.bounded(paid[(len(paid) - 1) * percent // 100], _MOST_PRIORITY) for percent in _PERCENTILES
        )
        return Fees(slow, normal, fast, "micro-lamport/CU", FeeQuality.ESTIMATE, details)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        options = {"encoding": "base64", "skipPreflight": False, "preflightCommitment": values.COMMITMENT}
        try:
            said = await self._rpc.call("sendTransaction", [signed, options], str, work=Work.BROADCAST)
        except NodeError as error:
            if error.cause == KNOWN:
                return Sent(ids.tx_ids[0], known=True)
            raise
        if said != ids.tx_ids[0]:
            raise NodeError(Verdict.LYING, "other_transaction")
        return Sent(said)

    async def status(self, tracked: Tracked) -> Status:
        slot, found = await self._status(tracked.tx_id)
        if found is None and tracked.valid_until_height is not None:
            epoch = await self._rpc.call("getEpochInfo", [{"commitment": values.FINALIZED}], _Epoch)
            if values.bounded(epoch.block_height, values.MOST_SLOT) > tracked.valid_until_height:
                slot, found = await self._status(tracked.tx_id)  # a transaction of the last block may be known by now
                if slot < values.slot(epoch.absolute_slot):
                    raise NodeError(Verdict.ELSEWHERE, "behind")
                if found is None and await self._keeps(tracked.valid_until_height - _LIVES):
                    return Status(State.EXPIRED, final=True)
        if found is None and await self._has_lost_its_nonce(tracked):
            before = slot
            slot, found = await self._status(tracked.tx_id)  # it may be the one that used the nonce
            if slot < before:
                raise NodeError(Verdict.ELSEWHERE, "behind")
            if found is None:
                return Status(State.REPLACED, final=await self._keeps(0))
        if found is None:
            return Status(State.UNKNOWN)
        return await self._included(tracked.tx_id, found, slot)

    async def _has_lost_its_nonce(self, tracked: Tracked) -> bool:
        """Whether its durable nonce was used or given up. A nonce serves one transaction and never comes back.

        Validators accept a recent blockhash in place of the nonce too, and it may be in the message by mistake.
        """
        for consumed in tracked.ids.consumes if tracked.ids else ():
            held = await self._accounts.nonce(bytes.fromhex(consumed.address))
            if held is None or base58.encode(held) == consumed.sequence:
                return False
            params = [consumed.sequence, {"commitment": values.PROCESSED}]
            return not (await self._rpc.call("isBlockhashValid", params, _Valid)).value
        return False

    async def _keeps(self, height: int) -> bool:
        """Whether the node has all blocks from that height on. The slot of a block is at least as high as its
        height.
        """
        try:
            first = values.slot(await self._rpc.call("getFirstAvailableBlock", [], int))
            if first <= max(0, height):
                return True
            options = {"transactionDetails": "none", "rewards": False, "maxSupportedTransactionVersion": 0}
            found = await self._rpc.call("getBlock", [first, options], _Kept)
        except NodeError as error:
            if error.verdict is not Verdict.ELSEWHERE:
                raise
            return False
        return found.block_height is not None and values.bounded(found.block_height, values.MOST_SLOT) <= height

    async def _status(self, tx_id: str) -> tuple[int, _Signature | None]:
        """The state of the signature, and the slot of the response."""
        params = [[tx_id], {"searchTransactionHistory": True}]
        answer = await self._rpc.call("getSignatureStatuses", params, _Statuses)
        if len(answer.value) != 1:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        [found] = answer.value
        if found is not None and (values.slot(found.slot) > answer.context.slot or (found.confirmations or 0) < 0):
            raise NodeError(Verdict.LYING, "out_of_range")
        return values.slot(answer.context.slot), found

    async def _included(self, tx_id: str, found: _Signature, at: int) -> Status:
        reached = found.confirmation_status or (values.FINALIZED if found.confirmations is None else values.COMMITMENT)
        final = reached == values.FINALIZED
        if not final and reached != values.COMMITMENT:
            return Status(State.PENDING)
        failed = values.is_there(found.err)
        read = await self._transaction(tx_id)
        if read is not None and (read.slot, read.failed) != (found.slot, failed):
            raise NodeError(Verdict.ELSEWHERE, "contradicts_itself")
        return Status(
            State.FAILED if failed else State.FINAL if final else State.CONFIRMED,
            read.block if read else Block(found.slot, "", None),
            at - found.slot + 1,
            final,
            read.fee if read else None,
        )

    async def _transaction(self, tx_id: str) -> entries.Read | None:
        """None if the node does not keep transactions."""
        asked = history.question(tx_id)
        try:
            found = await self._rpc.call(asked.method, asked.params, Transaction | None)  # type: ignore[arg-type]
        except NodeError as error:
            if error.verdict is not Verdict.ELSEWHERE:
                raise
            return None
        return None if found is None else entries.read(found, tx_id)

    async def _known_mints(self, assets: Sequence[Asset], since: int) -> Mapping[str, Mint]:
        """The mints by contract, without those that do not exist or have other decimals than listed. The latter raises
        the alarm.
        """
        contracts = {asset.contract: asset for asset in assets if asset.contract is not None}
        unasked = {solana.from_text(contract): contract for contract in contracts.keys() - self._mints.keys()}
        if unasked:
            for key, mint in (await self._accounts.mints(list(unasked), since=since)).items():
                self._mints[unasked[key]] = mint
                if contracts[unasked[key]].decimals not in (None, mint.decimals):
                    integrity_alarm("token_decimals", asset=contracts[unasked[key]].id)
        known = {
            contract: (self._mints[contract], asset) for contract, asset in contracts.items() if contract in self._mints
        }
        return {contract: mint for contract, (mint, asset) in known.items() if asset.decimals in (None, mint.decimals)}

    async def _rent_exempt(self) -> int:
        """Lamports that an account without data has to keep. Asked once."""
        if self._rent is None:
            found = await self._rpc.call("getMinimumBalanceForRentExemption", [0], int)
            self._rent = values.bounded(found, _MOST_RENT)
        return self._rent


def _place(holder: Holder, asset: Asset, mints: Mapping[str, Mint]) -> bytes:
    if asset.contract is None:
        return holder.canonical
    return associated(holder.canonical, solana.from_text(asset.contract), mints[asset.contract].program)


def _coins(holder: Holder, asset: Asset, account: Account | None, rent: int) -> Balance:
    """The balance of the coin. If the account belongs to a program, its key cannot spend it."""
    if account is None:
        return Balance(holder.address, asset, 0, spendable=0)
    if account.owner != SYSTEM or account.data:
        details = {"program": base58.encode(account.owner)}
        return Balance(holder.address, asset, account.lamports, spendable=0, details=details)
    return Balance(holder.address, asset, account.lamports, spendable=max(0, account.lamports - rent))


def _tokens(holder: Holder, asset: Asset, account: TokenAccount | None) -> Balance:
    if account is None:
        return Balance(holder.address, asset, 0)
    if base58.encode(account.mint) != asset.contract:
        raise NodeError(Verdict.LYING, "other_mint")
    if account.owner != holder.canonical:
        return Balance(holder.address, asset, 0, details={"owner": base58.encode(account.owner)})
    return _sum(holder, asset, [account])


def _sum(holder: Holder, asset: Asset, accounts: Sequence[TokenAccount]) -> Balance:
    total = values.bounded(sum(each.amount for each in accounts), values.MOST_U64)
    frozen = sum(each.amount for each in accounts if each.frozen)
    if not frozen:
        return Balance(holder.address, asset, total)
    return Balance(holder.address, asset, total, spendable=total - frozen, details={"frozen": frozen})
