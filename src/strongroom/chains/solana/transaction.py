"""A transaction, which is a message with its signatures. Signing fills in a signature and changes no other byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from strongroom.chains.solana import message as messages
from strongroom.chains.solana.message import MAX_SIZE, V1, V1_BYTE, Message
from strongroom.chains.solana.wire import Reader, compact_u16
from strongroom.codecs.ed25519 import verifies

SIGNATURE: Final = 64
EMPTY: Final = bytes(SIGNATURE)
"""The placeholder of a missing signature."""


@dataclass(frozen=True, slots=True)
class Transaction:
    signatures: tuple[bytes, ...]
    """One for each required signer, in the order of the keys."""
    message: Message
    signed_bytes: bytes
    """The bytes of the message, which every signature signs."""

    def serialize(self) -> bytes:
        signatures = b"".join(self.signatures)
        if self.message.version == V1:
            return self.signed_bytes + signatures
        return compact_u16(len(self.signatures)) + signatures + self.signed_bytes

    def with_signatures(self, made: Mapping[int, bytes]) -> Transaction:
        filled = tuple(made.get(place, old) for place, old in enumerate(self.signatures))
        return Transaction(filled, self.message, self.signed_bytes)

    def holds(self, place: int) -> bool:
        """Whether the signature at a place is valid for the key there."""
        return verifies(self.message.keys[place], self.signatures[place], self.signed_bytes)


def parse(raw: bytes) -> Transaction:
    """Raises ValueError on anything that no validator would accept, including trailing bytes and excessive size."""
    if not raw:
        raise ValueError("it is empty")
    reader = Reader(raw)
    if raw[0] == V1_BYTE:
        found = messages.read(reader)
        signed_bytes = raw[: reader.position]
        signatures = tuple(reader.take(SIGNATURE) for _ in range(found.header.signers))
    else:
        signatures = tuple(reader.take(SIGNATURE) for _ in range(reader.compact_u16()))
        start = reader.position
        found = messages.read(reader)
        signed_bytes = raw[start:]
        if found.version == V1:
            raise ValueError("the signatures of a version 1 transaction must follow its message")
    reader.end()
    if len(signatures) != found.header.signers:
        raise ValueError("the number of signatures differs from the number of signers in the header")
    if len(raw) > MAX_SIZE[found.version]:
        raise ValueError(f"a transaction of this version must have at most {MAX_SIZE[found.version]} bytes")
    return Transaction(signatures, found, signed_bytes)


def unsigned(signed_bytes: bytes) -> Transaction:
    """A transaction without signatures, from its message. Raises ValueError."""
    found = messages.parse(signed_bytes)
    made = Transaction((EMPTY,) * found.header.signers, found, signed_bytes)
    if len(made.serialize()) > MAX_SIZE[found.version]:
        raise ValueError(f"a transaction of this version must have at most {MAX_SIZE[found.version]} bytes")
    return made
