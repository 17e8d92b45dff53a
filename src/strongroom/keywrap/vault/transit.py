"""The key wrap on the Transit engine of Vault or OpenBao, whose keys never leave it.

The transit key is a derived one, so what was wrapped under one context opens only under that context. A call consists
of batches of at most 200 items. Each batch is retried a few times within one deadline. A circuit breaker counts calls.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import structlog

from strongroom.breaker import CircuitBreaker, CircuitOpen, CircuitState
from strongroom.errors import ConfigurationError, KeyWrapUnavailable
from strongroom.keywrap.base import CAUSES, KeyWrapStatus, WrapFailure, WrapFailureReason, Wrapped
from strongroom.keywrap.vault.client import Trouble, VaultAnswer, VaultClient, VaultError
from strongroom.keywrap.vault.login import Lease, Session
from strongroom.telemetry.metrics import KEYWRAP_CALLS_TOTAL, KEYWRAP_SECONDS

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_BATCH: Final = 200
"""OpenBao refuses a request that holds more than 1,000 strings."""
_AT_ONCE: Final = 4
_KEY_SIZE: Final = 32
_ATTEMPTS: Final = 3
_FIRST_PAUSE: Final = 0.1
_RETRY_AFTER: Final = 1.0
_CHECK_SECONDS: Final = 1.5
_CIPHERTEXT: Final = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/]{16,256}={0,2}", re.ASCII)

Input = dict[str, str]


class _Result(VaultAnswer, frozen=True):
    ciphertext: str = ""
    plaintext: str = ""
    error: str = ""


class _Results(VaultAnswer, frozen=True):
    batch_results: list[_Result]


class _Batch(VaultAnswer, frozen=True):
    data: _Results


class SingleResult(VaultAnswer, frozen=True):
    """The response to one item that was sent without a batch."""

    data: _Result


class _Key(VaultAnswer, frozen=True):
    latest_version: int
    derived: bool
    exportable: bool
    deletion_allowed: bool


class ReadKey(VaultAnswer, frozen=True):
    data: _Key


class VaultKeyWrap:
    """Implements `KeyWrap`. ``deadline`` is in seconds for one call, retries included."""

    def __init__(
        self,
        client: VaultClient,
        session: Session,
        breaker: CircuitBreaker,
        *,
        mount: str = "transit",
        key: str = "strongroom",
        deadline: float = 3.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._session = session
        self._breaker = breaker
        self._mount = mount
        self._key = key
        self._deadline = deadline
        self._sleep = sleep
        self._uniform = uniform
        self._proven = False

    @property
    def name(self) -> str:
        return f"{self._mount}/{self._key}"

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        """Raises KeyWrapUnavailable, or ConfigurationError if the transit key is not a derived one."""
        batch = [{"plaintext": _base64(plaintext), "context": _base64(context)} for plaintext, context in items]
        wrapped = []
        for answer in await self._ask("encrypt", batch, self._read_wrapped):
            if isinstance(answer, WrapFailure):
                raise KeyWrapUnavailable(
                    "the key wrap did not wrap the key", retry_after=answer.retry_after or _RETRY_AFTER
                )
            wrapped.append(answer)
        return wrapped

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        return await self._ask_of_wrapped("decrypt", items, _read_plaintext)

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        return await self._ask_of_wrapped("rewrap", items, self._read_wrapped)

    async def newest_version(self) -> int:
        try:
            async with asyncio.timeout(self._deadline):
                key = await self._persist(self._read_key)
        except VaultError as error:
            raise _unavailable(error) from None
        except TimeoutError:
            raise _unavailable(VaultError(Trouble.SLOW)) from None
        return key.latest_version

    async def check(self) -> KeyWrapStatus:
        """Read the key's properties. This one request proves the token and the policy without encrypting anything.

        It also closes a circuit breaker that is half open, which would otherwise stay so until a caller comes.
        """
        began, state = time.perf_counter(), "ok"
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await self._authorised(self._read_key)
            if self._breaker.state is CircuitState.HALF_OPEN:
                with suppress(CircuitOpen), self._breaker.call() as call:
                    call.failed = False
        except VaultError as error:
            state = error.trouble
        except TimeoutError:
            state = Trouble.SLOW
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        KEYWRAP_CALLS_TOTAL.labels("check", state).inc()
        return KeyWrapStatus(state == "ok", state, milliseconds, self._breaker.state, self._session.ends_in)

    async def close(self) -> None:
        await self._session.close()
        await self._client.close()

    async def _ask_of_wrapped(
        self, verb: str, items: Sequence[tuple[Wrapped, bytes]], read: Callable[[_Result], T]
    ) -> list[T | WrapFailure]:
        """Items that cannot belong to this key are refused here, because one of them can make Vault refuse all."""
        fit = [place for place, (wrapped, context) in enumerate(items) if context and self._is_ours(wrapped)]
        batch = [
            {"ciphertext": items[place][0].ciphertext.decode("ascii"), "context": _base64(items[place][1])}
            for place in fit
        ]
        answers: list[T | WrapFailure] = [WrapFailure(WrapFailureReason.REFUSED) for _ in items]
        asked: Sequence[T | WrapFailure]
        try:
            asked = await self._ask(verb, batch, read)
        except KeyWrapUnavailable as error:
            asked = _lost(batch, error.retry_after)
        for place, answer in zip(fit, asked, strict=True):
            answers[place] = answer
        return answers

    def _is_ours(self, wrapped: Wrapped) -> bool:
        return wrapped.kek == self.name and wrapped.version == _version(wrapped.ciphertext.decode("ascii", "replace"))

    async def _ask(self, verb: str, batch: Sequence[Input], read: Callable[[_Result], T]) -> list[T | WrapFailure]:
        """One result per item, in order. Raises KeyWrapUnavailable if every batch failed, ConfigurationError."""
        if not batch:
            return []
        began = time.perf_counter()
        chunks = [batch[start : start + _BATCH] for start in range(0, len(batch), _BATCH)]
        try:
            with self._breaker.call() as call:
                answers = await self._ask_chunks(verb, chunks, read)
                troubles = [answer.trouble for answer in answers if isinstance(answer, VaultError)]
                call.failed = any(trouble.is_outage for trouble in troubles)
        except CircuitOpen as error:
            KEYWRAP_CALLS_TOTAL.labels(verb, "circuit_open").inc()
            raise KeyWrapUnavailable(
                "the key wrap failed recently and is not being called now", retry_after=error.retry_after
            ) from None
        KEYWRAP_SECONDS.labels(verb).observe(time.perf_counter() - began)
        KEYWRAP_CALLS_TOTAL.labels(verb, troubles[0] if troubles else "ok").inc()
        if len(troubles) == len(chunks):
            raise _unavailable(VaultError(troubles[0]))
        found: list[T | WrapFailure] = []
        for chunk, answer in zip(chunks, answers, strict=True):
            found += _lost(chunk, _RETRY_AFTER) if isinstance(answer, VaultError) else answer
        return found

    async def _ask_chunks(
        self, verb: str, chunks: Sequence[Sequence[Input]], read: Callable[[_Result], T]
    ) -> list[list[T | WrapFailure] | VaultError]:
        ends = asyncio.get_running_loop().time() + self._deadline
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(chunk: Sequence[Input]) -> list[T | WrapFailure] | VaultError:
            try:
                async with asyncio.timeout_at(ends), turns:
                    return await self._persist(lambda lease: self._exchange(lease, verb, chunk, read))
            except TimeoutError:
                return VaultError(Trouble.SLOW)
            except VaultError as error:
                return error

        try:
            async with asyncio.timeout_at(ends):
                await self._prove()
        except TimeoutError:
            return [VaultError(Trouble.SLOW) for _ in chunks]
        except VaultError as error:
            return [error for _ in chunks]
        return await asyncio.gather(*map(ask, chunks))

    async def _exchange(
        self, lease: Lease, verb: str, chunk: Sequence[Input], read: Callable[[_Result], T]
    ) -> list[T | WrapFailure]:
        answer = await self._client.ask(
            "POST", f"{self._mount}/{verb}/{self._key}", _Batch,
            body={"batch_input": chunk}, token=lease.token, partial=True,
        )  # fmt: skip
        results = answer.data.batch_results
        if len(results) != len(chunk):
            raise VaultError(Trouble.BAD_ANSWER)
        try:
            return [WrapFailure(WrapFailureReason.REFUSED) if each.error else read(each) for each in results]
        except ValueError:
            raise VaultError(Trouble.BAD_ANSWER) from None

    def _read_wrapped(self, result: _Result) -> Wrapped:
        version = _version(result.ciphertext)
        if version is None:
            raise ValueError
        return Wrapped(self.name, version, result.ciphertext.encode("ascii"))

    async def _prove(self) -> None:
        """Check once that the key is derived. Otherwise Transit ignores the context, and rows could be swapped."""
        if self._proven:
            return
        key = await self._persist(self._read_key)
        if not key.derived:
            raise ConfigurationError("the transit key is not derived: create it with `derived=true`", field="vault.key")
        if key.exportable or key.deletion_allowed:
            _log.warning("keywrap.weak_key", exportable=key.exportable, deletion_allowed=key.deletion_allowed)
        self._proven = True

    async def _read_key(self, lease: Lease) -> _Key:
        answer = await self._client.ask("GET", f"{self._mount}/keys/{self._key}", ReadKey, token=lease.token)
        return answer.data

    async def _persist(self, work: Callable[[Lease], Awaitable[T]]) -> T:
        """Do ``work``, and retry it with full jitter after a failure that may be an outage. Raises VaultError."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(self._uniform(0, _FIRST_PAUSE * 2**attempt))
            try:
                return await self._authorised(work)
            except VaultError as error:
                if not error.trouble.is_outage or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    async def _authorised(self, work: Callable[[Lease], Awaitable[T]]) -> T:
        """Do ``work`` with the token. If it is denied, retry once with a new one, as the first may be revoked."""
        lease = await self._session.lease()
        try:
            return await work(lease)
        except VaultError as error:
            if error.trouble is not Trouble.DENIED:
                raise
        return await work(await self._session.replace(lease))


def _version(ciphertext: str) -> int | None:
    found = _CIPHERTEXT.fullmatch(ciphertext)
    return int(found[1]) if found else None


def _read_plaintext(result: _Result) -> bytes:
    plaintext = b64decode(result.plaintext, validate=True)
    if len(plaintext) != _KEY_SIZE:
        raise ValueError
    return plaintext


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _lost(batch: Sequence[Input], retry_after: float | None) -> list[WrapFailure]:
    return [WrapFailure(WrapFailureReason.UNAVAILABLE, retry_after) for _ in batch]


def _unavailable(error: VaultError) -> KeyWrapUnavailable:
    _log.warning("keywrap.failed", trouble=error.trouble)
    refusal = KeyWrapUnavailable("the key wrap does not respond", retry_after=_RETRY_AFTER)
    refusal.cause = CAUSES[error.trouble]
    return refusal
