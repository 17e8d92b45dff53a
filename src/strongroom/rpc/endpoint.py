"""One source as its pool sees it: whether it may be asked, and what its responses say about it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog

from strongroom.breaker import Call, CircuitBreaker, CircuitState
from strongroom.domain.network import Network
from strongroom.rpc.base import Capability, NodeError, Source, Verdict
from strongroom.rpc.bucket import FULL
from strongroom.rpc.http import Work
from strongroom.telemetry import tracing
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import RPC_CALLS_TOTAL, RPC_COOL_DOWNS_TOTAL, RPC_SECONDS
from strongroom.telemetry.signals import SIGNALS

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_LONGEST_ASKED_FOR: Final = 3600.0
_JITTER: Final = 0.2
_PLAN: Final = {"credential", "not_found"}
"""Causes that somebody has to mend. Until then one attempt per minute is enough."""
_MISSING: Final = 600.0
"""Seconds until an unknown method is tried again, because the node may have been starting."""
_WEIGHT: Final = 0.2
"""Weight of the newest latency in the mean."""
_FAILURES: Final = {Verdict.BROKEN, Verdict.LYING}
LONGEST: Final = {Work.READ: 30.0, Work.HISTORY: 60.0, Work.BROADCAST: 15.0}
"""Seconds for one question, however many calls it takes. This is a net below the deadlines of calls and operations."""

_WORK: Final = {
    Capability.HISTORY: Work.HISTORY, Capability.USED: Work.HISTORY, Capability.BROADCAST: Work.BROADCAST,
}  # fmt: skip


def work_of(question: Capability) -> Work:
    return _WORK.get(question, Work.READ)


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """What health shows about a source. Never its URL."""

    name: str
    operator: str
    state: str
    """``ok``, ``unused``, ``failing``, ``behind``, ``cooling`` (left alone for a while), ``open`` (one of its circuits
    is open) or ``out`` (it serves another chain).
    """
    circuits: Mapping[str, str]
    """State of each circuit, by kind of work."""
    cause: str | None
    """Cause of the last failure, a word of ours. None if it has responded since."""
    seconds_since_success: int | None
    lag: int | None
    """Blocks that it was behind when it last reported its head."""


class Endpoint:
    """``name`` and ``operator`` come from the configuration. The endpoint with the lower ``priority`` is asked
    first.
    """

    def __init__(
        self,
        network: Network,
        source: Source,
        *,
        name: str,
        operator: str | None = None,
        priority: int = 10,
        longest: Mapping[Work, float] = LONGEST,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.name = name
        self.operator = operator or name
        self.priority = priority
        self.out = False
        """Whether it serves another chain. It is not asked again until the process restarts."""
        self.latency = dict.fromkeys(Work, 0.0)
        """Moving average in seconds; 0 if unknown."""
        self._network = network.name
        self._source = source
        self._longest = longest
        self._clock = clock
        self._uniform = uniform
        self._missing: dict[Capability, float] = {}
        """Until when each question is not asked, because the node did not know the method."""
        self._pinned = False
        self._pinning = asyncio.Lock()
        self._pins_failed = 0
        self._pin_error = NodeError(Verdict.BROKEN, "slow")
        self._circuits = {
            work: CircuitBreaker(f"rpc:{network.name}:{name}:{work}", clock=clock, uniform=uniform) for work in Work
        }
        self._cool_until = 0.0
        self._pause = _FIRST_PAUSE
        self._cause: str | None = None
        self._answered_at: float | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        now = self._clock()
        return self._source.capabilities - {each for each, until in self._missing.items() if until > now}

    @property
    def declared(self) -> frozenset[Capability]:
        """What its kind can be asked, even if the node does not support it at the moment."""
        return self._source.capabilities

    @property
    def cooling(self) -> float:
        """Seconds for which it is left alone; 0 if it is not."""
        return max(0.0, self._cool_until - self._clock())

    @tracing.traced("node")
    async def ask(self, question: Capability, ask: Callable[[Source], Awaitable[T]]) -> T:
        """Asks the source. Raises only NodeError, whatever the source does, and CircuitOpen."""
        work = work_of(question)
        tracing.note(network=self._network, source=self.name, question=question.value)
        with self._circuits[work].call() as call:
            await self._pin(call, work)
            began = self._clock()
            with self._judged(call, question):
                async with asyncio.timeout(self._longest[work]):
                    found = await ask(self._source)
            seconds = self._clock() - began
            known = self.latency[work]
            self.latency[work] = seconds if known == 0 else known + _WEIGHT * (seconds - known)
            RPC_SECONDS.labels(self._network, self.name, work).observe(seconds)
            self._cause, self._answered_at, self._pause = None, self._clock(), _FIRST_PAUSE
            return found

    def health(self, *, behind: bool, lag: int | None) -> SourceHealth:
        circuits = {work.value: circuit.state.value for work, circuit in self._circuits.items()}
        if self.out:
            state = "out"
        elif any(state != CircuitState.CLOSED for state in circuits.values()):
            state = "open"
        elif self.cooling:
            state = "cooling"
        elif behind:
            state = "behind"
        else:
            state = "failing" if self._cause else "unused" if self._answered_at is None else "ok"
        since = None if self._answered_at is None else int(self._clock() - self._answered_at)
        return SourceHealth(self.name, self.operator, state, circuits, self._cause, since, lag)

    async def close(self) -> None:
        await self._source.close()

    @tracing.traced("node.pin")
    async def _pin(self, call: Call, work: Work) -> None:
        """Checks the chain once. If that fails, everybody who waited for the check gets the error at once. Raises
        NodeError.
        """
        if self._pinned:
            return
        failed_before = self._pins_failed
        async with self._pinning:
            if self._pinned:
                return
            if self._pins_failed != failed_before:
                raise NodeError(self._pin_error.verdict, self._pin_error.cause)
            try:
                with self._judged(call, None):
                    async with asyncio.timeout(self._longest[work]):
                        await self._source.pin()
            except NodeError as error:
                self._pins_failed += 1
                self._pin_error = error
                if error.verdict is Verdict.LYING:
                    self.out = True
                    integrity_alarm("foreign_chain", network=self._network, source=self.name)
                raise
            self._pinned = True

    @contextmanager
    def _judged(self, call: Call, question: Capability | None) -> Iterator[None]:
        """Turns errors into NodeError and updates the circuit. ``question`` is None for the check of the chain."""
        asked = "pin" if question is None else question.value
        try:
            yield
        except TimeoutError:
            error = NodeError(Verdict.BROKEN, "slow")
        except NodeError as found:
            error = found
        except Exception as bug:  # noqa: BLE001 - what a node wrote made a reader of ours stumble: that ends here
            _log.error("rpc.reader_failed", error=type(bug).__name__, at=_place(bug), **self._names(asked))
            error = NodeError(Verdict.BROKEN, "unreadable")
        else:
            if question is not None:
                call.failed = False
            RPC_CALLS_TOTAL.labels(self._network, self.name, asked, "ok").inc()
            return
        RPC_CALLS_TOTAL.labels(self._network, self.name, asked, error.verdict).inc()
        self._settle(call, question, error)
        raise error from None

    def _settle(self, call: Call, question: Capability | None, error: NodeError) -> None:
        names = self._names("pin" if question is None else question.value)
        if error.verdict in _FAILURES:
            call.failed = True
            self._pinned = False
            self._cause = error.cause
            _log.warning("rpc.failed", verdict=error.verdict, cause=error.cause, **names)
            if error.verdict is Verdict.LYING and question is not None:
                SIGNALS.note("lying_node", f"{self._network}/{self.name}", cause=error.cause)
            if error.cause in _PLAN:
                self._cool(_LONGEST_PAUSE, names)
        elif error.verdict is Verdict.BUSY and error.cause == FULL:
            pass  # our own limit, which does not stop a call that gets its turn
        elif error.verdict is Verdict.BUSY:
            self._cause = error.cause
            self._cool(error.retry_after, names)
        elif error.verdict is Verdict.OURS:
            _log.error("rpc.not_understood", cause=error.cause, **names)
        else:
            call.failed = False
            if error.cause == "no_method" and question is not None:
                self._missing[question] = self._clock() + _MISSING
                _log.warning("rpc.no_method", **names)

    def _cool(self, asked_for: float | None, names: Mapping[str, str]) -> None:
        if self.cooling and asked_for is None:
            return  # from a call that began before the cool-down
        pause = self._pause if asked_for is None else min(asked_for, _LONGEST_ASKED_FOR)
        if asked_for is None:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            pause *= self._uniform(1 - _JITTER, 1 + _JITTER)
        self._cool_until = max(self._cool_until, self._clock() + pause)
        RPC_COOL_DOWNS_TOTAL.labels(self._network, self.name).inc()
        _log.warning("rpc.cooling", seconds=round(pause, 1), **names)

    def _names(self, question: str) -> dict[str, str]:
        return {"network": self._network, "source": self.name, "question": question}


def _place(error: BaseException) -> str:
    """File and line of an error, without its message, because nodes may have written it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
