"""One call of an operation: its context, and the services that all calls of the process share."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.access.api_keys import Authenticator
from strongroom.access.limits import RateLimits
from strongroom.operations.context import Context
from strongroom.operations.deadline import Deadline
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.reading import Reading


@dataclass(frozen=True, slots=True)
class Call(Context):
    networks: Networks
    keyring: Keyring
    authenticator: Authenticator
    offload: Offload
    reading: Reading
    limits: RateLimits
    deadline: Deadline

    async def count(self, limit_class: str) -> None:
        """For what counts under another rate than the operation's own, besides. Raises RateLimited."""
        await self.limits.hit(limit_class, self.principal.id)
