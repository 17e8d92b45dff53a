"""Reads transactions and finds the key that signs them."""

from __future__ import annotations

import json
from binascii import a2b_hex
from dataclasses import dataclass
from typing import Any

from strongroom.chains.base import Decoded, Unsigned
from strongroom.chains.tron import building, calls, jsonform, signatures, transaction
from strongroom.chains.tron.calls import TronCall
from strongroom.chains.tron.contracts import TRIGGER
from strongroom.chains.tron.jsonform import Reading
from strongroom.chains.tron.transaction import Transaction
from strongroom.chains.tron.values import FormError
from strongroom.chains.tron.wire import WireError
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint, OurKey, Ours
from strongroom.errors import InvalidTransaction, WrongKey


@dataclass(frozen=True, slots=True)
class TronTransaction(Decoded):
    reading: Reading
    tx_id: bytes
    signers: tuple[bytes, ...]
    """Addresses of the keys that have signed already, in their order."""
    call: TronCall | None
    """What the call does, or None if the transaction is not a call."""

    @property
    def transaction(self) -> Transaction:
        return self.reading.transaction


def decode(network: Network, unsigned: Unsigned) -> TronTransaction:
    """Raises InvalidTransaction."""
    reading = _serialised(unsigned) if isinstance(unsigned, str) else _json(unsigned)
    read, tx_id = reading.transaction, transaction.tx_id(reading.raw_data)
    # With a permission of the account any key may sign. Without one the account's own key does.
    hints = () if read.permission_id else (KeyHint(address=read.owner),)
    call = None
    if read.contract is TRIGGER:
        call = calls.read(read.values["contract_address"], read.values.get("data", b""), read.owner)
    return TronTransaction(network, hints, reading, tx_id, _signers(tx_id, reading.signatures), call)


def signer(decoded: TronTransaction, ours: Ours) -> OurKey:
    """The wallet's key that signs. Raises WrongKey unless there is exactly one that has not signed yet."""
    if len(ours) != 1:
        raise WrongKey("the key that signs is not known: give an index, an address or a path")
    [key] = ours.values()
    if key.address in decoded.signers:
        raise WrongKey("this key has already signed this transaction", field="unsigned_tx.signature")
    return key


def signed(text: str) -> tuple[bytes, tuple[bytes, ...]]:
    """``raw_data`` and the signatures of a signed transaction in hex or JSON, whoever signed it.

    Raises InvalidTransaction.
    """
    try:
        if not text.startswith("{"):
            return transaction.split(_bytes(text))
        form = json.loads(text, object_pairs_hook=_unique)
        if not isinstance(form, dict):
            raise FormError("raw_data_hex", "must be an object")
        raw_data = jsonform.hex_of(form)
        found = jsonform.signatures_of(form)
    except (FormError, WireError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, FormError | WireError) else "this is not a transaction in JSON"
        raise InvalidTransaction(reason, field="signed_tx") from None
    try:
        transaction.parse(raw_data)
    except WireError:  # a contract that is not signed here, but its bytes are enough to identify it
        return raw_data, found
    jsonform.read(form, field="signed_tx")
    return raw_data, found


def _serialised(text: str) -> Reading:
    try:
        data = _bytes(text)
        raw_data, made = transaction.split(data) if transaction.is_whole(data) else (data, ())
        read = transaction.parse(raw_data)
    except WireError as error:
        raise InvalidTransaction(str(error), field="unsigned_tx") from None
    return Reading(read, raw_data, False, made)


def _json(form: dict[str, Any]) -> Reading:
    if "contract" not in form:
        return jsonform.read(form)
    built = building.build(form)
    raw_data = built.raw_data()
    if len(raw_data) > transaction.MAX_BYTES:
        raise InvalidTransaction(f"raw_data must have at most {transaction.MAX_BYTES} bytes", field="unsigned_tx")
    return Reading(built, raw_data, True, ())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a JSON object has the same key twice")
    return found


def _bytes(text: str) -> bytes:
    try:
        return a2b_hex(text)
    except ValueError:
        raise WireError("a serialised transaction must be an even number of hex digits without 0x") from None


def _signers(tx_id: bytes, made: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(made) > transaction.MAX_SIGNATURES:
        raise InvalidTransaction(
            f"a transaction can have at most {transaction.MAX_SIGNATURES} signatures", field="unsigned_tx.signature"
        )
    found = []
    for signature in made:
        address = signatures.signer(tx_id, signature)
        if address is None:
            raise InvalidTransaction(
                "a signature that the transaction already has is not valid", field="unsigned_tx.signature"
            )
        if address in found:
            raise InvalidTransaction("the same key has signed the transaction twice", field="unsigned_tx.signature")
        found.append(address)
    return tuple(found)
