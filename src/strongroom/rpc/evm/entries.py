"""History entries, made from the rows of the EVM indexers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strongroom.codecs import eip55
from strongroom.domain.asset import Asset
from strongroom.rpc.assets import unlisted
from strongroom.rpc.base import Block, Direction, Entry, EntryKind, NodeError, Setup, State, Verdict

ZERO_VALUE = "zero_value"
UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Placed:
    """The transaction of a movement, and its block."""

    tx_id: str
    block: Block
    position: int
    state: State


class Entries:
    """Makes the entries of one holder. ``ours`` is its address in lower case."""

    def __init__(self, setup: Setup, address: str) -> None:
        self._setup = setup
        self._address = address
        self.ours = address.lower()
        self._tokens = {contract.lower(): token for contract, token in setup.tokens.items()}

    def token(self, contract: str, symbol: object = None, decimals: object = None) -> Asset:
        """The listed token of that contract, or an unlisted one with what it says about itself."""
        found = self._tokens.get(contract)
        return found if found is not None else unlisted(self._setup.network, _shown(contract), symbol, decimals)

    def coins(
        self, at: Placed, index: str, sender: str, to: str, amount: int, kind: EntryKind, fee: int | None = None
    ) -> Entry:
        """An entry in the coin. ``to`` is empty for a contract creation that failed."""
        return self._entry(at, index, self._setup.coin, sender, to, amount, kind, fee)

    def tokens(self, at: Placed, index: str, asset: Asset, sender: str, to: str, amount: int) -> Entry:
        return self._entry(at, index, asset, sender, to, amount, EntryKind.TRANSFER, None)

    def _entry(
        self,
        at: Placed,
        index: str,
        asset: Asset,
        sender: str,
        to: str,
        amount: int,
        kind: EntryKind,
        fee: int | None,
    ) -> Entry:
        if self.ours not in (sender, to):
            raise NodeError(Verdict.LYING, "other_address")
        direction = Direction.SELF if sender == to else Direction.OUT if sender == self.ours else Direction.IN
        return Entry(
            tx_id=at.tx_id,
            index=index,
            address=self._address,
            asset=asset,
            direction=direction,
            amount=0 if at.state is State.FAILED else amount,
            status=at.state,
            kind=kind,
            counterparty=_shown(other) if (other := sender if direction is Direction.IN else to) else None,
            fee=fee if sender == self.ours else None,
            block=at.block,
            position=at.position,
            note=None if at.state is State.FAILED else _note(asset, kind, amount),
        )


def state_at(height: int, finalized: int | None) -> State:
    return State.FINAL if finalized is not None and height <= finalized else State.CONFIRMED


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Sorted and without repetitions, because a row may come twice if pages overlap."""
    by_key: Mapping[tuple[str, str, str, str], Entry] = {entry.key: entry for entry in entries}
    return sorted(by_key.values(), key=_order, reverse=True)


def height_of(entry: Entry) -> int:
    assert entry.block is not None
    return entry.block.height


def _shown(address: str) -> str:
    return eip55.checksum(bytes.fromhex(address[2:]))


def _order(entry: Entry) -> tuple[int, int, str, str]:
    return (height_of(entry), entry.position, entry.tx_id, entry.index)


def _note(asset: Asset, kind: EntryKind, amount: int) -> str | None:
    if amount == 0 and kind is not EntryKind.CONTRACT:
        return ZERO_VALUE
    return None if asset.listed else UNLISTED
