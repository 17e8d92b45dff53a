"""Transactions in JSON, with the field names of JSON-RPC (ethereum/execution-apis, GenericTransaction)."""

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
from strongroom.domain.spelling import unknown
from strongroom.errors import InvalidTransaction

T = TypeVar("T")

_COMMON: Final = frozenset({"type", "from", "to", "gas", "value", "nonce", "data", "chainId"})
_DYNAMIC: Final = _COMMON | {"maxPriorityFeePerGas", "maxFeePerGas", "accessList"}
_ALLOWED: Final = {
    LEGACY: _COMMON | {"gasPrice"},
    ACCESS_LIST: _COMMON | {"gasPrice", "accessList"},
    DYNAMIC_FEE: _DYNAMIC,
    BLOB: _DYNAMIC | {"maxFeePerBlobGas", "blobVersionedHashes"},
    SET_CODE: _DYNAMIC | {"authorizationList"},
}
_KNOWN: Final = frozenset().union(*_ALLOWED.values())
_ALIASES: Final = {"gasLimit": "gas", "input": "data"}
"""Other names of a field in ethers and in JSON-RPC itself."""
_SIGNED: Final = frozenset({"sig", "signature", "v", "r", "s", "yParity", "hash"})
"""Fields that clients set once a transaction is signed. Before that they are null."""
_OF_CLIENTS: Final = frozenset(
    {
        *("account", "blobs", "blockHash", "blockNumber", "blockTag", "ccipReadEnabled", "customData"),
        *("enableCcipRead", "kzg", "sidecars", "transactionIndex"),
    }
)
"""Fields of viem, ethers and nodes that are not part of a transaction. They must be null."""
_NULLABLE: Final = _KNOWN - {"value", "to"}
"""Fields that may be null instead of absent. A value of null is more likely an amount that was not set."""
_TYPES: Final = {name: kind for kind, name in TYPE_NAMES.items()}
"""Types by the names that viem uses, such as eip1559."""
_ACCESS: Final = frozenset({"address", "storageKeys"})
_AUTHORIZATION: Final = frozenset({"chainId", "address", "nonce", "r", "s"})


def read(form: Mapping[str, Any]) -> tuple[Transaction, bytes | None]:
    """The transaction and its ``from``, or None if that is missing. Raises InvalidTransaction.

    Accepts the forms of web3.py, viem, ethers v5 and v6. They may use ``gasLimit`` for ``gas``, ``input`` for ``data``,
    "0x", "" or null as the ``to`` of a contract creation, the names of types, and null for a field that is not set.
    """
    form = _normal(form)
    kind = _type(form)
    if kind == LEGACY and form.get("accessList") == []:
        del form["accessList"]  # ethers writes an empty list
    for name in form.keys() - _ALLOWED[kind]:
        raise InvalidTransaction(
            f"a transaction of type {kind} ({TYPE_NAMES[kind]}) does not have this field",
            field=f"unsigned_tx.{name}",
            allowed=sorted(_ALLOWED[kind]),
        )
    dynamic = kind >= DYNAMIC_FEE
    data = _read(form, "data", fields.data) if "data" in form else b""
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


def _normal(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by their JSON-RPC names, without those that are null."""
    found: dict[str, Any] = {}
    for given, value in form.items():
        name = _ALIASES.get(given, given)
        if name in _SIGNED:
            if value is not None:
                raise InvalidTransaction("the transaction already has a signature", field=f"unsigned_tx.{name}")
        elif name in _OF_CLIENTS and value is None:
            continue
        elif name not in _KNOWN:
            raise _unknown(given)
        elif value is None and name in _NULLABLE:
            continue
        elif name in found and not _same(name, found[name], value):
            pair = next(f"{name} and {alias}" for alias, meant in _ALIASES.items() if meant == name)
            raise InvalidTransaction(f"{pair} contradict each other", field=f"unsigned_tx.{given}")
        else:
            found[name] = value
    return found


def _unknown(given: str) -> InvalidTransaction:
    name, message, hints = unknown(given, _KNOWN)
    return InvalidTransaction(message, field=f"unsigned_tx.{name}" if name else "unsigned_tx", **hints)


def _same(name: str, one: object, other: object) -> bool:
    """Whether the two names of a field have the same value, even if it is written differently."""
    read: Callable[[object], object] = fields.data if name == "data" else fields.quantity
    try:
        return read(one) == read(other)
    except ValueError:
        return False


def _type(form: Mapping[str, Any]) -> int:
    """The stated type, or the type that JSON-RPC clients would infer from the fields."""
    if "type" in form:
        stated = form["type"]
        kind = _TYPES.get(stated) if isinstance(stated, str) else None
        kind = _read(form, "type", fields.quantity) if kind is None else kind
        if kind not in TYPE_NAMES:
            raise InvalidTransaction(
                "this transaction type is not supported", field="unsigned_tx.type", allowed=list(_TYPES)
            )
        return kind
    if "authorizationList" in form:
        return SET_CODE
    if "maxFeePerBlobGas" in form or "blobVersionedHashes" in form:
        return BLOB
    if "maxFeePerGas" in form or "maxPriorityFeePerGas" in form:
        return DYNAMIC_FEE
    return ACCESS_LIST if "accessList" in form else LEGACY


def _to(form: Mapping[str, Any], data: bytes) -> bytes | None:
    """The recipient, or None to create a contract.

    If ``to`` is null, the creation is explicit. If it is missing or empty, there must be code, because otherwise it is
    more likely a variable that was not set.
    """
    to = form.get("to", "")
    if to not in (None, "", "0x"):
        return _read(form, "to", fields.address)
    if to is not None and not data:
        raise InvalidTransaction(
            "to is missing or empty: give an address, or null to create a contract", field="unsigned_tx.to"
        )
    return None


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
    """An object, or a pair of address and keys as in ethers and RLP."""
    if isinstance(value, list) and len(value) == len(_ACCESS):
        return fields.address(value[0]), _words(value[1])
    entry = _object(value)
    if entry.keys() != _ACCESS:
        raise ValueError("an entry must have exactly address and storageKeys")
    return fields.address(entry["address"]), _words(entry["storageKeys"])


def _authorizations(value: object) -> tuple[tuple[Authorization, Signature], ...]:
    return tuple(_authorization(entry) for entry in _list(value))


def _authorization(value: object) -> tuple[Authorization, Signature]:
    entry = _flat(_object(value))
    parities = entry.keys() - _AUTHORIZATION
    if not entry.keys() >= _AUTHORIZATION or not parities or not parities <= {"yParity", "v"}:
        raise ValueError("an entry must have exactly chainId, address, nonce, yParity (or v), r and s")
    parity = {_parity(name, entry[name]) for name in parities}
    if len(parity) != 1:
        raise ValueError("yParity and v contradict each other")
    return (
        Authorization(
            fields.quantity(entry["chainId"]), fields.address(entry["address"]), fields.quantity(entry["nonce"])
        ),
        Signature(parity.pop(), fields.scalar(entry["r"]), fields.scalar(entry["s"])),
    )


def _flat(entry: dict[str, object]) -> dict[str, object]:
    """An entry in the form of JSON-RPC. In ethers v6 its signature is a separate object."""
    if "signature" not in entry:
        return entry
    signature = _object(entry["signature"])
    if signature.get("_type", "signature") != "signature" or signature.get("networkV") is not None:
        raise ValueError("a signature object of ethers must not have networkV")
    parts = {name: value for name, value in signature.items() if name not in ("_type", "networkV")}
    if parts.keys() & entry.keys() or not parts.keys() <= {"r", "s", "v", "yParity"}:
        raise ValueError("a signature must have r, s and v or yParity")
    return {**{name: value for name, value in entry.items() if name != "signature"}, **parts}


def _parity(name: str, value: object) -> int:
    parity = fields.quantity(value)
    if name == "v" and parity in (27, 28):
        return parity - 27
    if parity > 1:
        raise ValueError("yParity must be 0 or 1; v may also be 27 or 28")
    return parity


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("must be a list")
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value
