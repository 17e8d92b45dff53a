"""Transactions in the JSON of nodes and of TronWeb (java-tron, framework/…/services/http).

The fields are serialised, and the bytes must equal ``raw_data_hex`` and their hash the ``txID``. Otherwise the builder
of the JSON could have something else signed than it shows. ``visible`` says whether addresses are written as ``T…`` and
names as text, or both as hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from strongroom.chains.tron import signatures, transaction, values
from strongroom.chains.tron.contracts import BY_NAME
from strongroom.chains.tron.transaction import Transaction
from strongroom.chains.tron.values import FormError, Style
from strongroom.chains.tron.wire import MAX_INT32, MAX_INT64, WireError
from strongroom.errors import InvalidTransaction
from strongroom.hints import Hints

_FORM: Final = {"visible", "txID", "raw_data", "raw_data_hex", "signature", "ret"}
_RAW: Final = {"contract", "ref_block_bytes", "ref_block_hash", "expiration", "timestamp", "fee_limit", "data"}


@dataclass(frozen=True, slots=True)
class Reading:
    transaction: Transaction
    raw_data: bytes
    """The bytes of ``raw_data_hex``."""
    visible: bool
    signatures: tuple[bytes, ...]
    """Signatures that others have made, in their order."""


def read(form: dict[str, Any], *, field: str = "unsigned_tx") -> Reading:
    """Read a response of /wallet/createtransaction or /wallet/triggersmartcontract. Raises InvalidTransaction.

    Only ``raw_data_hex`` is required. ``txID`` and ``raw_data`` must agree with it.
    """
    try:
        return _reading(_unwrapped(form))
    except FormError as error:
        raise error.refusal(field) from None
    except WireError as error:
        raise InvalidTransaction(str(error), field=field) from None


def write(reading: Reading, signatures: Sequence[bytes]) -> dict[str, Any]:
    """The JSON with its signatures, as /wallet/broadcasttransaction accepts it."""
    style = Style.VISIBLE if reading.visible else Style.HEX
    return {
        "visible": reading.visible,
        "txID": transaction.tx_id(reading.raw_data).hex(),
        "raw_data": _to_raw_data(reading.transaction, style),
        "raw_data_hex": reading.raw_data.hex(),
        "signature": [signature.hex() for signature in signatures],
    }


def hex_of(form: dict[str, Any]) -> bytes:
    """The bytes of ``raw_data_hex``, with any contract. Raises FormError if ``txID`` does not agree."""
    raw_data = values.of_hex(form.get("raw_data_hex"), "raw_data_hex")
    if "txID" in form and values.of_hex(form["txID"], "txID") != transaction.tx_id(raw_data):
        raise FormError("txID", "must be the SHA-256 of raw_data_hex")
    return raw_data


def signatures_of(form: dict[str, Any]) -> tuple[bytes, ...]:
    """Raises FormError."""
    stated = form.get("signature", [])
    if not isinstance(stated, list) or len(stated) > transaction.MAX_SIGNATURES:
        raise FormError("signature", f"must be a list of at most {transaction.MAX_SIGNATURES} signatures")
    found = tuple(values.of_hex(one, "signature") for one in stated)
    if any(len(one) != signatures.LENGTH for one in found):
        raise FormError("signature", "a signature must be 65 bytes of hex: r, s and v")
    return found


def _unwrapped(form: dict[str, Any]) -> dict[str, Any]:
    if "transaction" not in form:
        return form
    inner, result = form["transaction"], form.get("result")
    values.refuse_unknown(form, {"result", "transaction"}, "")
    if "result" not in form or not isinstance(inner, dict):
        raise FormError(
            "transaction", "must be alone, or next to result as in a response of /wallet/triggersmartcontract"
        )
    if not isinstance(result, dict) or result.get("result") is not True:
        raise FormError("result", "the node reported that it did not build this transaction")
    return inner


def _reading(form: dict[str, Any]) -> Reading:
    values.refuse_unknown(form, _FORM, "", instead=("contract", "transaction"))
    visible = form.get("visible", False)
    if not isinstance(visible, bool):
        raise FormError("visible", "must be true or false")
    if not isinstance(form.get("ret", []), list):
        raise FormError("ret", "must be a list")
    raw_data = hex_of(form)
    read_from_bytes = transaction.parse(raw_data)
    if "raw_data" in form and _raw_data(form["raw_data"], visible).raw_data() != raw_data:
        raise FormError("raw_data", "contradicts raw_data_hex")
    return Reading(read_from_bytes, raw_data, visible, signatures_of(form))


def _raw_data(raw: object, visible: bool) -> Transaction:
    if not isinstance(raw, dict):
        raise FormError("raw_data", f"must be an object with the fields {', '.join(sorted(_RAW))}")
    values.refuse_unknown(raw, _RAW, "raw_data")
    entries = raw.get("contract")
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        raise FormError("raw_data.contract", "must be a list with exactly one contract")
    [entry], at = entries, "raw_data.contract[0]"
    values.refuse_unknown(entry, {"type", "parameter", "Permission_id"}, at)
    name, parameter = entry.get("type"), entry.get("parameter")
    contract = BY_NAME.get(name) if isinstance(name, str) else None
    if contract is None:
        raise FormError(f"{at}.type", f"must be one of {', '.join(BY_NAME)}", Hints(allowed=list(BY_NAME)))
    if isinstance(parameter, dict):
        values.refuse_unknown(parameter, {"type_url", "value"}, f"{at}.parameter")
    if not isinstance(parameter, dict) or parameter.keys() != {"type_url", "value"}:
        raise FormError(f"{at}.parameter", "must have type_url and value")
    if parameter["type_url"] != contract.type_url:
        raise FormError(f"{at}.parameter.type_url", "does not match the contract's type")
    numbers = {each: values.of_integer(raw.get(each, 0), f"raw_data.{each}", MAX_INT64) for each in values.NUMBERS}
    return transaction.checked(
        Transaction(
            contract=contract,
            values=values.of_object(
                contract.fields,
                parameter["value"],
                Style.VISIBLE if visible else Style.HEX,
                f"{at}.parameter.value",
            ),
            ref_block_bytes=values.of_hex(raw.get("ref_block_bytes"), "raw_data.ref_block_bytes"),
            ref_block_hash=values.of_hex(raw.get("ref_block_hash"), "raw_data.ref_block_hash"),
            memo=values.of_hex(raw.get("data", ""), "raw_data.data"),
            permission_id=values.of_integer(entry.get("Permission_id", 0), f"{at}.Permission_id", MAX_INT32),
            **numbers,
        )
    )


def _to_raw_data(read: Transaction, style: Style) -> dict[str, Any]:
    value = values.to_object(read.contract.fields, read.values, style)
    entry: dict[str, Any] = {
        "parameter": {"value": value, "type_url": read.contract.type_url},
        "type": read.contract.name,
    }
    if read.permission_id:
        entry["Permission_id"] = read.permission_id
    raw: dict[str, Any] = {
        "contract": [entry],
        "ref_block_bytes": read.ref_block_bytes.hex(),
        "ref_block_hash": read.ref_block_hash.hex(),
        "expiration": read.expiration,
    }
    if read.memo:
        raw["data"] = read.memo.hex()
    if read.fee_limit:
        raw["fee_limit"] = read.fee_limit
    if read.timestamp:
        raw["timestamp"] = read.timestamp
    return raw
