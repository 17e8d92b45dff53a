"""Ethereum transactions as values, and their serialised form.

The types are legacy (with or without EIP-155), 0x01 (EIP-2930), 0x02 (EIP-1559), 0x03 (EIP-4844, in the canonical form
without sidecar) and 0x04 (EIP-7702).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from strongroom.codecs import rlp
from strongroom.codecs.keccak import keccak256
from strongroom.codecs.rlp import Item, RlpError

LEGACY: Final = 0
ACCESS_LIST: Final = 1
DYNAMIC_FEE: Final = 2
BLOB: Final = 3
SET_CODE: Final = 4

TYPE_NAMES: Final = {
    LEGACY: "legacy",
    ACCESS_LIST: "eip2930",
    DYNAMIC_FEE: "eip1559",
    BLOB: "eip4844",
    SET_CODE: "eip7702",
}
GAS_PER_BLOB: Final = 2**17

_FIELDS: Final = {LEGACY: 6, ACCESS_LIST: 8, DYNAMIC_FEE: 9, BLOB: 11, SET_CODE: 10}
_AUTHORIZATION_MAGIC: Final = b"\x05"

AccessList = tuple[tuple[bytes, tuple[bytes, ...]], ...]


class Signature(msgspec.Struct, frozen=True):
    y_parity: int
    r: int
    s: int


class Authorization(msgspec.Struct, frozen=True):
    """An EIP-7702 authorization. The account that signs it will run the code at ``address``."""

    chain_id: int
    """0 if it is valid on every chain."""
    address: bytes
    nonce: int

    @property
    def signing_hash(self) -> bytes:
        fields = [rlp.uint(self.chain_id), self.address, rlp.uint(self.nonce)]
        return keccak256(_AUTHORIZATION_MAGIC + rlp.encode(fields))


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """An unsigned transaction. Amounts are in base units. A field that its type does not have keeps its default."""

    type: int
    chain_id: int | None
    """None only for a legacy transaction without EIP-155."""
    nonce: int
    gas: int
    to: bytes | None
    """None creates a contract."""
    value: int
    data: bytes
    gas_price: int = 0
    max_priority_fee: int = 0
    max_fee: int = 0
    access_list: AccessList = ()
    max_fee_per_blob_gas: int = 0
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[tuple[Authorization, Signature], ...] = ()

    @property
    def price(self) -> int:
        """The most that one unit of gas can cost."""
        return self.max_fee if self.type >= DYNAMIC_FEE else self.gas_price

    @property
    def fee(self) -> int:
        """The most that inclusion can cost, blobs included. Chains of the OP stack add their L1 data fee."""
        return self.gas * self.price + len(self.blob_hashes) * GAS_PER_BLOB * self.max_fee_per_blob_gas

    def payload(self) -> bytes:
        """The bytes whose Keccak hash is signed."""
        fields = self._fields()
        if self.type == LEGACY:
            if self.chain_id is not None:
                fields += (rlp.uint(self.chain_id), b"", b"")
            return rlp.encode(fields)
        return bytes((self.type,)) + rlp.encode(fields)

    def signed(self, signature: Signature) -> bytes:
        """The serialised signed transaction, as eth_sendRawTransaction accepts it."""
        fields = self._fields()
        fields += (rlp.uint(self.v(signature)), rlp.uint(signature.r), rlp.uint(signature.s))
        return rlp.encode(fields) if self.type == LEGACY else bytes((self.type,)) + rlp.encode(fields)

    def v(self, signature: Signature) -> int:
        if self.type != LEGACY:
            return signature.y_parity
        return signature.y_parity + (27 if self.chain_id is None else 35 + 2 * self.chain_id)

    def _fields(self) -> list[Item]:
        uint = rlp.uint
        nonce, gas = uint(self.nonce), uint(self.gas)
        call: list[Item] = [self.to or b"", uint(self.value), self.data]
        if self.type == LEGACY:
            return [nonce, uint(self.gas_price), gas, *call]
        chain, access = uint(self.chain_id or 0), self.access_list
        if self.type == ACCESS_LIST:
            return [chain, nonce, uint(self.gas_price), gas, *call, access]
        fields: list[Item] = [chain, nonce, uint(self.max_priority_fee), uint(self.max_fee), gas, *call, access]
        if self.type == BLOB:
            fields += (uint(self.max_fee_per_blob_gas), self.blob_hashes)
        elif self.type == SET_CODE:
            fields.append([_authorization_item(*entry) for entry in self.authorizations])
        return fields


def parse(raw: bytes) -> tuple[Transaction, Signature | None]:
    """Read a serialised transaction, unsigned or signed. Raises RlpError unless it is in canonical form."""
    if not raw:
        raise RlpError("the transaction is empty")
    if raw[0] >= 0xC0:
        return _legacy(rlp.to_list(rlp.decode(raw)))
    if raw[0] == LEGACY or raw[0] not in TYPE_NAMES:
        raise RlpError("the transaction has an unknown type")
    return _typed(raw[0], rlp.to_list(rlp.decode(raw[1:])))


def _legacy(items: Sequence[Item]) -> tuple[Transaction, Signature | None]:
    if len(items) not in (6, 9):
        raise RlpError("a legacy transaction must have 6 or 9 fields")
    chain_id, signature = None, None
    if len(items) == 9:
        v, r, s = map(_uint, items[6:])
        if r == s == 0:
            chain_id = v
        elif v >= 35:
            chain_id, parity = divmod(v - 35, 2)
            signature = Signature(parity, r, s)
        elif v in (27, 28):
            signature = Signature(v - 27, r, s)
        else:
            raise RlpError("v of a legacy transaction must be 27, 28 or at least 35")
    nonce, gas_price, gas = map(_uint, items[:3])
    to, value, data = _call(items[3:6])
    transaction = Transaction(
        type=LEGACY, chain_id=chain_id, nonce=nonce, gas_price=gas_price, gas=gas, to=to, value=value, data=data
    )
    return transaction, signature


def _typed(kind: int, items: Sequence[Item]) -> tuple[Transaction, Signature | None]:
    size = _FIELDS[kind]
    if len(items) not in (size, size + 3):
        raise RlpError("the number of fields does not match the transaction's type")
    signature = _signature(items[size:]) if len(items) > size else None
    fees = 1 if kind == ACCESS_LIST else 2
    chain_id, nonce, *prices, gas = map(_uint, items[: 3 + fees])
    to, value, data = _call(items[3 + fees : 6 + fees])
    transaction = Transaction(
        type=kind,
        chain_id=chain_id,
        nonce=nonce,
        gas=gas,
        to=to,
        value=value,
        data=data,
        gas_price=prices[0] if kind == ACCESS_LIST else 0,
        max_priority_fee=0 if kind == ACCESS_LIST else prices[0],
        max_fee=0 if kind == ACCESS_LIST else prices[1],
        access_list=tuple(map(_access, rlp.to_list(items[6 + fees]))),
        max_fee_per_blob_gas=_uint(items[9]) if kind == BLOB else 0,
        blob_hashes=tuple(_sized(item, 32) for item in rlp.to_list(items[10])) if kind == BLOB else (),
        authorizations=tuple(map(_authorization, rlp.to_list(items[9]))) if kind == SET_CODE else (),
    )
    return transaction, signature


def _call(items: Sequence[Item]) -> tuple[bytes | None, int, bytes]:
    to, value, data = rlp.to_string(items[0]), _uint(items[1]), rlp.to_string(items[2])
    return (_sized(to, 20) if to else None), value, data


def _access(item: Item) -> tuple[bytes, tuple[bytes, ...]]:
    address, keys = _tuple(item, 2)
    return _sized(address, 20), tuple(_sized(key, 32) for key in rlp.to_list(keys))


def _authorization(item: Item) -> tuple[Authorization, Signature]:
    chain_id, address, nonce, *rest = _tuple(item, 6)
    return Authorization(_uint(chain_id), _sized(address, 20), _uint(nonce)), _signature(rest)


def _authorization_item(authorization: Authorization, signature: Signature) -> Item:
    head = [rlp.uint(authorization.chain_id), authorization.address, rlp.uint(authorization.nonce)]
    return [*head, rlp.uint(signature.y_parity), rlp.uint(signature.r), rlp.uint(signature.s)]


def _signature(items: Sequence[Item]) -> Signature:
    parity, r, s = map(_uint, items)
    if parity > 1:
        raise RlpError("the y parity of a signature is 0 or 1")
    return Signature(parity, r, s)


def _uint(item: Item) -> int:
    """An integer. None in a transaction has more than 32 bytes, and printing one of thousands of digits fails."""
    number = rlp.to_uint(item)
    if number >= 2**256:
        raise RlpError("an integer is below 2^256")
    return number


def _tuple(item: Item, size: int) -> Sequence[Item]:
    items = rlp.to_list(item)
    if len(items) != size:
        raise RlpError("a tuple has the wrong number of fields")
    return items


def _sized(item: Item, size: int) -> bytes:
    value = rlp.to_string(item)
    if len(value) != size:
        raise RlpError("an address, key or hash has the wrong length")
    return value
