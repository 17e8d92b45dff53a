"""What the sources of Bitcoin share: ranges, heads, states, and the check of a transaction by its id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from strongroom.codecs import bip144
from strongroom.codecs.bip144 import MAX_MONEY, Transaction
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Block, Head, NodeError, Sent, Setup, State, Status, Verdict
from strongroom.rpc.bitcoin import refusals

DEPTH: Final = 6
"""Confirmations after which a transaction counts as final."""
MATURITY: Final = 100
"""Confirmations after which a coinbase output can be spent."""
MOST_HEIGHT: Final = 10**8

_COIN: Final = 10**8
HASH: Final = re.compile(r"[0-9a-f]{64}")
_FIRST: Final = 1_231_006_505
"""Time of the genesis block."""
_LAST: Final = 2**32


def depth(setup: Setup) -> int:
    return setup.finality if isinstance(setup.finality, int) and setup.finality > 0 else DEPTH


def check_pin(setup: Setup, genesis: str) -> None:
    """Raises NodeError if the chain begins with another block."""
    if not setup.pin or not a_hash(genesis).startswith(setup.pin.lower()):
        raise NodeError(Verdict.LYING, "wrong_chain")


def a_hash(text: str) -> str:
    if not HASH.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_answer")
    return text


def amount(satoshis: int) -> int:
    if not 0 <= satoshis <= MAX_MONEY:
        raise NodeError(Verdict.LYING, "impossible_amount")
    return satoshis


def satoshis(coins: Decimal) -> int:
    """The satoshis of an amount that Bitcoin Core gives in coins. Raises NodeError if the amount is impossible."""
    if not coins.is_finite() or abs(coins) > MAX_MONEY or (found := coins * _COIN) != found.to_integral_value():
        raise NodeError(Verdict.LYING, "impossible_amount")
    return amount(int(found))


def change(satoshis: int) -> int:
    """An unconfirmed amount, which may be negative. Raises NodeError if it is impossible."""
    amount(abs(satoshis))
    return satoshis


def height(number: int) -> int:
    if not 0 <= number <= MOST_HEIGHT:
        raise NodeError(Verdict.LYING, "impossible_height")
    return number


def time(seconds: int) -> datetime:
    if not _FIRST <= seconds < _LAST:
        raise NodeError(Verdict.LYING, "impossible_time")
    return datetime.fromtimestamp(seconds, UTC)


def head(setup: Setup, number: int, block_hash: str, seconds: int) -> Head:
    return Head(height(number), a_hash(block_hash), time(seconds), max(0, number - depth(setup) + 1))


def block(number: int, block_hash: str, seconds: int) -> Block:
    return Block(height(number), a_hash(block_hash), time(seconds))


def is_immature(mined: int, tip: int) -> bool:
    """Whether the next block cannot spend a coinbase output yet."""
    return tip + 1 - mined < MATURITY


def included(setup: Setup, block: Block, tip: int, fee: int | None = None) -> Status:
    """The state of a transaction in a block of the best chain, which ends at ``tip``."""
    confirmations = max(1, tip - height(block.height) + 1)
    final = confirmations >= depth(setup)
    return Status(State.FINAL if final else State.CONFIRMED, block, confirmations, final, fee)


def asked_for(tx_id: str, raw_hex: str) -> Transaction:
    """The transaction. Raises NodeError if the bytes have another id."""
    try:
        found = bip144.parse(bytes.fromhex(raw_hex))
    except ValueError:
        raise NodeError(Verdict.BROKEN, "bad_answer") from None
    if found.txid != tx_id:
        raise NodeError(Verdict.LYING, "wrong_transaction")
    for output in found.outputs:
        amount(output.value)
    return found


def sent(ids: SignedIds, told: str) -> Sent:
    """The result if a node took a transaction. Raises NodeError if it returned another id than ours."""
    if told != ids.tx_ids[0]:
        raise NodeError(Verdict.LYING, "wrong_transaction")
    return Sent(told)


def known(ids: SignedIds, error: NodeError) -> Sent:
    """Success if the network already has the transaction. Otherwise raises ``error``."""
    if error.cause != refusals.KNOWN:
        raise error
    return Sent(ids.tx_ids[0], known=True)


def outpoint(sequence: str) -> tuple[str, int]:
    """The transaction id and output number in `Consumed.sequence`."""
    tx_id, _, vout = sequence.partition(":")
    return tx_id, int(vout)
