"""How every operation runs, whichever face it was called through.

    authenticate -> limit -> authorise -> bind -> idempotency -> run -> answer

Faces hand in a `Request` and get a result or a StrongroomError; they see nothing in between, so nothing can differ.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from strongroom.access.api_keys import Authenticator
from strongroom.access.limits import RateLimits
from strongroom.domain.principal import Principal
from strongroom.domain.secret import Secret
from strongroom.errors import (
    BackgroundOnly,
    DeadlineExceeded,
    Forbidden,
    InFlight,
    InternalError,
    InvalidField,
    StrongroomError,
    Unavailable,
)
from strongroom.journal.base import Entries, Entry, Outdated, SigningGate
from strongroom.keys.base import Signer
from strongroom.operations.call import Call
from strongroom.operations.deadline import Deadline
from strongroom.operations.keyring import Keyring
from strongroom.operations.memory import WalletMemory
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.reading import Reading
from strongroom.operations.registry import Operation
from strongroom.storage.base import Storage
from strongroom.telemetry.metrics import OPERATION_SECONDS, OPERATIONS_IN_FLIGHT, OPERATIONS_TOTAL

log = structlog.get_logger(__name__)

IDEMPOTENCY_KEY_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Request:
    """A call as a face received it. ``bind`` reads and types the body: not before the caller is known and allowed."""

    api_key: str | None
    bind: Callable[[], Awaitable[msgspec.Struct]]
    request_id: str
    client: str
    idempotency_key: str | None = None
    timeout: float | None = None
    """Seconds that the caller gives; the service's own limit holds besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the operations of one process share."""

    storage: Storage
    signer: Signer
    networks: Networks
    keyring: Keyring
    authenticator: Authenticator
    limits: RateLimits
    entries: Entries
    reading: Reading
    gate: SigningGate | None = None
    wallets: WalletMemory = field(default_factory=WalletMemory)
    offload: Offload = field(default_factory=Offload)
    timeout: float = 30.0
    """Seconds that any operation may take."""
    serves: bool = True
    """False: this process is there for background work alone."""


class Pipeline:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, operation: Operation, request: Request) -> msgspec.Struct:
        """The operation's result. Raises StrongroomError, nothing else."""
        started = time.perf_counter()
        code = "ok"
        timeout = min(self._services.timeout, request.timeout or self._services.timeout)
        deadline = Deadline(asyncio.get_running_loop().time() + timeout)
        OPERATIONS_IN_FLIGHT.inc()
        try:
            async with asyncio.timeout_at(deadline.at):
                return await self._run(operation, request, deadline)
        except StrongroomError as error:
            if deadline.answer is not None and isinstance(error, Unavailable):
                return deadline.answer
            code = error.code
            raise
        except TimeoutError:
            if deadline.answer is not None:
                return deadline.answer
            code = DeadlineExceeded.code
            raise DeadlineExceeded("the operation took longer than its deadline") from None
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        except Exception as error:
            code = InternalError.code
            log.error("operation.crashed", operation=operation.name, request_id=request.request_id, exc_info=error)
            raise InternalError("something went wrong here; the request id finds it in the log") from None
        finally:
            seconds = time.perf_counter() - started
            OPERATIONS_IN_FLIGHT.dec()
            OPERATIONS_TOTAL.labels(operation.name, code).inc()
            OPERATION_SECONDS.labels(operation.name).observe(seconds)
            log.info(
                "operation.done", operation=operation.name, code=code, milliseconds=round(seconds * 1000, 2),
                request_id=request.request_id, client=request.client,
            )  # fmt: skip

    async def _run(self, operation: Operation, request: Request, deadline: Deadline) -> msgspec.Struct:
        services = self._services
        if not services.serves:
            raise BackgroundOnly("this process runs background work only; ask another", retry_after=1)
        now = datetime.now(UTC)
        principal = await services.authenticator.authenticate(request.api_key, now, request.client)
        await services.limits.hit(operation.limit, principal.id)
        if operation.scope not in principal.scopes:
            await self._entry(operation, request, principal, b"", now).deny(operation.scope)
            raise Forbidden(f"this needs the scope {operation.scope}")
        key = _idempotency_key(operation, request)
        command = await request.bind()
        entry = self._entry(operation, request, principal, canonical(command) if key else b"", now)
        if key is not None:
            stored = await entry.replay()
            if stored is not None:
                return msgspec.json.decode(stored, type=operation.result, dec_hook=_dec_hook)
        if services.gate is not None and operation.scope.startswith("sign:"):
            services.gate.require_open()
        call = Call(
            principal=principal,
            request_id=request.request_id,
            client=request.client,
            now=now,
            storage=services.storage,
            signer=services.signer,
            journal=entry,
            networks=services.networks,
            wallets=services.wallets,
            keyring=services.keyring,
            authenticator=services.authenticator,
            offload=services.offload,
            reading=services.reading,
            limits=services.limits,
            deadline=deadline,
        )
        try:
            return await _up_to_date(operation, command, call)
        except Forbidden as refusal:
            await entry.deny(refusal.message)
            raise

    def _entry(
        self, operation: Operation, request: Request, principal: Principal, command: bytes, now: datetime
    ) -> Entry:
        return self._services.entries(
            principal=principal,
            request_id=request.request_id,
            client=request.client,
            operation=operation.name,
            idempotency_key=request.idempotency_key if operation.mutates else None,
            command=command,
            now=now,
        )


async def _up_to_date(operation: Operation, command: msgspec.Struct, call: Call) -> msgspec.Struct:
    """Runs it. Where memory turns out to be out of date nothing has been done yet, and it is run on what is stored."""
    try:
        result: msgspec.Struct = await operation.run(command, call)
    except Outdated as found:
        call.wallets.usable.forget((call.tenant_id, found.wallet_id))
    else:
        return result
    try:
        result = await operation.run(command, call)
    except Outdated:
        raise InFlight("the wallet is being changed; try again", retry_after=1) from None
    return result


def canonical(command: msgspec.Struct) -> bytes:
    """The command's bytes for its fingerprint, the same from every face. Secrets are in it: it is only ever MACed."""
    return _CANONICAL.encode([type(command).__name__, _as_first_published(command)])


def _as_first_published(value: Any) -> Any:
    """Fields that a command got later are left out at their default: keys used before an upgrade are known after it."""
    if not isinstance(value, msgspec.Struct):
        return value
    later = _LATER.get(type(value).__name__, frozenset())
    tree = {}
    for each in msgspec.structs.fields(value):
        held = getattr(value, each.name)
        if each.name in later and held == _default(each):
            continue
        tree[each.encode_name] = _as_first_published(held)
    return tree


def _default(of: msgspec.structs.FieldInfo) -> Any:
    return of.default if of.default_factory is msgspec.NODEFAULT else of.default_factory()


def _idempotency_key(operation: Operation, request: Request) -> str | None:
    key = request.idempotency_key if operation.mutates else None
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidField(
            f"Idempotency-Key is 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII characters", field="Idempotency-Key"
        )
    return key


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError("this type has no canonical form")


def _dec_hook(target: type, value: Any) -> Any:
    if target is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("this type cannot be read")


_LATER: Final = {
    "CreateWallet": frozenset({"kind"}),
    "ImportWallet": frozenset({"discover"}),
    "Options": frozenset({"allow"}),
    "SignTransaction": frozenset({"broadcast"}),
    "SignMessage": frozenset({"domain", "timestamp", "payload"}),
    "SignAuthorization": frozenset({"allow_resign"}),
}
"""Fields of commands that 1.0 did not have, by the command's type."""
_CANONICAL: Final = msgspec.json.Encoder(enc_hook=_reveal, order="sorted")
