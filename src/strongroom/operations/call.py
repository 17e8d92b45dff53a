"""One call of an operation: its context, and the services that all calls of the process share."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.access.api_keys import Authenticator
from strongroom.access.callers import Callers
from strongroom.access.limits import RateLimits, Told, tell_nobody
from strongroom.alerts.base import Alerting
from strongroom.domain.discovery import GAP
from strongroom.operations.context import Context
from strongroom.operations.deadline import Deadline
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.reading import Reading
from strongroom.operations.sight import NOTHING, Touches


@dataclass(frozen=True, slots=True)
class Call(Context):
    networks: Networks
    keyring: Keyring
    callers: Callers
    offload: Offload
    reading: Reading
    alerting: Alerting
    limits: RateLimits
    deadline: Deadline

    gap: int = GAP
    """The gap of a discovery whose request sets none."""
    touched: Touches = NOTHING
    """The wallets and networks that the command names."""
    tell: Told = tell_nobody

    @property
    def authenticator(self) -> Authenticator:
        return self.callers.keys

    async def count(self, limit_class: str) -> None:
        """Charges the call to a rate limit beside the operation's own. Raises RateLimited."""
        await self.limits.charge(self.principal, limit_class, self.touched.wallets, tell=self.tell)
