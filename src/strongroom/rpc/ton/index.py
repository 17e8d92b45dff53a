"""The questions for toncenter v3, each in as many requests as its addresses need, and never by offset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from strongroom.rpc.base import Head, NodeError, Setup, Verdict
from strongroom.rpc.http import Http, Query, Work
from strongroom.rpc.ton import cells, rows, values

T = TypeVar("T")
R = TypeVar("R")

MOST_ROWS: Final = 1000
"""Rows per response, the default of ton-indexer."""
HASHES: Final = 100


class Index:
    """``addresses``: per request. A hosted index accepts URLs of about 8,000 bytes, your own up to 1,000 addresses."""

    def __init__(self, setup: Setup, http: Http, addresses: int) -> None:
        self._setup = setup
        self._http = http
        self._addresses = addresses

    async def head(self) -> Head:
        """The head. Each head names the network (`ConfigParam` 19, the reference of the CAIP-2 id). v3 never shows the
        chain's first block.
        """
        found = (await self.read("/masterchainInfo", rows.Info)).last
        if str(found.global_id) != self._setup.pin:
            raise NodeError(Verdict.LYING, "wrong_chain")
        if found.workchain != values.MASTERCHAIN:
            raise NodeError(Verdict.LYING, "wrong_block")
        height = values.bounded(found.seqno, values.MOST_HEIGHT)
        time = values.time(values.number(found.gen_utime, values.MOST_LT))
        return Head(height, values.hash32(found.root_hash), time, finalized(self._setup, height))

    async def shards_time(self, height: int, workchain: int) -> int:
        """Seconds. The time of the slowest shard of a workchain at a masterchain block. No later block of a shard is
        older.
        """
        found = await self.read("/masterchainBlockShardState", rows.Blocks, {"seqno": height})
        times = [values.number(each.gen_utime, values.MOST_LT) for each in found.blocks if each.workchain == workchain]
        if not times:
            raise NodeError(Verdict.ELSEWHERE, "no_shards")
        return min(times)

    async def accounts(self, addresses: Sequence[bytes]) -> dict[bytes, rows.Account]:
        """The accounts that exist, by address."""
        found: dict[bytes, rows.Account] = {}
        for part in _parts(addresses, self._addresses):
            names = [values.shown(self._setup.network, each) for each in part]
            query: Query = {"address": names, "include_boc": "false"}
            for each in (await self.read("/accountStates", rows.Accounts, query)).accounts:
                found[_asked(each.address, part)] = each
        return found

    async def wallet(self, address: bytes) -> rows.Wallet | None:
        query = {"address": values.shown(self._setup.network, address)}
        for each in (await self.read("/walletStates", rows.Wallets, query)).wallets:
            _asked(each.address, [address])
            return each
        return None

    async def of_account(self, address: bytes, end_lt: int | None, limit: int) -> list[rows.Transaction]:
        query = _page("account", values.shown(self._setup.network, address), end_lt, limit)
        found = (await self.read("/transactions", rows.Transactions, query, Work.HISTORY)).transactions
        for each in found:
            _asked(each.account, [address])
        return _descending(found, end_lt, limit)

    async def receiving(self, message: str) -> list[rows.Transaction]:
        """The transactions that one message began. There are several if a failed one did not use up its number.

        ``message``: the hash in hex.
        """
        query: Query = {"msg_hash": message, "direction": "in", "limit": MOST_ROWS}
        try:
            found = await self.read("/transactionsByMessage", rows.Transactions, query)
        except NodeError as error:
            if error.verdict is not Verdict.BUSY:
                raise
            found = await self._by_messages(message, error)  # limits are counted by kind of request (ton-indexer#461)
        for each in found.transactions:
            if each.in_msg is None or message not in _hashes(each.in_msg):
                raise NodeError(Verdict.LYING, "wrong_transaction")
        return found.transactions

    async def _by_messages(self, message: str, busy: NodeError) -> rows.Transactions:
        told = await self.read("/messages", rows.Messages, {"msg_hash": message, "direction": "in"})
        hashes = [each.in_msg_tx_hash for each in told.messages]
        if any(each is None for each in hashes):
            raise busy
        found = await self.by_hash([values.hash32(each) for each in hashes if each])
        return rows.Transactions(list(found.values()))

    async def received(self, messages: Sequence[str]) -> dict[str, rows.Transaction]:
        """The transactions by hash (hex) of their incoming message. Messages that have not arrived are missing."""
        found: dict[str, rows.Transaction] = {}
        for part in _parts(messages, HASHES):
            query: Query = {"msg_hash": part, "direction": "in", "limit": MOST_ROWS}
            for each in (await self.read("/transactionsByMessage", rows.Transactions, query)).transactions:
                if each.in_msg is None or (arrived := values.hash32(each.in_msg.hash)) not in part:
                    raise NodeError(Verdict.LYING, "wrong_transaction")
                found[arrived] = each
        return found

    async def by_hash(self, hashes: Sequence[str]) -> dict[str, rows.Transaction]:
        found: dict[str, rows.Transaction] = {}
        for part in _parts(hashes, HASHES):
            query: Query = {"hash": part, "limit": MOST_ROWS}
            for each in (await self.read("/transactions", rows.Transactions, query, Work.HISTORY)).transactions:
                if (told := values.hash32(each.hash)) not in part:
                    raise NodeError(Verdict.LYING, "wrong_transaction")
                found[told] = each
        return found

    async def masters(self, addresses: Sequence[bytes]) -> dict[bytes, rows.JettonMaster]:
        query: Query = {"address": [values.master_shown(each) for each in addresses], "limit": MOST_ROWS}
        found = (await self.read("/jetton/masters", rows.JettonMasters, query)).jetton_masters
        return {_asked(each.address, addresses): each for each in found}

    async def jettons(self, owners: Sequence[bytes], masters: Sequence[bytes]) -> rows.JettonWallets:
        """The jetton wallets of all owners, without zero balances. ``masters``: only these jettons, or all if empty."""
        found: list[rows.JettonWallet] = []
        metadata: dict[str, rows.Metadata] = {}
        waiting = list(_parts(owners, self._addresses))
        while waiting:
            part = waiting.pop()
            query: dict[str, str | int | Sequence[str]] = {
                "owner_address": [values.shown(self._setup.network, each) for each in part],
                "exclude_zero_balance": "true",
                "limit": MOST_ROWS,
            }
            if masters:
                query["jetton_address"] = [values.master_shown(each) for each in masters]
            told = await self.read("/jetton/wallets", rows.JettonWallets, query)
            if len(told.jetton_wallets) >= MOST_ROWS:
                if len(part) == 1:
                    raise NodeError(Verdict.ELSEWHERE, "too_many_tokens")
                waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            for each in told.jetton_wallets:
                _asked(each.owner, part)
                if masters:
                    _asked(each.jetton, masters)
            found += told.jetton_wallets
            metadata |= told.metadata
        return rows.JettonWallets(found, metadata)

    async def wallet_of(self, master: bytes, owner: bytes) -> bytes:
        """The address of an owner's wallet, according to the jetton's master."""
        question = {
            "address": values.master_shown(master),
            "method": "get_wallet_address",
            "stack": [{"type": "slice", "value": cells.of_address(owner)}],
        }
        found = await self._http.read("POST", "/runGetMethod", of=rows.Result, json=question)
        wallet = cells.address_of(found.stack[0].value) if found.exit_code in (0, 1) and found.stack else None
        if wallet is None:
            raise NodeError(Verdict.ELSEWHERE, "no_answer")
        return wallet

    async def transfers(self, owner: bytes, end_lt: int | None, limit: int) -> rows.JettonTransfers:
        query = _page("owner_address", values.shown(self._setup.network, owner), end_lt, limit)
        found = await self.read("/jetton/transfers", rows.JettonTransfers, query, Work.HISTORY)
        for each in found.jetton_transfers:
            if owner not in (values.canonical(each.source), values.canonical(each.destination)):
                raise NodeError(Verdict.LYING, "not_its_history")
        return rows.JettonTransfers(_descending(found.jetton_transfers, end_lt, limit), found.metadata)

    async def read(self, path: str, of: type[T], query: Query | None = None, work: Work = Work.READ) -> T:
        return await self._http.read("GET", path, of=of, query=query, work=work)


def finalized(setup: Setup, height: int) -> int:
    """A masterchain block is final when it is made. An operator may require more blocks on top."""
    depth = setup.finality if isinstance(setup.finality, int) and setup.finality > 0 else 1
    return max(0, height - depth + 1)


def _parts(all_of_them: Sequence[R], size: int) -> Iterator[Sequence[R]]:
    for at in range(0, len(all_of_them), size):
        yield all_of_them[at : at + size]


def _asked(address: str, asked: Sequence[bytes]) -> bytes:
    found = values.canonical(address)
    if found not in asked:
        raise NodeError(Verdict.LYING, "not_what_was_asked")
    return found


def _hashes(message: rows.Message) -> set[str]:
    return {values.hash32(each) for each in (message.hash, message.hash_norm) if each}


def _page(name: str, address: str, end_lt: int | None, limit: int) -> dict[str, str | int]:
    """``end_lt`` is inclusive."""
    query: dict[str, str | int] = {name: address, "limit": limit, "sort": "desc"}
    return query if end_lt is None else query | {"end_lt": end_lt}


L = TypeVar("L", rows.Transaction, rows.JettonTransfer)


def _descending(found: list[L], end_lt: int | None, limit: int) -> list[L]:
    times = [each.logical for each in found]
    if times != sorted(times, reverse=True):
        raise NodeError(Verdict.BROKEN, "bad_order")
    if len(found) > limit or (times and end_lt is not None and times[0] > end_lt):
        raise NodeError(Verdict.LYING, "not_what_was_asked")
    return found
