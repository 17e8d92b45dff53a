"""The interface of a chain. Chains are pure. They do no I/O, read no clock and hold no secret."""

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
from strongroom.errors import InvalidMessage

Unsigned = str | dict[str, Any]
"""An unsigned transaction, as serialised text or in JSON form."""


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    canonical: bytes
    """The form in which addresses are compared and stored."""
    address: str
    """The form that this network shows."""
    forms: Mapping[str, str] = field(default_factory=dict)
    """Every textual form by name, including the one in ``address``."""
    kind: str | None = None
    """For example wallet, contract or script, if the address itself tells."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Anything else that the address tells, as JSON values."""


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The public node of an account, in forms that other wallets can import to derive the same addresses."""

    extended_public_key: str
    slip132: str | None = None
    """The extended public key with the version bytes of its script type (SLIP-0132), if there are any."""
    descriptor: str | None = None
    """The output descriptor with origin and checksum (BIP-380), if the chain has descriptors."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A transaction that was read successfully. Chains subclass it."""

    network: Network
    key_hints: tuple[KeyHint, ...]
    names_its_keys: bool = field(default=False, kw_only=True)
    """Whether the transaction names the keys that sign, as a PSBT does. Naming a key in the request is then refused."""
    wants: tuple[str, ...] = field(default=(), kw_only=True)
    """Ids of previous transactions that would prove what this one spends, and that it does not include."""

    def with_previous(self, previous: Mapping[str, bytes]) -> Decoded:  # noqa: ARG002 - few chains want any
        """A copy that includes ``previous``, the wanted transactions that were found, by id.

        Raises InvalidTransaction if they contradict what this transaction says it spends.
        """
        return self


def no_message_format(formats: Sequence[str]) -> InvalidMessage:
    """For a format that is not among ``formats``."""
    return InvalidMessage(
        f"the network has no message format with this name: format must be one of {', '.join(formats)}",
        field="format",
        allowed=list(formats),
    )


class Chain(Protocol):
    """A family of networks with the same format. Implementations hold no mutable state."""

    @property
    def name(self) -> str: ...

    @property
    def networks(self) -> Sequence[Network]:
        """The networks that need no configuration."""

    @property
    def limits(self) -> Mapping[str, int | None]:
        """The name and the default of every limit that `check` applies. Settings may change each. None is no limit."""

    @property
    def key_formats(self) -> Sequence[str]:
        """Formats in which a single private key of this chain can be imported."""

    @property
    def message_formats(self) -> Sequence[str]:
        """Formats over bytes in which a message can be signed."""

    @property
    def statement_formats(self) -> Sequence[str]:
        """Formats over a domain, a time and a payload in which a message can be signed, such as TON Connect's."""

    @property
    def document_formats(self) -> Sequence[str]:
        """Formats over a document, such as EIP-712 and EIP-7702. Each has an operation of its own."""

    def network_for(self, text: str) -> Network | None:
        """The network of a CAIP-2 id that belongs to this chain but is not configured, or None."""

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]: ...

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme: ...

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        """Read an address strictly. Raises InvalidAddress."""

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        """The address of a public key under a scheme. Raises UnknownScheme if the scheme is a shared one."""

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        """Export forms of ``node``, the public node of an account of ``scheme``.

        ``master_fingerprint`` has 8 hex digits.
        """

    def decode(self, network: Network, unsigned: Unsigned) -> Decoded:
        """Read the structure only. Raises InvalidTransaction."""

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        """Apply all rules and limits.

        With ``ours=None`` nothing is to be signed, and only the expiry and the rules about the wallet's own keys are
        skipped. A hazard (`domain.hazards`) goes through `Policy.permit`. Raises InvalidTransaction, WrongKey,
        LimitExceeded, OptionRequired.
        """

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary: ...

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        """What each key has to sign. Re-encodes what was decoded and compares it with the input first."""

    def assemble(self, prepared: Prepared, signatures: Sequence[bytes]) -> Signed:
        """Insert the signatures and verify each. Raises InternalError if one is not valid."""

    def identify(self, network: Network, signed: str) -> SignedIds:
        """The ids of a signed transaction and what it consumes, whoever signed it.

        ``signed`` has the format of `Signed.raw`. Raises InvalidTransaction unless it is a completely signed
        transaction of this network.
        """

    def tx_id(self, text: str) -> str:
        """A transaction id in the form that this service uses, from any form in use. Raises InvalidField."""

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        """``ours`` holds the one key that signs. Raises InvalidMessage."""

    def assemble_message(self, prepared: Prepared, signatures: Sequence[bytes]) -> SignedMessage: ...

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        """Whether ``address`` signed ``message``. Raises InvalidMessage or InvalidAddress on unreadable input."""
