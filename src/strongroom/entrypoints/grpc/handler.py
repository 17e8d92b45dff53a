"""The handler behind every RPC."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Final, TypeAlias

import grpc
import msgspec
import structlog
from google.protobuf.message_factory import GetMessageClass
from prometheus_client import Counter

from strongroom.access.client_address import ClientAddresses, parse_grpc_peer
from strongroom.access.limits import Quota, Told
from strongroom.entrypoints.binding import bind
from strongroom.entrypoints.caller import presented_credential, quota_fields, request_id
from strongroom.entrypoints.grpc.convert import read, write
from strongroom.entrypoints.grpc.pb.strongroom.v1.wallet_service_pb2 import DESCRIPTOR
from strongroom.entrypoints.grpc.status import to_status
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import BodyTooLarge, InternalError, MalformedRequest, StrongroomError
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import OPERATIONS, Operation
from strongroom.telemetry import tracing
from strongroom.telemetry.metrics import GRPC_REQUEST_SECONDS, GRPC_REQUESTS_TOTAL

log = structlog.get_logger(__name__)

SERVICE: Final = DESCRIPTOR.services_by_name["WalletService"]
REQUEST_ID: Final = "x-request-id"
REPLAYED: Final = "idempotency-replayed"

Metadata = tuple[tuple[str, str | bytes], ...]
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

_FAULTS: Final = {
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}  # fmt: skip
"""Status codes that OpenTelemetry counts as the server's fault. The others are the caller's."""
_LEAST_SECONDS: Final = 0.001
_REMEMBERED: Final = 1024
"""Certificates."""


def handlers(
    pipeline: Pipeline,
    addresses: ClientAddresses,
    default_timeout: float,
    max_values: int = MAX_VALUES,
    offload: Offload | None = None,
    *,
    tls: bool = False,
    max_message: int = 1 << 20,
    max_batch: int = 8 << 20,
) -> grpc.GenericRpcHandler:
    """Handlers for all operations by RPC. Messages pass as bytes, because the pipeline decides when to read one."""
    threads = offload or Offload()
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        operation.rpc: grpc.unary_unary_rpc_method_handler(
            OperationMethod(
                operation,
                pipeline,
                addresses,
                default_timeout,
                max_values,
                threads,
                tls=tls,
                max_size=max_message if operation.batch is None else max_batch,
            ).call
        )
        for operation in OPERATIONS
    }
    return grpc.method_handlers_generic_handler(SERVICE.full_name, methods)


class OperationMethod:
    """The RPC of one operation."""

    def __init__(
        self,
        operation: Operation,
        pipeline: Pipeline,
        addresses: ClientAddresses,
        default_timeout: float,
        max_values: int,
        offload: Offload,
        *,
        tls: bool,
        max_size: int,
    ) -> None:
        method = SERVICE.methods_by_name[operation.rpc]
        self._operation = operation
        self._pipeline = pipeline
        self._addresses = addresses
        self._default_timeout = default_timeout
        self._max_values = max_values
        self._offload = offload
        self._tls = tls
        self._max_size = max_size
        self._request_type = GetMessageClass(method.input_type)
        self._result_type = GetMessageClass(method.output_type)
        self._span_name = f"{SERVICE.full_name}/{operation.rpc}"
        self._seconds = GRPC_REQUEST_SECONDS.labels(operation.rpc)

    async def call(self, raw: bytes, context: Context) -> bytes:
        metadata = tuple(context.invocation_metadata() or ())
        with tracing.serve(_values(metadata, "traceparent")) as span:
            try:
                return await self._call(raw, context, metadata, span)
            except grpc.aio.AbortError as abort:
                del raw  # gRPC keeps the error, and its frames keep this, until cycles are collected; see `let_go`
                abort.__traceback__ = None
                raise

    async def _call(
        self, raw: bytes, context: Context, metadata: Metadata, span: tracing.Span | tracing.Nothing
    ) -> bytes:
        started = time.perf_counter()
        identity = request_id(_values(metadata, REQUEST_ID))
        code = grpc.StatusCode.CANCELLED
        quotas: list[Quota] = []
        try:
            replays: list[tuple[str, str]] = []
            answer = await self._answer(
                raw, context, metadata, identity, quotas.extend, lambda: replays.append((REPLAYED, "true"))
            )
            # Initial metadata before the message would cost gRPC another batch, and another turn of the event loop.
            told = ((REQUEST_ID, identity), *quota_fields(quotas), *replays)
            if isinstance(answer, bytes):
                code = grpc.StatusCode.OK
                context.set_trailing_metadata(told)
                return answer
            status = to_status(answer, identity)
            code = status.code
            del answer  # its traceback refers to this frame, until cycles are collected
            await context.abort(status.code, status.details, (*status.trailing_metadata, *told))
        finally:
            span.name = self._span_name
            if code in _FAULTS:
                span.fail(code.name)
            span.note(rpc_method=self._operation.rpc, rpc_status=code.name)
            _total(self._operation.rpc, code.name).inc()
            self._seconds.observe(time.perf_counter() - started)

    async def _answer(
        self,
        raw: bytes,
        context: Context,
        metadata: Metadata,
        identity: str,
        tell: Told,
        on_replay: Callable[[], None],
    ) -> bytes | StrongroomError:
        try:
            request = Request(
                credential=presented_credential(_values(metadata, "x-api-key"), _values(metadata, "authorization")),
                bind=partial(self._bind, raw),
                request_id=identity,
                client=_client(context, metadata, self._addresses),
                certificate=_certificate(context) if self._tls else None,
                idempotency_key=_idempotency_key(metadata) if self._operation.mutates else None,
                timeout=_timeout(context.time_remaining(), self._default_timeout),
                tell=tell,
                on_replay=on_replay,
            )
            result = await self._pipeline.run(self._operation, request)
            if self._operation.batch is None:
                return write(result, self._result_type)
            return await asyncio.to_thread(write, result, self._result_type)  # a batch would block the event loop
        except StrongroomError as error:
            return error
        except Exception as error:
            log.error("grpc.crashed", method=self._operation.rpc, request_id=identity, exc_info=error)
            return InternalError("unexpected error: look for the request id in the log")

    async def _bind(self, raw: bytes) -> msgspec.Struct:
        return await self._offload.run(self._offload.is_large_text(raw), self._from_bytes, raw)

    def _from_bytes(self, raw: bytes) -> msgspec.Struct:
        if len(raw) > self._max_size:
            raise BodyTooLarge(f"the message must have at most {self._max_size} bytes")
        return bind(read(raw, self._request_type, self._max_values), self._operation.command)


@cache
def _total(rpc: str, code: str) -> Counter:
    return GRPC_REQUESTS_TOTAL.labels(rpc, code)


def client_of(context: Context, addresses: ClientAddresses) -> str:
    """The address from which a call comes."""
    return _client(context, tuple(context.invocation_metadata() or ()), addresses)


def _client(context: Context, metadata: Metadata, addresses: ClientAddresses) -> str:
    return addresses.resolve(parse_grpc_peer(context.peer()), _values(metadata, "x-forwarded-for"))


def _values(metadata: Metadata, name: str) -> list[str]:
    return [value for key, value in metadata if key == name and isinstance(value, str)]


def _certificate(context: Context) -> bytes | None:
    """The client's certificate as DER, or None if none was requested."""
    shown = context.auth_context().get("x509_pem_cert")
    return _to_der(next(iter(shown))) if shown else None


@lru_cache(maxsize=_REMEMBERED)
def _to_der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))


def _idempotency_key(metadata: Metadata) -> str | None:
    """Raises MalformedRequest if it was sent twice."""
    values = _values(metadata, "idempotency-key")
    if len(values) > 1:
        raise MalformedRequest("idempotency-key was sent more than once", field="idempotency-key")
    return values[0] if values else None


def _timeout(remaining: float | None, default: float) -> float:
    """Seconds that the caller still allows. Never 0, which means no limit in a `Request`."""
    return default if remaining is None else max(remaining, _LEAST_SECONDS)
