"""Where an issuer's keys come from: a file or a URL in the settings, never an address that a token names.

Keys are read in the background. A call with an unknown key id triggers another read and waits for it briefly. All
other calls go on with the current keys.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx
import structlog

from strongroom.access.tokens.keysets import MOST_BYTES, KeySet, PublicKey, read_keys

log = structlog.get_logger(__name__)

Fetch = Callable[[], Awaitable[bytes]]
"""Returns the document. Raises OSError, ValueError, httpx.HTTPError, TimeoutError."""

BETWEEN_UNKNOWN: Final = 30.0
"""Least number of seconds between two reads that unknown key ids trigger."""
_PATIENCE: Final = 2.0
_MOST_WAITING: Final = 64
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_OLDEST: Final = 86_400.0
"""Seconds for which keys stay trusted if they cannot be read again."""
_FETCH_SECONDS: Final = 5.0


class KeySource:
    """The keys of one issuer, read every ``refresh`` seconds."""

    def __init__(
        self, name: str, fetch: Fetch, *, refresh: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._fetch = fetch
        self._refresh = refresh
        self._clock = clock
        self._raw = b""
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._asked_at = -BETWEEN_UNKNOWN
        self._reading: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._waiting = 0
        self._fault: str | None = "not read yet"

    @property
    def keys(self) -> KeySet | None:
        """The current keys: the same object as long as nothing changes. None if there are none, or they are too old."""
        return self._keys if self._clock() - self._read_at <= _OLDEST else None

    def fault(self) -> str | None:
        """Why the last read failed. None if it succeeded."""
        return self._fault

    def start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.create_task(self._read_again_and_again(), name=f"keys-of-{self.name}")

    async def close(self) -> None:
        tasks = [task for task in (self._loop, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        found = self._find(key_id, algorithm)
        if found is None and self._may_wait():
            await self.read(_PATIENCE)
            found = self._find(key_id, algorithm)
        return found

    async def read(self, patience: float | None = None) -> None:
        """Start a read, or join the one under way, and wait up to ``patience`` seconds for it. None: until it ends."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name=f"reading-keys-of-{self.name}")
        self._waiting += 1
        try:
            await asyncio.wait({self._reading}, timeout=patience)
        finally:
            self._waiting -= 1

    def _find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        keys = self.keys
        return None if keys is None else keys.find(key_id, algorithm)

    def _may_wait(self) -> bool:
        if self._waiting >= _MOST_WAITING:
            return False
        if self._reading is not None and not self._reading.done():
            return True
        if self._clock() - self._asked_at < BETWEEN_UNKNOWN:
            return False
        self._asked_at = self._clock()
        return True

    async def _read_again_and_again(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self.read()
            if self._fault is None:
                pause = _FIRST_PAUSE
                await asyncio.sleep(self._refresh * random.uniform(0.9, 1))  # noqa: S311 - so that replicas do not read together
            else:
                await asyncio.sleep(min(pause, self._refresh))
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                raw = await self._fetch()
            if raw != self._raw or self._keys is None:
                self._keys, self._raw = read_keys(raw), raw
                log.info("issuer.keys_read", issuer=self.name, keys=len(self._keys.by_id) or 1)
        except (OSError, ValueError, httpx.HTTPError, RecursionError) as error:
            fault = type(error).__name__
            if fault != self._fault:
                log.warning("issuer.keys_not_read", issuer=self.name, reason=fault)
            self._fault = fault
        else:
            self._read_at, self._fault = self._clock(), None


def from_file(path: Path) -> Fetch:
    """A `Fetch` that reads a file, and at most one byte more than a key set may have."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)

    async def fetch() -> bytes:
        return await asyncio.to_thread(read)

    return fetch


class Url:
    """Fetches a JWKS document. No redirect is followed, and no more is read than a key set may have.

    ``token_file`` holds a bearer token to send. It is read again for each request.
    """

    def __init__(self, url: str, *, ca_file: Path | None = None, token_file: Path | None = None) -> None:
        self._url = url
        self._token_file = token_file
        trust = ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context(trust_env=False)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=_FETCH_SECONDS,
            follow_redirects=False,
            trust_env=False,
            verify=trust,
        )

    async def __call__(self) -> bytes:
        headers = {}
        if self._token_file is not None:
            token = await asyncio.to_thread(self._token_file.read_text, encoding="utf-8")
            headers["Authorization"] = f"Bearer {token.strip()}"
        found = bytearray()
        async with self._client.stream("GET", self._url, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError("the response did not have status 200")
            async for part in response.aiter_raw():
                found += part
                if len(found) > MOST_BYTES:
                    raise ValueError("the key set is too large")
        return bytes(found)

    async def close(self) -> None:
        await self._client.aclose()
