"""How a campaign's command ends: with its report, its violations, and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_SHOWN = 20


def ended(report: object, violations: Sequence[str]) -> int:
    print(report)
    for violation in violations[:_SHOWN]:
        print(violation, file=sys.stderr)
    return 1 if violations else 0
