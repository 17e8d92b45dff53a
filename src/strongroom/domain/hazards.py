"""Hazards: what has no everyday use and is refused, unless ``options.allow`` names it and the caller holds its scope.

A caution comes with the signature, which is too late for money that is lost for certain. So a chain refuses a hazard
by `Policy.permit`, and turns it into a caution only if the caller asked for it by name. Chains take their hazards from
this table: the names are part of the API, like those of the scopes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hazard:
    name: str
    """As ``options.allow`` names it, and the code of the caution that then goes with the signature."""
    chains: frozenset[str]
    """Keys of `chains.registry.CHAINS`."""
    description: str
    """What happens, for a person: the caution's message."""

    @property
    def scope(self) -> str:
        return "sign:" + self.name.replace("_", "-")


UNVERIFIED_AMOUNTS: Final = Hazard(
    "unverified_amounts",
    frozenset({"bitcoin"}),
    "Takes the amount of an input on trust: the signature does not commit to it, so the fee can be anything",
)
CREATION_WITHOUT_CODE: Final = Hazard(
    "creation_without_code", frozenset({"evm"}), "Creates a contract without code; its value is lost"
)
TO_ZERO_ADDRESS: Final = Hazard(
    "to_zero_address",
    frozenset({"evm", "tron"}),
    "Sends coins or tokens to the zero address, where nobody can spend them",
)
"""Burning has its own functions and dead addresses. In the field this is a recipient variable that was empty."""
TO_TOKEN_CONTRACT: Final = Hazard(
    "to_token_contract", frozenset({"evm", "tron"}), "Sends tokens to their own contract, where they are lost"
)
"""The most common way in which tokens are lost. The few tokens that redeem by it can be allowed by name."""
PERMISSION_UPDATE: Final = Hazard(
    "permission_update",
    frozenset({"tron"}),
    "Replaces the permissions of the account: the keys that it names control it from then on, and no others",
)
OWNER_COSIGNING: Final = Hazard(
    "owner_cosigning",
    frozenset({"tron"}),
    "Signs with the owner permission beside other keys, or for an account of another key",
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
    )
}
