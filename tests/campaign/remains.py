"""What a kill left in the database, read without the service, and what must be true of it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from tests.support.postgres import rows

MAC_SIZE = 32


class Row(NamedTuple):
    """An operation as it is stored."""

    id: bytes
    name: str
    state: str
    epoch: int
    wallet_id: bytes | None
    result: bytes | None


Read = Callable[[str], list[tuple[Any, ...]]]
"""Returns the rows of a SELECT. An id is 16 bytes or a UUID, as the database has it."""


class Remains:
    """The state of the database at one time. The service may be running or dead."""

    def __init__(self, read: Read) -> None:
        self.done = {_id(row[0]) for row in read("SELECT id FROM operations WHERE state = 'done'")}
        self.operations: dict[str, Row] = {}
        self.rows_of_key: Counter[str] = Counter()
        for key, operation, name, state, epoch, wallet, result in read(
            "SELECT idempotency_key, id, name, state, epoch, wallet_id, result FROM operations"
            " WHERE idempotency_key IS NOT NULL"
        ):
            self.operations[key] = Row(_id(operation), name, state, epoch, wallet and _id(wallet), result)
            self.rows_of_key[key] += 1
        self.signatures: dict[bytes, list[str]] = defaultdict(list)
        self.transactions: list[str] = []
        for operation, raw, tx_id in read("SELECT operation_id, raw, tx_id FROM signatures"):
            self.signatures[_id(operation)].append(raw)
            if tx_id is not None:
                self.transactions.append(raw)
        self.audit: dict[bytes, list[str]] = defaultdict(list)
        for operation, outcome in read("SELECT operation_id, outcome FROM audit ORDER BY at"):
            self.audit[_id(operation)].append(outcome)
        self.wallets = {_id(row[0]) for row in read("SELECT id FROM wallets")}
        self.sealed = {_id(row[0]) for row in read("SELECT wallet_id FROM secrets")}
        self.addresses: dict[bytes, set[bytes]] = defaultdict(set)
        for wallet, canonical in read("SELECT wallet_id, canonical FROM addresses"):
            self.addresses[_id(wallet)].add(canonical)

    def violations(
        self, created: Mapping[str, Mapping[str, Any]], signed: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[str]:
        """``created`` and ``signed`` are acknowledged responses by idempotency key."""
        for key, count in self.rows_of_key.items():
            if count != 1:
                yield f"{key} has {count} operations"
        yield from self._of_signatures()
        yield from self._of_wallets(created)
        for key, answer in signed.items():
            row = self.operations.get(key)
            if row is None or row.state != "done" or answer["signed_tx"] not in self.signatures[row.id]:
                yield f"{key} was answered with a signature that is not stored"

    def _of_signatures(self) -> Iterable[str]:
        for operation, raws in self.signatures.items():
            outcomes = self.audit[operation]
            if "requested" not in outcomes or outcomes[-1] != "succeeded" or outcomes.count("succeeded") != 1:
                yield f"signature of {UUID(bytes=operation)} with the audit records {outcomes}"
            if operation not in self.done or len(raws) != 1:
                yield f"operation {UUID(bytes=operation)} is not done, or has {len(raws)} signatures"
        for row in self.operations.values():
            if row.name == "transactions.sign" and row.state == "done" and not self.signatures[row.id]:
                yield f"operation {UUID(bytes=row.id)} is done without a signature"
        payloads: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        for raw in self.transactions:
            payloads[_spends(raw)].add(raw)
        for place, different in payloads.items():
            if len(different) != 1:
                yield f"{len(different)} payloads are signed for {place}"

    def _of_wallets(self, created: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
        creates = [row for row in self.operations.values() if row.name == "wallets.create" and row.state == "done"]
        if self.wallets != {row.wallet_id for row in creates} or self.wallets != self.sealed:
            yield f"{len(self.wallets)} wallets, {len(self.sealed)} secrets, {len(creates)} creates that are done"
        for key, answer in created.items():
            wallet = UUID(answer["id"]).bytes
            row = self.operations.get(key)
            if row is None or row.state != "done" or wallet not in self.wallets or row.wallet_id != wallet:
                yield f"{key} was answered with a wallet that is not there"
            elif bytes.fromhex(answer["addresses"][0]["address"][2:]) not in self.addresses[wallet]:
                yield f"{key} was answered with an address that is not there"
        for row in creates:
            if row.result is None or UUID(json.loads(row.result[MAC_SIZE:])["id"]).bytes != row.wallet_id:
                yield f"operation {UUID(bytes=row.id)} stores the answer of another wallet"


def of_sqlite(data_dir: Path) -> Remains:
    uri = f"file:{data_dir / 'strongroom.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        database.execute("BEGIN")
        [(integrity,)] = database.execute("PRAGMA integrity_check")
        assert integrity == "ok"
        return Remains(lambda query: database.execute(query).fetchall())


def of_postgres(url: str) -> Remains:
    """The service must be idle, so that consecutive queries see the same state."""
    return Remains(lambda query: rows(url, query))


def _id(value: Any) -> bytes:
    return value.bytes if isinstance(value, UUID) else bytes(value)


_known: dict[str, tuple[str, int, int]] = {}


def _spends(raw: str) -> tuple[str, int, int]:
    """Sender, chain id and nonce of a signed transaction, read by eth-account."""
    if raw not in _known:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        _known[raw] = (Account.recover_transaction(raw), int(fields["chainId"]), int(fields["nonce"]))
    return _known[raw]
