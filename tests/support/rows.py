"""Rows to store, with irrelevant fields filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from strongroom.domain.access import (
    ClientNetworks,
    Revocation,
    RevocationKind,
    client_networks_id,
    revocation_id,
)
from strongroom.domain.discovery import Discovery, DiscoveryState, discovery_id
from strongroom.domain.ids import new_id
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditEntry,
    AuditOutcome,
    Broadcast,
    BroadcastState,
    HeldGuard,
    OperationRecord,
    OperationState,
    SignatureRecord,
    broadcast_id,
)
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Account, Address, PublicNode, SealedSecret, Wallet, WalletKind, WalletState
from strongroom.storage.base import Applied, Storage, Unit

TENANT = UUID(int=0xA)
OTHER_TENANT = UUID(int=0xB)
PRINCIPAL = UUID(int=0xC)
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def wallet(**fields: Any) -> Wallet:
    made = Wallet(
        TENANT, new_id(), WalletKind.BIP39, "Kasse", None, WalletState.ACTIVE, 1, "00112233", None, NOW
    )  # fmt: skip
    return replace(made, **fields)


def secret(of: Wallet, **fields: Any) -> SealedSecret:
    made = SealedSecret(of.tenant_id, of.id, of.kind, 1, "kek", 1, b"wrapped", b"blob")
    return replace(made, **fields)


def account(of: Wallet, **fields: Any) -> Account:
    node = PublicNode("m/44'/60'/0'", b"\x02" * 33, b"\x03" * 32, b"\x04" * 4)
    made = Account(of.tenant_id, new_id(), of.id, "evm", "bip44", 0, "m/44'/60'/0'", node, 0)
    return replace(made, **fields)


def address(of: Account, index: int = 0, **fields: Any) -> Address:
    made = Address(
        of.tenant_id, of.wallet_id, of.id, of.keyspace, of.scheme, of.number, 0, index, f"{of.path}/0/{index}",
        bytes([index % 256]) * 20, b"\x02" * 33, None, None, NOW,
    )  # fmt: skip
    return replace(made, **fields)


def operation(**fields: Any) -> OperationRecord:
    made = OperationRecord(
        TENANT, new_id(), PRINCIPAL, None, b"f" * 32, "transactions.sign", None, OperationState.PENDING,
        NOW + timedelta(seconds=30), 1, None, NOW,
    )  # fmt: skip
    return replace(made, **fields)


def guard(nonce: int = 1, payload: bytes = b"p" * 32) -> Guard:
    return Guard("evm", "eip155:1", "ab" * 20, str(nonce), payload)


def held(of: OperationRecord, nonce: int = 1, payload: bytes = b"p" * 32) -> HeldGuard:
    return HeldGuard(of.tenant_id, guard(nonce, payload), of.id)


def signature(of: OperationRecord, tx_id: str = "0x01", item: int = 0) -> SignatureRecord:
    return SignatureRecord(of.tenant_id, of.id, item, UUID(int=1), "ethereum", tx_id, "0xraw", b"{}", NOW)


def discovery(**fields: Any) -> Discovery:
    wallet_id, scheme = fields.get("wallet_id", UUID(int=1)), fields.get("scheme", "bip44")
    made = Discovery(
        discovery_id(wallet_id, "eip155:1", scheme, 0), TENANT, wallet_id, new_id(), "eip155:1", scheme, 0,
        DiscoveryState.RUNNING, None, 20, 1000, 0, 0, 0, 0, 0, b"", 1, NOW,
    )  # fmt: skip
    return replace(made, **fields)


def revocation(**fields: Any) -> Revocation:
    target = fields.get("target", UUID(int=0xD))
    tenant = fields.get("tenant_id", TENANT)
    made = Revocation(
        revocation_id(tenant, target), tenant, target, RevocationKind.SUBJECT, "https://issuer.example", "worker", None,
        PRINCIPAL, 1, NOW, None,
    )  # fmt: skip
    return replace(made, **fields)


def client_networks(**fields: Any) -> ClientNetworks:
    tenant = fields.get("tenant_id", TENANT)
    made = ClientNetworks(client_networks_id(tenant), tenant, "10.0.0.0/8,2001:db8::/32", PRINCIPAL, 1, NOW)
    return replace(made, **fields)


def broadcast(**fields: Any) -> Broadcast:
    tx_id = fields.get("tx_id", "0x01")
    tenant = fields.get("tenant_id", TENANT)
    made = Broadcast(
        broadcast_id(tenant, "eip155:1", tx_id), tenant, "eip155:1", tx_id, UUID(int=1), new_id(), "0xraw",
        BroadcastState.UNKNOWN, None, 1, NOW,
    )  # fmt: skip
    return replace(made, **fields)


def api_key(**fields: Any) -> ApiKey:
    made = ApiKey(TENANT, new_id(), "till", b"m" * 32, ("sign:transaction", "wallets:read"), NOW, None, None)
    return replace(made, **fields)


def entry(n: int = 0, **fields: Any) -> AuditEntry:
    made = AuditEntry(
        NOW + timedelta(seconds=n), TENANT, PRINCIPAL, "transactions.sign", new_id(), AuditOutcome.REQUESTED,
        UUID(int=1), "ethereum", f"request-{n}", "127.0.0.1", "{}",
    )  # fmt: skip
    return replace(made, **fields)


async def done(storage: Storage, *units: Unit) -> Applied:
    applied = await storage.apply(units)
    assert not applied.conflicts
    return applied
