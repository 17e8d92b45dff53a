"""What a transaction did to a holder: the difference between the balances before and after it, as the node has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from strongroom.domain.asset import Asset
from strongroom.rpc.assets import unlisted
from strongroom.rpc.base import Block, Direction, Entry, EntryKind, Holder, NodeError, Setup, State, Verdict
from strongroom.rpc.solana import values

UNLISTED: Final = "unlisted"


class _Quantity(msgspec.Struct, frozen=True):
    amount: str
    decimals: int


class _TokenBalance(msgspec.Struct, frozen=True, rename="camel"):
    account_index: int
    mint: str
    ui_token_amount: _Quantity
    owner: str | None = None


class _Loaded(msgspec.Struct, frozen=True):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    fee: int
    pre_balances: list[int]
    post_balances: list[int]
    err: values.Anything = values.NOTHING
    pre_token_balances: list[_TokenBalance] | None = None
    post_token_balances: list[_TokenBalance] | None = None
    loaded_addresses: _Loaded | None = None


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    account_keys: list[str]


class _Body(msgspec.Struct, frozen=True):
    signatures: list[str]
    message: _Message


class Transaction(msgspec.Struct, frozen=True, rename="camel"):
    """The response of ``getTransaction`` with ``encoding: json``."""

    slot: int
    transaction: _Body
    meta: _Meta
    block_time: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one account by a transaction, in lamports or in units of the token that it holds."""

    account: str
    before: int
    after: int
    mint: str = ""
    decimals: int = 0
    owner_before: str | None = None
    owner_after: str | None = None

    @property
    def difference(self) -> int:
        return self.after - self.before

    def of(self, owner: str) -> int:
        """The change for this owner. The account may not have belonged to it before, or may not any more."""
        before = self.before if self.owner_before == owner else 0
        return (self.after if self.owner_after == owner else 0) - before


@dataclass(frozen=True, slots=True)
class Read:
    """A transaction whose form and numbers were checked."""

    tx_id: str
    slot: int
    block: Block
    failed: bool
    fee: int
    payer: str
    coins: Mapping[str, Change]
    tokens: Sequence[Change]
    """An account that was closed and opened again for another token has two changes."""


def read(found: Transaction, tx_id: str) -> Read:
    """The checked transaction. Raises NodeError if it is not the requested one, or is impossible."""
    meta, body = found.meta, found.transaction
    if not body.signatures or body.signatures[0] != tx_id:
        raise NodeError(Verdict.LYING, "other_transaction")
    loaded = meta.loaded_addresses or _Loaded()
    keys = [*body.message.account_keys, *loaded.writable, *loaded.readonly]
    if not keys or not len(keys) == len(set(keys)) == len(meta.pre_balances) == len(meta.post_balances):
        raise NodeError(Verdict.BROKEN, "bad_answer")
    for key in keys:
        values.key(key)
    coins = {
        key: Change(key, values.lamports(before), values.lamports(after))
        for key, before, after in zip(keys, meta.pre_balances, meta.post_balances, strict=True)
    }
    block = Block(values.slot(found.slot), "", None if found.block_time is None else values.time(found.block_time))
    tokens = _tokens(keys, meta.pre_token_balances or (), meta.post_token_balances or ())
    fee = values.lamports(meta.fee)
    return Read(tx_id, found.slot, block, values.is_there(meta.err), fee, keys[0], coins, tokens)


def entries(transaction: Read, holder: Holder, setup: Setup, *, final: bool) -> Iterator[Entry]:
    """One entry for each account of the holder whose balance changed, and the fee if the holder paid it."""
    address = holder.address
    state = State.FAILED if transaction.failed else State.FINAL if final else State.CONFIRMED

    def entry(index: str, asset: Asset, difference: int, counterparty: str | None, fee: int | None = None) -> Entry:
        return Entry(
            transaction.tx_id,
            f"delta:{index}",
            address,
            asset,
            _direction(difference),
            abs(difference),
            state,
            EntryKind.TRANSFER if difference else EntryKind.CONTRACT,
            counterparty,
            fee,
            transaction.block,
            note=None if asset.listed else UNLISTED,
        )

    if (coin := transaction.coins.get(address)) is not None:
        fee = transaction.fee if transaction.payer == address else None
        moved = coin.difference + (fee or 0)
        if moved or fee is not None:
            yield entry(address, setup.coin, moved, _payer_or_payee(transaction, address, moved), fee)
    for each in transaction.tokens:
        if difference := each.of(address):
            yield entry(each.account, _asset(setup, each), difference, _other_owner(transaction, each, address))


def continuous(changes: Sequence[tuple[int, Change]]) -> bool:
    """Whether the balance after each transaction is the balance before the next one, by slot.

    The order within a slot is unknown. There it is enough that one transaction starts with the previous balance.
    """
    last: int | None = None
    for slot in sorted({slot for slot, _ in changes}):
        within = [change for at, change in changes if at == slot]
        begins = {change.before for change in within}
        if last is not None and last not in begins:
            return False
        start = within[0].before if len(within) == 1 else last
        last = None if start is None else start + sum(change.difference for change in within)
    return True


def _tokens(keys: Sequence[str], pre: Sequence[_TokenBalance], post: Sequence[_TokenBalance]) -> list[Change]:
    before, after = _by_index(keys, pre), _by_index(keys, post)
    found = []
    for index in sorted(before.keys() | after.keys()):
        old, new = before.get(index), after.get(index)
        if old and new and old.mint != new.mint:
            found += [_change(keys[index], old, None), _change(keys[index], None, new)]
        else:
            found.append(_change(keys[index], old, new))
    return found


def _change(account: str, old: _TokenBalance | None, new: _TokenBalance | None) -> Change:
    known = new or old
    assert known is not None
    values.key(known.mint)
    return Change(
        account,
        values.amount(old.ui_token_amount.amount) if old else 0,
        values.amount(new.ui_token_amount.amount) if new else 0,
        known.mint,
        values.bounded(known.ui_token_amount.decimals, 255),
        old.owner if old else None,
        new.owner if new else None,
    )


def _by_index(keys: Sequence[str], balances: Sequence[_TokenBalance]) -> dict[int, _TokenBalance]:
    found = {each.account_index: each for each in balances}
    if len(found) != len(balances) or not all(0 <= index < len(keys) for index in found):
        raise NodeError(Verdict.BROKEN, "bad_answer")
    return found


def _asset(setup: Setup, change: Change) -> Asset:
    """The listed token only if the transaction gives the decimals that it is listed with."""
    listed = setup.tokens.get(change.mint)
    if listed is not None and listed.decimals == change.decimals:
        return listed
    return unlisted(setup.network, change.mint, decimals=change.decimals)


def _direction(difference: int) -> Direction:
    return Direction.IN if difference > 0 else Direction.OUT if difference < 0 else Direction.SELF


def _payer_or_payee(transaction: Read, address: str, moved: int) -> str | None:
    def difference(change: Change) -> int:
        return change.difference + (transaction.fee if change.account == transaction.payer else 0)

    return _only(transaction.coins.values(), difference, address, moved, lambda change: change.account)


def _other_owner(transaction: Read, ours: Change, address: str) -> str | None:
    same = [each for each in transaction.tokens if each.mint == ours.mint]
    return _only(
        same,
        lambda change: change.difference,
        address,
        ours.of(address),
        lambda change: change.owner_after or change.owner_before,
    )


def _only(
    changes: Iterable[Change],
    difference: Callable[[Change], int],
    address: str,
    moved: int,
    name: Callable[[Change], str | None],
) -> str | None:
    """The only other account that moved in the opposite direction. None if there is none, or several."""
    found = {name(each) for each in changes if difference(each) * moved < 0} - {address}
    return found.pop() if len(found) == 1 else None
