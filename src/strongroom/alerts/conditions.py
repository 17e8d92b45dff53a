"""Conditions that last, as one process sees them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from strongroom.alerts.base import Condition
from strongroom.domain.alert import Seen
from strongroom.errors import StorageUnavailable
from strongroom.storage.base import Backlog, Storage
from strongroom.telemetry.metrics import CIRCUIT_STATE

_AUDIT: Final = {"restored_database": "restored", "not_anchored": "anchor"}
"""Rules by the state in the health of the audit. Other states belong to the rule `audit`."""


def of_health(report: Callable[[], Mapping[str, Any]], *, expiry: float) -> Condition:
    """``report`` is that of `health.monitor.HealthMonitor` and does no I/O.

    ``expiry`` is how many seconds before its end a token is reported.
    """

    async def look() -> Iterable[Seen]:
        components = report()["components"]
        found = []
        if components.get("database", {}).get("status") == "error":
            found.append(Seen("database", "database"))
        vault = components.get("vault", {})
        if vault.get("status") == "error":
            found.append(Seen("vault", str(vault.get("state", "unreachable"))))
        ends_in = vault.get("token_ends_in")
        if isinstance(ends_in, int) and ends_in < expiry:
            found.append(Seen("expiry", "vault.token", facts={"hours left": str(ends_in // 3600)}))
        audit = components.get("audit", {})
        state = audit.get("state")
        if isinstance(state, str) and components.get("database", {}).get("status") != "error":
            rule = _AUDIT.get(state, "audit" if state in ("rows_differ", "heads_missing") else None)
            if rule is not None:
                found.append(Seen(rule, "audit" if rule in _AUDIT.values() else state))
        return found

    return look


def of_database(storage: Storage) -> Condition:
    """A database that responds but refuses writes."""

    async def look() -> Iterable[Seen]:
        try:
            writable = await storage.is_writable()
        except StorageUnavailable:  # if the database is down, another rule reports it
            return ()
        return () if writable else [Seen("database_read_only", "database")]

    return look


def of_circuits() -> Condition:
    """The circuit breakers of this process, read from their metric."""

    async def look() -> Iterable[Seen]:
        samples = [sample for metric in CIRCUIT_STATE.collect() for sample in metric.samples]
        return [Seen("circuit", sample.labels["component"]) for sample in samples if sample.value >= 1]

    return look


def of_tasks(
    backlog: Callable[[Sequence[str]], Awaitable[Sequence[Backlog]]],
    kinds: Sequence[str],
    storage: Storage,
    *,
    age: float,
) -> Condition:
    """Work that is ``age`` seconds late or more, and findings of the last round of each verification."""

    async def look() -> Iterable[Seen]:
        try:
            waiting = await backlog(kinds)
            rounds = await storage.progress()
        except StorageUnavailable:
            return ()
        late = [
            Seen("queue", each.kind, facts={"seconds": str(int(each.oldest.total_seconds()))})
            for each in waiting
            if each.oldest.total_seconds() >= age
        ]
        findings = [
            Seen("audit", each.name, facts={"findings": str(each.findings)})
            for each in rounds
            if each.name.startswith("verify/") and each.findings
        ]
        return [*late, *findings]

    return look


def now_and_then(look: Condition, seconds: float, clock: Callable[[], float] = time.monotonic) -> Condition:
    """Evaluate the condition every ``seconds``, and return the last result in between."""
    known: list[Seen] = []
    due = clock()

    async def cached() -> Iterable[Seen]:
        nonlocal known, due
        if clock() >= due:
            known = list(await look())
            due = clock() + seconds
        return known

    return cached
