"""A model of everything that may happen to guards, and a search for two transactions that pay one intent twice.

Transactions here are what guards see of them: what they use up, and their payload. Keys of two wallets sign for outputs
(one of which both own), for nonces of two senders whose payloads may be the same bytes, and for seqnos.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from strongroom.domain.principal import Principal
from strongroom.domain.record import SignatureRecord
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Wallet, WalletState
from strongroom.errors import AlreadySigned, IdempotencyMismatch, InFlight, KeyWrapUnavailable, Superseded
from strongroom.journal.audit import AuditChain, register
from strongroom.journal.base import Intent, Outdated
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries, Entry
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Change, Unit
from strongroom.storage.database import Database
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.rows import NOW, PRINCIPAL, TENANT
from tests.unit.journal.conftest import Answer, Clock

REFUSALS: Final = (AlreadySigned, IdempotencyMismatch, InFlight, Superseded, Outdated)
LEASE: Final = 31
AUTHENTICITY: Final = Authenticity(b"s" * 32)
OWNERS: Final = {0: (0,), 1: (0,), 2: (0, 1), 3: (1,)}
"""Whose keys spend an output: the third is of both."""

runs = itertools.count()
"""Each run has outputs and senders of its own, in one database for all."""


@dataclass(frozen=True)
class Transaction:
    run: int
    chain: str
    uses: frozenset[int]
    """Outputs; or the one nonce or seqno."""
    sender: int
    variant: int

    @property
    def consumes(self) -> frozenset[tuple[str, int, int]]:
        return frozenset((self.chain, self.sender, each) for each in self.uses)

    @property
    def payload(self) -> bytes:
        """An EVM digest is the same for every sender."""
        sender = None if self.chain == "evm" else self.sender
        return sha256(repr((self.run, self.chain, sorted(self.uses), sender, self.variant)).encode()).digest()

    @property
    def tx_id(self) -> str:
        return sha256(self.payload + bytes([self.sender])).hexdigest()

    def guards(self, wallet: int) -> list[Guard]:
        """For what keys of this wallet sign."""
        if self.chain == "bitcoin":
            return [
                Guard("bitcoin", "bip122:00", "0014", f"{self.run:064x}:{n}", self.payload, joint=True)
                for n in sorted(self.uses)
                if wallet in OWNERS[n]
            ]
        [sequence] = self.uses
        return [Guard(self.chain, f"{self.chain}:1", f"{self.run:x}/{self.sender}", str(sequence), self.payload)]


@dataclass(frozen=True)
class Signature:
    transaction: Transaction
    replaces: str | None
    resigned: bool


@dataclass
class History:
    """What has been signed, and left the service."""

    signatures: list[Signature] = field(default_factory=list)

    def paying_twice(self) -> tuple[Transaction, Transaction] | None:
        """Two that can both confirm and are of one intent. What was signed with ``allow_resign`` does not count."""
        counted = [each for each in self.signatures if not each.resigned]
        for intent in _intents(counted):
            for one, other in itertools.combinations(intent, 2):
                if not one.consumes & other.consumes:
                    return one, other
        return None

    def unrelated(self) -> tuple[Transaction, Transaction] | None:
        """Two for one thing, neither of which was said to replace the other; looked for if nothing was resigned."""
        if any(each.resigned for each in self.signatures):
            return None
        intents = _intents(self.signatures)
        for one, other in itertools.combinations(intents, 2):
            for first, second in itertools.product(one, other):
                if first.consumes & second.consumes and first.chain != "bitcoin":
                    return first, second
        return None


def _intents(signatures: Iterable[Signature]) -> list[set[Transaction]]:
    """Transactions of which one was said to replace the other, and so on."""
    by_id = {each.transaction.tx_id: each.transaction for each in signatures}
    intents = {tx_id: {transaction} for tx_id, transaction in by_id.items()}
    for each in signatures:
        mine, named = intents[each.transaction.tx_id], intents.get(each.replaces or "")
        if named is not None and named is not mine:
            mine |= named
            for transaction in mine:
                intents[transaction.tx_id] = mine
    return list({id(intent): intent for intent in intents.values()}.values())


class Process:
    """One process on the database that all share."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.storage = SqlStorage(database, AUTHENTICITY)
        self.clock = clock

        self.chain: AuditChain | None = None

    async def start(self) -> None:
        if self.chain is None:  # it goes on with its chain: to begin another reads all that there are
            self.chain = await register(self.storage, AUTHENTICITY.audit_key, "test")
        self.committer = Committer(self.storage, self.chain, timeout=60)
        self.committer.start()
        self.entries = Entries(self.committer, self.storage, AUTHENTICITY.fingerprint_key, clock=self.clock)

    async def stop(self) -> None:
        await self.entries.drain()
        await self.committer.close()

    def entry(self, key: str | None, command: bytes) -> Entry:
        return self.entries(
            principal=Principal(PRINCIPAL, TENANT, "till", frozenset()),
            request_id="request",
            client="127.0.0.1",
            operation="transactions.sign",
            idempotency_key=key,
            command=command,
            now=self.clock(),
        )


@dataclass(frozen=True)
class Request:
    process: int
    wallet: int
    transaction: Transaction
    options: SignOptions
    key: str | None

    @property
    def command(self) -> bytes:
        return repr((self.wallet, self.transaction, self.options)).encode()


class World:
    """Two processes, and what they share. One for all runs: to make a database takes longer than a run."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._directory = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.database = open_database(f"sqlite:///{self._directory.name}/test.db")
        self.clock = Clock()
        self.processes = [Process(self.database, self.clock), Process(self.database, self.clock)]
        self.do(migrate(self.database))
        for process in self.processes:
            self.do(process.start())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        for process in self.processes:
            self.do(process.stop())
        self.do(self.database.close())
        self.loop.close()
        self._directory.cleanup()


_outputs = st.sets(st.integers(0, 3), min_size=1, max_size=3).map(frozenset)
_sequences = st.integers(0, 1).map(lambda n: frozenset({n}))
_shapes = st.one_of(
    st.tuples(st.just("bitcoin"), _outputs, st.just(0), st.integers(0, 1)),
    st.tuples(st.sampled_from(["evm", "ton"]), _sequences, st.integers(0, 1), st.integers(0, 2)),
)
_named = st.one_of(st.none(), st.integers(0, 1), st.integers(0, 9), st.sampled_from([None, None, "never-signed"]))
"""None, what was signed so many signatures ago, or what never was."""
_resign = st.integers(0, 7).map(lambda n: n == 0)
_keys = st.one_of(st.none(), st.sampled_from(["a", "b"]))
_request = st.tuples(st.integers(0, 1), st.integers(0, 1), _shapes, _named, _resign, _keys)


class Guards(RuleBasedStateMachine):
    """Sign, replace, resign, cancel, fail, expire, archive, restart, race."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.run = next(runs)
        self.history = History()
        self.pending: list[tuple[Request, Intent]] = []
        self.wallets = [rows.wallet(), rows.wallet()]
        self.secrets = [rows.secret(wallet) for wallet in self.wallets]
        self.world.do(self.world.processes[0].storage.apply([Unit(rows=[*self.wallets, *self.secrets])]))

    def request(self, drawn: tuple[Any, ...]) -> Request:
        process, wallet, (chain, uses, sender, variant), named, resign, key = drawn
        transaction = Transaction(self.run, chain, uses, sender, variant)
        if isinstance(named, int):
            alike = [each.transaction.tx_id for each in self.history.signatures if each.transaction.chain == chain]
            named = alike[-1 - named % len(alike)] if alike else None
        options = SignOptions(replaces=named, allow_resign=resign)
        return Request(process, wallet, transaction, options, None if key is None else f"{self.run}/{key}/{drawn!r}")

    async def begin(self, request: Request) -> Intent | None:
        guards = request.transaction.guards(request.wallet)
        if not guards:
            return None
        entry = self.world.processes[request.process].entry(request.key, request.command)
        with suppress(*REFUSALS):
            if await entry.replay() is not None:
                return None
            intent = entry.intent(
                wallet_id=self.wallets[request.wallet].id,
                opens=self.secrets[request.wallet],
                guards=guards,
                options=request.options,
            )
            return await intent.__aenter__()
        return None

    async def end(self, request: Request, intent: Intent) -> None:
        transaction = request.transaction
        record = SignatureRecord(
            TENANT, intent.operation_id, 0, self.wallets[request.wallet].id, transaction.chain, transaction.tx_id,
            "raw", b"{}", NOW,
        )  # fmt: skip
        intent.settle(Answer(transaction.tx_id), rows=[record])
        with suppress(*REFUSALS):
            await intent.__aexit__(None, None, None)
            self.history.signatures.append(
                Signature(transaction, request.options.replaces, request.options.allow_resign)
            )

    async def whole(self, request: Request) -> None:
        intent = await self.begin(request)
        if intent is not None:
            await self.end(request, intent)

    @rule(drawn=_request)
    def sign(self, drawn: tuple[Any, ...]) -> None:
        self.world.do(self.whole(self.request(drawn)))

    @rule(drawn=_request, inputs=_outputs)
    @precondition(lambda self: self.history.signatures)
    def replace(self, drawn: tuple[Any, ...], inputs: frozenset[int]) -> None:
        """The newest, by something like it."""
        newest = self.history.signatures[-1].transaction
        uses = inputs if newest.chain == "bitcoin" else newest.uses
        drawn = (*drawn[:2], (newest.chain, uses, newest.sender, drawn[2][3]), 0, False, None)
        self.world.do(self.whole(self.request(drawn)))

    @rule(one=_request, other=_request)
    def race(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
        async def both() -> None:
            await asyncio.gather(self.whole(self.request((0, *one[1:]))), self.whole(self.request((1, *other[1:]))))

        self.world.do(both())

    @rule(drawn=_request)
    def begin_only(self, drawn: tuple[Any, ...]) -> None:
        request = self.request(drawn)
        intent = self.world.do(self.begin(request))
        if intent is not None:
            self.pending.append((request, intent))

    @rule(at=st.integers(0, 9), how=st.sampled_from(["sign", "fail", "cancel", "die"]))
    @precondition(lambda self: self.pending)
    def go_on(self, at: int, how: str) -> None:
        """Also after its lease, when another may have taken over."""
        request, intent = self.pending.pop(at % len(self.pending))
        if how == "sign":
            self.world.do(self.end(request, intent))
        elif how != "die":
            error = KeyWrapUnavailable("sealed") if how == "fail" else asyncio.CancelledError()
            self.world.do(intent.__aexit__(type(error), error, None))

    @rule()
    def expire(self) -> None:
        self.world.clock.pass_(LEASE)

    @rule(wallet=st.integers(0, 1), state=st.sampled_from(WalletState))
    def archive(self, wallet: int, state: WalletState) -> None:
        change = Change(Wallet, self.wallets[wallet].id, {}, {"state": state})
        self.world.do(self.world.processes[0].storage.apply([Unit(changes=[change])]))

    @rule(process=st.integers(0, 1))
    def restart(self, process: int) -> None:
        """What it was about to sign is left as it is."""
        self.pending = [(request, intent) for request, intent in self.pending if request.process != process]
        self.world.do(self.world.processes[process].stop())
        self.world.do(self.world.processes[process].start())

    def teardown(self) -> None:
        self.world.clock.pass_(LEASE)
        found = self.history.paying_twice() or self.history.unrelated()
        assert found is None, f"{found} both can confirm: {self.history.signatures}"
