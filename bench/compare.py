"""Compares two checkouts: signatures over REST and gRPC, in alternating rounds of one run.

    python bench/compare.py ../other-checkout --rounds 5 --seconds 5

Runs on PostgreSQL and OpenBao with two workers, and on SQLite with one. Each checkout needs its own ``.venv`` (`make
test` makes it). Prints the medians of both, and the median ratio of this checkout to the other in the same round. Other
load on the machine affects both alike, so on a busy machine the ratios mean more than the figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

_TRIES: Final = 4
HERE = Path(__file__).resolve().parents[1]
SETUPS: Final = {"PostgreSQL, 2 workers": ["--production"], "SQLite, 1 worker": []}
FIGURES: Final = {"rate": "signatures/s", "cpu": "us of worker CPU", "p99": "ms p99", "memory": "MiB a worker"}


def measured(checkout: Path, options: list[str]) -> Iterator[dict[str, Any]]:
    """Retries if a request was refused, because on a busy machine a database may respond too late."""
    command: list[str | Path] = [checkout / ".venv/bin/python", HERE / "bench/signing.py", *options]
    for _ in range(_TRIES):
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return map(json.loads, done.stdout.splitlines())
    raise SystemExit(done.stderr[-2000:])


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("other", type=Path, nargs="?")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--setup", choices=SETUPS, action="append", help="one of them alone")
    given, passed_on = options.parse_known_args()
    if given.other is None:
        print("names no other checkout: nothing to compare with")
        return
    other = given.other.resolve()
    found: dict[tuple[str, str, str], dict[Path, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(given.rounds):
        for setup in given.setup or SETUPS:
            for checkout in (HERE, other) if number % 2 else (other, HERE):
                for each in measured(checkout, [*SETUPS[setup], *passed_on]):
                    for figure in FIGURES:
                        found[setup, each["face"], figure][checkout].append(each[figure])
                    found[setup, each["face"], "of bare"][checkout].append(each["rate"] / each["bare"])
        print(f"round {number + 1} of {given.rounds}", flush=True)
    print(f"{'':48} {'this':>9} {'other':>9} {'ratio':>7}")
    for (setup, face, figure), by in found.items():
        ratio = median(ours / theirs for ours, theirs in zip(by[HERE], by[other], strict=True))
        digits = 4 if figure == "of bare" else 0
        title = f"{setup}, {face}, {FIGURES.get(figure, figure)}"
        print(f"{title:48} {median(by[HERE]):9.{digits}f} {median(by[other]):9.{digits}f} {ratio:7.2f}")


if __name__ == "__main__":
    main()
