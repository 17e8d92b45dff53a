"""Reads a transaction and what each of its instructions does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from strongroom.chains.base import Decoded, Unsigned
from strongroom.chains.known_fields import refuse_unknown
from strongroom.chains.solana import build, transaction
from strongroom.chains.solana.message import V1, Message
from strongroom.chains.solana.programs import budget, precompiles, registry, system
from strongroom.chains.solana.programs.base import Account, Instruction, Step
from strongroom.chains.solana.programs.budget import Budget
from strongroom.chains.solana.transaction import EMPTY, Transaction
from strongroom.codecs import base64text
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint
from strongroom.errors import InvalidTransaction

MAX_TEXT: Final = 6_000
"""Characters of base64. No transaction is longer."""
_HEIGHT: Final = "last_valid_block_height"
_SIGNATURE_FEE: Final = 5_000
"""Lamports per signature that the validator verifies."""


@dataclass(frozen=True, slots=True)
class DurableNonce:
    """The nonce that replaces the recent blockhash if the first instruction advances a nonce account."""

    account: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class SolanaTransaction(Decoded):
    transaction: Transaction
    instructions: tuple[Instruction, ...]
    steps: tuple[Step, ...]
    """What each instruction does, except those that set the compute budget."""
    priority_fee: int
    """The most lamports that it can be."""
    fee: int
    """The most lamports that inclusion can cost, including the priority fee."""
    budget: Budget
    nonce: DurableNonce | None
    last_valid_block_height: int | None
    """As stated by the caller."""

    @property
    def message(self) -> Message:
        return self.transaction.message


def decode(network: Network, unsigned: Unsigned) -> SolanaTransaction:
    """Raises InvalidTransaction."""
    if isinstance(unsigned, str):
        return _read(network, _transaction(unsigned, "unsigned_tx"), None)
    height = _height(unsigned)
    form = {name: value for name, value in unsigned.items() if name != _HEIGHT}
    for name in ("transaction", "message"):
        if name in form:
            refuse_unknown(unsigned, {name, _HEIGHT}, "unsigned_tx")
    if "transaction" in form:
        return _read(network, _transaction(form["transaction"], "unsigned_tx.transaction"), height)
    if "message" in form:
        return _read(network, _message(form["message"]), height)
    return _read(network, _built(form), height)


def signed(text: str) -> Transaction:
    """Read a transaction that all its signers have signed, whoever they are. Raises InvalidTransaction."""
    found = _transaction(text, "signed_tx")
    if not all(found.holds(place) for place in range(len(found.signatures))):
        raise InvalidTransaction("not every signer has signed it yet", field="signed_tx")
    return found


def _read(network: Network, found: Transaction, height: int | None) -> SolanaTransaction:
    instructions = _instructions(found.message)
    others = [each for each in instructions if each.program != budget.PROGRAM]
    try:
        asked = budget.read(each for each in instructions if each.program == budget.PROGRAM)
        steps = tuple(registry.read(each) for each in others)
    except ValueError as error:
        raise InvalidTransaction(f"it is certain to fail: {error}", field="unsigned_tx") from None
    message = found.message
    priority = (message.config.priority_fee or 0) if message.version == V1 else asked.priority_fee(len(others))
    checked = len(message.signers) + sum(map(precompiles.signatures, others))
    return SolanaTransaction(
        network=network,
        key_hints=_hints(found),
        transaction=found,
        instructions=instructions,
        steps=steps,
        priority_fee=priority,
        fee=_SIGNATURE_FEE * checked + priority,
        budget=asked,
        nonce=nonce_of(message, instructions),
        last_valid_block_height=height,
    )


def _hints(found: Transaction) -> tuple[KeyHint, ...]:
    """Signers that have not signed yet come first, so that a wallet with two keys signs with one after another."""
    places = sorted(range(len(found.signatures)), key=lambda place: found.signatures[place] != EMPTY)
    return tuple(KeyHint(address=found.message.keys[place]) for place in places)


def _instructions(message: Message) -> tuple[Instruction, ...]:
    accounts = [
        Account(key, index < message.header.signers, message.is_writable(index))
        for index, key in enumerate(message.keys)
    ]
    accounts += [Account(None, False, True, each.table, index) for each in message.lookups for index in each.writable]
    accounts += [Account(None, False, False, each.table, index) for each in message.lookups for index in each.readonly]
    return tuple(
        Instruction(message.keys[each.program], tuple(accounts[index] for index in each.accounts), each.data)
        for each in message.instructions
    )


def is_advance(instruction: Instruction) -> bool:
    return instruction.program == system.PROGRAM and instruction.data[:4] == system.ADVANCE_NONCE.to_bytes(4, "little")


def nonce_of(message: Message, instructions: tuple[Instruction, ...] | None = None) -> DurableNonce | None:
    """The durable nonce, if the first instruction advances one. Others have no effect on the blockhash."""
    instructions = _instructions(message) if instructions is None else instructions
    first = instructions[0] if instructions else None
    if first is None or not is_advance(first) or not first.accounts:
        return None
    account = first.accounts[0]
    return DurableNonce(account.key, message.blockhash) if account.key is not None and account.writable else None


def _transaction(text: object, field: str) -> Transaction:
    try:
        return transaction.parse(_base64(text))
    except ValueError as error:
        raise InvalidTransaction(f"not a transaction: {error}", field=field) from None


def _message(text: object) -> Transaction:
    try:
        return transaction.unsigned(_base64(text))
    except ValueError as error:
        raise InvalidTransaction(f"not a message: {error}", field="unsigned_tx.message") from None


def _built(form: Mapping[str, Any]) -> Transaction:
    message = build.message(form)
    try:
        return transaction.unsigned(message.serialize())
    except ValueError as error:  # it does not fit into one transaction
        raise InvalidTransaction(f"no transaction can be built of it: {error}", field="unsigned_tx") from None


def _base64(text: object) -> bytes:
    """Raises ValueError."""
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise ValueError("must be a string in base64, no longer than a transaction can be")
    return base64text.decode(text)


def _height(form: Mapping[str, Any]) -> int | None:
    if _HEIGHT not in form:
        return None
    height = form[_HEIGHT]
    if isinstance(height, bool) or not isinstance(height, int) or not 0 <= height < 2**64:
        raise InvalidTransaction("must be a whole number below 2^64", field=f"unsigned_tx.{_HEIGHT}")
    return height
