"""The port for reading chains: the questions that a node or an indexer may answer, and the form of the answers.

A *source* is one endpoint of one kind. It fills this port; so does the pool, which asks the best of a network's
sources, and the cache before it. Amounts are integers in base units of their asset, heights are those of the chain
(slot on Solana, masterchain seqno on TON), times are in UTC.

Sources raise `NodeError`, which never leaves this package: the pool makes of it what a caller may see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from strongroom.domain.asset import Asset
from strongroom.domain.network import Network
from strongroom.domain.signing import SignedIds

T = TypeVar("T")


class Capability(StrEnum):
    """A question that a source can answer."""

    HEAD = "head"
    BALANCES = "balances"
    TOKENS = "tokens"
    HISTORY = "history"
    FEES = "fees"
    BROADCAST = "broadcast"
    STATUS = "status"
    TRANSACTION = "transaction"
    USED = "used"


class Verdict(StrEnum):
    """What an answer says of the node that gave it."""

    NO = "no"
    """The chain refuses: final, and the node is healthy."""
    ELSEWHERE = "elsewhere"
    """This node cannot say: it is behind, has pruned it, or does not know the method."""
    BUSY = "busy"
    """A limit of the provider's; not a failure."""
    BROKEN = "broken"
    LYING = "lying"
    """Contradicts what is certain: another chain, an impossible number."""
    OURS = "ours"
    """The node does not understand the request: a mistake of this program's."""


class Rejection(StrEnum):
    """Why a chain refuses a transaction. A closed list: words of nodes are not passed on."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    NONCE_USED = "nonce_used"
    NONCE_GAP = "nonce_gap"
    FEE_TOO_LOW = "fee_too_low"
    ALREADY_SPENT = "already_spent"
    EXPIRED = "expired"
    INVALID = "invalid"
    POLICY = "policy"


class NodeError(Exception):
    """An answer that is none. ``cause`` is a word of ours, for metrics and the log: never what the node wrote."""

    def __init__(
        self,
        verdict: Verdict,
        cause: str,
        *,
        retry_after: float | None = None,
        rejection: Rejection | None = None,
    ) -> None:
        super().__init__(f"{verdict}: {cause}")
        self.verdict = verdict
        self.cause = cause
        self.retry_after = retry_after
        """Seconds, where a busy node says so."""
        self.rejection = rejection
        """With `Verdict.NO` of a broadcast."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What every source is made with, beside the transport to its endpoint."""

    network: Network
    coin: Asset
    tokens: Mapping[str, Asset]
    """The listed tokens of the network, by contract as the network shows it."""
    pin: str
    """What the chain is to say that it is: the reference of the network's CAIP-2 id (chain id, or the beginning of the
    genesis hash), or what the operator configured in its place for a chain of his own."""
    finality: int | str | None = None
    """Depth in blocks, or ``tag`` where nodes of the chain name a finalized block; None: as the chain usually has it.
    """
    op_stack: bool = False
    """EVM: it charges for the data of a transaction besides (OP stack), and says how much."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose balance or history is asked for."""

    canonical: bytes
    """`chains.base.ParsedAddress.canonical`; on Bitcoin the output script."""
    address: str
    """As the network shows it."""


@dataclass(frozen=True, slots=True)
class Head:
    height: int
    hash: str
    time: datetime
    finalized: int
    """Height up to which nothing changes any more, by the rule of the network."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What one holder has of one asset."""

    address: str
    asset: Asset
    confirmed: int
    pending: int = 0
    """What unconfirmed transactions add to it or, below zero, take away."""
    spendable: int | None = None
    """Of the confirmed, where it is less and the source can tell."""
    immature: int | None = None
    """Of the confirmed: coinbase outputs that cannot be spent yet."""
    details: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What else there is and cannot be spent: frozen TRX, the state of a TON account."""


@dataclass(frozen=True, slots=True)
class Balances:
    at: Head
    """Block that all of them are of."""
    found: Sequence[Balance]
    """In the order asked: by holder, then by asset. A token whose contract answers with nonsense is left out."""
    unreadable: Sequence[str] = ()
    """Ids of assets that could not be read: no contract, or not a token."""
    source: str = ""
    """Name of the source, put in by the pool; so in what follows."""
    verified: int = 1
    """By how many operators."""
    tells_pending: bool = False
    """`Balance.pending` holds what waits for a block. Elsewhere what was sent shows once it is in one."""


@dataclass(frozen=True, slots=True)
class Used:
    """Which addresses the chain has ever seen."""

    asked: int
    """Of how many of the holders this tells, from the first on: as many as the source can ask about in one answer."""
    addresses: frozenset[str]
    """Those of them that are used."""
    source: str = ""


class FeeQuality(StrEnum):
    ESTIMATE = "estimate"
    FLOOR = "floor"
    """The least that is relayed: the source had no data for an estimate."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Fees:
    slow: int
    normal: int
    fast: int
    unit: str
    """``sat/kvB``, ``wei``, ``sun``, ``micro-lamport/CU``, ``nanoton``."""
    quality: FeeQuality
    details: Mapping[str, int] = field(default_factory=dict)
    """What a caller needs to fill in the fields of a transaction: ``base_fee``, ``tip_normal``, ``energy_fee`` …"""
    clamped: bool = False
    source: str = ""


class State(StrEnum):
    UNKNOWN = "unknown"
    """The source has never heard of it."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    FINAL = "final"
    FAILED = "failed"
    """In a block, but it did not do what it says; the fee is paid."""
    REPLACED = "replaced"
    """Another one has used up what it needs."""
    EXPIRED = "expired"
    """It cannot get into a block any more."""
    DROPPED = "dropped"
    """It was seen, and is no longer; it may come back."""


@dataclass(frozen=True, slots=True)
class Block:
    height: int
    hash: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A transaction whose state is asked for."""

    tx_id: str
    ids: SignedIds | None = None
    """What its bytes say, where we have them: only then can `replaced` and `expired` be told."""
    valid_until_height: int | None = None
    """Solana: ``lastValidBlockHeight``, where the caller knows it."""


@dataclass(frozen=True, slots=True)
class Status:
    state: State
    block: Block | None = None
    confirmations: int = 0
    final: bool = False
    """Nothing changes it any more; ``failed`` and ``replaced`` are final only where their block is."""
    fee: int | None = None
    replaced_by: str | None = None
    may_still_execute_until: datetime | None = None
    """TON: it failed without using up its seqno, and the same bytes can still pay."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    tx_id: str
    known: bool = False
    """The network had it already."""
    certain: bool = True
    """False: bytes left, and no node has said that it took them."""
    source: str = ""


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    SELF = "self"


class EntryKind(StrEnum):
    TRANSFER = "transfer"
    CONTRACT = "contract"
    REWARD = "reward"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of one asset at one address."""

    tx_id: str
    index: str
    """Unique within (tx_id, address, asset): ``net``, ``value``, ``log:n``, ``call:path``, ``delta:account`` …"""
    address: str
    """Ours."""
    asset: Asset
    direction: Direction
    amount: int
    status: State
    """pending, confirmed, final, failed or dropped."""
    kind: EntryKind = EntryKind.TRANSFER
    counterparty: str | None = None
    fee: int | None = None
    """In the coin of the network, only where the address pays it, and only once a transaction."""
    block: Block | None = None
    position: int = 0
    """Within the block: entries are ordered by (height, position, tx_id, index)."""
    note: str | None = None
    """``zero_value``, ``unlisted``: what may be there to deceive."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """A later sighting of the same key takes the place of the earlier one."""
        return (self.tx_id, self.index, self.asset.id, self.address)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of one holder, newest first; those without a block come before all others."""

    entries: Sequence[Entry]
    next: str | None = None
    """Where the next page of this source begins, in words of its own; None: there is none."""
    cannot_see: tuple[str, ...] = ()
    """What this source leaves out: ``pending``, ``native``, ``internal``, ``tokens``, ``older``."""
    indexed: int | None = None
    """Height up to which an indexer has come, where it says so."""
    source: str = ""


class Questions(Protocol):
    """Whoever answers the questions of a network. A question it has no `Capability` for is never asked of a
    source; the pool raises SourceMissing then.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def head(self) -> Head: ...

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """Every asset of every holder, all at one block."""

    async def tokens(self, holder: Holder) -> Balances:
        """All tokens that a holder has of any contract, listed or not; without the coin, and without zeros."""

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """``begin``: `Page.next` of the page before; ``most``: entries wanted, which a source may exceed to end a
        transaction or a block.
        """

    async def fees(self) -> Fees: ...

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        """``signed``: as `domain.signing.Signed.raw` is written; ``ids``: ours, of the same bytes.

        That the network knows it already is success. NodeError with `Verdict.NO` and its rejection where it refuses.
        """

    async def status(self, tracked: Tracked) -> Status: ...

    async def transaction(self, tx_id: str) -> bytes:
        """The bytes of a transaction of anyone (Bitcoin); checked against ``tx_id``. `ELSEWHERE`: not known here."""

    async def used(self, holders: Sequence[Holder]) -> Used:
        """Which of them have a history, or hold something: the coin, or a listed token. At least one is asked about.

        Bitcoin: any transaction. EVM: a nonce, or a balance. Tron, Solana, TON: an account. An address that had tokens
        and gave them away has an account, or a nonce, by then.
        """

    async def close(self) -> None: ...


class Reader(Questions, Protocol):
    """All sources of a network."""

    async def agreed(self, question: Capability, ask: Callable[[Questions], Awaitable[T]]) -> T:
        """What several operators say alike. Raises NodesDisagree, NodeUnavailable, SourceMissing."""


class Source(Questions, Protocol):
    """One endpoint."""

    async def pin(self) -> None:
        """Asks which chain this is. NodeError with `Verdict.LYING` where it is another one than configured.

        The pool asks this before the first use and after each reconnect.
        """
