"""Reads a signed external message, whoever signed it, from its bytes alone.

Without the initial state, the bytes do not tell which contract they are for. So they must have the form of one of the
known contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from strongroom.chains.ton import addresses, boc, build, transfer
from strongroom.chains.ton.cell import Builder, Cell, CellError, Slice
from strongroom.chains.ton.contracts import CONTRACTS, HIGHLOAD_V3, V3R2, V5R1, WALLET_ID, Account, Contract
from strongroom.codecs.ed25519 import verifies
from strongroom.domain.network import Network
from strongroom.domain.signing import Consumed, SignedIds
from strongroom.errors import InvalidTransaction

_SIGNATURE: Final = 512


@dataclass(frozen=True, slots=True)
class External:
    """An external message for nodes."""

    to: bytes
    state: Cell | None
    body: Cell
    hash: bytes


@dataclass(frozen=True, slots=True)
class Body:
    wallet_id: int
    sequence: str
    expiry: int | None
    signature: bytes
    signed: Cell


def identify(network: Network, text: str) -> SignedIds:
    """Raises InvalidTransaction."""
    try:
        message = read(text)
        body = read_body(message.body)
    except CellError as error:
        raise InvalidTransaction(str(error), field="signed_tx") from None
    other = Account(V5R1, addresses.workchain(message.to)).wallet_id(not network.testnet)
    if body.wallet_id ^ other <= V5R1.max_subwallet:
        raise InvalidTransaction("the message belongs to a wallet on another network", field="signed_tx")
    if message.state is not None:
        _check_state(message, body)
    tx_id = build.normalised_hash(message.to, message.body).hex()
    expiry = None if body.expiry is None else datetime.fromtimestamp(body.expiry, UTC)
    return SignedIds((tx_id, message.hash.hex()), expiry, (Consumed(message.to.hex(), body.sequence),))


def read(text: str) -> External:
    """Read an external inbound message to a standard address, given as a bag of cells in base64. Raises CellError."""
    root = boc.from_base64(text)
    message = Slice(root)
    if message.uint(2) != 0b10 or message.address() is not None:
        raise CellError("this is not an external message")
    to = message.address()
    if to is None or to[0] not in (0, 0xFF):
        raise CellError("an external message must go to a standard address on workchain 0 or -1")
    message.coins()
    state = None
    if message.bit():
        state = message.ref() if message.bit() else _inline_state(message)
        transfer.check_state_init(state)
    body = message.ref() if message.bit() else message.rest()
    message.end()
    return External(to, state, body, root.hash)


def _inline_state(message: Slice) -> Cell:
    """A StateInit that is inlined in the cell of its message."""
    state = Builder()
    for bits in (5, 2):  # split_depth, special
        present = message.bit()
        state.bit(present)
        if present:
            state.uint(message.uint(bits), bits)
    for _ in range(3):
        state.maybe_ref(message.maybe_ref())
    return state.cell()


def read_body(body: Cell) -> Body:
    inside = Slice(body)
    if inside.left == _SIGNATURE and inside.refs_left == 1:
        return _highload(inside)
    if inside.left >= 32 and inside.peek(32) == build.SIGNED_EXTERNAL:
        return _v5(body)
    return _v3_or_v4(inside)


def _highload(inside: Slice) -> Body:
    signature, inner = inside.raw(64), inside.ref()
    order = Slice(inner)
    wallet_id = order.uint(32)
    order.ref()
    order.uint(8)
    query_id, created_at, timeout = order.uint(23), order.uint(64), order.uint(22)
    order.end()
    if created_at >= 2**32:
        raise CellError("the message is dated after the year 2106")
    return Body(wallet_id, f"{query_id}:{created_at}", created_at + timeout, signature, inner)


def _v5(body: Cell) -> Body:
    inside = Slice(body)
    inside.uint(32)
    wallet_id, valid_until, seqno = inside.uint(32), inside.uint(32), inside.uint(32)
    if inside.left < _SIGNATURE + 2:
        raise CellError("the message is not signed")
    signed = Cell.of(body.bits >> _SIGNATURE, body.length - _SIGNATURE, body.refs)
    signature = (body.bits & (1 << _SIGNATURE) - 1).to_bytes(64, "big")
    return Body(wallet_id, str(seqno), _expiry(valid_until), signature, signed)


def _v3_or_v4(inside: Slice) -> Body:
    signature = inside.raw(64)
    signed = inside.rest()
    order = Slice(signed)
    wallet_id, valid_until, seqno = order.uint(32), order.uint(32), order.uint(32)
    if wallet_id - WALLET_ID not in range(-1, V3R2.max_subwallet + 1):
        raise CellError("this is not a message of a supported wallet contract")
    modes = order.left // 8
    if order.left % 8 or order.refs_left not in (modes, modes - 1):
        raise CellError("the number of messages differs from the number of their modes")
    return Body(wallet_id, str(seqno), _expiry(valid_until), signature, signed)


def _expiry(valid_until: int) -> int | None:
    return None if valid_until == transfer.FOR_EVER else valid_until


def _check_state(message: External, body: Body) -> None:
    """The initial state contains the key. The state must give the address, and the key must have signed."""
    assert message.state is not None
    code, data = transfer.check_state_init(message.state)
    contract = next((each for each in CONTRACTS.values() if code is not None and each.code == code), None)
    if contract is None or data is None or message.state.hash != message.to[1:]:
        raise InvalidTransaction("the message's StateInit is not that of a wallet at its address", field="signed_tx")
    wallet_id, key = _key_of(contract, data)
    if wallet_id != body.wallet_id or not verifies(key, body.signature, body.signed.hash):
        raise InvalidTransaction("the signature is not valid", field="signed_tx")


def _key_of(contract: Contract, data: Cell) -> tuple[int, bytes]:
    inside = Slice(data)
    try:
        if contract is HIGHLOAD_V3:
            key = inside.raw(32)
            return inside.uint(32), key
        if contract is V5R1:
            inside.bit()
        inside.uint(32)
        return inside.uint(32), inside.raw(32)
    except CellError:
        raise InvalidTransaction("the message's StateInit has no key", field="signed_tx") from None
