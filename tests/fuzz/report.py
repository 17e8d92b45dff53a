"""What came of a fuzzing run, and whether it is good enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.support.server import Server

LEAST_SHARE = 0.05
"""Of requests to a route that must succeed: fuzzing that never gets past the checks tries nothing but the checks."""
OUTCRIES = ("integrity.alarm", "crashed", "committer.failed", "Traceback")
"""Words that must not be in the service's log."""


class Report:
    """``least``: the share of requests that must succeed, of each target. One that never succeeds fails in any case."""

    def __init__(self, title: str, targets: Iterable[str], good: Iterable[str], least: float = 0.0) -> None:
        self.findings: Counter[str] = Counter()
        """What must not happen, with how often it did."""
        self.details: dict[str, str] = {}
        """The first case of each finding, at length."""
        self._title = title
        self._good = frozenset(good)
        self._least = least
        self._statuses: dict[str, Counter[str]] = {target: Counter() for target in targets}

    @property
    def sent(self) -> int:
        return sum(statuses.total() for statuses in self._statuses.values())

    def count(self, target: str, status: str) -> None:
        """A target that was not announced is a KeyError."""
        self._statuses[target][status] += 1

    def find(self, finding: str, details: str = "") -> None:
        self.findings[finding] += 1
        self.details.setdefault(finding, details)

    def fewest(self) -> int:
        """Requests to the target that got the fewest."""
        return min(statuses.total() for statuses in self._statuses.values())

    def failures(self) -> list[str]:
        """Everything that fails the run, in words."""
        found = [f"{times} x {finding}\n{self.details[finding]}" for finding, times in self.findings.items()]
        for target, statuses in self._statuses.items():
            share = self._share(statuses)
            if share == 0:
                found.append(f"{target} never succeeds")
            elif share < self._least:
                found.append(f"{target} succeeds in {share:.1%} of {statuses.total()}, not in {self._least:.0%}")
        return found

    def __str__(self) -> str:
        lines = [f"{self._title}: {self.sent} in all, {self.findings.total()} findings"]
        for target, statuses in self._statuses.items():
            told = ", ".join(f"{status} {times}" for status, times in sorted(statuses.items()))
            lines.append(f"  {self._share(statuses):>6.1%} of {statuses.total():>5}  {target:<55} {told}")
        return "\n".join(lines)

    def _share(self, statuses: Counter[str]) -> float:
        return sum(statuses[status] for status in self._good) / max(1, statuses.total())


def aftermath(server: Server) -> list[str]:
    """What the service suffered: it must live, be ready, have logged no crash, and its audit must hold."""
    found = []
    with server.client() as client:
        ready = client.get("/health/ready")
        if ready.status_code != 200:
            found.append(f"the service is not ready: {ready.status_code}")
    log = server.log.read_text(errors="replace")
    found += [f"the log says {word}" for word in OUTCRIES if word in log]
    verified = server.command("audit", "verify")
    if verified.returncode:
        found.append(f"audit verify: {verified.stdout} {verified.stderr}")
    return found
