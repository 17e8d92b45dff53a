"""The port of the journal: two commits an operation, and what an idempotency key has been answered before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from strongroom.domain.principal import Principal
from strongroom.domain.record import AuditEntry, AuditRecord
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Address, SealedSecret
from strongroom.storage.base import Change, Conflict, MoveGuard, Row, SettleTask, Unit, Wake


class Outdated(Exception):
    """T1 was not committed: the secret that was to be opened is no longer its wallet's, or the wallet not active."""

    def __init__(self, wallet_id: UUID) -> None:
        super().__init__()
        self.wallet_id = wallet_id


class Lost(Exception):
    """The unit was not committed: one of its rows or changes lost against ``conflict.found``. No caller sees it."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__()
        self.conflict = conflict


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold. ``kind`` is one of those in docs/operations.md, ``key`` names the row in ``table``."""

    kind: str
    table: str
    key: str = ""
    record: str = ""
    """The audit record that says otherwise: writer/sequence."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one step of the verification found."""

    findings: tuple[Finding, ...]
    checked: int
    cursor: str | None
    """Where the next step begins; None: everything has been looked at."""


class Commit(Protocol):
    """`journal.committer.Committer.commit`."""

    async def __call__(self, unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]: ...


class Verifier(Protocol):
    """Holds the tables against their MACs and against the audit, a slice at a time."""

    async def slice(self, cursor: str | None, limit: int) -> Slice: ...
    async def recent(self, limit: int) -> Slice:
        """The bounded form for a start: what the newest ``limit`` records say, and every revocation."""


class SigningGate(Protocol):
    """Whether signatures may leave at present. Everything else goes on."""

    def require_open(self) -> None:
        """Raises RestoredDatabase, AuditNotAnchored."""

    async def permit(self, guards: Sequence[Guard]) -> None:
        """Raises RestoredDatabase for a nonce or seqno below what was stated after a restore."""


class Intent(Protocol):
    """An operation between its two commits: T1 is durable, T2 is what `settle` was given."""

    @property
    def operation_id(self) -> UUID: ...

    def settle(
        self,
        result: msgspec.Struct | None,
        *,
        rows: Sequence[Row] = (),
        same: Sequence[Address] = (),
        changes: Sequence[Change | MoveGuard | SettleTask] = (),
        wakes: Sequence[Wake] = (),
        met: Callable[[Row | None], msgspec.Struct | None] = lambda _: None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """What T2 commits: the answer as it is stored, the domain rows, and what is woken to go on from there.

        ``met`` is given the row that T2 lost against: where another request has done the same, it says what the answer
        is then. ``details`` go into the audit record of the outcome.
        """


class Journal(Protocol):
    """The journal as the handler of one call sees it."""

    def intent(
        self,
        *,
        wallet_id: UUID | None = None,
        network: str | None = None,
        opens: SealedSecret | None = None,
        guards: Sequence[Guard] = (),
        details: dict[str, Any] | None = None,
        options: SignOptions | None = None,
        keyed: bool = True,
    ) -> AbstractAsyncContextManager[Intent]:
        """T1 on entering {operation, guards, audit `requested`}, T2 on leaving.

        ``keyed``: what the call's idempotency key stands for. A step on the way to that is not: its answer is another.

        ``opens``: the secret that will be opened. T1 is committed only while that is what is stored for an active
        wallet, else this raises Outdated: a caller may have had the secret from memory.

        Leaving without `settle`, or by an exception, settles the operation as failed: guards released, audit `failed`.
        Raises InFlight, AlreadySigned, ExternalIdTaken, Superseded, IntegrityError, StorageUnavailable.
        """

    async def require_authentic(self, records: Sequence[AuditRecord]) -> None:
        """Raises IntegrityError if one of ``records`` is not in its chain."""

    async def commit(self, unit: Unit, *, wallet_id: UUID | None = None, network: str | None = None) -> None:
        """Commits what needs no key: an address that follows from a public node, a counter.

        With ``wallet_id`` or ``network`` an audit record says what was written.

        Raises Lost where a row or change of it loses, IntegrityError where a `same` row differs.
        """


class Entry(Journal, Protocol):
    """The journal of one call, as the pipeline sees it."""

    async def replay(self) -> bytes | None:
        """The stored answer of an earlier call with this idempotency key and command, if it is done.

        Raises InFlight, IdempotencyMismatch.
        """

    async def deny(self, reason: str) -> None:
        """Writes the audit record of a denial; of many in a minute, their number."""


class Entries(Protocol):
    """Makes the journal of a call. ``fingerprint`` is the HMAC of the command's canonical bytes."""

    def __call__(
        self, *, principal: Principal, request_id: str, client: str, operation: str, idempotency_key: str | None,
        command: bytes, now: datetime,
    ) -> Entry: ...  # fmt: skip
