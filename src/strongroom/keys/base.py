"""The signer: the one place where private keys exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import SignRequest
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret, WalletKind


@dataclass(frozen=True, slots=True)
class NewSeed:
    """A mnemonic to be made from fresh entropy."""

    words: int = 24
    language: str = "english"
    passphrase: Secret = field(default_factory=lambda: Secret(""))
    reveal_words: bool = False
    """The words are given back once, for a backup."""


@dataclass(frozen=True, slots=True)
class NewTonWords:
    """24 words of TON's own system, to be made from fresh entropy."""

    password: Secret = field(default_factory=lambda: Secret(""))
    reveal_words: bool = False
    """The words are given back once, for a backup."""


@dataclass(frozen=True, slots=True)
class TonWords:
    """24 words of TON's own system, and the password that they are valid with; empty: none."""

    words: Secret
    password: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class Mnemonic:
    words: Secret
    passphrase: Secret
    language: str | None = None
    """None: found out; refused where the words fit lists with different entropy."""


class RawKeyFormat(StrEnum):
    HEX = "hex"
    """32 bytes, 64 digits, 0x allowed."""
    WIF = "wif"
    """As Bitcoin wallets write it, for a compressed public key."""
    BASE58 = "base58"
    """Seed and public key, 64 bytes in base58: as Solana wallets export it."""
    JSON = "json"
    """The same as a JSON array of 64 numbers: the file of solana-keygen."""


@dataclass(frozen=True, slots=True)
class RawKey:
    curve: Curve
    format: RawKeyFormat
    key: Secret
    testnet: bool = False
    """Of the keyspace: a format that names the network has to agree."""


@dataclass(frozen=True, slots=True)
class Want:
    """A public key that is asked for. ``node``: with its chain code (BIP-32 only)."""

    path: str
    curve: Curve
    node: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    secret: SealedSecret
    kind: WalletKind
    master_fingerprint: str | None
    public: list[PublicNode]
    """In the order of the wants."""
    words: Secret | None = None


class KeyFailure(Exception):
    """One item could not be signed or opened. A value in a list of results, raised only where there is one item."""

    def __init__(self, reason: KeyFailureReason, retry_after: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


class KeyFailureReason(StrEnum):
    UNAVAILABLE = "unavailable"
    """The key wrap cannot be asked now."""
    TAMPERED = "tampered"
    """The sealed secret is not what was sealed for this wallet."""
    WRONG_PUBLIC_KEY = "wrong_public_key"
    """The key at this path is not the one that was asked for."""
    UNSUPPORTED = "unsupported"


class Signer(Protocol):
    async def create(self, owner: Owner, spec: NewSeed | NewTonWords, wants: Sequence[Want]) -> Created:
        """Raises KeyFailure (unavailable), InvalidField, InvalidMnemonic (the passphrase)."""

    async def restore(self, owner: Owner, material: Mnemonic | TonWords | RawKey, wants: Sequence[Want]) -> Created:
        """Raises InvalidMnemonic, InvalidKey, KeyFailure."""

    async def public(self, secret: SealedSecret, wants: Sequence[Want]) -> list[PublicNode]:
        """Raises KeyFailure."""

    async def sign(self, requests: Sequence[SignRequest]) -> list[bytes | KeyFailure]:
        """In order, per item; one unwrap a wallet however many items. Signatures are deterministic."""

    async def forget(self, wallet_id: UUID) -> None:
        """Drops what is opened of this wallet."""

    async def close(self) -> None:
        """Drops everything."""
