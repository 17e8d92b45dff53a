"""History from the API that Etherscan (v2, by chain id) and Blockscout share: ``module=account``.

A page is merged from three lists: transactions, internal calls with value, and ERC-20 transfers. Each list is read
downwards from a block and never by page number, because pages move while the chain grows and end at 10,000 rows.

Nothing is `final` here, because no row says so. A caller that knows the head can tell. The following is left out: the
block hash of a call whose transaction is in no list (the hash is then empty), the part of a fee that pays for L1 data,
and what the genesis block gave out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from strongroom.codecs import eip55
from strongroom.rpc.base import Block, Capability, Entry, EntryKind, Holder, NodeError, Page, Setup, State, Verdict
from strongroom.rpc.evm import values
from strongroom.rpc.evm.entries import Entries, Placed, height_of, newest_first
from strongroom.rpc.http import Http, Work, decode
from strongroom.rpc.source import Partial

R = TypeVar("R", bound="_Row")

_MOST_ROWS: Final = 1000
"""Rows per call that a free key gets."""
_MOST_PAGES: Final = 10
"""Pages for one block. 10,000 rows are the most that is ever returned."""
_GENESIS: Final = "GENESIS"
_LAST_BLOCK: Final = 999_999_999_999
_EMPTY: Final = ("no transactions found", "no token transfers found", "no internal transactions found", "no records")
_BUSY: Final = ("rate limit", "too many", "max calls", "busy", "try again")
_CREDENTIAL: Final = ("api key", "apikey", "not supported for this chain", "upgrade", "plan", "chainid", "chain id")
_SLOW: Final = ("timeout", "time-out", "timed out")


class _Answer(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    block_number: str
    time_stamp: str
    value: str | None = None
    """Missing for tokens that are not ERC-20, which Blockscout lists as well."""
    to: str | None = None
    hash: str | None = None
    transaction_hash: str | None = None
    """Blockscout's name of ``hash`` among internal transactions."""
    sender: str | None = msgspec.field(default=None, name="from")
    block_hash: str | None = None
    transaction_index: str | None = None
    contract_address: str | None = None

    @property
    def height(self) -> int:
        return values.decimal(self.block_number, values.MOST_HEIGHT)

    @property
    def tx_id(self) -> str:
        return values.hash32(self.hash or self.transaction_hash or "")

    @property
    def failed(self) -> bool:
        return False

    @property
    def giver(self) -> str:
        return values.address(self.sender or "")

    @property
    def taker(self) -> str:
        """The recipient or, for a contract creation, the contract. Empty if the creation failed."""
        written = self.to or self.contract_address
        return values.address(written) if written else ""

    @property
    def movement(self) -> bool:
        """Whether the row is a movement. Those of the genesis block, which have no hash, and those of ERC-721
        are not.
        """
        return self.value is not None and not (self.hash or "").startswith(_GENESIS)


class _Transaction(_Row, frozen=True, rename="camel"):
    is_error: str = "0"
    txreceipt_status: str = msgspec.field(default="", name="txreceipt_status")
    gas_used: str = "0"
    gas_price: str = "0"
    input: str = "0x"

    @property
    def failed(self) -> bool:
        return self.is_error == "1" or self.txreceipt_status == "0"


class _Internal(_Row, frozen=True, rename="camel"):
    is_error: str = "0"
    trace_id: str | None = None
    index: str | None = None

    @property
    def failed(self) -> bool:
        return self.is_error == "1"


class _Transfer(_Row, frozen=True, rename="camel"):
    token_symbol: str | None = None
    token_decimal: str | None = None
    log_index: str | None = None


_LISTS: Final[Sequence[tuple[str, type[_Row]]]] = (
    ("txlist", _Transaction),
    ("txlistinternal", _Internal),
    ("tokentx", _Transfer),
)
_WHAT: Final = {"txlist": "native", "txlistinternal": "internal", "tokentx": "tokens"}
"""The names in `Page.cannot_see`."""


class Etherscan(Partial):
    """``http``: the URL of the API, with its key in the query."""

    capabilities = frozenset({Capability.HISTORY})

    def __init__(self, setup: Setup, http: Http) -> None:
        super().__init__(http)
        self._setup = setup
        self._http = http

    async def pin(self) -> None:
        """Checks the chain. Etherscan gets the chain id with each question and refuses those that it does not serve. If
        the pin is a genesis hash, that is compared.
        """
        pin = self._setup.pin
        if not pin.startswith("0x"):
            await self._rows("txlist", _Transaction, eip55.checksum(bytes(20)), 0, 0, 1)
            return
        answer = await self._http.read(
            "GET", of=_Proxied, query=self._query("proxy", "eth_getBlockByNumber") | {"tag": "0x0", "boolean": "false"}
        )
        if answer.result is None or values.hash32(answer.result.hash) != pin.lower():
            raise NodeError(Verdict.LYING, "another_chain")

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        top = _LAST_BLOCK if begin is None else values.decimal(begin, _LAST_BLOCK)
        size = max(1, min(most, _MOST_ROWS))
        entries = Entries(self._setup, holder.address)
        found: list[_Row] = []
        floor = -1
        for action, kind in _LISTS:
            rows = await self._rows(action, kind, holder.address, 0, top, size)
            if len(rows) >= size:
                floor = max(floor, rows[-1].height)  # the list may have been cut within this block
            found += rows
        complete = _entries(entries, [row for row in found if row.height > floor])
        if not complete and floor >= 0:
            within, cut = await self._block(entries, holder.address, floor)
            return Page(within, _next(floor - 1), ("pending", *cut))
        return _page(complete, floor, most)

    async def _block(self, entries: Entries, address: str, height: int) -> tuple[list[Entry], list[str]]:
        """One block with more rows than were asked for, and the lists of which even Etherscan does not show
        all of it.
        """
        found: list[_Row] = []
        cut: list[str] = []
        for action, kind in _LISTS:
            for page in range(1, _MOST_PAGES + 1):
                found += (more := await self._rows(action, kind, address, height, height, _MOST_ROWS, page))
                if len(more) < _MOST_ROWS:
                    break
            else:
                cut.append(_WHAT[action])
        return _entries(entries, found), cut

    async def _rows(
        self, action: str, kind: type[R], address: str, start: int, end: int, size: int, page: int = 1
    ) -> list[R]:
        """Rows of one list, newest first."""
        query = self._query("account", action) | {
            "address": address,
            "startblock": start,
            "endblock": end,
            "page": page,
            "offset": size,
            "sort": "desc",
        }
        answer = await self._http.read("GET", of=_Answer, query=query, work=Work.HISTORY)
        result = bytes(answer.result)
        if result[:1] != b"[":
            if any(each in answer.message.lower() for each in _EMPTY):
                return []
            raise _meaning(answer.message, result)
        rows: list[R] = decode(result, list[kind])  # type: ignore[valid-type]
        if len(rows) > size or any(not start <= row.height <= end for row in rows):
            raise NodeError(Verdict.LYING, "not_what_was_asked")
        return sorted(rows, key=lambda row: row.height, reverse=True)

    def _query(self, module: str, action: str) -> dict[str, str | int]:
        return {"chainid": str(self._setup.network.chain_id), "module": module, "action": action}


class _Genesis(msgspec.Struct, frozen=True):
    hash: str


class _Proxied(msgspec.Struct, frozen=True):
    result: _Genesis | None = None


def _entries(entries: Entries, rows: Sequence[_Row]) -> list[Entry]:
    """The entries of whole blocks. Etherscan's transfers have no number, so they are counted within their
    transaction.
    """
    rows = [row for row in rows if row.movement]
    fullest = {row.tx_id: row for row in rows if row.block_hash}
    seen: Counter[tuple[str, str]] = Counter()
    made: list[Entry] = []
    for row in rows:
        at = _placed(row, fullest.get(row.tx_id, row))
        amount = values.decimal(row.value or "")
        if isinstance(row, _Transfer):
            contract = values.address(row.contract_address or "")
            seen[at.tx_id, contract] += 1
            index = f"transfer:{seen[at.tx_id, contract]}" if row.log_index is None else f"log:{row.log_index}"
            asset = entries.token(contract, row.token_symbol, _small(row.token_decimal))
            made.append(entries.tokens(at, index, asset, row.giver, row.taker, amount))
        elif isinstance(row, _Internal):
            index = f"call:{row.trace_id or row.index or '0'}"
            made.append(entries.coins(at, index, row.giver, row.taker, amount, EntryKind.INTERNAL))
        elif isinstance(row, _Transaction):
            kind = EntryKind.TRANSFER if row.input in ("", "0x") else EntryKind.CONTRACT
            fee = values.bounded(values.decimal(row.gas_used) * values.decimal(row.gas_price), 2**256 - 1)
            made.append(entries.coins(at, "value", row.giver, row.taker, amount, kind, fee))
    return newest_first(made)


def _placed(row: _Row, fullest: _Row) -> Placed:
    block_hash = values.hash32(fullest.block_hash) if fullest.block_hash else ""
    block = Block(row.height, block_hash, values.time(values.decimal(row.time_stamp)))
    position = values.decimal(fullest.transaction_index or "0", values.MOST_HEIGHT)
    return Placed(row.tx_id, block, position, State.FAILED if row.failed else State.CONFIRMED)


def _page(complete: Sequence[Entry], floor: int, most: int) -> Page:
    """As many entries as wanted, and the rest of the last block."""
    if len(complete) > most:
        last = height_of(complete[most - 1])
        kept = [entry for entry in complete if height_of(entry) >= last]
        if len(kept) < len(complete) or floor >= 0:
            return Page(kept, _next(last - 1), ("pending",))
    return Page(complete, None if floor < 0 else _next(floor), ("pending",))


def _next(height: int) -> str | None:
    return None if height < 0 else str(height)


def _small(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 4 else None


def _meaning(message: str, result: bytes) -> NodeError:
    """The error behind a response with HTTP 200 and a text instead of a list."""
    words = f"{message} {result[:1000].decode('utf-8', 'replace')}".lower()
    for verdict, cause, listed in (
        (Verdict.BUSY, "rate_limited", _BUSY),
        (Verdict.BROKEN, "slow", _SLOW),
        (Verdict.BROKEN, "credential", _CREDENTIAL),
        (Verdict.OURS, "bad_request", ("error!", "invalid", "result window")),
    ):
        if any(each in words for each in listed):
            return NodeError(verdict, cause)
    return NodeError(Verdict.BROKEN, "error")
