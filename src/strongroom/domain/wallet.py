"""Wallets, their accounts and their addresses. A wallet is one secret."""

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
    """The owner of a secret. Sealing binds the secret to it."""

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
    """BIP-32 fingerprint of the secp256k1 master key, 8 hex digits. None unless the kind is bip39."""
    keyspace: str | None
    """The only keyspace of the wallet, or None if it serves all."""
    created_at: datetime
    rates: str | None = None
    """A JSON object from limit class to a rate or ``off``, which replaces the configured rates."""


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A wallet's secret as stored, encrypted by AES-256-GCM with a data key that the key wrap has wrapped."""

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

    def __hash__(self) -> int:
        """Equality compares all fields. These two are enough for a hash."""
        return hash((self.wallet_id, self.version))

    @property
    def owner(self) -> Owner:
        return Owner(self.tenant_id, self.wallet_id)


@dataclass(frozen=True, slots=True)
class PublicNode:
    """A public key. It has a chain code (BIP-32) if more public keys are to be derived from it."""

    path: str
    public_key: bytes
    """33 bytes, compressed, on secp256k1. 32 bytes on ed25519."""
    chain_code: bytes | None
    parent_fingerprint: bytes = b"\0\0\0\0"
    """The first four bytes of HASH160 of the parent's public key. Zeros at the master."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account number of a scheme in a keyspace of a wallet. ``node`` is None if every index is hardened."""

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
    """One key under one scheme. Inserting it again must not change it, except that ``networks`` may grow."""

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
    networks: str | None = None
    """CAIP-2 ids of the networks that the address was handed out for, in that order, separated by spaces.

    Empty if it was never handed out. None if it was stored before version 1.1, which did not record this.
    """

    @property
    def handed_out_for(self) -> list[str]:
        return [] if self.networks is None else self.networks.split()

    def lacks(self, networks: str | None) -> list[str]:
        """Those of ``networks`` that are not recorded yet. Empty if either record is unknown (None)."""
        if self.networks is None or networks is None:
            return []
        return [each for each in networks.split() if each not in self.handed_out_for]
