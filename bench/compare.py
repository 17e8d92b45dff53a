"""Two checkouts against each other: rates and processor time of `bench/service.py`, in alternating rounds of one run.

    python bench/compare.py ../other-checkout --rounds 5 --seconds 5 --production --workers 2

Each checkout needs its own ``.venv`` (`make test` makes it). Prints, for each kind of request, the median of this
checkout's figure divided by the other's in the same round.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parents[1]
_LINE = re.compile(r"(?P<kind>\w+ \w+) +(?P<rate>\d+)/s .* (?P<cpu>\d+) us CPU +(?P<memory>\d+) MiB")


def measured(checkout: Path, options: list[str]) -> dict[str, tuple[float, float]]:
    """Requests a second and microseconds of processor time, by face and kind of request."""
    command = [checkout / ".venv/bin/python", "bench/service.py", *options]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    found = map(_LINE.match, done.stdout.splitlines())
    return {each["kind"]: (float(each["rate"]), float(each["cpu"])) for each in found if each}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("other", type=Path)
    options.add_argument("--rounds", type=int, default=5)
    given, passed_on = options.parse_known_args()
    rates, costs = defaultdict(list), defaultdict(list)
    for number in range(given.rounds):
        order = (HERE, given.other.resolve()) if number % 2 else (given.other.resolve(), HERE)
        both = {checkout: measured(checkout, passed_on) for checkout in order}
        ours, theirs = both[HERE], both[given.other.resolve()]
        for kind in ours.keys() & theirs.keys():
            rates[kind].append(ours[kind][0] / theirs[kind][0])
            costs[kind].append(ours[kind][1] / theirs[kind][1])
            print(f"round {number + 1} {kind}: {ours[kind][0]:.0f}/s against {theirs[kind][0]:.0f}/s", flush=True)
    for kind in sorted(rates):
        print(f"{kind:14} rate x {median(rates[kind]):.2f}, processor time x {median(costs[kind]):.2f}")


if __name__ == "__main__":
    main()
