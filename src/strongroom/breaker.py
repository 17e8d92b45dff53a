"""A circuit breaker. Callers stop calling a component that is down, and one of them probes whether it is back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import structlog

from strongroom.telemetry.metrics import CIRCUIT_STATE, CIRCUIT_TRANSITIONS_TOTAL

_log = structlog.get_logger(__name__)
_JITTER: Final = 0.2
"""Share of the interval by which probes vary, so that replicas that opened together do not probe together."""


class CircuitState(StrEnum):
    """The state of a breaker, as metrics and health show it."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    """The next call is the probe, or the probe is under way. All other calls are refused."""
    OPEN = "open"


_LEVEL: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class CircuitOpen(Exception):
    """The call was refused without being made. ``retry_after`` is the number of seconds until the next probe."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("the circuit is open")
        self.retry_after = retry_after


class Call:
    """One call under way. ``failed`` says how it went. If it stays None, as after a cancellation, it does not count."""

    def __init__(self) -> None:
        self.failed: bool | None = None


class CircuitBreaker:
    """Opens after ``threshold`` failures in a row, and then lets one probe through about every ``interval`` seconds.

    ``component`` is the name of what it protects, in metrics and in the log.
    """

    def __init__(
        self,
        component: str,
        *,
        threshold: int = 5,
        interval: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._component = component
        self._threshold = threshold
        self._interval = interval
        self._clock = clock
        self._uniform = uniform
        self._failures = 0
        self._closed = True
        self._probe_at = 0.0
        self._probe: Call | None = None
        self._era = 0
        """Counts openings and closings. The outcome of a call that began in an earlier era is ignored."""
        CIRCUIT_STATE.labels(component).set(_LEVEL[CircuitState.CLOSED])

    @property
    def state(self) -> CircuitState:
        if self._closed:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._clock() < self._probe_at else CircuitState.HALF_OPEN

    @contextmanager
    def call(self) -> Iterator[Call]:
        """Raises CircuitOpen at once if the call may not be made."""
        made, era = Call(), self._era
        if not self._closed:
            wait = self._probe_at - self._clock()
            if wait > 0 or self._probe is not None:
                raise CircuitOpen(max(wait, self._interval * _JITTER))
            self._probe = made
            self._entered(CircuitState.HALF_OPEN)
        try:
            yield made
        finally:
            if self._probe is made:
                self._probe = None
            if era == self._era and made.failed is not None:
                self._settle(failed=made.failed)

    def _settle(self, *, failed: bool) -> None:
        if not failed:
            self._failures = 0
            if not self._closed:
                self._closed = True
                self._era += 1
                self._entered(CircuitState.CLOSED)
            return
        self._failures += 1
        if not self._closed or self._failures >= self._threshold:
            self._closed = False
            self._era += 1
            self._probe_at = self._clock() + self._interval * self._uniform(1 - _JITTER, 1 + _JITTER)
            self._entered(CircuitState.OPEN)

    def _entered(self, state: CircuitState) -> None:
        CIRCUIT_STATE.labels(self._component).set(_LEVEL[state])
        CIRCUIT_TRANSITIONS_TOTAL.labels(self._component, state).inc()
        if state is not CircuitState.HALF_OPEN:
            _log.warning("circuit.changed", component=self._component, state=state, failures=self._failures)
