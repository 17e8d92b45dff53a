"""One operation for one caller: its journal entry, what its handler is given, and the handler run on current state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from strongroom.access.callers import Callers
from strongroom.access.limits import RateLimits, Told, tell_nobody
from strongroom.alerts.base import Alerting
from strongroom.domain.discovery import GAP
from strongroom.domain.principal import Principal
from strongroom.errors import Forbidden, InFlight, LimitExceeded, StrongroomError
from strongroom.journal.base import Commit, Entries, Entry, Outdated, SigningGate
from strongroom.keys.base import Signer
from strongroom.operations.call import Call
from strongroom.operations.deadline import Deadline
from strongroom.operations.keyring import Keyring
from strongroom.operations.memory import WalletMemory
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.reading import Reading
from strongroom.operations.registry import Operation
from strongroom.operations.sight import Touches
from strongroom.operations.together import Slices
from strongroom.storage.base import Storage
from strongroom.telemetry.signals import SIGNALS


def nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known about a call once its caller is identified."""

    principal: Principal
    request_id: str
    client: str
    now: datetime
    key: str | None = None
    """The idempotency key, if the operation takes one."""
    tell: Told = tell_nobody
    on_replay: Callable[[], None] = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services that the operations of one process share."""

    storage: Storage
    signer: Signer
    networks: Networks
    keyring: Keyring
    callers: Callers
    limits: RateLimits
    entries: Entries
    reading: Reading
    gate: SigningGate | None = None
    alerting: Alerting = field(default_factory=Alerting)
    wallets: WalletMemory = field(default_factory=WalletMemory)
    offload: Offload = field(default_factory=Offload)
    slices: Slices = field(default_factory=Slices)
    timeout: float = 30.0
    """The most seconds that an operation may take."""
    gap: int = GAP
    """The gap of a discovery whose request sets none."""
    serves: bool = True
    """False in a process that only does background work."""


class Handling:
    """What a single operation and each item of a batch have in common once the call is admitted and bound."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def handle(
        self,
        operation: Operation,
        command: msgspec.Struct,
        asked: Asked,
        entry: Entry,
        deadline: Deadline,
        touched: Touches,
        signer: Signer | None = None,
    ) -> msgspec.Struct:
        """Runs the operation's handler, after all checks that come before it."""
        call = self.call(asked, entry, deadline, touched, signer)
        try:
            return await _up_to_date(operation, command, call)
        except StrongroomError as refusal:
            await deny(entry, refusal)
            if isinstance(refusal, LimitExceeded):
                _note_limit(operation, command, asked.principal, refusal)
            raise

    def call(
        self, asked: Asked, entry: Entry, deadline: Deadline, touched: Touches, signer: Signer | None = None
    ) -> Call:
        services = self._services
        return Call(
            principal=asked.principal,
            request_id=asked.request_id,
            client=asked.client,
            now=asked.now,
            storage=services.storage,
            signer=signer or services.signer,
            journal=entry,
            networks=services.networks.only(asked.principal.restriction.networks),
            wallets=services.wallets,
            keyring=services.keyring,
            callers=services.callers,
            offload=services.offload,
            reading=services.reading,
            alerting=services.alerting,
            limits=services.limits,
            deadline=deadline,
            gap=services.gap,
            touched=touched,
            tell=asked.tell,
        )

    def entry(self, operation: Operation, asked: Asked, command: bytes, commit: Commit | None = None) -> Entry:
        """The journal's entry for the call. ``command``: its canonical bytes, needed only with an idempotency key."""
        return self._services.entries(
            principal=asked.principal,
            request_id=asked.request_id,
            client=asked.client,
            operation=operation.name,
            idempotency_key=asked.key,
            command=command,
            now=asked.now,
            commit=commit,
        )


def _note_limit(operation: Operation, command: msgspec.Struct, principal: Principal, refusal: LimitExceeded) -> None:
    """Notes a caller that wanted to sign for more than a limit allows. It made a mistake, or somebody stole its key."""
    if operation.scope.startswith("sign:"):
        facts = {"reason": refusal.message, "operation": operation.name, "api_key": principal.name}
        wallet_id = getattr(command, "wallet_id", "")
        SIGNALS.note("fee_cap", str(principal.id), principal.tenant_id, wallet=wallet_id, **facts)


async def deny(entry: Entry, refusal: StrongroomError) -> None:
    """Records a denial in the audit if the caller was refused for who it is."""
    if isinstance(refusal, Forbidden) or refusal.denial is not None:
        await entry.deny(refusal.denial or refusal.message)


async def _up_to_date(operation: Operation, command: msgspec.Struct, call: Call) -> msgspec.Struct:
    """Runs the handler. If a wallet in memory was out of date, nothing has been done yet, and the handler runs again
    with the stored one.
    """
    assert operation.run is not None, "a batch has no work of its own"
    try:
        result: msgspec.Struct = await operation.run(command, call)
    except Outdated as found:
        call.wallets.usable.forget((call.tenant_id, found.wallet_id))
    else:
        return result
    try:
        result = await operation.run(command, call)
    except Outdated:
        raise InFlight("another request is changing the wallet: try again", retry_after=1) from None
    return result
