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
    """A BIP-39 mnemonic to make from fresh entropy."""

    words: int = 24
    language: str = "english"
    passphrase: Secret = field(default_factory=lambda: Secret(""))
    reveal_words: bool = False
    """Whether to return the words, once, for a backup."""


@dataclass(frozen=True, slots=True)
class NewTonWords:
    """24 words of TON's own system, to make from fresh entropy."""

    password: Secret = field(default_factory=lambda: Secret(""))
    reveal_words: bool = False
    """Whether to return the words, once, for a backup."""


@dataclass(frozen=True, slots=True)
class TonWords:
    """24 words of TON's own system."""

    words: Secret
    password: Secret = field(default_factory=lambda: Secret(""))
    """The password that the words are valid with, or an empty string."""


@dataclass(frozen=True, slots=True)
class Mnemonic:
    words: Secret
    passphrase: Secret
    language: str | None = None
    """None to detect the language. Words that mean different entropy in different languages are then refused."""


class RawKeyFormat(StrEnum):
    HEX = "hex"
    """32 bytes as 64 digits, with or without 0x."""
    WIF = "wif"
    """Bitcoin's wallet import format, for a compressed public key."""
    BASE58 = "base58"
    """Seed and public key, 64 bytes in base58, as Solana wallets export them. The seed alone is accepted too."""
    JSON = "json"
    """Seed and public key as a JSON array of 64 numbers, the file format of solana-keygen."""


@dataclass(frozen=True, slots=True)
class RawKey:
    curve: Curve
    format: RawKeyFormat
    key: Secret
    testnet: bool = False
    """Whether the keyspace is of a testnet. A format that names its network has to agree."""


@dataclass(frozen=True, slots=True)
class Want:
    """A public key that the caller asks for."""

    path: str
    curve: Curve
    node: bool = False
    """Whether the chain code is wanted too (BIP-32 only)."""


@dataclass(frozen=True, slots=True)
class Created:
    secret: SealedSecret
    kind: WalletKind
    master_fingerprint: str | None
    public: list[PublicNode]
    """In the order of the wants."""
    words: Secret | None = None


class KeyFailure(Exception):
    """One item could not be signed or opened. Calls with many items return it in their list, others raise it."""

    def __init__(self, reason: KeyFailureReason, retry_after: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds to wait before a retry makes sense."""


class KeyFailureReason(StrEnum):
    UNAVAILABLE = "unavailable"
    """The key wrap does not respond at the moment."""
    TAMPERED = "tampered"
    """The sealed secret is not what was sealed for this wallet."""
    WRONG_PUBLIC_KEY = "wrong_public_key"
    """The key at this path does not have the public key that the request names."""
    UNSUPPORTED = "unsupported"


class Signer(Protocol):
    async def create(self, owner: Owner, spec: NewSeed | NewTonWords, wants: Sequence[Want]) -> Created:
        """Make a secret from fresh entropy and seal it.

        Raises KeyFailure (unavailable), InvalidField, InvalidPath, InvalidMnemonic (the passphrase).
        """

    async def create_all(
        self, asks: Sequence[tuple[Owner, NewSeed | NewTonWords, Sequence[Want]]]
    ) -> list[Created | Exception]:
        """What `create` returns or raises, for each item in order. All are sealed by one call of the key wrap."""

    async def restore(self, owner: Owner, material: Mnemonic | TonWords | RawKey, wants: Sequence[Want]) -> Created:
        """Seal a secret that the caller brings.

        Raises KeyFailure, InvalidMnemonic, InvalidKey, InvalidField, InvalidPath.
        """

    async def public(self, secret: SealedSecret, wants: Sequence[Want]) -> list[PublicNode]:
        """The public keys at the wanted paths, in order. Raises KeyFailure, InvalidPath."""

    async def sign(self, requests: Sequence[SignRequest]) -> list[bytes | KeyFailure]:
        """One result per request, in order. Each wallet is unwrapped at most once. Signatures are deterministic.

        ECDSA gives 65 bytes, r ‖ s ‖ recovery id. Schnorr (BIP-340) and Ed25519 give 64.
        """

    async def forget(self, wallet_id: UUID) -> None:
        """Drop the opened secrets of this wallet."""

    async def close(self) -> None:
        """Drop all opened secrets."""
