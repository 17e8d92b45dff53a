"""How every operation runs, over REST, gRPC or the command line.

  identify -> authorise -> bind -> limit -> idempotency -> run -> respond

A caller that has just been refused for its rate is refused again right after `identify`. A caller without the right, or
whose request cannot be read, is charged all the same.

A batch is identified, authorised and bound once. From there on each item is an operation of its own.

REST, gRPC and the command line hand in a `Request` and get a result or a StrongroomError. They see nothing in between,
so they cannot behave differently.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

import msgspec
import structlog
from prometheus_client import Counter, Histogram

from strongroom.access.limits import Told, tell_nobody
from strongroom.access.refusals import NotAdmitted, why
from strongroom.domain.principal import Principal
from strongroom.errors import (
    BackgroundOnly,
    DeadlineExceeded,
    Forbidden,
    InternalError,
    InvalidField,
    NotFound,
    StrongroomError,
    Unauthenticated,
    Unavailable,
    UnknownNetwork,
)
from strongroom.operations.batch_run import BatchRun
from strongroom.operations.batches import Item, item_result
from strongroom.operations.canonical import canonical, replayed
from strongroom.operations.deadline import Deadline
from strongroom.operations.handling import Asked, Handling, Services, deny, nothing
from strongroom.operations.registry import Batch, Operation
from strongroom.operations.sight import Touches, require_named
from strongroom.telemetry import tracing
from strongroom.telemetry.metrics import OPERATION_SECONDS, OPERATIONS_IN_FLIGHT, OPERATIONS_TOTAL

log = structlog.get_logger(__name__)

IDEMPOTENCY_KEY_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Request:
    """A call as REST or gRPC received it. ``bind`` reads and types the body once the caller is known and allowed."""

    credential: str | None
    """An API key or a token."""
    bind: Callable[[], Awaitable[msgspec.Struct]]
    request_id: str
    client: str
    idempotency_key: str | None = None
    certificate: bytes | None = None
    """The client's certificate in DER, verified in the handshake."""
    timeout: float | None = None
    """Seconds that the caller is willing to wait. The service's own limit applies as well."""
    tell: Told = tell_nobody
    """Receives the quotas that the call was charged to."""
    on_replay: Callable[[], None] = nothing
    """Called if the result comes from an earlier call with the same idempotency key."""


@cache
def _metrics(operation: str, code: str) -> tuple[Counter, Histogram]:
    return OPERATIONS_TOTAL.labels(operation, code), OPERATION_SECONDS.labels(operation)


class Pipeline:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._handling = Handling(services)

    def admit(self, client: str) -> None:
        """Checks the client address for requests that are not operations, such as documents. Raises Forbidden."""
        try:
            self._services.callers.admit(client)
        except Forbidden as refusal:
            if (found := why(refusal)) is not None:
                log.info("access.refused", reason=found.reason, client=client)
            raise

    async def run(self, operation: Operation, request: Request) -> msgspec.Struct:
        """Runs the operation and returns its result. Raises StrongroomError, and nothing else."""
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
            error.let_go()
            raise
        except TimeoutError:
            if deadline.answer is not None:
                return deadline.answer
            code = DeadlineExceeded.code
            raise DeadlineExceeded("the operation did not finish before its deadline") from None
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        except Exception as error:
            code = InternalError.code
            log.error("operation.crashed", operation=operation.name, request_id=request.request_id, exc_info=error)
            raise InternalError("unexpected error: look for the request id in the log") from None
        finally:
            seconds = time.perf_counter() - started
            tracing.note(operation=operation.name, code=code)
            OPERATIONS_IN_FLIGHT.dec()
            total, duration = _metrics(operation.name, code)
            total.inc()
            duration.observe(seconds)
            log.info(
                "operation.done", operation=operation.name, code=code, milliseconds=round(seconds * 1000, 2),
                request_id=request.request_id, client=request.client,
            )  # fmt: skip

    async def _run(self, operation: Operation, request: Request, deadline: Deadline) -> msgspec.Struct:
        if not self._services.serves:
            raise BackgroundOnly("this process only runs background work: send the request to another", retry_after=1)
        asked = await self._admit(operation, request)
        command = await self._bind(operation, request, asked)
        if operation.batch is not None:
            return await self._run_batch(operation, operation.batch, command, asked, deadline)
        return await self._run_one(operation, command, asked, deadline)

    async def _admit(self, operation: Operation, request: Request) -> Asked:
        """The checks before the body is read. Raises Unauthenticated, RateLimited, Forbidden."""
        services = self._services
        now = datetime.now(UTC)
        principal = await self._identify(operation, request, now)
        key = request.idempotency_key if operation.mutates else None
        asked = Asked(principal, request.request_id, request.client, now, key, request.tell, request.on_replay)
        services.limits.require_room(principal, operation.limit, request.tell)
        if operation.scope not in principal.scopes:
            await services.limits.charge(principal, operation.limit, tell=request.tell)
            await self._handling.entry(operation, asked, b"").deny(operation.scope)
            raise Forbidden(f"the caller needs the scope {operation.scope}")
        return asked

    async def _bind(self, operation: Operation, request: Request, asked: Asked) -> msgspec.Struct:
        """The command. A body that cannot be read is charged for here; a command is charged for later."""
        try:
            _check_key(asked.key)
            with tracing.span("bind"):
                return await request.bind()
        except StrongroomError:
            await self._services.limits.charge(asked.principal, operation.limit, tell=asked.tell)
            raise

    async def _run_one(
        self, operation: Operation, command: msgspec.Struct, asked: Asked, deadline: Deadline
    ) -> msgspec.Struct:
        touched = operation.touches(command)
        unseen = self._unseen(touched, asked)
        seen = touched.wallets if unseen is None else ()
        await self._services.limits.charge(asked.principal, operation.limit, seen, tell=asked.tell)
        entry = self._handling.entry(operation, asked, canonical(command) if asked.key else b"")
        if unseen is not None:
            await deny(entry, unseen)
            raise unseen
        if asked.key is not None:
            stored = await entry.replay()
            if stored is not None:
                asked.on_replay()
                return replayed(operation.result, stored)
        self._require_open(operation)
        return await self._handling.handle(operation, command, asked, entry, deadline, touched)

    async def _run_batch(
        self, operation: Operation, batch: Batch, command: msgspec.Struct, asked: Asked, deadline: Deadline
    ) -> msgspec.Struct:
        services = self._services
        items = await self._items(operation, batch, command, asked)
        touched = [batch.of.touches(item.command) for item in items]
        unseen = [self._unseen(each, asked) for each in touched]
        charged = [() if hidden else each.wallets for each, hidden in zip(touched, unseen, strict=True)]
        limited = await services.limits.charge_items(asked.principal, operation.limit, charged, asked.tell)
        refused = [hidden or over for hidden, over in zip(unseen, limited, strict=True)]
        for each in filter(None, unseen):
            await deny(self._handling.entry(batch.of, replace(asked, key=None), b""), each)
        repeated = await self._note_batch(operation, command, asked, len(items))
        self._require_open(batch.of)
        run = BatchRun(self._handling, batch, items, touched, refused, asked, services.entries, services.signer)
        outcomes = await run.outcomes(services.slices, deadline.until(services.timeout), repeated=repeated)
        results = [item_result(batch.item_result, *each) for each in zip(items, outcomes, strict=True)]
        return operation.result(results=results)

    async def _items(self, operation: Operation, batch: Batch, command: msgspec.Struct, asked: Asked) -> Sequence[Item]:
        """The items of a batch. A batch that cannot be split is charged for like a body that cannot be read."""
        try:
            return batch.items(command)
        except StrongroomError:
            await self._services.limits.charge(asked.principal, operation.limit, tell=asked.tell)
            raise

    async def _note_batch(self, operation: Operation, command: msgspec.Struct, asked: Asked, items: int) -> bool:
        """Whether an earlier call with this key may have done some items. It must have been for the same batch.

        The batch's own row only records what its key stands for. The rows of the items record what was done. Raises
        IdempotencyMismatch, InFlight.
        """
        if asked.key is None:
            return False
        entry = self._handling.entry(operation, asked, await self._services.offload.run(True, canonical, command))
        if await entry.replay() is not None:
            return True
        async with entry.intent(details={"items": items}) as intent:
            intent.settle(None)
        return False

    def _unseen(self, touched: Touches, asked: Asked) -> StrongroomError | None:
        """The error for a caller that may not see everything that the command names, or None."""
        try:
            require_named(touched, asked.principal.restriction, self._services.networks)
        except (Forbidden, NotFound, UnknownNetwork) as refusal:
            return refusal
        return None

    def _require_open(self, operation: Operation) -> None:
        """Raises RestoredDatabase, AuditNotAnchored."""
        if self._services.gate is not None and operation.scope.startswith("sign:"):
            self._services.gate.require_open()

    async def _identify(self, operation: Operation, request: Request, now: datetime) -> Principal:
        """The caller. If it is refused, the reason goes to the log and the audit."""
        try:
            return await self._services.callers.identify(
                request.credential, request.client, now, certificate=request.certificate
            )
        except (Unauthenticated, Forbidden) as refusal:
            if (found := why(refusal)) is not None:
                await self._note_refusal(found, operation, request, now)
            raise

    async def _note_refusal(self, found: NotAdmitted, operation: Operation, request: Request, now: datetime) -> None:
        log.info(
            "access.refused", operation=operation.name, reason=found.reason, request_id=request.request_id,
            client=request.client,
        )  # fmt: skip
        if found.principal is not None:
            asked = Asked(found.principal, request.request_id, request.client, now)
            await self._handling.entry(operation, asked, b"").deny(found.reason)


def _check_key(key: str | None) -> None:
    """Checks the form of an idempotency key. Raises InvalidField."""
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidField(
            f"Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII characters", field="Idempotency-Key"
        )
