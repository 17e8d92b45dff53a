"""Tron transactions as values, and their bytes (tronprotocol/protocol, core/Tron.proto).

The SHA-256 of ``raw_data`` is the digest that is signed and also the transaction id. Signatures do not change the id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from strongroom.chains.tron import addresses, wire
from strongroom.chains.tron.contracts import BY_NUMBER, Contract
from strongroom.chains.tron.wire import Field, Form, Values, WireError

MAX_BYTES: Final = 204_800
"""Size of raw_data. The network accepts 512,000 bytes, but a response holds the bytes several times."""
MAX_SIGNATURES: Final = 5
"""The most keys of one permission."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253_402_300_799_999
"""The end of the year 9999 in milliseconds."""

_ANY: Final = (Field(1, "type_url", Form.TEXT), Field(2, "value", Form.BYTES))
_CONTRACT: Final = (
    Field(1, "type", Form.INT32),
    Field(2, "parameter", Form.MESSAGE, fields=_ANY),
    Field(5, "Permission_id", Form.INT32),
)
_RAW: Final = (
    Field(1, "ref_block_bytes", Form.BYTES),
    Field(4, "ref_block_hash", Form.BYTES),
    Field(8, "expiration", Form.INT64),
    Field(10, "data", Form.BYTES),
    Field(11, "contract", Form.MESSAGE, fields=_CONTRACT, repeated=True),
    Field(14, "timestamp", Form.INT64),
    Field(18, "fee_limit", Form.INT64),
)
_TRANSACTION: Final = (Field(1, "raw_data", Form.BYTES), Field(2, "signature", Form.BYTES, repeated=True))


@dataclass(frozen=True, slots=True)
class Transaction:
    """``raw_data`` with its one contract."""

    contract: Contract
    values: Values
    """The contract's fields by name."""
    ref_block_bytes: bytes
    """Bytes 6 and 7 of the reference block's number."""
    ref_block_hash: bytes
    """Bytes 8 to 15 of the reference block's id."""
    expiration: int
    """Milliseconds since 1970."""
    memo: bytes = b""
    permission_id: int = 0
    timestamp: int = 0
    """Milliseconds since 1970, or 0 if it is not stated."""
    fee_limit: int = 0
    """The most that the call may burn, in sun."""

    @property
    def owner(self) -> bytes:
        """The 21-byte address of the account whose money moves."""
        owner: bytes = self.values["owner_address"]
        return owner

    @property
    def expires(self) -> datetime:
        return moment(self.expiration)

    def raw_data(self) -> bytes:
        """The bytes whose SHA-256 is signed."""
        parameter = {"type_url": self.contract.type_url, "value": wire.write(self.contract.fields, self.values)}
        contract = {"type": self.contract.number, "parameter": parameter, "Permission_id": self.permission_id}
        return wire.write(
            _RAW,
            {
                "ref_block_bytes": self.ref_block_bytes,
                "ref_block_hash": self.ref_block_hash,
                "expiration": self.expiration,
                "data": self.memo,
                "contract": [contract],
                "timestamp": self.timestamp,
                "fee_limit": self.fee_limit,
            },
        )


def moment(milliseconds: int) -> datetime:
    """The time, or the latest one that Python can represent if it is beyond that."""
    return _EPOCH + timedelta(milliseconds=min(milliseconds, _LATEST))


def tx_id(raw_data: bytes) -> bytes:
    return sha256(raw_data).digest()


def parse(raw_data: bytes) -> Transaction:
    """Raises WireError on anything that `Transaction.raw_data` would not return."""
    if len(raw_data) > MAX_BYTES:
        raise WireError(f"raw_data must have at most {MAX_BYTES} bytes")
    raw = wire.read(_RAW, raw_data)
    if len(raw.get("contract", ())) != 1:
        raise WireError("a transaction must have exactly one contract")
    [entry] = raw["contract"]
    contract = BY_NUMBER.get(entry.get("type", 0))
    if contract is None:
        raise WireError("the type of the contract is not supported")
    parameter = entry.get("parameter", {})
    if parameter.get("type_url") != contract.type_url:
        raise WireError("type_url of the contract's parameter does not match its type")
    return checked(
        Transaction(
            contract=contract,
            values=wire.read(contract.fields, parameter.get("value", b"")),
            ref_block_bytes=raw.get("ref_block_bytes", b""),
            ref_block_hash=raw.get("ref_block_hash", b""),
            expiration=raw.get("expiration", 0),
            memo=raw.get("data", b""),
            permission_id=entry.get("Permission_id", 0),
            timestamp=raw.get("timestamp", 0),
            fee_limit=raw.get("fee_limit", 0),
        )
    )


def checked(transaction: Transaction) -> Transaction:
    """Check what the encoding does not enforce. Raises WireError."""
    if len(transaction.ref_block_bytes) != 2:
        raise WireError("ref_block_bytes must have 2 bytes")
    if len(transaction.ref_block_hash) != 8:
        raise WireError("ref_block_hash must have 8 bytes")
    if not transaction.expiration:
        raise WireError("expiration is missing")
    _check_addresses(transaction.contract.fields, transaction.values)
    return transaction


def serialise(raw_data: bytes, signatures: Sequence[bytes]) -> bytes:
    """The whole transaction, as /wallet/broadcasthex accepts it."""
    return wire.write(_TRANSACTION, {"raw_data": raw_data, "signature": signatures})


def split(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """``raw_data`` and the signatures of a whole transaction. Raises WireError."""
    found = wire.read(_TRANSACTION, data)
    if "raw_data" not in found:
        raise WireError("the transaction has no raw_data")
    return found["raw_data"], tuple(found.get("signature", ()))


def is_whole(data: bytes) -> bool:
    """Whether the bytes are a whole transaction and not just raw_data.

    Both begin with field 1. In raw_data it is ref_block_bytes, which has 2 bytes.
    """
    return data[:1] == b"\x0a" and data[1:2] != b"\x02"


def expiration_of(raw_data: bytes) -> int:
    """The expiration of raw_data with any contract, in milliseconds. Raises WireError."""
    found = [value for number, _, value in wire.scan(raw_data) if number == 8]
    if len(found) != 1 or not isinstance(found[0], int) or not 0 < found[0] <= wire.MAX_INT64:
        raise WireError("the transaction has no expiration")
    return found[0]


def _check_addresses(fields: Sequence[Field], values: Values) -> None:
    """Require all addresses. The contracts that are signed have no optional ones."""
    for field in fields:
        value = values.get(field.name)
        if field.form is Form.ADDRESS:
            if value is None:
                raise WireError(f"{field.name} is missing")
            if not addresses.is_address(value):
                raise WireError(f"{field.name} must be an address: 21 bytes, the first of them 0x41")
        elif field.form is Form.MESSAGE and value is not None:
            for item in value if field.repeated else (value,):
                _check_addresses(field.fields, item)
