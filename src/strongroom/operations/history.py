"""What came in and went out, as the network's sources report it.

A page is merged from one stream per address, newest first. Its cursor says where each stream continues. The cursor
contains text from sources that is handed back to them, so it carries a MAC over itself, the tenant and the question.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain
from strongroom.domain.network import Network
from strongroom.errors import CursorStale, InvalidField, MalformedRequest, StrongroomError
from strongroom.operations.call import Call
from strongroom.operations.fields import AddressText, NetworkName
from strongroom.operations.nodes import BlockView
from strongroom.operations.reading import MAC_SIZE
from strongroom.rpc.base import Entry, Holder, Page, Reader, State
from strongroom.storage.base import AddressFilter

MOST_STREAMS: Final = 100
_AT_ONCE: Final = 8
"""Streams of one request that are read at the same time."""
_LONGEST_CURSOR: Final = 16_384
"""Room for every stream, each with a continuation of 64 random bytes (Solana), and some to spare."""
_NAME_SIZE: Final = 8
_PAGES_PASSED: Final = 8
_FROM_THE_TOP: Final = ("", None)
_NEWEST: Final = (True, 1 << 62, 0, "", "", "")
"""Newer than any entry."""

HistoryCursor = Annotated[str, Meta(max_length=_LONGEST_CURSOR, description="`next_cursor` of the previous page")]
HistorySize = Annotated[int, Meta(ge=1, le=100, description="Entries per page")]


class WalletHistory(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    address: Annotated[AddressText, Meta(description="Only entries of this address of the wallet")] | None = None
    cursor: HistoryCursor | None = None
    limit: HistorySize = 50


class AddressHistory(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    address: AddressText
    cursor: HistoryCursor | None = None
    limit: HistorySize = 50


class EntryView(msgspec.Struct, kw_only=True, frozen=True):
    """One movement of one asset at one address."""

    tx_id: str
    index: Annotated[
        str,
        Meta(description="Identifies the entry together with tx_id, asset and address, on whatever page it appears"),
    ]
    address: str
    direction: Annotated[
        Literal["in", "out", "self"], Meta(description="As seen from the address. self: it paid itself")
    ]
    asset: Annotated[str, Meta(description="CAIP-19 id")]
    symbol: str
    decimals: int | None
    listed: Annotated[
        bool, Meta(description="Whether the operator lists it. Anybody can make a token with the same name")
    ]
    amount: Annotated[str, Meta(description="Amount moved, in base units of the asset, decimal, never negative")]
    counterparty: Annotated[str | None, Meta(description="The other address; null if there is none or several")]
    fee: Annotated[str | None, Meta(description="Fee that the address paid, given once per transaction")]
    status: Annotated[
        Literal["pending", "confirmed", "final", "failed", "dropped"],
        Meta(
            description="pending: not in a block yet. confirmed: in a block. final: nothing changes it any more. "
            "failed: in a block, without effect. dropped: it was seen earlier and has disappeared"
        ),
    ]
    block: Annotated[BlockView | None, Meta(description="Block that it is in, or null")]
    kind: Annotated[
        Literal["transfer", "contract", "reward", "internal"],
        Meta(description="What moved it: a plain transfer, a contract, a reward, or a call inside a contract"),
    ]
    note: Annotated[str | None, Meta(description="zero_value or unlisted: signs of a deceptive entry")]

    @classmethod
    def of(cls, entry: Entry) -> EntryView:
        return cls(
            tx_id=entry.tx_id,
            index=entry.index,
            address=entry.address,
            direction=entry.direction.value,
            asset=entry.asset.id,
            symbol=entry.asset.symbol,
            decimals=entry.asset.decimals,
            listed=entry.asset.listed,
            amount=str(entry.amount),
            counterparty=entry.counterparty,
            fee=None if entry.fee is None else str(entry.fee),
            status=entry.status.value,  # type: ignore[arg-type] # a source gives no other
            block=None if entry.block is None else BlockView.of(entry.block),
            kind=entry.kind.value,
            note=entry.note,
        )


class HistoryPage(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    entries: Annotated[list[EntryView], Meta(description="Entries of this page, newest first")]
    cannot_see: Annotated[list[str], Meta(description="What the source leaves out: pending, native, internal, older")]
    indexed: Annotated[int | None, Meta(description="Height up to which the source has indexed")]
    sources: Annotated[list[str], Meta(description="Names of the sources")]
    next_cursor: str | None


_Place = tuple[bool, int, int, str, str, str]
"""The order in which sources report entries, reversed (`rpc.base.Entry.position`). The newest entry has the greatest
place.
"""


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    last: _Place
    """The place of the last entry that was shown. Entries of a stream's page that are not older than it were shown
    before.
    """
    block: tuple[int, str] | None
    """Height and hash of the block of that entry."""
    streams: dict[bytes, tuple[str, str | None]]
    """By `_name` of the address: its source, and where the page begins from which the stream continues."""


_CURSOR: Final = msgspec.msgpack.Decoder(_Cursor)


async def of_wallet(command: WalletHistory, call: Call) -> HistoryPage:
    """The history of the addresses that were handed out or discovered, or of one of them.

    Raises NotFound, InvalidField, SourceMissing, NodeUnavailable, CursorStale, MalformedRequest.
    """
    network, chain = call.networks.resolve(command.network)
    wallet = await call.wallet(command.wallet_id)
    holders = await _holders(call, wallet.id, network, chain, command.address)
    return await _page(call, network, f"wallet/{wallet.id}", holders, command.cursor, command.limit)


async def of_address(command: AddressHistory, call: Call) -> HistoryPage:
    """The history of any address, even if it belongs to no wallet of the tenant.

    Raises InvalidAddress, SourceMissing, NodeUnavailable, CursorStale, MalformedRequest.
    """
    network, chain = call.networks.resolve(command.network)
    parsed = chain.parse_address(network, command.address)
    holder = Holder(parsed.canonical, parsed.address)
    return await _page(call, network, "address", [holder], command.cursor, command.limit)


async def _holders(
    call: Call, wallet_id: UUID, network: Network, chain: Chain, address: str | None
) -> Sequence[Holder]:
    if address is not None:
        parsed = chain.parse_address(network, address)
        if not await call.storage.find_addresses(call.tenant_id, network.keyspace, parsed.canonical, [wallet_id]):
            raise InvalidField("the wallet has not handed out this address: ask for it first", field="address")
        return [Holder(parsed.canonical, parsed.address)]
    where = AddressFilter(keyspace=network.keyspace)
    rows = await call.storage.addresses(call.tenant_id, wallet_id, where, None, MOST_STREAMS + 1)
    if len(rows) > MOST_STREAMS:
        raise InvalidField(
            f"the wallet has more than {MOST_STREAMS} addresses on this network: name one of them in address",
            field="address",
        )
    schemes = chain.schemes(network.keyspace)
    shown = {each.canonical: chain.render(network, schemes[each.scheme], each.public_key).address for each in rows}
    return [Holder(canonical, text) for canonical, text in shown.items()]


async def _page(
    call: Call, network: Network, question: str, holders: Sequence[Holder], cursor: str | None, limit: int
) -> HistoryPage:
    reader = call.reading.reader(network)
    bound = f"{call.tenant_id}/{network.caip2}/{question}/".encode()
    before = None if cursor is None else _opened(call, cursor, bound)
    by_name = {_name(each.address): each for each in holders}
    begins = dict.fromkeys(by_name, _FROM_THE_TOP) if before is None else before.streams
    if not begins.keys() <= by_name.keys():
        raise CursorStale(
            "the wallet's addresses have changed since the previous page: start again from the first page"
        )
    turns = asyncio.Semaphore(_AT_ONCE)

    async def read(name: bytes, source: str, begin: str | None) -> _Stream:
        async with turns:
            stream = await _read(reader, by_name[name], begin, before, limit)
        if before is not None and stream.page.source != source:
            raise CursorStale(
                "another source responds now and cannot read this cursor: start again from the first page"
            )
        return stream

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(name, *goes_on)) for name, goes_on in begins.items()]
    except ExceptionGroup as failures:
        refused = [each for each in failures.exceptions if isinstance(each, StrongroomError)]
        if len(refused) < len(failures.exceptions):
            raise
        raise refused[0] from None
    streams = [task.result() for task in tasks]
    entries, more = _merged(streams, limit)
    goes_on = _cursor(streams, entries, before) if more else None
    return HistoryPage(
        network=network.name,
        entries=[EntryView.of(entry) for entry in entries],
        cannot_see=sorted({each for stream in streams for each in stream.page.cannot_see}),
        indexed=min((found for stream in streams if (found := stream.page.indexed) is not None), default=None),
        sources=sorted({stream.page.source for stream in streams}),
        next_cursor=None if goes_on is None else _sealed(call, goes_on, bound),
    )


@dataclass(slots=True)
class _Stream:
    """The entries of one address that were not shown yet."""

    address: str
    begin: str | None
    page: Page
    entries: Sequence[Entry]
    taken: int = 0

    @property
    def is_over(self) -> bool:
        return self.taken == len(self.entries) and self.page.next is None

    @property
    def goes_on(self) -> tuple[str, str | None]:
        return self.page.source, self.page.next if self.taken == len(self.entries) else self.begin


async def _read(reader: Reader, holder: Holder, begin: str | None, before: _Cursor | None, limit: int) -> _Stream:
    """The stream from ``begin`` on. Pages with nothing new are skipped, up to `_PAGES_PASSED` of them."""
    for _ in range(_PAGES_PASSED):
        page = await reader.history(holder, begin=begin, most=limit)
        if before is not None:
            _check(page, before)
        new = [each for each in page.entries if before is None or _place(each) < before.last]
        if new or page.next is None:
            break
        begin = page.next
    return _Stream(holder.address, begin, page, sorted(new, key=_place, reverse=True))


def _check(page: Page, before: _Cursor) -> None:
    """Raises CursorStale if the chain has been reorganised since the previous page."""
    if before.block is not None:
        height, block_hash = before.block
        if any(each.block.height == height and each.block.hash != block_hash for each in page.entries if each.block):
            raise CursorStale("the chain was reorganised since the previous page: start again from the first page")


def _merged(streams: Sequence[_Stream], limit: int) -> tuple[list[Entry], bool]:
    """The newest ``limit`` entries of all streams, and whether there are more.

    Stops when a stream has used up its page and has another one: nothing is known about that page yet, so older entries
    of other streams have to wait.
    """
    if any(not each.entries and not each.is_over for each in streams):
        return [], True
    waiting = {at: _place(each.entries[0]) for at, each in enumerate(streams) if each.entries}
    found: list[Entry] = []
    while waiting and len(found) < limit:
        at = max(waiting, key=waiting.__getitem__)
        stream = streams[at]
        found.append(stream.entries[stream.taken])
        stream.taken += 1
        if stream.taken < len(stream.entries):
            waiting[at] = _place(stream.entries[stream.taken])
        elif stream.page.next is None:
            del waiting[at]
        else:
            break
    return found, not all(stream.is_over for stream in streams)


def _cursor(streams: Sequence[_Stream], entries: Sequence[Entry], before: _Cursor | None) -> _Cursor:
    rest = {_name(each.address): each.goes_on for each in streams if not each.is_over}
    if not entries:
        return _Cursor(_NEWEST, None, rest) if before is None else msgspec.structs.replace(before, streams=rest)
    last = entries[-1]
    if (
        last.block is not None and last.status is not State.FINAL
    ):  # its page is read again, to see whether it is still in that block
        rest |= {
            _name(each.address): (each.page.source, each.begin) for each in streams if each.address == last.address
        }
    return _Cursor(_place(last), None if last.block is None else (last.block.height, last.block.hash), rest)


def _name(address: str) -> bytes:
    """A short name for the stream of an address, because a hundred addresses would make a cursor too long."""
    return sha256(address.encode()).digest()[:_NAME_SIZE]


def _place(entry: Entry) -> _Place:
    """The place of an entry. An entry that is in no block is newer than all that are."""
    height = 0 if entry.block is None else entry.block.height
    return (
        entry.block is None,
        height,
        entry.position,
        entry.tx_id,
        entry.index,
        f"{entry.asset.id}/{entry.address}",
    )


def _sealed(call: Call, cursor: _Cursor, bound: bytes) -> str:
    packed = zlib.compress(msgspec.msgpack.encode(cursor), 9)
    return base64.urlsafe_b64encode(call.reading.cursor_mac(bound + packed) + packed).decode().rstrip("=")


def _opened(call: Call, text: str, bound: bytes) -> _Cursor:
    """The cursor inside ``text``. Raises MalformedRequest if this service did not issue it for this question."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mac, packed = raw[:MAC_SIZE], raw[MAC_SIZE:]
        if hmac.compare_digest(mac, call.reading.cursor_mac(bound + packed)):
            return _CURSOR.decode(zlib.decompress(packed))  # we made it, so it is not a decompression bomb
    except (binascii.Error, ValueError, zlib.error):
        pass
    raise MalformedRequest("cursor is not one that this service returned for this request", field="cursor")
