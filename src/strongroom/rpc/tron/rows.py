"""The rows of TronGrid's lists, and what each row means for one holder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import msgspec

from strongroom.domain.asset import Asset
from strongroom.rpc.assets import unlisted
from strongroom.rpc.base import Block, Direction, Entry, EntryKind, NodeError, Setup, State, Verdict
from strongroom.rpc.evm.entries import UNLISTED, ZERO_VALUE, newest_first
from strongroom.rpc.http import decode
from strongroom.rpc.tron import values

_COIN: Final = "_"
"""The coin among the values of an internal call. The others are TRC-10 tokens."""
_TRANSFER: Final = "Transfer"
_SUCCESS: Final = ("", "SUCCESS")


class _Ret(msgspec.Struct, frozen=True):
    contractRet: str = ""  # noqa: N815 - as it is written
    fee: int = 0


class _Parameter(msgspec.Struct, frozen=True):
    value: msgspec.Raw


class _Contract(msgspec.Struct, frozen=True):
    type: str
    parameter: _Parameter


class _RawData(msgspec.Struct, frozen=True):
    contract: list[_Contract]


class _Inside(msgspec.Struct, frozen=True):
    rejected: bool = False
    call_value: dict[str, int] = {}


class Transaction(
    msgspec.Struct,
    frozen=True,
    rename={"tx_id": "txID", "number": "blockNumber", "outer_id": "tx_id", "inside": "data"},
):
    """A transaction, or a call inside one if it has an ``internal_tx_id``."""

    block_timestamp: int
    tx_id: str = ""
    number: int | None = None
    ret: list[_Ret] = []
    raw_data: _RawData | None = None
    withdraw_amount: int = 0
    internal_tx_id: str = ""
    outer_id: str = ""
    inside: _Inside | None = None
    from_address: str = ""
    to_address: str = ""

    @property
    def id(self) -> str:
        return values.a_hash(self.tx_id or self.outer_id)

    @property
    def height(self) -> int | None:
        return self.number


class _Token(msgspec.Struct, frozen=True):
    address: str = ""
    symbol: Any = None
    decimals: Any = None


class Transfer(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """A TRC-20 event of a contract, a transfer or an approval."""

    block_timestamp: int
    transaction_id: str
    sender: str
    to: str
    type: str = _TRANSFER
    value: str = "0"
    token_info: _Token = _Token()

    @property
    def id(self) -> str:
        return values.a_hash(self.transaction_id)

    @property
    def height(self) -> None:
        """The list of events does not tell it."""


Row: TypeAlias = Transaction | Transfer


class _Moved(msgspec.Struct, frozen=True):
    """The fields that the kinds of contracts may have."""

    owner_address: str
    to_address: str = ""
    contract_address: str = ""
    amount: int = 0
    call_value: int = 0


class _Owned(msgspec.Struct, frozen=True):
    owner_address: str


class Entries:
    """Makes the entries of one holder. ``address`` is ``T…``. ``solid``: height up to which nothing changes
    any more.
    """

    def __init__(self, setup: Setup, address: str, solid: int) -> None:
        self._setup = setup
        self._address = address
        self._solid = solid

    def of(self, rows: Iterable[Row], heights: dict[str, int]) -> list[Entry]:
        """The entries, newest first and without repetitions. ``heights``: by id of the transaction."""
        transfers: list[Transfer] = []
        found: list[Entry] = []
        for row in rows:
            if isinstance(row, Transfer):
                if row.type == _TRANSFER and row.token_info.address:
                    transfers.append(row)
            elif isinstance(row, Transaction):
                found += self._transaction(row, heights[row.id])
        found += self._transfers(transfers, heights)
        return newest_first(found)

    def _transaction(self, row: Transaction, height: int) -> Iterator[Entry]:
        if row.internal_tx_id:
            amount = 0 if row.inside is None else row.inside.call_value.get(_COIN, 0)
            if amount and row.inside is not None:
                ends = (values.shown(row.from_address), values.shown(row.to_address))
                index = f"call:{values.a_hash(row.internal_tx_id)}"
                yield self._coins(row, height, index, *ends, amount, EntryKind.INTERNAL, failed=row.inside.rejected)
            return
        if row.raw_data is None or len(row.raw_data.contract) != 1:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        [contract] = row.raw_data.contract
        failed = any(each.contractRet not in _SUCCESS for each in row.ret)
        owner, to, amount, kind = _moved(contract, row)
        found = self._coins(row, height, "value", owner, to, amount, kind, failed=failed)
        if owner == self._address:
            fee = values.sun(self._setup.network, sum(each.fee for each in row.ret))
            found = replace(found, fee=fee)
        yield found

    def _transfers(self, rows: Sequence[Transfer], heights: dict[str, int]) -> Iterator[Entry]:
        """The entries of transfers. The list does not number them, so they are counted within their transaction in a
        fixed order.
        """
        seen: Counter[tuple[str, str]] = Counter()
        for row in sorted(rows, key=lambda row: (row.id, row.token_info.address, row.sender, row.to, row.value)):
            told = row.token_info
            contract = values.shown(told.address)
            seen[row.id, contract] += 1
            asset = self._setup.tokens.get(contract)
            if asset is None:
                asset = unlisted(self._setup.network, contract, told.symbol, told.decimals)
            ends = (values.shown(row.sender), values.shown(row.to))
            index = f"transfer:{seen[row.id, contract]}"
            amount = values.decimal(row.value)
            yield self._entry(row, heights[row.id], index, asset, *ends, amount, EntryKind.TRANSFER, failed=False)

    def _coins(
        self, row: Row, height: int, index: str, sender: str, to: str, amount: int, kind: EntryKind, *, failed: bool
    ) -> Entry:
        values.sun(self._setup.network, amount)
        return self._entry(row, height, index, self._setup.coin, sender, to, amount, kind, failed=failed)

    def _entry(
        self,
        row: Row,
        height: int,
        index: str,
        asset: Asset,
        sender: str,
        to: str,
        amount: int,
        kind: EntryKind,
        *,
        failed: bool,
    ) -> Entry:
        """``sender`` and ``to`` are equal if a transaction moves nothing."""
        ours = self._address
        if ours not in (sender, to) and kind is not EntryKind.CONTRACT:
            raise NodeError(Verdict.LYING, "other_address")
        direction = Direction.SELF if sender == to else Direction.OUT if sender == ours else Direction.IN
        if kind is EntryKind.REWARD:
            direction = Direction.IN
        state = State.FINAL if height <= self._solid else State.CONFIRMED
        zero = amount == 0 and kind is EntryKind.TRANSFER
        note = ZERO_VALUE if zero else None if asset.listed else UNLISTED
        return Entry(
            tx_id=row.id,
            index=index,
            address=ours,
            asset=asset,
            direction=direction,
            amount=0 if failed else amount,
            status=State.FAILED if failed else state,
            kind=kind,
            counterparty=None if sender == to else sender if direction is Direction.IN else to,
            block=Block(height, "", values.time(row.block_timestamp)),
            note=None if failed else note,
        )


def _moved(contract: _Contract, row: Transaction) -> tuple[str, str, int, EntryKind]:
    """The owner, the recipient, the amount of coins, and the kind. Only contracts that move coins have all of them."""
    value = bytes(contract.parameter.value)
    match contract.type:
        case "TransferContract":
            moved = decode(value, _Moved)
            return values.shown(moved.owner_address), values.shown(moved.to_address), moved.amount, EntryKind.TRANSFER
        case "TriggerSmartContract":
            moved = decode(value, _Moved)
            called = values.shown(moved.contract_address)
            return values.shown(moved.owner_address), called, moved.call_value, EntryKind.CONTRACT
    owner = values.shown(decode(value, _Owned).owner_address)
    if row.withdraw_amount:
        return owner, owner, row.withdraw_amount, EntryKind.REWARD
    return owner, owner, 0, EntryKind.CONTRACT
