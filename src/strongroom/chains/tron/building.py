"""Builds the bytes of a transaction from a short JSON form, without a node.

    {"contract": {"type": "TransferContract", "owner_address": "T…", "to_address": "T…", "amount": "1000000"},
     "block_id": 64 hex digits, "expiration": milliseconds, "timestamp": …, "fee_limit": …, "memo": "text"}

The reference block is one of the last 65,536, named by its id or by ``ref_block_bytes`` and ``ref_block_hash``. The
fields of ``contract`` are those of the node's JSON, including ``Permission_id``. A call may be given by
``function_selector`` and either ``parameter`` (the arguments in hex, as for a node) or ``arguments`` (a list).
"""

from __future__ import annotations

from typing import Any, Final

from strongroom.chains.tron import calls, transaction, values
from strongroom.chains.tron.contracts import BY_NAME, TRIGGER
from strongroom.chains.tron.transaction import Transaction
from strongroom.chains.tron.values import FormError, Style
from strongroom.chains.tron.wire import MAX_INT32, MAX_INT64, WireError
from strongroom.errors import InvalidTransaction
from strongroom.hints import Hints

_FORM: Final = {
    "contract", "block_id", "ref_block_bytes", "ref_block_hash", "expiration", "timestamp", "fee_limit", "memo", "data",
}  # fmt: skip
_CALL: Final = frozenset({"function_selector", "parameter", "arguments"})
_BLOCK_ID: Final = 32


def build(form: dict[str, Any]) -> Transaction:
    """Raises InvalidTransaction."""
    try:
        return _build(form)
    except FormError as error:
        raise error.refusal("unsigned_tx") from None
    except WireError as error:
        raise InvalidTransaction(str(error), field="unsigned_tx") from None


def _build(form: dict[str, Any]) -> Transaction:
    values.refuse_unknown(form, _FORM, "")
    entry = form["contract"]
    if not isinstance(entry, dict):
        raise FormError("contract", "must be an object")
    name = entry.get("type")
    contract = BY_NAME.get(name) if isinstance(name, str) else None
    if contract is None:
        raise FormError("contract.type", f"must be one of {', '.join(BY_NAME)}", Hints(allowed=list(BY_NAME)))
    ignored = frozenset({"type", "Permission_id"}) | (_CALL if contract is TRIGGER else frozenset())
    found = values.of_object(contract.fields, entry, Style.EITHER, "contract", ignored=ignored)
    if not entry.keys().isdisjoint(_CALL) and contract is TRIGGER:
        if "data" in entry:
            raise FormError("contract.data", "cannot be combined with function_selector")
        found["data"] = _call(entry)
    ref_block_bytes, ref_block_hash = _reference(form)
    numbers = {each: values.of_integer(form.get(each, 0), each, MAX_INT64) for each in values.NUMBERS}
    return transaction.checked(
        Transaction(
            contract=contract,
            values=found,
            ref_block_bytes=ref_block_bytes,
            ref_block_hash=ref_block_hash,
            memo=_memo(form),
            permission_id=values.of_integer(entry.get("Permission_id", 0), "contract.Permission_id", MAX_INT32),
            **numbers,
        )
    )


def _reference(form: dict[str, Any]) -> tuple[bytes, bytes]:
    if "block_id" not in form:
        return (
            values.of_hex(form.get("ref_block_bytes"), "ref_block_bytes"),
            values.of_hex(form.get("ref_block_hash"), "ref_block_hash"),
        )
    if "ref_block_bytes" in form or "ref_block_hash" in form:
        raise FormError("block_id", "cannot be combined with ref_block_bytes and ref_block_hash")
    block_id = values.of_hex(form["block_id"], "block_id")
    if len(block_id) != _BLOCK_ID:
        raise FormError("block_id", "a block id must have 32 bytes")
    return block_id[6:8], block_id[8:16]


def _memo(form: dict[str, Any]) -> bytes:
    if "memo" in form and "data" in form:
        raise FormError("memo", "cannot be combined with data")
    if "memo" in form:
        return values.of_text(form["memo"], "memo").encode()
    return values.of_hex(form.get("data", ""), "data")


def _call(entry: dict[str, Any]) -> bytes:
    where = "contract.function_selector"
    selector = values.of_text(entry.get("function_selector"), where)
    if "parameter" in entry and "arguments" in entry:
        raise FormError("contract.parameter", "cannot be combined with arguments")
    try:
        if "parameter" in entry:
            return calls.selector(selector) + values.of_hex(entry["parameter"], "contract.parameter")
        where = "contract.arguments"
        arguments = entry.get("arguments")
        if not isinstance(arguments, list):
            raise FormError(where, "must be a list with one entry for each argument of the function")
        return calls.encode(selector, arguments)
    except FormError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormError(where, str(error)) from None
