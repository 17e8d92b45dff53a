"""Reads the body of a message as a comment (simple transfer convention) or a jetton (TEP-74) or NFT (TEP-62) operation.

A body that matches none of them exactly is unknown and is shown by its operation only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from strongroom.chains.ton.cell import Builder, Cell, CellError, Slice

COMMENT: Final = 0
ENCRYPTED_COMMENT: Final = 0x2167DA4B
JETTON_TRANSFER: Final = 0x0F8A7EA5
JETTON_BURN: Final = 0x595F07BC
NFT_TRANSFER: Final = 0x5FCC3D14

_MAX_COMMENT: Final = 32_768
"""Bytes. In a chain of cells of 127 bytes each, this is far below the greatest depth of a message."""
_IN_FIRST: Final = 123
_IN_NEXT: Final = 127


@dataclass(frozen=True, slots=True)
class Empty:
    """No body, as in a plain transfer."""


@dataclass(frozen=True, slots=True)
class Comment:
    text: str


@dataclass(frozen=True, slots=True)
class EncryptedComment:
    """A comment that only its recipient can read."""


@dataclass(frozen=True, slots=True)
class Unknown:
    operation: int | None
    """The first 32 bits, or None if the body is shorter."""
    bits: int


Forward = Empty | Comment | EncryptedComment | Unknown
"""The payload that is forwarded to a token's new owner."""


@dataclass(frozen=True, slots=True)
class JettonTransfer:
    query_id: int
    amount: int
    recipient: bytes
    response_to: bytes | None
    custom_payload: bool
    forward_amount: int
    forward: Forward


@dataclass(frozen=True, slots=True)
class JettonBurn:
    query_id: int
    amount: int
    response_to: bytes | None
    custom_payload: bool


@dataclass(frozen=True, slots=True)
class NftTransfer:
    query_id: int
    new_owner: bytes
    response_to: bytes | None
    custom_payload: bool
    forward_amount: int
    forward: Forward


Payload = Forward | JettonTransfer | JettonBurn | NftTransfer
P = TypeVar("P")


def comment(text: str) -> Cell:
    """A comment, which is operation 0 and UTF-8. Raises CellError.

    The first cell holds 123 bytes, and the rest is in a chain of references.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise CellError("the comment is not valid Unicode text") from None
    if len(data) > _MAX_COMMENT:
        raise CellError(f"a comment must have at most {_MAX_COMMENT} bytes of UTF-8")
    rest = data[_IN_FIRST:]
    return _link(Builder().uint(COMMENT, 32).raw(data[:_IN_FIRST]), snake(rest) if rest else None)


def snake(data: bytes) -> Cell:
    """The bytes in a chain of cells of 127 bytes each. Raises CellError."""
    parts = [data[start : start + _IN_NEXT] for start in range(0, len(data), _IN_NEXT)] or [b""]
    tail: Cell | None = None
    for part in reversed(parts):
        tail = _link(Builder().raw(part), tail)
    assert tail is not None
    return tail


def read(body: Cell) -> Payload:
    """The payload of a body. Raises nothing. A body that cannot be read is `Unknown`."""
    return _read(body, _READERS)


def _read(body: Cell, readers: Mapping[int, Callable[[Slice], P]]) -> P | Empty | Unknown:
    if not body.length and not body.refs:
        return Empty()
    if body.exotic or body.length < 32:
        return Unknown(None, body.length)
    operation = body.bits >> body.length - 32
    unknown, reader = Unknown(operation, body.length), readers.get(operation)
    try:
        inside = Slice(body)
        inside.uint(32)
        return unknown if reader is None else reader(inside)
    except (CellError, UnicodeDecodeError):
        return unknown


def _link(builder: Builder, tail: Cell | None) -> Cell:
    return builder.cell() if tail is None else builder.ref(tail).cell()


def _read_comment(inside: Slice) -> Comment:
    """Read the whole chain before decoding it, because a character may be split between two cells."""
    parts, size = [], 0
    while True:
        if inside.left % 8 or inside.refs_left > 1:
            raise CellError("a comment must be whole bytes in a chain of cells")
        parts.append(inside.raw(inside.left // 8))
        size += len(parts[-1])
        if not inside.refs_left:
            break
        inside = Slice(inside.ref())
    return Comment(b"".join(parts).decode())


def _read_encrypted(_: Slice) -> EncryptedComment:
    return EncryptedComment()


def _forward(inside: Slice) -> Forward:
    """The forwarded payload, inline or in a reference. Some senders leave out even the bit that says which."""
    if not inside.left and not inside.refs_left:
        return Empty()
    if inside.bit():
        body = inside.ref()
        inside.end()
    else:
        body = inside.rest()
    return _read(body, _COMMENTS)  # other payloads stay unknown, because another contract carries them out


def _jetton_transfer(inside: Slice) -> JettonTransfer:
    query_id, amount, recipient, response_to = inside.uint(64), inside.coins(), inside.address(), inside.address()
    if recipient is None:
        raise CellError("a jetton transfer must have a recipient")
    custom = inside.maybe_ref() is not None
    forward_amount = inside.coins()
    return JettonTransfer(query_id, amount, recipient, response_to, custom, forward_amount, _forward(inside))


def _jetton_burn(inside: Slice) -> JettonBurn:
    query_id, amount, response_to = inside.uint(64), inside.coins(), inside.address()
    custom = bool(inside.left) and inside.maybe_ref() is not None
    inside.end()
    return JettonBurn(query_id, amount, response_to, custom)


def _nft_transfer(inside: Slice) -> NftTransfer:
    query_id, new_owner, response_to = inside.uint(64), inside.address(), inside.address()
    if new_owner is None:
        raise CellError("an NFT transfer must have a new owner")
    custom = inside.maybe_ref() is not None
    forward_amount = inside.coins()
    return NftTransfer(query_id, new_owner, response_to, custom, forward_amount, _forward(inside))


_COMMENTS: Final[dict[int, Callable[[Slice], Comment | EncryptedComment]]] = {
    COMMENT: _read_comment,
    ENCRYPTED_COMMENT: _read_encrypted,
}
_READERS: Final[dict[int, Callable[[Slice], Payload]]] = {
    **_COMMENTS,
    JETTON_TRANSFER: _jetton_transfer,
    JETTON_BURN: _jetton_burn,
    NFT_TRANSFER: _nft_transfer,
}
