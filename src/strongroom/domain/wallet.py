"""Wallets and what hangs on them. A wallet is one secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class WalletKind(StrEnum):
    BIP39 = "bip39"
    """12 to 24 words of BIP-39."""
    TON_NATIVE = "ton_native"
    """24 words of TON's own system, which gives one key."""
    RAW_KEY = "raw_key"
    """One private key, for one keyspace."""


class WalletState(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose secret it is: what a seal is bound to."""

    tenant_id: UUID
    wallet_id: UUID


@dataclass(frozen=True, slots=True)
class Wallet:
    tenant_id: UUID
    id: UUID
    kind: WalletKind
    label: str | None
    external_id: str | None
    state: WalletState
    secret_version: int
    master_fingerprint: str | None
    """BIP-32 fingerprint of the secp256k1 master key, 8 hex digits; None for a raw key."""
    keyspace: str | None
    """The one keyspace of a raw key; None where the wallet serves all."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A wallet's secret as it is stored: AES-256-GCM under a data key that the key wrap has wrapped."""

    tenant_id: UUID
    wallet_id: UUID
    kind: WalletKind
    version: int
    kek: str
    """Name of the wrapping key, as the key wrap knows it."""
    kek_version: int
    wrapped_dek: bytes
    blob: bytes
    """nonce (12) ‖ ciphertext ‖ tag (16)."""

    @property
    def owner(self) -> Owner:
        return Owner(self.tenant_id, self.wallet_id)


@dataclass(frozen=True, slots=True)
class PublicNode:
    """A public key, with its chain code where further public derivation is meant (BIP-32 only)."""

    path: str
    public_key: bytes
    """secp256k1: 33 bytes, compressed; ed25519: 32 bytes."""
    chain_code: bytes | None
    parent_fingerprint: bytes = b"\0\0\0\0"
    """First four bytes of HASH160 of the parent's public key; zeros at the master."""


@dataclass(frozen=True, slots=True)
class Account:
    """(wallet, keyspace, scheme, number). ``node`` is None where every index is hardened."""

    tenant_id: UUID
    id: UUID
    wallet_id: UUID
    keyspace: str
    scheme: str
    number: int
    path: str
    node: PublicNode | None
    next_index: int
    """The lowest index that ``addresses.next`` may hand out."""


@dataclass(frozen=True, slots=True)
class Address:
    """One key under one scheme. Such a row never changes: on a second insert it must be the same."""

    tenant_id: UUID
    wallet_id: UUID
    account_id: UUID
    keyspace: str
    scheme: str
    account: int
    change: int
    index: int
    path: str
    canonical: bytes
    public_key: bytes
    label: str | None
    external_id: str | None
    created_at: datetime
