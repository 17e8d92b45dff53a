"""Hazards, which have no everyday use and are refused unless ``options.allow`` names them and the caller's scope fits.

A caution comes with the signature, which is too late for money that is certainly lost. So a chain refuses a hazard by
`Policy.permit`, and turns it into a caution only if the caller asked for it by name. Chains take their hazards from
this table. The names are part of the API, like those of the scopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hazard:
    name: str
    """The name in ``options.allow``, and the code of the caution that then comes with the signature."""
    chains: frozenset[str]
    """Keys of `chains.registry.CHAINS`."""
    description: str
    """What happens, in words. It becomes the message of the caution."""

    @property
    def scope(self) -> str:
        return "sign:" + self.name.replace("_", "-")


UNVERIFIED_AMOUNTS: Final = Hazard(
    "unverified_amounts",
    frozenset({"bitcoin"}),
    "Takes the amount of an input on trust: the signature does not commit to it, so the fee can be anything",
)
CREATION_WITHOUT_CODE: Final = Hazard(
    "creation_without_code", frozenset({"evm"}), "Creates a contract without code, so its value is lost"
)
TO_ZERO_ADDRESS: Final = Hazard(
    "to_zero_address",
    frozenset({"evm", "tron"}),
    "Sends coins or tokens to the zero address, from which nobody can spend them",
)
"""Tokens have functions and dead addresses for burning. In practice the zero address is an unset recipient variable."""
TO_TOKEN_CONTRACT: Final = Hazard(
    "to_token_contract",
    frozenset({"evm", "tron", "ton"}),
    "Sends tokens to the token's own contract, where they are lost",
)
"""The most common way to lose tokens. A caller of one of the few tokens that redeem this way can allow the hazard."""
PERMISSION_UPDATE: Final = Hazard(
    "permission_update",
    frozenset({"tron"}),
    "Replaces the permissions of the account: from then on, only the keys that it names control it",
)
OWNER_COSIGNING: Final = Hazard(
    "owner_cosigning",
    frozenset({"tron"}),
    "Signs with the owner permission next to other keys, or for another key's account",
)
DESTROY_WALLET: Final = Hazard(
    "destroy_wallet",
    frozenset({"ton"}),
    "Mode 32 deletes the wallet contract once its balance is zero, and with it the seqno "
    "that prevents replays of old messages",
)
CARRY_INBOUND_VALUE: Final = Hazard(
    "carry_inbound_value",
    frozenset({"ton"}),
    "Mode 64 adds the value of the incoming message, but an external message has none",
)
MASTERCHAIN_RECIPIENT: Final = Hazard(
    "masterchain_recipient",
    frozenset({"ton"}),
    "Sends to the masterchain, where fees are higher and where there are few contracts except the network's own",
)

HAZARDS: Final[dict[str, Hazard]] = {
    hazard.name: hazard
    for hazard in (
        UNVERIFIED_AMOUNTS,
        CREATION_WITHOUT_CODE,
        TO_ZERO_ADDRESS,
        TO_TOKEN_CONTRACT,
        PERMISSION_UPDATE,
        OWNER_COSIGNING,
        DESTROY_WALLET,
        CARRY_INBOUND_VALUE,
        MASTERCHAIN_RECIPIENT,
    )
}
