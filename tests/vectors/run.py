"""`python -m tests.vectors.run [FOLDER]` runs every vector of a folder, directly and over REST.

It exits with 1 if a vector fails, a group is unknown, a file cannot be read, or fewer cases run over REST than are
pinned for the project's own folder.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tests.vectors import (
    direct_bitcoin,
    direct_bitcoin_messages,
    direct_bitcoin_signing,
    direct_common,
    direct_ethereum,
    direct_solana,
    direct_ton,
    direct_tron,
    rest_bitcoin,
    rest_common,
    rest_ethereum,
    rest_solana,
    rest_ton,
    rest_tron,
)
from tests.vectors.folder import Folder, Vector, read
from tests.vectors.rest import PERMISSIVE, NotExpressible, Rest, servers

OWN = Path(__file__).parent / "data"
MINIMUMS = Path(__file__).parent / "minimums.json"
DIRECT: dict[str, Callable[[Vector], None]] = {
    **direct_common.RUNNERS,
    **direct_bitcoin.RUNNERS,
    **direct_bitcoin_signing.RUNNERS,
    **direct_bitcoin_messages.RUNNERS,
    **direct_ethereum.RUNNERS,
    **direct_solana.RUNNERS,
    **direct_ton.RUNNERS,
    **direct_tron.RUNNERS,
}
OVER_REST: dict[str, Callable[[Rest, Vector], None]] = {
    **rest_common.RUNNERS,
    **rest_bitcoin.RUNNERS,
    **rest_ethereum.RUNNERS,
    **rest_solana.RUNNERS,
    **rest_ton.RUNNERS,
    **rest_tron.RUNNERS,
}


@dataclass(frozen=True)
class Failure:
    vector: str
    way: str
    """direct or REST"""
    reason: str


@dataclass
class Group:
    direct: Counter[bool] = field(default_factory=Counter)
    rest: Counter[bool] = field(default_factory=Counter)
    """By whether it passed."""
    not_expressible: dict[str, str] = field(default_factory=dict)
    """By vector: why not."""

    @property
    def expressible(self) -> int:
        return self.rest.total()


@dataclass
class Report:
    groups: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    failures: list[Failure] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Faults of files, groups and pinned numbers, apart from single vectors."""

    @property
    def passed(self) -> int:
        return sum(group.direct[True] + group.rest[True] for group in self.groups.values())

    @property
    def failed(self) -> int:
        return len(self.failures) + len(self.faults)


def run(folder: Folder, rest: Rest) -> Report:
    report = Report(faults=list(folder.faults))
    for vector in folder.vectors:
        name = vector["group"]
        group = report.groups[name]
        if name not in DIRECT or name not in OVER_REST:
            for way, counts in (("direct", group.direct), ("REST", group.rest)):
                counts[False] += 1
                report.failures.append(Failure(vector["id"], way, f"the group {name} is not known"))
            continue
        try:
            _count(report, vector, "direct", group.direct, lambda: DIRECT[name](vector))  # noqa: B023 - called at once
            _count(report, vector, "REST", group.rest, lambda: OVER_REST[name](rest, vector))  # noqa: B023
        except NotExpressible as reason:
            group.not_expressible[vector["id"]] = str(reason)
    return report


def _count(report: Report, vector: Vector, way: str, counts: Counter[bool], call: Callable[[], None]) -> None:
    """Raises NotExpressible. Whatever else a runner raises is a failure: a vector can make an oracle stumble too."""
    try:
        call()
    except NotExpressible:
        raise
    except Exception as error:  # noqa: BLE001
        counts[False] += 1
        report.failures.append(Failure(vector["id"], way, _reason(error)))
    else:
        counts[True] += 1


def _reason(error: Exception) -> str:
    """In words, or as the line that stumbled."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error) or where.line}"


def compare_with_minimums(report: Report) -> list[str]:
    """Fewer expressible cases than are pinned are a fault; more are to be pinned, which the messages say."""
    pinned: dict[str, int] = json.loads(MINIMUMS.read_text("utf-8"))
    messages = []
    for name in sorted(pinned.keys() | report.groups.keys()):
        found = report.groups[name].expressible if name in report.groups else 0
        if found < pinned.get(name, 0):
            report.faults.append(f"{name}: {found} cases over REST, {pinned[name]} are pinned in {MINIMUMS.name}")
        elif found > pinned.get(name, -1):
            messages.append(f"{name}: {found} cases over REST; raise the number in {MINIMUMS.name}")
    return messages


def show(report: Report) -> None:
    width = max(map(len, report.groups), default=0)
    for name, group in sorted(report.groups.items()):
        reasons = Counter(group.not_expressible.values())
        print(
            f"{name:{width}}  direct {group.direct[True]}/{group.direct[False]}, "
            f"REST {group.rest[True]}/{group.rest[False]}, not expressible over REST {reasons.total()}"
            + "".join(f" ({count}: {reason})" for reason, count in reasons.items())
        )
    print()
    for failure in report.failures:
        print(f"FAILED {failure.way} {failure.vector}: {failure.reason}")
    for fault in report.faults:
        print(f"FAILED {fault}")
    groups = report.groups.values()
    for way, passed, failed in (
        ("direct", sum(group.direct[True] for group in groups), sum(group.direct[False] for group in groups)),
        ("REST", sum(group.rest[True] for group in groups), sum(group.rest[False] for group in groups)),
    ):
        print(f"{way}: {passed} passed, {failed} failed")
    print(f"not expressible over REST: {sum(len(group.not_expressible) for group in groups)}")
    print(f"{report.passed} passed, {report.failed} failed")


def main(arguments: list[str]) -> int:
    path = Path(arguments[0]) if arguments else OWN
    print(f"vectors: {path.resolve()}; passed/failed of each group")
    print("positives: " + " ".join(f"STRONGROOM_{name}={value}" for name, value in PERMISSIVE.items()))
    print("           with the options allow_resign; on EVM networks allow_pre155 and allow: creation_without_code;")
    print("           on Bitcoin allow: unverified_amounts")
    print("negatives: the defaults\n")
    folder = read(path)
    report = Report(faults=folder.faults)
    if folder.vectors:
        with tempfile.TemporaryDirectory(prefix="strongroom-vectors-") as scratch, servers(Path(scratch)) as rest:
            report = run(folder, rest)
    for message in compare_with_minimums(report) if path.resolve() == OWN else ():
        print(message)
    show(report)
    return 1 if report.failed else 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(main(sys.argv[1:]))
