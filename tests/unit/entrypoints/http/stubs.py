"""What stands in for the pipeline."""

from __future__ import annotations

from typing import Any

import msgspec

from strongroom.operations.pipeline import Request
from strongroom.operations.registry import Operation


class StubPipeline:
    """Binds, remembers what it was asked, and answers as it was told to."""

    def __init__(self) -> None:
        self.answer: msgspec.Struct | Exception = RuntimeError("no answer was set")
        self.binds = True
        """False: refuses before it has looked at the body."""
        self.operation: Operation | None = None
        self.request: Request | None = None
        self.command: Any = None

    def admit(self, client: str) -> None:
        """Anybody."""

    async def run(self, operation: Operation, request: Request) -> msgspec.Struct:
        self.operation, self.request = operation, request
        if self.binds:
            self.command = await request.bind()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Made(msgspec.Struct, frozen=True):
    """An answer that does for any operation; one that makes something tells in Location what."""

    valid: bool = True
    id: str = "made"


def as_sent(bound: Any, sent: Any) -> Any:
    """The part of a bound document that was sent, without the defaults."""
    if isinstance(sent, dict) and isinstance(bound, dict):
        return {name: as_sent(bound[name], value) for name, value in sent.items()}
    if isinstance(sent, list):
        return [as_sent(*pair) for pair in zip(bound, sent, strict=True)]
    return bound
