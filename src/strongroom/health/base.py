"""The port of health: one check per component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["ok", "degraded", "error"]
Detail = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """The result of a check."""

    status: Status
    details: Mapping[str, Detail] = field(default_factory=dict)
    """Shown beside the status: a pool's ``connections``, a breaker's ``circuit_state``, or the fault as ``state``."""


class Check(Protocol):
    async def __call__(self) -> ComponentStatus:
        """Ask the component. May raise or hang; the monitor counts both as an error."""


Note = Callable[[], ComponentStatus | None]
"""What this process reports about itself, or None. It is never an error, and must not block."""
