"""The port of health: one check a component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["ok", "degraded", "error"]
Detail = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    status: Status
    details: Mapping[str, Detail] = field(default_factory=dict)
    """What is shown beside it: ``connections`` of a pool, ``circuit_state`` of a breaker, ``state``: what is wrong."""


class Check(Protocol):
    async def __call__(self) -> ComponentStatus:
        """Asks the component. May raise and may hang: the monitor counts both as an error."""


Note = Callable[[], ComponentStatus | None]
"""What this process has to say of itself; None when there is nothing. It is never an error, and must not wait."""
