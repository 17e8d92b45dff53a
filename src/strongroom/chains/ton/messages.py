"""Messages, which are ``ton_proof`` and ``signData`` of TON Connect, and the older ``ton_personalSign``.

Each signs data that no wallet contract accepts as a transfer. A hash chosen by a caller is never signed, because it
could be that of a transfer.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Any, Final

from strongroom.chains.base import no_message_format
from strongroom.chains.ton import addresses, boc
from strongroom.chains.ton.cell import Builder, CellError
from strongroom.chains.ton.payloads import snake
from strongroom.codecs import base64text
from strongroom.domain.cautions import caution
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution
from strongroom.errors import InvalidMessage

PROOF: Final = "ton-proof"
SIGN_DATA: Final = "ton-sign-data"
PERSONAL: Final = "ton-personal"
MESSAGE_FORMATS: Final = (PERSONAL,)
STATEMENT_FORMATS: Final = (PROOF, SIGN_DATA)

_PREFIX: Final = b"\xff\xff"
_CELL: Final = 0x75569022
_MAX_DOMAIN: Final = 128
"""Bytes (TON Connect, requests and responses)."""
_MAX_DATA: Final = 49_152
_MAX_TIME: Final = 2**62
_PAYLOADS: Final = {"text": {"type", "text"}, "binary": {"type", "bytes"}, "cell": {"type", "schema", "cell"}}


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that was read, with the bytes to sign and what the message does."""

    format: str
    payload: bytes
    """The bytes that the key signs, which are a hash of 32 bytes, or 85 bytes for ``ton-personal``."""
    digest: bytes | None
    action: Action
    cautions: tuple[Caution, ...] = ()


def read(message: Message, signer: bytes) -> ReadMessage:
    """``signer`` is the canonical address of the wallet. Raises InvalidMessage."""
    if message.format == PERSONAL:
        payload = _PREFIX + b"ton-safe-sign-magic" + sha512(message.data).digest()
        return ReadMessage(PERSONAL, payload, None, Action(kind="message", data_size=len(message.data)))
    if message.format not in STATEMENT_FORMATS:
        raise no_message_format((*MESSAGE_FORMATS, *STATEMENT_FORMATS))
    domain, timestamp, given = _statement(message.document)
    if message.format == PROOF:
        digest, size = _proof(domain, timestamp, given, signer)
    else:
        digest, size = _data(domain, timestamp, given, signer)
    action = Action(kind="message", data_size=size, details={"domain": {"name": domain}, "timestamp": str(timestamp)})
    # Contracts can verify the signature of a cell, but not those of text and bytes.
    for_contracts = isinstance(given, dict) and given["type"] == "cell"
    found = (caution("unknown_typed_data"),) if for_contracts else ()
    return ReadMessage(message.format, digest, digest, action, found)


def _statement(document: Mapping[str, object]) -> tuple[str, int, object]:
    if document.keys() != {"domain", "timestamp", "payload"}:
        raise InvalidMessage("this format needs domain, timestamp and payload", field="format")
    domain, timestamp = document["domain"], document["timestamp"]
    if not isinstance(domain, str) or not 1 <= len(_utf8(domain, "domain")) <= _MAX_DOMAIN or "\0" in domain:
        raise InvalidMessage(f"domain must be text of 1 to {_MAX_DOMAIN} bytes", field="domain")
    if type(timestamp) is not int or not 0 <= timestamp <= _MAX_TIME:
        raise InvalidMessage("timestamp must be seconds, from 0 to 2^62", field="timestamp")
    return domain, timestamp, document["payload"]


def _proof(domain: str, timestamp: int, payload: object, signer: bytes) -> tuple[bytes, int]:
    """The digest of ton_proof and the size of its payload. Numbers are little-endian, except the work chain."""
    if not isinstance(payload, str):
        raise InvalidMessage("the payload of ton-proof must be text", field="payload")
    name, data = domain.encode(), _utf8(payload, "payload")
    text = b"ton-proof-item-v2/" + _address(signer) + len(name).to_bytes(4, "little") + name
    text += timestamp.to_bytes(8, "little") + data
    return sha256(_PREFIX + b"ton-connect" + sha256(text).digest()).digest(), len(data)


def _data(domain: str, timestamp: int, payload: object, signer: bytes) -> tuple[bytes, int]:
    if not isinstance(payload, dict) or _PAYLOADS.get(str(payload.get("type"))) != payload.keys():
        raise InvalidMessage(
            "the payload of ton-sign-data must be {type: text, text}, {type: binary, bytes} or "
            "{type: cell, schema, cell}",
            field="payload",
        )
    if payload["type"] == "cell":
        return _cell(domain, timestamp, payload, signer)
    data = _binary(payload["bytes"]) if payload["type"] == "binary" else _utf8(payload["text"], "payload.text")
    kind, name = (b"bin" if payload["type"] == "binary" else b"txt"), domain.encode()
    text = _PREFIX + b"ton-connect/sign-data/" + _address(signer) + len(name).to_bytes(4, "big") + name
    text += timestamp.to_bytes(8, "big") + kind + len(data).to_bytes(4, "big") + data
    return sha256(text).digest(), len(data)


def _cell(domain: str, timestamp: int, payload: dict[str, Any], signer: bytes) -> tuple[bytes, int]:
    """The hash of a cell whose first bits mark it as a signed statement, and the size of its content."""
    schema = _utf8(payload["schema"], "payload.schema")
    if not isinstance(payload["cell"], str):
        raise InvalidMessage("payload.cell must be a bag of cells in base64", field="payload.cell")
    try:
        content = boc.from_base64(payload["cell"])
        statement = Builder().uint(_CELL, 32).uint(zlib.crc32(schema), 32).uint(timestamp, 64).address(signer)
        statement.ref(snake(_dns(domain))).ref(content)
        return statement.cell().hash, -(-content.length // 8)
    except CellError as error:
        raise InvalidMessage(f"payload.cell: {error}", field="payload.cell") from None


def _dns(domain: str) -> bytes:
    """The form of a name in TON DNS, with the labels in reverse order and a zero byte after each (TEP-81)."""
    return b"".join(label + b"\0" for label in reversed(domain.encode().split(b".")))


def _address(canonical: bytes) -> bytes:
    """The work chain as four signed bytes, and the hash."""
    return addresses.workchain(canonical).to_bytes(4, "big", signed=True) + canonical[1:]


def _utf8(text: object, field: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidMessage(f"{field} must be text", field=field)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise InvalidMessage(f"{field} is not valid Unicode text", field=field) from None
    if len(data) > _MAX_DATA:
        raise InvalidMessage(f"{field} must have at most {_MAX_DATA} bytes", field=field)
    return data


def _binary(text: object) -> bytes:
    try:
        return base64text.decode(_utf8(text, "payload.bytes").decode())
    except ValueError as error:
        raise InvalidMessage(f"payload.bytes: {error}", field="payload.bytes") from None


def signature_bytes(text: str) -> bytes:
    """Read a signature of 64 bytes in base64. Raises InvalidMessage."""
    try:
        found = base64text.decode(text)
    except ValueError:
        found = b""
    if len(found) != 64:
        raise InvalidMessage("a signature must be 64 bytes in base64", field="signature")
    return found
