"""The same story through the Python client: each operation and each refusal as over plain HTTP."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
import pytest
from strongroom_client import AsyncClient, Client, Retries, StrongroomError, errors

from strongroom.errors import every_error
from strongroom.operations.registry import OPERATIONS
from tests.parity.story import STORY, still, tell
from tests.support.service import NewService, Outcome, joined, normaliser, said


class ClientFace:
    """What the typed client returns, in the terms that REST and gRPC share."""

    name = "client"

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def call(
        self,
        operation: str,
        command: Mapping[str, Any],
        *,
        key: str | None,
        idempotency_key: str | None = None,
        request_id: str = "test",
    ) -> Outcome:
        async with AsyncClient(
            "http://strongroom", key, retries=Retries(attempts=1), transport=Kept(self._transport)
        ) as client:
            try:
                result = await method(client, operation)(**command)
            except StrongroomError as error:
                code = error.code if type(error) is errors.ERRORS[error.code] else f"{type(error)} has {error.code}"
                hints = {name: joined(hint) for name, hint in error.hints.items()}
                return Outcome(
                    code, None, error.field, error.detail, error.reason, error.retry_after is not None, hints
                )
        return Outcome("ok", said(msgspec.to_builtins(result, enc_hook=str)))


class Kept(httpx.AsyncBaseTransport):
    """Not closed together with the client."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.handle_async_request = transport.handle_async_request  # type: ignore[method-assign]


def method(client: Client | AsyncClient, operation: str) -> Any:
    group, _, name = operation.partition(".")
    found = getattr(client, group)
    return getattr(found, name, None) or getattr(found, f"{name}_")


@pytest.mark.usefixtures("known_entropy")
async def test_the_story_is_the_same(new_service: NewService) -> None:
    told = []
    for over in ("http", "client"):
        async with still(new_service) as service:
            face: Any = service.http if over == "http" else ClientFace(service.http.client._transport)
            normalise = normaliser()
            outcomes = zip(STORY, await tell(service, face), strict=True)
            # The audit contains the calls themselves, and each call of the client has a key.
            told.append([(step, normalise(each.shared)) for step, each in outcomes if step.operation != "audit.list"])
    for plain, typed in zip(*told, strict=True):
        assert typed == plain


def test_every_operation_has_a_method_in_both_clients() -> None:
    with Client("http://strongroom", "key") as client:
        waiting = AsyncClient("http://strongroom", "key")
        for operation in OPERATIONS:
            ours = inspect.signature(method(client, operation.name))
            theirs = inspect.signature(method(waiting, operation.name))
            assert list(ours.parameters) == list(theirs.parameters)
            assert {each.encode_name for each in msgspec.structs.fields(operation.command)} <= set(ours.parameters)
            assert ("idempotency_key" in ours.parameters) is operation.mutates


def test_every_error_has_a_class() -> None:
    assert set(errors.ERRORS) == {error.code for error in every_error()} - {"configuration_error"}
