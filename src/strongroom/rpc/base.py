"""The port for reading chains: the questions that a node or an indexer can be asked, and the form of the responses.

A *source* is one endpoint of one kind. It implements this port. So does the pool, which asks the best of a network's
sources. Caching happens above this port, in `operations.reading`. Amounts are integers in base units of their asset.
Heights are those of the chain (the slot on Solana, the masterchain seqno on TON). Times are in UTC.

Sources raise `NodeError`, which never leaves this package. The pool turns it into an error for callers.
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
    """A question that a source can be asked."""

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
    """What an error says about the node that returned it."""

    NO = "no"
    """The chain refuses. This is final, and the node is healthy."""
    ELSEWHERE = "elsewhere"
    """This node cannot tell. It is behind, has pruned the data, or does not know the method."""
    BUSY = "busy"
    """A limit of the provider was reached. This is not a failure."""
    BROKEN = "broken"
    LYING = "lying"
    """The response contradicts what is certain: it is of another chain, or has an impossible number."""
    OURS = "ours"
    """The node does not understand the request, which is a bug of this service."""


class Rejection(StrEnum):
    """Why a chain refuses a transaction. The list is closed, because the texts of nodes are not passed on."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    NONCE_USED = "nonce_used"
    NONCE_GAP = "nonce_gap"
    FEE_TOO_LOW = "fee_too_low"
    ALREADY_SPENT = "already_spent"
    EXPIRED = "expired"
    INVALID = "invalid"
    POLICY = "policy"


class NodeError(Exception):
    """A question without a usable response. ``cause`` is a word of ours for metrics and the log, never a text of the
    node.
    """

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
        """Seconds, if a busy node gives them."""
        self.rejection = rejection
        """Set with `Verdict.NO` for a broadcast."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What every source is made with, beside the transport to its endpoint."""

    network: Network
    coin: Asset
    tokens: Mapping[str, Asset]
    """The listed tokens of the network, by contract in the network's notation."""
    pin: str
    """The identity that the chain must have: the reference of the network's CAIP-2 id (the chain id, or the beginning
    of the genesis hash), or what the operator configured instead for a chain of their own.
    """
    finality: int | str | None = None
    """Depth in blocks, or ``tag`` if nodes of the chain name a finalized block. None for the chain's usual rule."""
    op_stack: bool = False
    """EVM: whether the chain also charges for the data of a transaction and can tell how much (OP stack)."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The address whose balance or history is asked for."""

    canonical: bytes
    """`chains.base.ParsedAddress.canonical`. On Bitcoin it is the output script."""
    address: str
    """The address in the network's notation."""


@dataclass(frozen=True, slots=True)
class Head:
    height: int
    hash: str
    time: datetime
    finalized: int
    """Height up to which nothing changes any more, by the rule of the network."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What one holder has of one asset, in base units."""

    address: str
    asset: Asset
    confirmed: int
    pending: int = 0
    """What unconfirmed transactions add or, if negative, take away."""
    spendable: int | None = None
    """The part of confirmed that can be spent, if it is less and the source can tell."""
    immature: int | None = None
    """The part of confirmed that is in coinbase outputs which cannot be spent yet."""
    details: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What else the account has that cannot be spent, such as frozen TRX, or its state on TON."""


@dataclass(frozen=True, slots=True)
class Balances:
    at: Head
    """The block that all of them belong to."""
    found: Sequence[Balance]
    """In the order of the question, by holder and then by asset. A token whose contract returns nonsense is
    left out.
    """
    unreadable: Sequence[str] = ()
    """Ids of assets that could not be read, because there is no contract or it is not a token."""
    source: str = ""
    """Name of the source, which the pool fills in. The same goes for ``source`` in the classes below."""
    verified: int = 1
    """Number of operators that agreed."""
    tells_pending: bool = False
    """Whether `Balance.pending` holds what waits for a block. Otherwise a transaction shows once it is in one."""


@dataclass(frozen=True, slots=True)
class Used:
    """Which addresses were ever seen on the chain."""

    asked: int
    """How many of the holders, from the first on, this response covers. A source limits them to what one response can
    hold.
    """
    addresses: frozenset[str]
    """The used addresses among them."""
    source: str = ""


class FeeQuality(StrEnum):
    ESTIMATE = "estimate"
    FLOOR = "floor"
    """The lowest fee that is relayed, because the source had no data for an estimate."""
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
    """Values for the fields of a transaction: ``base_fee``, ``tip_normal``, ``energy_fee`` …"""
    clamped: bool = False
    source: str = ""


class State(StrEnum):
    UNKNOWN = "unknown"
    """The source has never seen it."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    FINAL = "final"
    FAILED = "failed"
    """In a block, but without the effect that it names. The fee is paid."""
    REPLACED = "replaced"
    """Another transaction has used what it needs."""
    EXPIRED = "expired"
    """It cannot get into a block any more."""
    DROPPED = "dropped"
    """It was seen earlier and has disappeared. It may come back."""


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
    """What its bytes say, if we have them. Without them `replaced` and `expired` cannot be told."""
    valid_until_height: int | None = None
    """Solana: ``lastValidBlockHeight``, if the caller knows it."""


@dataclass(frozen=True, slots=True)
class Status:
    state: State
    block: Block | None = None
    confirmations: int = 0
    final: bool = False
    """Whether nothing changes the state any more. ``failed`` and ``replaced`` are final once their block is."""
    fee: int | None = None
    replaced_by: str | None = None
    may_still_execute_until: datetime | None = None
    """TON: it failed without using up its seqno, so the same bytes can still pay until then."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    tx_id: str
    known: bool = False
    """Whether the network already had it."""
    certain: bool = True
    """False if bytes were sent and no node has confirmed that it took them."""
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
    """Unique for a transaction, address and asset: ``net``, ``value``, ``log:n``, ``call:path``, ``delta:account`` …"""
    address: str
    """The holder's address."""
    asset: Asset
    direction: Direction
    amount: int
    status: State
    """Pending, confirmed, final, failed or dropped."""
    kind: EntryKind = EntryKind.TRANSFER
    counterparty: str | None = None
    fee: int | None = None
    """In the coin of the network. Set only if the address pays it, and on one entry per transaction."""
    block: Block | None = None
    position: int = 0
    """Place within the block. Entries are ordered by (height, position, tx_id, index)."""
    note: str | None = None
    """``zero_value`` or ``unlisted``, signs of a deceptive entry."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """A later sighting with the same key replaces the earlier one."""
        return (self.tx_id, self.index, self.asset.id, self.address)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of one holder, newest first. Those without a block come before all others."""

    entries: Sequence[Entry]
    next: str | None = None
    """Where the source's next page begins, in its own notation. None if there is no other page."""
    cannot_see: tuple[str, ...] = ()
    """What this source leaves out: ``pending``, ``native``, ``internal``, ``tokens``, ``older``."""
    indexed: int | None = None
    """Height up to which an indexer has got, if it tells."""
    source: str = ""


class Questions(Protocol):
    """The questions about a network. A source is never asked a question for which it lacks the `Capability`. The pool
    raises SourceMissing if all sources lack it.
    """

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    async def head(self) -> Head: ...

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """The balance of every asset of every holder, all at one block."""

    async def tokens(self, holder: Holder) -> Balances:
        """All tokens that a holder has, listed or not. Without the coin, and without zero balances."""

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page of history.

        ``begin``: `Page.next` of the previous page. ``most``: number of entries wanted. A source may return more to
        complete a transaction or a block.
        """

    async def fees(self) -> Fees: ...

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        """Sends a transaction. ``signed``: as in `domain.signing.Signed.raw`. ``ids``: computed by us from the same
        bytes.

        If the network already knows the transaction, that is success. If it refuses, raises NodeError with `Verdict.NO`
        and a rejection.
        """

    async def status(self, tracked: Tracked) -> Status: ...

    async def transaction(self, tx_id: str) -> bytes:
        """The bytes of any transaction (Bitcoin), checked against ``tx_id``. Raises NodeError with `ELSEWHERE` if
        unknown here.
        """

    async def used(self, holders: Sequence[Holder]) -> Used:
        """Which holders have a history, or hold the coin or a listed token. The response covers at least one of them.

        A holder counts as used on Bitcoin with any transaction, on EVM with a nonce or a balance, and on Tron, Solana
        and TON with an account. An address that received tokens and gave them away has an account, or a nonce, by then.
        """

    async def close(self) -> None: ...


class Reader(Questions, Protocol):
    """All sources of a network."""

    async def agreed(self, question: Capability, ask: Callable[[Questions], Awaitable[T]]) -> T:
        """What several operators agree on. Raises NodesDisagree, NodeUnavailable, SourceMissing."""


class Source(Questions, Protocol):
    """One endpoint."""

    async def pin(self) -> None:
        """Checks which chain this is. Raises NodeError with `Verdict.LYING` if it is not the configured one.

        The pool calls this before the first use and after each reconnection.
        """
