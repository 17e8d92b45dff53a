"""Transactions in JSON, with the names of JSON-RPC (ethereum/execution-apis, GenericTransaction)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from strongroom.chains.evm import fields
from strongroom.chains.evm.transaction import (
    ACCESS_LIST,
    BLOB,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    TYPE_NAMES,
    AccessList,
    Authorization,
    Signature,
    Transaction,
)
from strongroom.errors import InvalidTransaction

T = TypeVar("T")

_COMMON: Final = frozenset({"type", "from", "to", "gas", "value", "nonce", "data", "input", "chainId"})
_DYNAMIC: Final = _COMMON | {"maxPriorityFeePerGas", "maxFeePerGas", "accessList"}
_ALLOWED: Final = {
    LEGACY: _COMMON | {"gasPrice"},
    ACCESS_LIST: _COMMON | {"gasPrice", "accessList"},
    DYNAMIC_FEE: _DYNAMIC,
    BLOB: _DYNAMIC | {"maxFeePerBlobGas", "blobVersionedHashes"},
    SET_CODE: _DYNAMIC | {"authorizationList"},
}
_KNOWN: Final = frozenset().union(*_ALLOWED.values())
_ACCESS: Final = frozenset({"address", "storageKeys"})
_AUTHORIZATION: Final = frozenset({"chainId", "address", "nonce", "r", "s"})


def read(form: Mapping[str, Any]) -> tuple[Transaction, bytes | None]:
    """The transaction and its ``from``, where it is given. Raises InvalidTransaction."""
    kind = _type(form)
    if not form.keys() <= _ALLOWED[kind]:
        known = form.keys() <= _KNOWN
        raise InvalidTransaction(
            f"a field does not belong to a transaction of type {kind} ({TYPE_NAMES[kind]})"
            if known
            else "the transaction has a field that is not known here",
            field="unsigned_tx",
        )
    dynamic = kind >= DYNAMIC_FEE
    data = _data(form)
    transaction = Transaction(
        type=kind,
        chain_id=None if kind == LEGACY and "chainId" not in form else _need(form, "chainId", fields.quantity),
        nonce=_need(form, "nonce", fields.quantity),
        gas=_need(form, "gas", fields.quantity),
        to=_to(form, data),
        value=_read(form, "value", fields.quantity) if "value" in form else 0,
        data=data,
        gas_price=0 if dynamic else _need(form, "gasPrice", fields.quantity),
        max_priority_fee=_need(form, "maxPriorityFeePerGas", fields.quantity) if dynamic else 0,
        max_fee=_need(form, "maxFeePerGas", fields.quantity) if dynamic else 0,
        access_list=_read(form, "accessList", _access_list) if "accessList" in form else (),
        max_fee_per_blob_gas=_need(form, "maxFeePerBlobGas", fields.quantity) if kind == BLOB else 0,
        blob_hashes=_need(form, "blobVersionedHashes", _words) if kind == BLOB else (),
        authorizations=_need(form, "authorizationList", _authorizations) if kind == SET_CODE else (),
    )
    return transaction, _read(form, "from", fields.address) if "from" in form else None


def _type(form: Mapping[str, Any]) -> int:
    """The type as stated, else as JSON-RPC clients infer it from the fields that are there."""
    if "type" in form:
        kind = _read(form, "type", fields.quantity)
        if kind not in TYPE_NAMES:
            raise InvalidTransaction("this type of transaction is not known", field="unsigned_tx.type")
        return kind
    if "authorizationList" in form:
        return SET_CODE
    if "maxFeePerBlobGas" in form or "blobVersionedHashes" in form:
        return BLOB
    if "maxFeePerGas" in form or "maxPriorityFeePerGas" in form:
        return DYNAMIC_FEE
    return ACCESS_LIST if "accessList" in form else LEGACY


def _to(form: Mapping[str, Any], data: bytes) -> bytes | None:
    if form.get("to") is not None:
        return _read(form, "to", fields.address)
    if "to" not in form and not data:
        raise InvalidTransaction("to is missing; null creates a contract", field="unsigned_tx.to")
    return None


def _data(form: Mapping[str, Any]) -> bytes:
    names = [name for name in ("data", "input") if name in form]
    values = [_read(form, name, fields.data) for name in names]
    if len(values) == 2 and values[0] != values[1]:
        raise InvalidTransaction("data and input differ", field="unsigned_tx.input")
    return values[0] if values else b""


def _need(form: Mapping[str, Any], name: str, read: Callable[[object], T]) -> T:
    if name not in form:
        raise InvalidTransaction(f"{name} is missing", field=f"unsigned_tx.{name}")
    return _read(form, name, read)


def _read(form: Mapping[str, Any], name: str, read: Callable[[object], T]) -> T:
    try:
        return read(form[name])
    except ValueError as error:
        raise InvalidTransaction(f"{name}: {error}", field=f"unsigned_tx.{name}") from None


def _words(value: object) -> tuple[bytes, ...]:
    return tuple(map(fields.word, _list(value)))


def _access_list(value: object) -> AccessList:
    return tuple(_access(entry) for entry in _list(value))


def _access(value: object) -> tuple[bytes, tuple[bytes, ...]]:
    entry = _object(value)
    if entry.keys() != _ACCESS:
        raise ValueError("an entry has exactly address and storageKeys")
    return fields.address(entry["address"]), _words(entry["storageKeys"])


def _authorizations(value: object) -> tuple[tuple[Authorization, Signature], ...]:
    return tuple(_authorization(entry) for entry in _list(value))


def _authorization(value: object) -> tuple[Authorization, Signature]:
    entry = _object(value)
    parities = entry.keys() - _AUTHORIZATION
    if not entry.keys() >= _AUTHORIZATION or not parities or not parities <= {"yParity", "v"}:
        raise ValueError("an entry has exactly chainId, address, nonce, yParity (or v), r and s")
    parity = {_parity(name, entry[name]) for name in parities}
    if len(parity) != 1:
        raise ValueError("yParity and v differ")
    return (
        Authorization(
            fields.quantity(entry["chainId"]), fields.address(entry["address"]), fields.quantity(entry["nonce"])
        ),
        Signature(parity.pop(), fields.scalar(entry["r"]), fields.scalar(entry["s"])),
    )


def _parity(name: str, value: object) -> int:
    parity = fields.quantity(value)
    if name == "v" and parity in (27, 28):
        return parity - 27
    if parity > 1:
        raise ValueError("yParity is 0 or 1, v also 27 or 28")
    return parity


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("a list belongs here")
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("an object belongs here")
    return value
