"""The two clients, synchronous and asynchronous, with the same operations."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from ssl import SSLContext
from typing import Any, Final, Self

import httpx

from strongroom_client.core import Call, Operation, Retries
from strongroom_client.errors import ERRORS
from strongroom_client.operations import AsyncOperations, Operations

PREFIX: Final = "/api/v1"
Key = str | Callable[[], str]
"""An API key or a JWT, or a function that returns the current one and is called before each attempt."""


class _Settings:
    def __init__(self, url: str | None, key: Key | None, retries: Retries | None) -> None:
        url = url or os.environ.get("STRONGROOM_URL") or "http://127.0.0.1:3000"
        self.base = url.rstrip("/").removesuffix(PREFIX) + PREFIX
        self._key = key or os.environ.get("STRONGROOM_API_KEY")
        self._retries = retries or Retries()

    def call(self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None) -> Call:
        return Call(operation, arguments, ERRORS, self._retries, idempotency_key)

    def request(self, call: Call) -> dict[str, Any]:
        headers = call.headers
        key = self._key() if callable(self._key) else self._key
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return {
            "method": call.operation.method,
            "url": self.base + call.path,
            "params": call.query or None,
            "content": call.body,
            "headers": headers,
        }


def _why(error: httpx.TransportError) -> str:
    """The system's words say whether it is DNS, the port, TLS or time. Those about a header would contain the key."""
    name = type(error).__name__
    return name if isinstance(error, httpx.LocalProtocolError) or not str(error) else f"{name}: {error}"


class Client(Operations):
    """Synchronous. Use it in a ``with`` block, or call `close`. It may be shared by threads.

    ``url`` and ``key`` default to the environment variables STRONGROOM_URL and STRONGROOM_API_KEY. ``timeout`` is the
    number of seconds for one attempt. ``tls`` is a context with your own CA or client certificate. ``transport`` is
    one of httpx, for a proxy or a test.
    """

    def __init__(
        self,
        url: str | None = None,
        key: Key | None = None,
        *,
        timeout: float = 35.0,
        retries: Retries | None = None,
        tls: SSLContext | bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = _Settings(url, key, retries)
        self._http = httpx.Client(timeout=timeout, verify=tls, transport=transport)
        super().__init__(self._call)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None) -> Any:
        call = self._settings.call(operation, arguments, idempotency_key)
        while True:
            try:
                response = self._http.request(**self._settings.request(call))
            except httpx.TransportError as error:
                wait: float | None = call.broke(_why(error))
            else:
                wait = call.received(response.status_code, response.headers, response.content)
            if wait is None:
                return call.result
            time.sleep(wait)


class AsyncClient(AsyncOperations):
    """Like `Client`, with async methods. Use it in an ``async with`` block, or call `close`."""

    def __init__(
        self,
        url: str | None = None,
        key: Key | None = None,
        *,
        timeout: float = 35.0,
        retries: Retries | None = None,
        tls: SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = _Settings(url, key, retries)
        self._http = httpx.AsyncClient(timeout=timeout, verify=tls, transport=transport)
        super().__init__(self._call)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(
        self, operation: Operation, arguments: Mapping[str, Any], idempotency_key: str | None = None
    ) -> Any:
        call = self._settings.call(operation, arguments, idempotency_key)
        while True:
            try:
                response = await self._http.request(**self._settings.request(call))
            except httpx.TransportError as error:
                wait: float | None = call.broke(_why(error))
            else:
                wait = call.received(response.status_code, response.headers, response.content)
            if wait is None:
                return call.result
            await asyncio.sleep(wait)
