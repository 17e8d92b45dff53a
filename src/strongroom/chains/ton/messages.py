"""Messages: ``ton_proof`` and ``signData`` of TON Connect, and the older ``ton_personalSign``.

Each hashes a text that no wallet contract takes for a transfer. A hash that a caller chose is never signed: it could
be that of a transfer.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Any, Final

from strongroom.chains.ton import addresses, boc
from strongroom.chains.ton.cell import Builder, CellError
from strongroom.chains.ton.payloads import snake
from strongroom.codecs import base64text
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action
from strongroom.errors import InvalidMessage

PROOF: Final = "ton-proof"
SIGN_DATA: Final = "ton-sign-data"
PERSONAL: Final = "ton-personal"
MESSAGE_FORMATS: Final = (PERSONAL,)
STATEMENT_FORMATS: Final = (PROOF, SIGN_DATA)

_PREFIX: Final = b"\xff\xff"
_CELL: Final = 0x75569022
_MAX_DOMAIN: Final = 128
"""Bytes (ton-connect, requests and responses)."""
_MAX_DATA: Final = 49_152
_MAX_TIME: Final = 2**62
_PAYLOADS: Final = {"text": {"type", "text"}, "binary": {"type", "bytes"}, "cell": {"type", "schema", "cell"}}


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """What is signed, and what to say of it."""

    format: str
    payload: bytes
    """What the key signs: a hash of 32 bytes, or the whole text of ``ton-personal``."""
    digest: bytes | None
    action: Action


def read(message: Message, signer: bytes) -> ReadMessage:
    """``signer``: canonical address. Raises InvalidMessage."""
    if message.format == PERSONAL:
        payload = _PREFIX + b"ton-safe-sign-magic" + sha512(message.data).digest()
        return ReadMessage(PERSONAL, payload, None, Action(kind="message", data_size=len(message.data)))
    if message.format not in STATEMENT_FORMATS:
        raise InvalidMessage("this chain has no such message format", field="format")
    domain, timestamp, given = _statement(message.document)
    if message.format == PROOF:
        digest, size = _proof(domain, timestamp, given, signer)
    else:
        digest, size = _data(domain, timestamp, given, signer)
    action = Action(kind="message", data_size=size, details={"domain": {"name": domain}, "timestamp": str(timestamp)})
    return ReadMessage(message.format, digest, digest, action)


def _statement(document: Mapping[str, object]) -> tuple[str, int, object]:
    if document.keys() != {"domain", "timestamp", "payload"}:
        raise InvalidMessage("this format needs domain, timestamp and payload", field="format")
    domain, timestamp = document["domain"], document["timestamp"]
    if not isinstance(domain, str) or not 1 <= len(_utf8(domain, "domain")) <= _MAX_DOMAIN or "\0" in domain:
        raise InvalidMessage(f"domain is text of 1 to {_MAX_DOMAIN} bytes", field="domain")
    if type(timestamp) is not int or not 0 <= timestamp <= _MAX_TIME:
        raise InvalidMessage("timestamp is in seconds, from 0 to 2^62", field="timestamp")
    return domain, timestamp, document["payload"]


def _proof(domain: str, timestamp: int, payload: object, signer: bytes) -> tuple[bytes, int]:
    """Little-endian, as the protocol has it; only the work chain is big-endian."""
    if not isinstance(payload, str):
        raise InvalidMessage("the payload of ton-proof is a text", field="payload")
    name, data = domain.encode(), _utf8(payload, "payload")
    text = b"ton-proof-item-v2/" + _address(signer) + len(name).to_bytes(4, "little") + name
    text += timestamp.to_bytes(8, "little") + data
    return sha256(_PREFIX + b"ton-connect" + sha256(text).digest()).digest(), len(data)


def _data(domain: str, timestamp: int, payload: object, signer: bytes) -> tuple[bytes, int]:
    if not isinstance(payload, dict) or _PAYLOADS.get(str(payload.get("type"))) != payload.keys():
        raise InvalidMessage(
            "the payload of ton-sign-data is {type: text, text}, {type: binary, bytes} or {type: cell, schema, cell}",
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
    """The hash of a cell whose first bits say that it is a signed statement of this domain."""
    schema = _utf8(payload["schema"], "payload.schema")
    if not isinstance(payload["cell"], str):
        raise InvalidMessage("payload.cell is a bag of cells in base64", field="payload.cell")
    try:
        content = boc.from_base64(payload["cell"])
        statement = Builder().uint(_CELL, 32).uint(zlib.crc32(schema), 32).uint(timestamp, 64).address(signer)
        statement.ref(snake(_dns(domain))).ref(content)
        return statement.cell().hash, -(-content.length // 8)
    except CellError as error:
        raise InvalidMessage(f"payload.cell: {error}", field="payload.cell") from None


def _dns(domain: str) -> bytes:
    """As TON DNS writes names: labels from the last to the first, a zero byte after each (TEP-81)."""
    return b"".join(label + b"\0" for label in reversed(domain.encode().split(b".")))


def _address(canonical: bytes) -> bytes:
    """Work chain in four bytes, signed, and hash."""
    return addresses.workchain(canonical).to_bytes(4, "big", signed=True) + canonical[1:]


def _utf8(text: object, field: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidMessage(f"{field} is text", field=field)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise InvalidMessage(f"{field} is no valid text", field=field) from None
    if len(data) > _MAX_DATA:
        raise InvalidMessage(f"{field} is at most {_MAX_DATA} bytes", field=field)
    return data


def _binary(text: object) -> bytes:
    try:
        return base64text.decode(_utf8(text, "payload.bytes").decode())
    except ValueError as error:
        raise InvalidMessage(f"payload.bytes: {error}", field="payload.bytes") from None


def signature_bytes(text: str) -> bytes:
    """64 bytes in base64. Raises InvalidMessage."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    if len(found) != 64:
        raise InvalidMessage("a signature is 64 bytes in base64", field="signature")
    return found
