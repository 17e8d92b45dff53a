"""Server reflection, which like other documents is served only to addresses that may call.

The check is made here. An interceptor of the server would run before every call of every method.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.caller import request_id
from strongroom.entrypoints.grpc.handler import client_of
from strongroom.entrypoints.grpc.status import to_status
from strongroom.errors import Forbidden
from strongroom.operations.pipeline import Pipeline

_NAMES = (reflection.SERVICE_NAME, "grpc.reflection.v1.ServerReflection")
"""v1 and v1alpha have the same messages in different packages. On the wire, only the service's name differs."""


def reflection_handlers(
    services: Sequence[str], pipeline: Pipeline, addresses: ClientAddresses
) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers for both versions of the reflection service."""
    method = grpc.stream_stream_rpc_method_handler(
        _Guarded(services, pipeline, addresses).answers,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return tuple(grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method}) for name in _NAMES)


class _Guarded:
    def __init__(self, services: Sequence[str], pipeline: Pipeline, addresses: ClientAddresses) -> None:
        self._servicer = ReflectionServicer(services)
        self._pipeline = pipeline
        self._addresses = addresses

    async def answers(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        try:
            self._pipeline.admit(client_of(context, self._addresses))
        except Forbidden as refusal:
            status = to_status(refusal, request_id(()))
            await context.abort(status.code, status.details, status.trailing_metadata)
        answers: Any = self._servicer.ServerReflectionInfo(requests, context)  # an async generator
        async for answer in answers:
            yield answer
