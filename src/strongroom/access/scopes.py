"""Scopes: what an API key may do. Each operation needs one, and some of its options need another."""

from __future__ import annotations

from typing import Final

from strongroom.domain.hazards import HAZARDS


def in_a_sentence(description: str) -> str:
    """A description of a scope, to follow a colon. An acronym at its beginning stays as it is."""
    return description if description[:2].isupper() else description[0].lower() + description[1:]


SCOPES: Final[dict[str, str]] = {
    "wallets:read": "List and read wallets",
    "wallets:create": "Create wallets",
    "wallets:import": "Import mnemonics and private keys",
    "wallets:backup": "Receive the mnemonic of a new wallet, once, when it is created",
    "wallets:write": "Rename and archive wallets",
    "wallets:unarchive": "Restore archived wallets to use",
    "addresses:read": "List and look up addresses and extended public keys",
    "addresses:derive": "Derive addresses and hand them out",
    "balances:read": "Read balances and transactions of the tenant's own wallets",
    "chain:read": "Read balances and transactions of any address, and the state of any transaction",
    "broadcast": "Broadcast signed transactions",
    "sign:transaction": "Sign transactions",
    "sign:replace": "Sign a transaction that replaces one that was signed before",
    "sign:resign": "Sign again for a nonce or output that already has a signature",
    "sign:pre155": "Sign legacy transactions without a chain id",
    "sign:sighash": "Sign Bitcoin inputs with a sighash type that lets others change the transaction",
    **{hazard.scope: f"Sign despite this hazard: {hazard.description}" for hazard in HAZARDS.values()},
    "sign:message": "Sign messages",
    "sign:typed-data": "Sign EIP-712 typed data, such as permits and orders, which can move tokens",
    "sign:authorization": "Sign EIP-7702 authorisations, which give a contract control of the account",
    "networks:read": "List networks, validate addresses, decode and verify",
    "metrics:read": "Read the service's metrics if they need a key",
    "audit:read": "Read the tenant's audit records",
    "admin": "Administer the tenant's API keys and background work",
}
