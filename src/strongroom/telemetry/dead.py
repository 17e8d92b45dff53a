"""The values that dead workers counted, merged into one file per type of metric.

Readers must see the change from the workers' files to the merged one as a single step. A counter that went back, or
counted twice, would show a rate that never was. So a plan is written once the merged files are ready, and any process
that finds a plan carries it out again. All of this happens under the lock of `multiprocess`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from prometheus_client.mmap_dict import MmapedDict

_SUMS: Final = ("counter", "histogram", "summary")
"""Types that only grow. The gauges of dead workers no longer mean anything."""
_PLAN: Final = "plan"


def merge(shared: Path, dead: Iterable[int]) -> None:
    """``dead`` are the ids of processes that no longer write."""
    settle(shared)
    gone = [file for pid in dead for file in (*shared.glob(f"*_{pid}.db"), *shared.glob(f"*_{pid}.json"))]
    ready = []
    for kind in _SUMS:
        files = [file for file in gone if file.name.startswith(f"{kind}_")]
        if files:
            made = shared / f"{kind}_merged.new"
            made.unlink(missing_ok=True)
            merged = shared / f"{kind}_merged.db"
            _add_up([*([merged] if merged.exists() else []), *files], made)
            ready.append(kind)
    if gone:
        plan = shared / f"{_PLAN}.new"
        plan.write_text(json.dumps({"ready": ready, "gone": [file.name for file in gone]}))
        plan.replace(shared / _PLAN)
        settle(shared)


def settle(shared: Path) -> None:
    """Carry out a plan. A process that died may have begun it."""
    try:
        plan = json.loads((shared / _PLAN).read_text())
    except FileNotFoundError:
        return
    for kind in plan["ready"]:
        made = shared / f"{kind}_merged.new"
        if made.exists():
            made.replace(shared / f"{kind}_merged.db")
    for name in plan["gone"]:
        (shared / name).unlink(missing_ok=True)
    (shared / _PLAN).unlink()


def _add_up(files: Iterable[Path], into: Path) -> None:
    sums: dict[str, float] = {}
    for file in files:
        for key, value, *_ in _values(file):
            sums[key] = sums.get(key, 0.0) + value
    made: Any = MmapedDict(str(into))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        made.write_value(key, value, 0.0)
    made.close()


def _values(file: Path) -> Any:
    return MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
