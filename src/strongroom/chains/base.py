"""The port that a chain fills. A chain is pure: no I/O, no clock, no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import KeyHint, Message, Ours, Policy, Prepared, Signed, SignedIds, SignedMessage
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind

Unsigned = str | dict[str, Any]
"""An unsigned transaction: serialised text, or its JSON form."""


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    canonical: bytes
    """What addresses are compared and stored by."""
    address: str
    """As this network shows it."""
    forms: Mapping[str, str] = field(default_factory=dict)
    """Every form of it by name, that of ``address`` among them."""
    kind: str | None = None
    """wallet, contract, script …, where the address itself tells."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else it tells; JSON values."""


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The public node of an account, as other wallets take it to derive the same addresses."""

    extended_public_key: str
    slip132: str | None = None
    """The same with the version bytes that name the script (SLIP-0132), where the scheme has some."""
    descriptor: str | None = None
    """Output descriptor with origin and checksum (BIP-380), where the chain has such."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A transaction that could be read. Chains subclass it."""

    network: Network
    key_hints: tuple[KeyHint, ...]
    names_its_keys: bool = field(default=False, kw_only=True)
    """It says itself which keys sign, and there may be many (a PSBT): naming one beside it is refused."""
    wants: tuple[str, ...] = field(default=(), kw_only=True)
    """Ids of transactions that would prove what it spends, and that it does not hold."""

    def with_previous(self, previous: Mapping[str, bytes]) -> Decoded:  # noqa: ARG002 - few chains want any
        """With those of the transactions it wants that could be found, by id.

        Raises InvalidTransaction where it spends something else than it says.
        """
        return self


class Chain(Protocol):
    """One family of networks. Implementations hold no state that changes."""

    @property
    def name(self) -> str: ...

    @property
    def networks(self) -> Sequence[Network]:
        """The networks that are known without any configuration."""

    @property
    def limits(self) -> Mapping[str, int | None]:
        """Name and default of every limit that `check` knows; settings may change each. None: no limit."""

    @property
    def key_formats(self) -> Sequence[str]:
        """How a single private key of this chain may be written: what an import takes."""

    @property
    def message_formats(self) -> Sequence[str]:
        """Formats over bytes that `prepare_message` takes: what signing a message offers."""

    @property
    def statement_formats(self) -> Sequence[str]:
        """Formats over a domain, a time and a payload, which signing a message offers besides: TON Connect's."""

    @property
    def document_formats(self) -> Sequence[str]:
        """Formats over a document, each with an operation of its own: EIP-712, EIP-7702."""

    def network_for(self, text: str) -> Network | None:
        """A network for a CAIP-2 id that is of this chain but not configured, or None."""

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]: ...

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme: ...

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        """Strict. Raises InvalidAddress."""

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        """The address of a public key under a scheme. Raises UnknownScheme where the scheme's keys are shared."""

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        """``node``: of an account of ``scheme``; ``master_fingerprint``: 8 hex digits."""

    def decode(self, network: Network, unsigned: Unsigned) -> Decoded:
        """Structure only. Raises InvalidTransaction."""

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        """Rules and limits. ``ours=None`` (nobody signs) skips only what needs to know what is ours, and the expiry.

        A hazard (`domain.hazards`) goes through `Policy.permit`. Raises InvalidTransaction, WrongKey, LimitExceeded,
        OptionRequired.
        """

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary: ...

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        """Re-encodes what was decoded, compares it with what came in, and says what each key is to sign."""

    def assemble(self, prepared: Prepared, signatures: Sequence[bytes]) -> Signed:
        """Puts signatures in and verifies each. Raises InternalError on one that does not hold."""

    def identify(self, network: Network, signed: str) -> SignedIds:
        """Ids and what is consumed of a signed transaction of anyone. ``signed``: as `Signed.raw` is written.

        Raises InvalidTransaction on what is not a fully signed transaction of this network.
        """

    def tx_id(self, text: str) -> str:
        """As this service writes it, from any form in which it is pasted. Raises InvalidField."""

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        """``ours`` holds the one key that is to sign. Raises InvalidMessage."""

    def assemble_message(self, prepared: Prepared, signatures: Sequence[bytes]) -> SignedMessage: ...

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        """True where ``address`` signed ``message``. Raises InvalidMessage, InvalidAddress on unreadable input."""
