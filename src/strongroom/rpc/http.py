"""One HTTP exchange with a node: bounded in time and bytes, never redirected, and nothing of its URL in any message."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, TypeVar

import httpx
import msgspec

from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.bucket import FULL, Bucket

T = TypeVar("T")

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at INFO they print URLs, with user, password and query

_CONNECT: Final = 2.0
_CONNECTIONS: Final = 20
_BUSY: Final = {408, 425, 429}
_LONGEST_WAIT: Final = 3600.0


Query = Mapping[str, str | int | Sequence[str]]
"""A name that has several values stands there once for each."""


class Work(StrEnum):
    """What a call is for: how long it may take, how long its answer may be, and which circuit it counts for."""

    READ = "read"
    HISTORY = "history"
    BROADCAST = "broadcast"


SECONDS: Final = {Work.READ: 5.0, Work.HISTORY: 15.0, Work.BROADCAST: 10.0}
"""For a whole call, however it trickles: httpx's own timeout begins anew with each read."""
MOST_BYTES: Final = {Work.READ: 2 << 20, Work.HISTORY: 6 << 20, Work.BROADCAST: 2 << 20}
"""A body grows by an eighth more than it needs: with 6 MiB a call stays below 8, and nothing below copies it."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytearray
    retry_after: float | None = None


class Http:
    """One endpoint. ``url`` may hold a key and is shown nowhere. ``headers`` are sent with each request; ``bucket``
    says how many of these a provider takes.
    """

    def __init__(
        self,
        url: Secret,
        *,
        headers: Mapping[str, Secret] | None = None,
        seconds: Mapping[Work, float] = SECONDS,
        bucket: Bucket | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._seconds = seconds
        self._bucket = bucket
        self._headers = {name: value.reveal() for name, value in (headers or {}).items()}
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **self._headers},
            timeout=httpx.Timeout(max(seconds.values()), connect=_CONNECT),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
            verify=_trust(),
            transport=transport,
        )

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
        """Whatever status it has, but for those that say nothing of the question: see `meaning`.

        ``path`` and ``query`` are added to those of the URL. Raises NodeError.
        """
        content = text.encode() if text is not None else None if json is None else msgspec.json.encode(json)
        headers = {} if content is None else {"Content-Type": "text/plain" if text is not None else "application/json"}
        try:
            async with asyncio.timeout(self._seconds[work]):
                await self._turns.acquire()
        except TimeoutError:
            raise NodeError(Verdict.BUSY, FULL, retry_after=1.0) from None  # by our own calls: it need not be broken
        try:
            if self._bucket is not None:
                await self._bucket.take()
            url = self._at(path, query or {})
            async with (
                asyncio.timeout(self._seconds[work]),
                self._client.stream(method, url, content=content, headers=headers) as response,
            ):
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
        """The body of a 2xx, read as ``of``; any other status is what `meaning` makes of it. Raises NodeError."""
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
    """One for all endpoints: to read the certificate authorities takes a tenth of a second."""
    return httpx.create_ssl_context(trust_env=False)


def decode(body: bytes | bytearray | msgspec.Raw, of: type[T]) -> T:
    """Strict: no number in quotes, no float for an integer. Raises NodeError: what is not that is a broken answer."""
    try:
        return msgspec.json.decode(body, type=of, strict=True)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError, OverflowError):
        raise NodeError(Verdict.BROKEN, "bad_answer") from None


def meaning(answer: Answer) -> NodeError:
    """Of a status that is no answer, where the body says nothing better. A caller that reads bodies does so first."""
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
        raise NodeError(Verdict.BROKEN, "encoded")  # not asked for, and 200 KB of it may be 60 MB
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > most:
            raise NodeError(Verdict.BROKEN, "too_long")
    return found


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds alone; a date is rare, and the cool-down finds its own time."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 10 else None
