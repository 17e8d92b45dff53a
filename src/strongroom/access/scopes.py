"""Scopes: what an API key may do. An operation names one; some options of an operation need another."""

from __future__ import annotations

from typing import Final

from strongroom.domain.hazards import HAZARDS

SCOPES: Final[dict[str, str]] = {
    "wallets:read": "List and look at wallets",
    "wallets:create": "Make wallets",
    "wallets:import": "Import words and private keys",
    "wallets:backup": "Be shown the words of a wallet once, when it is made",
    "wallets:write": "Rename and archive wallets",
    "wallets:unarchive": "Take archived wallets back into use",
    "addresses:read": "List and look up addresses and extended public keys",
    "addresses:derive": "Have addresses derived and handed out",
    "balances:read": "Read balances and transactions of the tenant's own wallets",
    "chain:read": "Read balances and transactions of any address, and the state of any transaction",
    "broadcast": "Send signed transactions to the network",
    "sign:transaction": "Sign transactions",
    "sign:replace": "Sign a transaction that replaces one that was signed before",
    "sign:resign": "Sign something else for a nonce or output that was signed for",
    "sign:pre155": "Sign legacy transactions without a chain id",
    "sign:sighash": "Sign Bitcoin inputs by a sighash that leaves others free to change the transaction",
    **{hazard.scope: f"Sign although: {hazard.description}" for hazard in HAZARDS.values()},
    "sign:message": "Sign messages",
    "sign:typed-data": "Sign EIP-712 typed data: permits and orders move tokens",
    "sign:authorization": "Sign EIP-7702 authorisations: they hand the account to a contract",
    "networks:read": "List networks, validate addresses, decode and verify",
    "metrics:read": "Read the service's metrics, where they need a key",
    "audit:read": "Read the tenant's audit records",
    "admin": "Administer the tenant's API keys and background work",
}
