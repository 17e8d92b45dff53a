"""Messages as plain bytes, as Sign In With Solana, and in the off-chain format of Solana's command line.

A signature over the message of a transaction makes a signed transaction. So such bytes are never signed as a message.
"""

from __future__ import annotations

import re
from typing import Final

from strongroom.chains.base import no_message_format
from strongroom.chains.solana import message as transactions
from strongroom.chains.solana import transaction
from strongroom.chains.solana.wire import Reader
from strongroom.codecs import base58
from strongroom.domain.signing import Message
from strongroom.errors import InvalidMessage

RAW: Final = "solana"
SIWS: Final = "siws"
OFFCHAIN: Final = "solana-offchain"
FORMATS: Final = (RAW, SIWS, OFFCHAIN)

_DOMAIN: Final = b"\xffsolana offchain"
_PACKET: Final = 1232
_HEADER: Final = len(_DOMAIN) + 4
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))
_SIGN_IN: Final = re.compile(
    r"(?P<domain>[^\s/]{1,253}) wants you to sign in with your Solana account:\n"
    r"(?P<address>[1-9A-HJ-NP-Za-km-z]{32,44})(\n|$)"
)


def payload(message: Message, address: str) -> bytes:
    """The bytes to sign. ``address`` is that of the key, which a sign-in message must name. Raises InvalidMessage."""
    if message.format == RAW:
        _refuse_transaction(message.data)
        return message.data
    if message.format == SIWS:
        return _sign_in(message.data, address)
    if message.format == OFFCHAIN:
        return _offchain(message.data)
    raise no_message_format(FORMATS)


def domain(message: Message) -> str | None:
    """The site that a sign-in message is for, or None for other messages."""
    found = _SIGN_IN.match(message.data.decode(errors="replace")) if message.format == SIWS else None
    return None if found is None else found["domain"]


def signature(text: str) -> bytes:
    """Read a signature of 64 bytes in base58. Raises InvalidMessage."""
    try:
        found = base58.decode(text) if len(text) <= 90 else b""
    except ValueError:
        found = b""
    if len(found) != transaction.SIGNATURE:
        raise InvalidMessage("a signature must be 64 bytes in base58", field="signature")
    return found


def _refuse_transaction(data: bytes) -> None:
    """Refuse bytes that are or begin with the message of a transaction, and whole transactions."""
    try:
        transactions.read(Reader(data))
    except ValueError:
        pass
    else:
        raise InvalidMessage("these bytes are the message of a transaction: sign it as a transaction", field="message")
    try:
        transaction.parse(data)
    except ValueError:
        return
    raise InvalidMessage("these bytes are a transaction: sign it as a transaction", field="message")


def _sign_in(data: bytes, address: str) -> bytes:
    try:
        found = _SIGN_IN.match(data.decode())
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise InvalidMessage(
            "a sign-in message must begin with `DOMAIN wants you to sign in with your Solana account:` and the address",
            field="message",
        )
    if found["address"] != address:
        raise InvalidMessage(
            "the sign-in message names an account other than that of the key that signs", field="message"
        )
    _refuse_transaction(data)  # control characters in the domain may spell the head of one
    return data


def _offchain(data: bytes) -> bytes:
    """The format of `solana sign-offchain-message`, version 0, which is domain, version, format, length and text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        raise InvalidMessage("an off-chain message must be UTF-8", field="message") from None
    if not data or len(data) > 0xFFFF - _HEADER:
        raise InvalidMessage("an off-chain message must have 1 to 65,515 bytes", field="message")
    kind = 2 if len(data) > _PACKET - _HEADER else 0 if _PRINTABLE.issuperset(data) else 1
    return _DOMAIN + bytes((0, kind)) + len(data).to_bytes(2, "little") + data
