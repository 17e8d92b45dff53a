"""The port of the journal: two commits per operation, and the results that idempotency keys have had before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from strongroom.domain.alert import ALERT_TASK, SUBJECT_LENGTH, Rule, Seen, Sighting, alert_id
from strongroom.domain.principal import Principal
from strongroom.domain.record import AuditEntry, AuditRecord
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Address, SealedSecret, Wallet
from strongroom.errors import ExternalIdTaken, StrongroomError
from strongroom.storage.base import Change, Conflict, MoveGuard, Row, SettleTask, Unit, Wake


class Outdated(Exception):
    """T1 was not committed, because the secret has been replaced or the wallet is no longer active."""

    def __init__(self, wallet_id: UUID) -> None:
        super().__init__()
        self.wallet_id = wallet_id


class Lost(Exception):
    """The unit was not committed: one of its rows or changes lost against ``conflict.found``. It never reaches a
    caller.
    """

    def __init__(self, conflict: Conflict) -> None:
        super().__init__()
        self.conflict = conflict


def taken(lost: Lost) -> ExternalIdTaken | None:
    """The error if a new row lost because its external id is taken, otherwise None.

    It may name the other row. Rows belong to one tenant, and a caller that may see only certain wallets cannot make
    any.
    """
    cause, found = lost.conflict.cause, lost.conflict.found
    if isinstance(cause, Wallet) and isinstance(found, Wallet):
        return ExternalIdTaken(f"the wallet {found.id} already has this external_id", field="external_id")
    if isinstance(cause, Address) and isinstance(found, Address) and found.external_id == cause.external_id is not None:
        return ExternalIdTaken("another address already has this external_id", field="external_id")
    return None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not match. ``kind`` is one of those in docs/operations.md. ``key`` names the row in
    ``table``.
    """

    kind: str
    table: str
    key: str = ""
    record: str = ""
    """The audit record that contradicts the row, as writer/sequence."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one step of a verification found."""

    findings: tuple[Finding, ...]
    checked: int
    cursor: str | None
    """Where the next step begins, or None after the last one."""


def sighting_unit(rule: Rule, seen: Seen, now: datetime, told_at: datetime | None = None) -> Unit:
    """A unit with the sighting and the wake of its alert's task, to commit with the event or on its own."""
    subject = seen.subject[:SUBJECT_LENGTH]
    id_ = alert_id(rule.name, subject, seen.tenant_id)
    facts = msgspec.json.encode(dict(seen.facts)).decode()
    sighting = Sighting(id_, rule.name, subject, seen.tenant_id, now, told_at, facts)
    return Unit(puts=[sighting], wakes=[Wake(ALERT_TASK, str(id_), seen.tenant_id)])


class Commit(Protocol):
    """`journal.committer.Committer.commit`."""

    async def __call__(self, unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]: ...


Pair = tuple[Unit, Sequence[AuditEntry]]
"""A unit and its audit records."""


class Verifier(Protocol):
    """Compares the tables with their MACs and with the audit, a slice at a time."""

    async def slice(self, cursor: str | None, limit: int) -> Slice: ...
    async def recent(self, limit: int) -> Slice:
        """A short verification for the start of a process: the newest ``limit`` records, and every revocation."""


class SigningGate(Protocol):
    """Whether signing is allowed at present. Other operations go on."""

    def require_open(self) -> None:
        """Raises RestoredDatabase, AuditNotAnchored."""

    async def permit(self, guards: Sequence[Guard]) -> None:
        """Raises RestoredDatabase for a nonce or seqno below the one stated after a restore."""


class Intent(AbstractAsyncContextManager["Intent"], Protocol):
    """An operation between its two commits. T1 is durable, and T2 commits what `settle` was given."""

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
        """Says what T2 commits: the result to store, the domain rows, and the tasks to wake.

        ``met`` gets the row that T2 lost against. If another request has done the same, it returns the result for this
        one. ``details`` go into the audit record of the outcome.
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
        at_once: bool = False,
    ) -> Intent:
        """Commits T1 on entering {operation, guards, audit `requested`} and T2 on leaving.

        ``opens``: the secret that will be opened. T1 only succeeds if it is still the stored one of an active wallet.
        Otherwise Outdated is raised, because the caller may have had the secret from memory.

        ``keyed``: whether the idempotency key stands for this operation. For a step on the way it does not, since the
        step has another result.

        ``at_once``: no key is opened and no guard is held, so there is only one commit, on leaving. It checks ``opens``
        too.

        Leaving without `settle`, or by an exception, settles the operation as failed: guards are released, audit
        `failed`. Raises InFlight, AlreadySigned, ExternalIdTaken, Superseded, IntegrityError, StorageUnavailable.
        """

    async def require_authentic(self, records: Sequence[AuditRecord]) -> None:
        """Raises IntegrityError if one of ``records`` is not in its chain."""

    async def commit(self, unit: Unit, *, wallet_id: UUID | None = None, network: str | None = None) -> None:
        """Commits what needs no key, such as an address from a public node or a counter.

        With ``wallet_id`` or ``network`` an audit record says what was written. Raises Lost if a row or change loses,
        IntegrityError if a `same` row differs.
        """


class Entry(Journal, Protocol):
    """The journal of one call as the pipeline sees it."""

    async def replay(self) -> bytes | None:
        """The stored result of an earlier call with this idempotency key and command, or None.

        Raises InFlight, IdempotencyMismatch.
        """

    async def deny(self, reason: str) -> None:
        """Writes the audit record of a denial. If there are many within a minute, only their number is written."""


class Entries(Protocol):
    """Makes the journal of a call. ``command``: the canonical bytes of the command, of which only an HMAC is kept."""

    def __call__(
        self, *, principal: Principal, request_id: str, client: str, operation: str, idempotency_key: str | None,
        command: bytes, now: datetime, commit: Commit | None = None,
    ) -> Entry:  # fmt: skip
        """``commit``: how units reach the committer, if not directly."""

    async def commit_all(self, units: Sequence[Pair]) -> Sequence[Sequence[Row] | BaseException]:
        """For each unit what a `Commit` returns or raises. If possible they share one commit."""

    async def commit_at_once(self, intents: Sequence[Intent]) -> None:
        """Commits what intents with ``at_once`` have settled, all of it or nothing, instead of leaving each of them.

        Raises Lost, StorageUnavailable.
        """

    async def replays(self, entries: Sequence[Entry]) -> list[bytes | StrongroomError | None]:
        """For each entry what `Entry.replay` returns or raises, with a single query."""
