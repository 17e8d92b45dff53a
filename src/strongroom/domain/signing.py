"""Values that pass between a chain, which knows bytes, and a signer, which knows keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from strongroom.domain.hazards import Hazard
from strongroom.domain.network import Network
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import SealedSecret
from strongroom.errors import OptionRequired


class Algorithm(StrEnum):
    ECDSA = "secp256k1-ecdsa"
    """Signs a 32-byte digest, with the nonce of RFC 6979 and low S. Gives 65 bytes, r ‖ s ‖ recovery id."""
    SCHNORR = "secp256k1-bip340"
    """Signs a 32-byte digest by BIP-340, with zero auxiliary randomness. Gives 64 bytes."""
    ED25519 = "ed25519"
    """Signs a message of any length by RFC 8032. Gives 64 bytes."""


class Purpose(StrEnum):
    TRANSACTION = "transaction"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class ToSign:
    """One payload and the key that signs it. A chain makes it, and it holds no secret."""

    path: str
    algorithm: Algorithm
    payload: bytes
    public_key: bytes
    """The signer refuses unless the key at ``path`` has this public key."""
    purpose: Purpose
    taproot_root: bytes | None = None
    """For Schnorr only. None leaves the key as it is, b"" tweaks it by BIP-86, and 32 bytes tweak it by BIP-341 with
    this script root."""


@dataclass(frozen=True, slots=True)
class SignRequest:
    secret: SealedSecret
    to_sign: ToSign
    operation_id: UUID


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key that a transaction asks for, named by its address, its public key or its path."""

    address: bytes | None = None
    """Canonical bytes."""
    public_key: bytes | None = None
    """Compressed (33 bytes) or x-only (32 bytes)."""
    fingerprint_and_path: tuple[bytes, str] | None = None
    """The 4-byte fingerprint of the wallet's master key, and the path in canonical form."""


@dataclass(frozen=True, slots=True)
class OurKey:
    """A public key that is known to belong to the wallet that signs."""

    public_key: bytes
    path: str
    scheme: str
    address: bytes
    """Canonical bytes, empty if the key's scheme is shared."""
    next_index: int | None = None
    """The lowest index that its account has not handed out, or None if that is not known."""


Ours = Mapping[bytes, OurKey]
"""The wallet's keys by public key."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that must be signed for only once, such as an EVM nonce, a TON seqno or a Bitcoin outpoint."""

    keyspace: str
    chain_id: str
    """CAIP-2 id of the network."""
    address: str
    """Canonical address in hex."""
    sequence: str
    """Nonce or seqno in decimal, or txid:vout of an outpoint, or the transaction's id if it uses nothing up."""
    payload_hash: bytes
    """32 bytes. The same payload may be signed again."""
    joint: bool = field(default=False, compare=False)
    """Whether several keys, each with guards of its own, may sign one payload because the payload alone identifies the
    transaction. It is not stored, because it is the same for every guard of a chain."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is needed to sign, with the summary for the caller. Holds no secret."""

    network: Network
    to_sign: tuple[ToSign, ...]
    summary: Summary
    template: object
    """The unfinished transaction or message. Only its chain looks inside."""
    guards: tuple[Guard, ...] = ()
    receives: tuple[OurKey, ...] = ()
    """Keys of the wallet whose addresses the transaction pays, as for change. The wallet then holds money there."""

    def requests(self, secret: SealedSecret, operation_id: UUID) -> list[SignRequest]:
        return [SignRequest(secret, item, operation_id) for item in self.to_sign]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction."""

    raw: str
    """The form that the network's nodes accept, such as 0x-hex or base64."""
    tx_id: str | None
    complete: bool
    """False while other signers have to sign."""
    details: Mapping[str, object] = field(default_factory=dict)
    """JSON values that depend on the chain. Integers over 2^53 are decimal strings."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """Something that a transaction uses up. Of all transactions that consume it, only one can confirm."""

    address: str
    """Canonical address of the sender in hex, or empty for an outpoint, which is unique without it."""
    sequence: str
    """Nonce or seqno in decimal, or txid:vout of an outpoint, as in `Guard`."""


@dataclass(frozen=True, slots=True)
class SignedIds:
    """What identifies a signed transaction, whoever signed it. Read from its bytes alone."""

    tx_ids: tuple[str, ...]
    """Every id under which the network knows it. The one that `Signed.tx_id` shows comes first."""
    expiry: datetime | None = None
    """When it can no longer confirm, if the bytes say so."""
    consumes: tuple[Consumed, ...] = ()
    signers: tuple[str, ...] = ()
    """Canonical addresses of its signers in hex, if ``consumes`` does not name them."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    signature: str
    address: str
    """Address of the key that signed, as the network shows it."""
    digest: str | None
    """The signed digest in hex, if the format has one."""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to sign or verify. ``format`` decides which of the two bodies is read."""

    format: str
    """For example eip191, eip712 or eip7702."""
    data: bytes = b""
    """The message of a format over bytes."""
    document: Mapping[str, object] = field(default_factory=dict)
    """The message of a structured format, such as EIP-712 typed data, {chain_id, address, nonce} of EIP-7702 or
    {domain, timestamp, payload} of a statement."""
    public_key: str | None = None
    """The key to verify with, in hex, if it cannot be found from the address."""


@dataclass(frozen=True, slots=True)
class SignOptions:
    """Exceptions from the rules that a caller may ask for. Each has a scope of its own."""

    replaces: str | None = None
    """Id of the transaction that this one replaces under the same guard."""
    allow_resign: bool = False
    allow_pre155: bool = False
    allowed_sighashes: Sequence[str] = ()
    allow: frozenset[str] = frozenset()
    """Names of hazards to sign nevertheless."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What `Chain.check` applies, which is limits by the chain's names for them and the caller's options."""

    limits: Mapping[str, int | None]
    options: SignOptions = field(default_factory=SignOptions)

    def permit(self, hazard: Hazard, *, field: str = "unsigned_tx") -> Caution:
        """The caution for a hazard that the caller asked for. Raises OptionRequired if it did not."""
        if hazard.name not in self.options.allow:
            raise OptionRequired(
                f"{hazard.description}. To sign it all the same, add {hazard.name} to options.allow", field=field
            )
        return Caution(code=hazard.name, message=hazard.description)
