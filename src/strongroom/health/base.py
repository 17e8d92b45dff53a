"""The port of health: one check a component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["ok", "degraded", "error"]


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    status: Status
    details: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """What is shown beside it: ``connections`` of a pool, ``circuit_state`` of a breaker."""


class Check(Protocol):
    async def __call__(self) -> ComponentStatus:
        """Asks the component. May raise and may hang: the monitor counts both as an error."""
