"""What the body of a message asks for: comments (TEP-74 and the simple transfer convention), jettons, NFTs (TEP-62).

A body that fits none of them exactly is unknown: it is shown by its operation, and is never guessed at.
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
"""Bytes; a chain of cells of 127 bytes each is far below the greatest depth of a message."""
_IN_FIRST: Final = 123
_IN_NEXT: Final = 127


@dataclass(frozen=True, slots=True)
class Empty:
    """No body: a plain transfer."""


@dataclass(frozen=True, slots=True)
class Comment:
    text: str


@dataclass(frozen=True, slots=True)
class EncryptedComment:
    """Only its recipient can read it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    operation: int | None
    """32 bits; None where the body is shorter."""
    bits: int


Forward = Empty | Comment | EncryptedComment | Unknown
"""What a token's new owner is told."""


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
    """Op 0 and UTF-8, 123 bytes in the first cell and the rest in a chain of references. Raises CellError."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise CellError("the comment is no valid text") from None
    if len(data) > _MAX_COMMENT:
        raise CellError(f"a comment is at most {_MAX_COMMENT} bytes of UTF-8")
    rest = data[_IN_FIRST:]
    return _link(Builder().uint(COMMENT, 32).raw(data[:_IN_FIRST]), snake(rest) if rest else None)


def snake(data: bytes) -> Cell:
    """Bytes in a chain of cells, 127 in each. Raises CellError."""
    parts = [data[start : start + _IN_NEXT] for start in range(0, len(data), _IN_NEXT)] or [b""]
    tail: Cell | None = None
    for part in reversed(parts):
        tail = _link(Builder().raw(part), tail)
    assert tail is not None
    return tail


def read(body: Cell) -> Payload:
    """Never fails: what cannot be read is `Unknown`."""
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
    """The whole chain first, then UTF-8: a character may be cut in two where a cell ends."""
    parts, size = [], 0
    while True:
        if inside.left % 8 or inside.refs_left > 1:
            raise CellError("a comment is whole bytes in a chain of cells")
        parts.append(inside.raw(inside.left // 8))
        size += len(parts[-1])
        if not inside.refs_left:
            break
        inside = Slice(inside.ref())
    return Comment(b"".join(parts).decode())


def _read_encrypted(_: Slice) -> EncryptedComment:
    return EncryptedComment()


def _forward(inside: Slice) -> Forward:
    """Either inline or in a reference; some senders leave out even the bit that says which."""
    if not inside.left and not inside.refs_left:
        return Empty()
    if inside.bit():
        body = inside.ref()
        inside.end()
    else:
        body = inside.rest()
    return _read(body, _COMMENTS)  # what is nested deeper is not looked at: it is for others to carry out


def _jetton_transfer(inside: Slice) -> JettonTransfer:
    query_id, amount, recipient, response_to = inside.uint(64), inside.coins(), inside.address(), inside.address()
    if recipient is None:
        raise CellError("a jetton transfer has a recipient")
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
        raise CellError("an NFT transfer has a new owner")
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
