"""One HTTP exchange with a node, limited in time and bytes, without redirects. Its URL appears in no message."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, TypeVar

import httpx
import msgspec

from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.bucket import FULL, Bucket
from strongroom.telemetry import tracing

T = TypeVar("T")

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at INFO they log URLs with user, password and query

_CONNECT: Final = 2.0
_CONNECTIONS: Final = 20
_BUSY: Final = {408, 425, 429}
_LONGEST_WAIT: Final = 3600.0


Headers = Callable[[], Mapping[str, Secret]]
"""Gives the headers for a request at the time of the request, because their file may be replaced."""
Query = Mapping[str, str | int | Sequence[str]]
"""A name with several values is sent once for each."""


class Work(StrEnum):
    """What a call is for. It decides how long the call may take, how long the response may be, and the circuit."""

    READ = "read"
    HISTORY = "history"
    BROADCAST = "broadcast"


SECONDS: Final = {Work.READ: 5.0, Work.HISTORY: 15.0, Work.BROADCAST: 10.0}
"""Seconds for a whole call, even if data trickles in. httpx's own timeout starts anew with each read."""
MOST_BYTES: Final = {Work.READ: 2 << 20, Work.HISTORY: 6 << 20, Work.BROADCAST: 2 << 20}
"""The buffer of a body grows by an eighth more than it needs. With 6 MiB a call stays below 8, and nothing
copies it.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytearray
    retry_after: float | None = None


class Http:
    """One endpoint. ``url`` may contain a key, so it is never shown.

    ``headers`` are sent with each request. ``bucket``: the rate that the provider allows. ``traced``: whether requests
    carry the trace that they belong to.
    """

    def __init__(
        self,
        url: Secret,
        *,
        headers: Headers = dict,
        seconds: Mapping[Work, float] = SECONDS,
        bucket: Bucket | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        traced: bool = False,
    ) -> None:
        self._traced = traced
        self._url = url
        self._seconds = seconds
        self._bucket = bucket
        self._headers = headers
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(max(seconds.values()), connect=_CONNECT),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
            verify=_trust(),
            transport=transport,
        )

    @tracing.traced("node.http", tracing.CLIENT)
    async def exchange(
        self,
        method: str,
        path: str = "",
        *,
        json: object = None,
        text: str | None = None,
        query: Query | None = None,
        work: Work = Work.READ,
    ) -> Answer:
        """The response, whatever its status. `meaning` explains a status that is not about the question.

        ``path`` and ``query`` are appended to those of the URL. Raises NodeError.
        """
        content = text.encode() if text is not None else None if json is None else msgspec.json.encode(json)
        headers = {name: value.reveal() for name, value in self._headers().items()}
        if content is not None:
            headers["Content-Type"] = "text/plain" if text is not None else "application/json"
        if self._traced and (trace := tracing.traceparent()) is not None:
            headers["traceparent"] = trace
        try:
            async with asyncio.timeout(self._seconds[work]):
                await self._turns.acquire()
        except TimeoutError:
            raise NodeError(
                Verdict.BUSY, FULL, retry_after=1.0
            ) from None  # used up by our own calls, so the node need not be broken
        try:
            if self._bucket is not None:
                await self._bucket.take()
            url = self._at(path, query or {})
            async with (
                asyncio.timeout(self._seconds[work]),
                self._client.stream(method, url, content=content, headers=headers) as response,
            ):
                tracing.note(http_method=method, http_status=response.status_code)
                return Answer(response.status_code, await _body(response, MOST_BYTES[work]), _retry_after(response))
        except TimeoutError:
            raise NodeError(Verdict.BROKEN, "slow") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL):
            raise NodeError(Verdict.BROKEN, "unreachable") from None
        except (httpx.HTTPError, OSError, ValueError):
            raise NodeError(Verdict.BROKEN, "no_answer") from None
        finally:
            self._turns.release()

    async def read(
        self,
        method: str,
        path: str = "",
        *,
        of: type[T],
        json: object = None,
        query: Query | None = None,
        work: Work = Work.READ,
    ) -> T:
        """The body of a 2xx response, decoded as ``of``. For another status it raises what `meaning` returns. Raises
        NodeError.
        """
        answer = await self.exchange(method, path, json=json, query=query, work=work)
        if not 200 <= answer.status < 300:
            raise meaning(answer)
        return decode(answer.body, of)

    async def close(self) -> None:
        await self._client.aclose()

    def _at(self, path: str, query: Query) -> httpx.URL:
        url = httpx.URL(self._url.reveal())
        if path:
            own, mark, key = url.raw_path.partition(b"?")
            url = url.copy_with(raw_path=own.rstrip(b"/") + path.encode("ascii") + mark + key)
        return url.copy_merge_params(query) if query else url


@cache
def _trust() -> ssl.SSLContext:
    """One context for all endpoints, because reading the certificate authorities takes 0.1 s."""
    return httpx.create_ssl_context(trust_env=False)


def decode(body: bytes | bytearray | msgspec.Raw, of: type[T]) -> T:
    """Decodes strictly: no number in quotes, no float for an integer. Raises NodeError."""
    try:
        return msgspec.json.decode(body, type=of, strict=True)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError, OverflowError):
        raise NodeError(Verdict.BROKEN, "bad_answer") from None


def meaning(answer: Answer) -> NodeError:
    """The error for a status if the body says nothing better. Callers that read bodies do so first."""
    status = answer.status
    if status in _BUSY:
        return NodeError(Verdict.BUSY, "rate_limited", retry_after=answer.retry_after)
    if status in (401, 402, 403):
        return NodeError(Verdict.BROKEN, "credential")
    if status in (404, 410):
        return NodeError(Verdict.BROKEN, "not_found")
    if 300 <= status < 400:
        return NodeError(Verdict.BROKEN, "redirects")
    if status == 400:
        return NodeError(Verdict.OURS, "bad_request")
    if status == 503 and answer.retry_after is not None:
        return NodeError(Verdict.BUSY, "unavailable", retry_after=answer.retry_after)
    return NodeError(Verdict.BROKEN, "failing")


async def _body(response: httpx.Response, most: int) -> bytearray:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NodeError(Verdict.BROKEN, "encoded")  # not asked for, and 200 KB of it may expand to 60 MB
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > most:
            raise NodeError(Verdict.BROKEN, "too_long")
    return found


def _retry_after(response: httpx.Response) -> float | None:
    """Only seconds. A date is rare, and the cool-down has a time of its own."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 10 else None
