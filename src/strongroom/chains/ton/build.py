"""Builds the cells that a wallet contract accepts from a transfer.

The layout is that of @ton/core, in which a body is put into the cell of its message if it fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from strongroom.chains.ton.cell import MAX_BITS, Builder, Cell
from strongroom.chains.ton.contracts import HIGHLOAD_TIMEOUT, HIGHLOAD_V3, V4R2, V5R1, Account
from strongroom.chains.ton.transfer import OutMessage, TonTransfer

SIGNED_EXTERNAL: Final = 0x7369676E
"""The operation of v5R1 for a signed external message, "sign" in ASCII."""
INTERNAL_TRANSFER: Final = 0xAE42E5A4
"""The operation of the message that highload v3 sends to itself to send many messages at once."""
SELF_VALUE: Final = 50_000_000
"""Nanotons that a highload wallet sends to itself in addition, as gas to read the batch. It keeps the rest."""

_SEND: Final = 0x0EC3C86D
_SIMPLE_SEND: Final = 0


def internal(to: bytes, amount: int, body: Cell, *, bounce: bool, state: Cell | None = None) -> Cell:
    """An outgoing message without source, fees and times, as the sender writes it (MessageRelaxed)."""
    message = Builder().uint(0b01_0_0_00 | bounce << 3, 6).address(to).coins(amount)
    message.uint(0, 1 + 4 + 4 + 64 + 32)  # no other currency, no fees, no times
    message.bit(state is not None)
    if state is not None:
        _either(message, state, message.fits(state, spare=2))
    return _either(message, body, message.fits(body, spare=1)).cell()


def unsigned_body(transfer: TonTransfer, account: Account, own: bytes) -> Cell:
    """The cell whose hash is signed. ``own`` is the address of the wallet."""
    wallet_id = account.wallet_id(transfer.network.testnet)
    sent = [
        internal(message.to.canonical, message.amount, message.body, bounce=message.bounce, state=message.state_init)
        for message in transfer.messages
    ]
    if account.contract is HIGHLOAD_V3:
        return _highload(transfer, wallet_id, sent, own)
    assert transfer.valid_until is not None
    assert transfer.seqno is not None
    body = Builder()
    if account.contract is V5R1:
        body.uint(SIGNED_EXTERNAL, 32)
    body.uint(wallet_id, 32).uint(transfer.valid_until, 32).uint(transfer.seqno, 32)
    if account.contract is V5R1:
        return body.maybe_ref(actions(sent, transfer.mode)).bit(False).cell()  # no extended actions
    if account.contract is V4R2:
        body.uint(_SIMPLE_SEND, 8)
    for message in sent:
        body.uint(transfer.mode, 8).ref(message)
    return body.cell()


def signed_body(account: Account, unsigned: Cell, signature: bytes) -> Cell:
    if account.contract is HIGHLOAD_V3:
        return Builder().raw(signature).ref(unsigned).cell()
    if account.contract is V5R1:
        return Builder().inline(unsigned).raw(signature).cell()
    return Builder().raw(signature).inline(unsigned).cell()


def external(to: bytes, body: Cell, state: Cell | None) -> Cell:
    """The message for nodes. ``state`` is the StateInit of a wallet that is not deployed yet."""
    message = Builder().uint(0b10, 2).address(None).address(to).coins(0).bit(state is not None)
    if state is not None:
        room = message.length + 2 + state.length + body.length <= MAX_BITS
        _either(message, state, room)
    return _either(message, body, message.fits(body, spare=1)).cell()


def normalised_hash(to: bytes, body: Cell) -> bytes:
    """The hash of an external message, independent of its layout (TEP-467).

    It is computed without state and fee, and with the body in a reference.
    """
    message = Builder().uint(0b10, 2).address(None).address(to).coins(0).bit(False)
    return message.bit(True).ref(body).cell().hash


def actions(sent: Sequence[Cell], mode: int) -> Cell:
    """An OutList. The first message is in the innermost cell and is sent first."""
    found = Cell()
    for message in sent:
        found = Builder().ref(found).uint(_SEND, 32).uint(mode, 8).ref(message).cell()
    return found


def _highload(transfer: TonTransfer, wallet_id: int, sent: Sequence[Cell], own: bytes) -> Cell:
    """The cell to sign. Several messages, or one with a state, become actions in a message to the wallet itself."""
    assert transfer.query_id is not None
    assert transfer.created_at is not None
    [first, *more] = sent
    if more or transfer.messages[0].state_init is not None:
        batch = actions(sent, transfer.mode)
        body = Builder().uint(INTERNAL_TRANSFER, 32).uint(transfer.query_id, 64).ref(batch).cell()
        first = internal(own, self_value(transfer.messages), body, bounce=True)
    inner = Builder().uint(wallet_id, 32).ref(first).uint(transfer.mode, 8).uint(transfer.query_id, 23)
    return inner.uint(transfer.created_at, 64).uint(HIGHLOAD_TIMEOUT, 22).cell()


def self_value(messages: Sequence[OutMessage]) -> int:
    return SELF_VALUE + sum(message.amount for message in messages)


def _either(message: Builder, cell: Cell, inline: bool) -> Builder:
    return message.bit(False).inline(cell) if inline else message.bit(True).ref(cell)
