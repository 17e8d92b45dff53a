"""What passes between a chain, which knows bytes, and a signer, which knows keys."""

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
    """32-byte digest -> r‖s‖recovery id (65 bytes), RFC 6979, low-S."""
    SCHNORR = "secp256k1-bip340"
    """32-byte digest -> 64 bytes, auxiliary randomness zero."""
    ED25519 = "ed25519"
    """message -> 64 bytes."""


class Purpose(StrEnum):
    TRANSACTION = "transaction"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class ToSign:
    """One payload and the key that is to sign it. Made by a chain; holds no secret."""

    path: str
    algorithm: Algorithm
    payload: bytes
    public_key: bytes
    """The signer derives the key at ``path``, compares, and refuses on a difference."""
    purpose: Purpose
    taproot_root: bytes | None = None
    """SCHNORR only. None: key as it is; b"": BIP-86 tweak; 32 bytes: BIP-341 tweak with this script root."""


@dataclass(frozen=True, slots=True)
class SignRequest:
    secret: SealedSecret
    to_sign: ToSign
    operation_id: UUID


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key that a transaction itself asks for: by its address, or by where it stands and what it then is."""

    address: bytes | None = None
    """Canonical bytes."""
    public_key: bytes | None = None
    """Compressed, or x-only (32 bytes)."""
    fingerprint_and_path: tuple[bytes, str] | None = None
    """Of the wallet's master key, 4 bytes; the path in canonical form."""


@dataclass(frozen=True, slots=True)
class OurKey:
    """A public key that is known to be of the wallet that signs."""

    public_key: bytes
    path: str
    scheme: str
    address: bytes
    """Canonical bytes; empty where the key's scheme is shared."""
    next_index: int | None = None
    """The lowest index that its account has not handed out; None if that is not known."""


Ours = Mapping[bytes, OurKey]
"""By public key."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that must be signed once: an EVM nonce, a TON seqno, a Bitcoin outpoint."""

    keyspace: str
    chain_id: str
    """CAIP-2 id of the network."""
    address: str
    """Canonical address, hex."""
    sequence: str
    """Nonce or seqno in decimal; txid:vout for an outpoint; the transaction's id where nothing is used up."""
    payload_hash: bytes
    """32 bytes. The same payload may be signed again."""
    joint: bool = field(default=False, compare=False)
    """Several keys, each with guards of its own, may sign one payload: it tells the transaction from all others by
    itself. Not stored: it is the same for every guard of a chain."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is needed to sign, and what there is to say of it. Holds no secret."""

    network: Network
    to_sign: tuple[ToSign, ...]
    summary: Summary
    template: object
    """The chain's own unfinished transaction or message; only its chain looks inside."""
    guards: tuple[Guard, ...] = ()
    receives: tuple[OurKey, ...] = ()
    """Keys of ours whose own addresses the transaction pays: change. The wallet holds money there from now on."""

    def requests(self, secret: SealedSecret, operation_id: UUID) -> list[SignRequest]:
        return [SignRequest(secret, item, operation_id) for item in self.to_sign]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction."""

    raw: str
    """As the network's nodes take it: 0x-hex, base64 … by chain."""
    tx_id: str | None
    complete: bool
    """False: other signers are still to sign."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Chain-specific, JSON values; integers over 2^53 as decimal strings."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a transaction uses up: no other that consumes the same can confirm beside it."""

    address: str
    """Canonical address of the sender, hex; empty for an outpoint, which says all by itself."""
    sequence: str
    """As in `Guard`: nonce or seqno in decimal, txid:vout for an outpoint."""


@dataclass(frozen=True, slots=True)
class SignedIds:
    """What tells a signed transaction of anyone from all others, read from its bytes alone."""

    tx_ids: tuple[str, ...]
    """Every id under which the network knows it; the one that `Signed.tx_id` shows comes first."""
    expiry: datetime | None = None
    """When it can no longer confirm, if the bytes say so."""
    consumes: tuple[Consumed, ...] = ()
    signers: tuple[str, ...] = ()
    """Canonical addresses, hex, of who signed it, where what it consumes does not name them."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    signature: str
    address: str
    """Address of the key that signed, as the network renders it."""
    digest: str | None
    """What was signed, hex, where the format has one."""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to sign or verify. ``format`` decides which of the two bodies is read."""

    format: str
    """eip191, eip712, eip7702 …"""
    data: bytes = b""
    """For formats over bytes."""
    document: Mapping[str, object] = field(default_factory=dict)
    """For structured formats: EIP-712 typed data; {chain_id, address, nonce} of EIP-7702; {domain, timestamp, payload}
    of a statement."""
    public_key: str | None = None
    """Hex, to verify with: where an address does not give its key away."""


@dataclass(frozen=True, slots=True)
class SignOptions:
    """What a caller may ask for beyond the rules; each has a scope of its own."""

    replaces: str | None = None
    """Id of the transaction that this one replaces under the same guard."""
    allow_resign: bool = False
    allow_pre155: bool = False
    allowed_sighashes: Sequence[str] = ()
    allow: frozenset[str] = frozenset()
    """Names of hazards that are signed all the same."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What `Chain.check` holds a transaction against: limits by the chain's own names, and the caller's options."""

    limits: Mapping[str, int | None]
    options: SignOptions = field(default_factory=SignOptions)

    def permit(self, hazard: Hazard, *, field: str = "unsigned_tx") -> Caution:
        """The caution that goes with a hazard the caller asked for. Raises OptionRequired if nobody did."""
        if hazard.name not in self.options.allow:
            raise OptionRequired(
                f"{hazard.description}; options.allow with {hazard.name} signs it all the same", field=field
            )
        return Caution(code=hazard.name, message=hazard.description)
