"""The wallets and networks that a command touches, and whether its caller may see them.

Every row of the registry says how to find them. So each operation is charged to its wallets, and none runs for a caller
that may not see what it names. The error for something that the caller may not see is the one for something missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from strongroom.domain.restriction import Restriction
from strongroom.errors import Forbidden, NotFound, UnknownNetwork
from strongroom.operations.networks import Networks


@dataclass(frozen=True, slots=True)
class Touches:
    wallets: frozenset[UUID] = frozenset()
    networks: tuple[str, ...] = ()
    """Names, aliases or CAIP-2 ids, as the caller wrote them."""
    whole: bool = False
    """Whether the command is about the whole tenant."""

    def __or__(self, other: Touches) -> Touches:
        return Touches(self.wallets | other.wallets, self.networks + other.networks, self.whole or other.whole)


NOTHING: Final = Touches()
WHOLE: Final = Touches(whole=True)
Touching = Callable[[Any], Touches]


def named(command: msgspec.Struct) -> Touches:
    """The fields ``wallet_id``, ``network`` and ``networks`` of a command."""
    wallet_id, network = getattr(command, "wallet_id", None), getattr(command, "network", None)
    networks = () if network is None else (network,)
    return Touches(
        frozenset() if wallet_id is None else frozenset({wallet_id}), (*networks, *getattr(command, "networks", ()))
    )


def nothing(_: msgspec.Struct) -> Touches:
    """For commands that name neither a wallet nor a network. Their handlers filter what they list."""
    return NOTHING


def tenant(_: msgspec.Struct) -> Touches:
    """For commands about the whole tenant. Callers that see only a part of it may not use them."""
    return WHOLE


def require_named(touches: Touches, restriction: Restriction, networks: Networks) -> None:
    """Checks that the caller may see everything that a command names.

    ``networks``: all networks of the deployment. Raises NotFound or UnknownNetwork exactly as for something missing,
    and Forbidden for a command about the whole tenant.
    """
    if touches.whole and restriction.hides:
        raise Forbidden("a caller restricted to certain wallets or networks cannot act for the whole tenant")
    if restriction.networks is not None:
        seen = networks.only(restriction.networks)
        for text in touches.networks:
            try:
                seen.resolve(text)
            except UnknownNetwork as refusal:
                if networks.has(text):
                    refusal.denial = "restriction: networks"
                raise
    if restriction.wallets is not None and not touches.wallets <= restriction.wallets:
        raise unseen_wallet()


def unseen_wallet() -> NotFound:
    refusal = no_wallet()
    refusal.denial = "restriction: wallets"
    return refusal


def no_wallet() -> NotFound:
    return NotFound("there is no wallet with this id", field="wallet_id")
