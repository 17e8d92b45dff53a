"""Why a caller is refused. The log and the audit record it; the caller is never told.

The caller gets the same text whatever is wrong, so nobody can learn from it how close a guess was.
"""

from __future__ import annotations

from typing import Final, NoReturn

from strongroom.domain.principal import Principal
from strongroom.errors import Forbidden, Unauthenticated

REFUSAL: Final = "no valid credentials were sent: use X-API-Key or Authorization: Bearer"
NOT_FROM_HERE: Final = "the caller is not allowed to do this"


class NotAdmitted(Exception):
    """The cause of an Unauthenticated or a Forbidden.

    ``reason`` is our own text. ``principal`` is the owner of the credential, if the credential itself was genuine.
    """

    def __init__(self, reason: str, principal: Principal | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.principal = principal


def refuse(reason: str, principal: Principal | None = None) -> NoReturn:
    """Raises Unauthenticated."""
    raise Unauthenticated(REFUSAL) from NotAdmitted(reason, principal)


def refuse_address(reason: str) -> NoReturn:
    """For an address that may not call, whatever it sent. Raises Forbidden."""
    raise Forbidden(NOT_FROM_HERE) from NotAdmitted(reason)


def why(error: Exception) -> NotAdmitted | None:
    """The internal reason of a refusal, if it has one."""
    return error.__cause__ if isinstance(error.__cause__, NotAdmitted) else None
