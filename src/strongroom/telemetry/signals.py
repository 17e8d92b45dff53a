"""Events in this process that may need an alert. They are only noted here; `alerts.watch` evaluates them.

Any thread may note an event without blocking. Events that are noted repeatedly between two evaluations are one signal.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

_MOST: Final = 500
_TEXT: Final = 160


@dataclass(frozen=True, slots=True)
class Signal:
    """An event that may meet a rule of the alerts."""

    rule: str
    subject: str
    tenant_id: UUID | None = None
    """The tenant concerned. None: the service itself."""
    facts: Mapping[str, str] = field(default_factory=dict)


class Signals:
    """Collects events until `take` returns them, at most 500 different ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[tuple[str, str, UUID | None], Signal] = {}

    def note(self, rule: str, subject: str, tenant_id: UUID | None = None, /, **facts: object) -> None:
        """``facts`` are our own values: never what a caller sent, never a secret."""
        signal = Signal(rule, subject, tenant_id, {name: str(value)[:_TEXT] for name, value in facts.items()})
        place = (rule, subject, tenant_id)
        with self._lock:
            if len(self._noted) < _MOST or place in self._noted:
                self._noted[place] = signal

    def take(self) -> list[Signal]:
        with self._lock:
            noted, self._noted = self._noted, {}
        return list(noted.values())


SIGNALS: Final = Signals()
"""The signals of this process."""
