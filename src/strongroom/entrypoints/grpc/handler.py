"""The one handler behind every RPC."""

from __future__ import annotations

import time
from functools import partial
from typing import Final, TypeAlias

import grpc
import msgspec
import structlog
from google.protobuf.message_factory import GetMessageClass

from strongroom.access.client_address import ClientAddresses, parse_grpc_peer
from strongroom.entrypoints.binding import bind
from strongroom.entrypoints.caller import presented_key, request_id
from strongroom.entrypoints.grpc.convert import read, write
from strongroom.entrypoints.grpc.pb.strongroom.v1.wallet_service_pb2 import DESCRIPTOR
from strongroom.entrypoints.grpc.status import to_status
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import InternalError, MalformedRequest, StrongroomError
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import OPERATIONS, Operation
from strongroom.telemetry.metrics import GRPC_REQUEST_SECONDS, GRPC_REQUESTS_TOTAL

log = structlog.get_logger(__name__)

SERVICE: Final = DESCRIPTOR.services_by_name["WalletService"]
REQUEST_ID: Final = "x-request-id"

Metadata = tuple[tuple[str, str | bytes], ...]
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

_LEAST_SECONDS: Final = 0.001


def handlers(
    pipeline: Pipeline,
    addresses: ClientAddresses,
    default_timeout: float,
    max_values: int = MAX_VALUES,
    offload: Offload | None = None,
) -> grpc.GenericRpcHandler:
    """Every row of the registry under its RPC's name. Messages pass as bytes: the pipeline decides when one is read."""
    threads = offload or Offload()
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        operation.rpc: grpc.unary_unary_rpc_method_handler(
            OperationMethod(operation, pipeline, addresses, default_timeout, max_values, threads).call
        )
        for operation in OPERATIONS
    }
    return grpc.method_handlers_generic_handler(SERVICE.full_name, methods)


class OperationMethod:
    def __init__(
        self,
        operation: Operation,
        pipeline: Pipeline,
        addresses: ClientAddresses,
        default_timeout: float,
        max_values: int,
        offload: Offload,
    ) -> None:
        method = SERVICE.methods_by_name[operation.rpc]
        self._operation = operation
        self._pipeline = pipeline
        self._addresses = addresses
        self._default_timeout = default_timeout
        self._max_values = max_values
        self._offload = offload
        self._request_type = GetMessageClass(method.input_type)
        self._result_type = GetMessageClass(method.output_type)
        self._seconds = GRPC_REQUEST_SECONDS.labels(operation.rpc)

    async def call(self, raw: bytes, context: Context) -> bytes:
        started = time.perf_counter()
        metadata = tuple(context.invocation_metadata() or ())
        identity = request_id(_values(metadata, REQUEST_ID))
        code = grpc.StatusCode.CANCELLED
        try:
            await context.send_initial_metadata(((REQUEST_ID, identity),))
            answer = await self._answer(raw, context, metadata, identity)
            if isinstance(answer, bytes):
                code = grpc.StatusCode.OK
                return answer
            status = to_status(answer, identity)
            code = status.code
            await context.abort(status.code, status.details, status.trailing_metadata)
        finally:
            GRPC_REQUESTS_TOTAL.labels(self._operation.rpc, code.name).inc()
            self._seconds.observe(time.perf_counter() - started)

    async def _answer(self, raw: bytes, context: Context, metadata: Metadata, identity: str) -> bytes | StrongroomError:
        try:
            request = Request(
                api_key=presented_key(_values(metadata, "x-api-key"), _values(metadata, "authorization")),
                bind=partial(self._bind, raw),
                request_id=identity,
                client=self._addresses.resolve(parse_grpc_peer(context.peer()), _values(metadata, "x-forwarded-for")),
                idempotency_key=_idempotency_key(metadata) if self._operation.mutates else None,
                timeout=_timeout(context.time_remaining(), self._default_timeout),
            )
            return write(await self._pipeline.run(self._operation, request), self._result_type)
        except StrongroomError as error:
            return error
        except Exception as error:
            log.error("grpc.crashed", method=self._operation.rpc, request_id=identity, exc_info=error)
            return InternalError("the request id finds it in the log")

    async def _bind(self, raw: bytes) -> msgspec.Struct:
        return await self._offload.run(self._offload.is_large_text(raw), self._from_bytes, raw)

    def _from_bytes(self, raw: bytes) -> msgspec.Struct:
        return bind(read(raw, self._request_type, self._max_values), self._operation.command)


def _values(metadata: Metadata, name: str) -> list[str]:
    return [value for key, value in metadata if key == name and isinstance(value, str)]


def _idempotency_key(metadata: Metadata) -> str | None:
    """Raises MalformedRequest where it came twice."""
    values = _values(metadata, "idempotency-key")
    if len(values) > 1:
        raise MalformedRequest("idempotency-key was sent more than once", field="idempotency-key")
    return values[0] if values else None


def _timeout(remaining: float | None, default: float) -> float:
    """Seconds that the caller still gives; never 0, which a `Request` takes for no limit."""
    return default if remaining is None else max(remaining, _LEAST_SECONDS)
