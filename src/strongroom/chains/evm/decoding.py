"""Reads transactions and finds the key that signs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strongroom.chains.base import Decoded, Unsigned
from strongroom.chains.evm import jsonform
from strongroom.chains.evm.transaction import Signature, Transaction, parse
from strongroom.codecs import hexadecimal
from strongroom.codecs.calls import Call, Reading, read_call
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint, OurKey, Ours
from strongroom.errors import InvalidTransaction, WrongKey


@dataclass(frozen=True, slots=True)
class EvmTransaction(Decoded):
    """A transaction that was read. `reading` says what it does."""

    transaction: Transaction
    sender: bytes | None
    """The ``from`` field of the JSON form, if there is one."""
    serialised: bytes | None
    """The input, unless it was the JSON form."""


def reading(transaction: Transaction, sender: bytes | None) -> Reading:
    """What the transaction's call does. ``transaction.to`` is not None."""
    assert transaction.to is not None
    return read_call(Call(transaction.to, transaction.data, transaction.value, sender))


def decode(network: Network, unsigned: Unsigned) -> EvmTransaction:
    """Raises InvalidTransaction."""
    if isinstance(unsigned, str):
        return _serialised(network, unsigned)
    return _json(network, unsigned)


def signer(decoded: EvmTransaction, ours: Ours) -> OurKey:
    """The wallet's key that sends the transaction. Raises WrongKey unless there is exactly one."""
    keys = [key for key in ours.values() if decoded.sender in (None, key.address)]
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise WrongKey(
            "the key that signs is not known: give from, an index, an address or a path", field="unsigned_tx.from"
        )
    raise WrongKey("from is not the address of the key that signs", field="unsigned_tx.from")


def signed(network: Network, text: str) -> tuple[bytes, Transaction, Signature]:
    """The bytes and the parts of a signed transaction, whoever signed it. Raises InvalidTransaction."""
    try:
        raw = hexadecimal.to_bytes(text)
        transaction, signature = parse(raw)
    except ValueError as error:
        raise InvalidTransaction(str(error), field="signed_tx") from None
    if signature is None:
        raise InvalidTransaction("the transaction is not signed", field="signed_tx")
    if transaction.chain_id not in (None, network.chain_id):
        raise wrong_chain_id(network, transaction.chain_id, "signed_tx")
    return raw, transaction, signature


def wrong_chain_id(network: Network, found: int | None, field: str) -> InvalidTransaction:
    """The refusal of a chain id. Most likely the caller named another network than the transaction is for."""
    return InvalidTransaction(
        f"chainId is not that of the network {network.name}, which is {network.chain_id}",
        field=field, expected=str(network.chain_id), received=str(found),
    )  # fmt: skip


def _serialised(network: Network, text: str) -> EvmTransaction:
    try:
        payload = hexadecimal.to_bytes(text)
        transaction, signature = parse(payload)
    except ValueError as error:
        raise InvalidTransaction(str(error), field="unsigned_tx") from None
    if signature is not None:
        raise InvalidTransaction("the transaction is already signed", field="unsigned_tx")
    return EvmTransaction(network, (), transaction, None, payload)


def _json(network: Network, form: dict[str, Any]) -> EvmTransaction:
    transaction, sender = jsonform.read(form)
    hints = () if sender is None else (KeyHint(address=sender),)
    return EvmTransaction(network, hints, transaction, sender, None)
