"""Bitcoin transactions as values, and their serialised form (BIP-144)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from strongroom.codecs.bitcoin_wire import Reader, compact_size, var_bytes
from strongroom.codecs.hash256 import hash256

MAX_MONEY: Final = 21_000_000 * 10**8
"""Satoshis. No amount may be higher (Bitcoin Core, src/consensus/amount.h)."""

_MARKER: Final = b"\0\1"
_LEAST_INPUT: Final = 41
_LEAST_OUTPUT: Final = 9


@dataclass(frozen=True, slots=True)
class OutPoint:
    txid: bytes
    """32 bytes in wire order. People read them reversed."""
    vout: int

    def __str__(self) -> str:
        return f"{self.txid[::-1].hex()}:{self.vout}"

    def serialize(self) -> bytes:
        return self.txid + self.vout.to_bytes(4, "little")


_NOTHING: Final = OutPoint(bytes(32), 2**32 - 1)
"""The outpoint in the input of a coinbase transaction."""


@dataclass(frozen=True, slots=True)
class TxIn:
    outpoint: OutPoint
    script_sig: bytes
    sequence: int
    witness: tuple[bytes, ...] = ()

    def serialize(self) -> bytes:
        """The input without its witness, which comes after the outputs."""
        return self.outpoint.serialize() + var_bytes(self.script_sig) + self.sequence.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class TxOut:
    value: int
    """Satoshis."""
    script: bytes

    def serialize(self) -> bytes:
        return self.value.to_bytes(8, "little") + var_bytes(self.script)


@dataclass(frozen=True)
class Transaction:
    version: int
    """0 to 2^32 - 1, because BIP-68 and nodes read it as unsigned."""
    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    lock_time: int

    def serialize(self, witness: bool = True) -> bytes:
        """The form of BIP-144, or with ``witness=False`` the older form, which the txid is computed from."""
        witness = witness and any(txin.witness for txin in self.inputs)
        parts = [self.version.to_bytes(4, "little")]
        if witness:
            parts.append(_MARKER)
        parts += (compact_size(len(self.inputs)), *(txin.serialize() for txin in self.inputs))
        parts += (compact_size(len(self.outputs)), *(txout.serialize() for txout in self.outputs))
        if witness:
            parts += (serialize_witness(txin.witness) for txin in self.inputs)
        parts.append(self.lock_time.to_bytes(4, "little"))
        return b"".join(parts)

    @cached_property
    def hash(self) -> bytes:
        """The txid in wire order, as in an outpoint."""
        return hash256(self.serialize(witness=False))

    @property
    def txid(self) -> str:
        return self.hash[::-1].hex()

    @property
    def is_coinbase(self) -> bool:
        return len(self.inputs) == 1 and self.inputs[0].outpoint == _NOTHING

    @property
    def wtxid(self) -> str:
        return hash256(self.serialize())[::-1].hex()

    @cached_property
    def weight(self) -> int:
        """Weight units (BIP-141), which are three times the size without witnesses plus the whole size."""
        return 3 * len(self.serialize(witness=False)) + len(self.serialize())

    @property
    def vsize(self) -> int:
        """Virtual bytes, a quarter of the weight, rounded up (BIP-141)."""
        return (self.weight + 3) // 4


def parse(raw: bytes) -> Transaction:
    """Raises ValueError on trailing bytes and on any encoding that a node would not write itself."""
    reader = Reader(raw)
    transaction = read(reader)
    reader.end()
    return transaction


def parse_unsigned(raw: bytes) -> Transaction:
    """Read the form without witnesses, as in a PSBT, where ``00`` after the version means no inputs.

    Raises ValueError.
    """
    reader = Reader(raw)
    version = reader.u32()
    transaction = Transaction(version, _inputs(reader), _outputs(reader), reader.u32())
    reader.end()
    return transaction


def read(reader: Reader) -> Transaction:
    version = reader.u32()
    inputs = _inputs(reader)
    if inputs:
        return Transaction(version, inputs, _outputs(reader), reader.u32())
    if reader.u8() != 1:
        raise ValueError("a transaction must have inputs, or the marker and flag of one with witnesses")
    inputs, outputs = _inputs(reader), _outputs(reader)
    inputs = tuple(replace(txin, witness=read_witness(reader)) for txin in inputs)
    if not any(txin.witness for txin in inputs):
        raise ValueError("a transaction in the form with witnesses must have some")
    return Transaction(version, inputs, outputs, reader.u32())


def read_witness(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.var_bytes() for _ in range(reader.count(1)))


def serialize_witness(items: tuple[bytes, ...]) -> bytes:
    return compact_size(len(items)) + b"".join(map(var_bytes, items))


def _inputs(reader: Reader) -> tuple[TxIn, ...]:
    return tuple(
        TxIn(OutPoint(reader.take(32), reader.u32()), reader.var_bytes(), reader.u32())
        for _ in range(reader.count(_LEAST_INPUT))
    )


def _outputs(reader: Reader) -> tuple[TxOut, ...]:
    return tuple(read_output(reader) for _ in range(reader.count(_LEAST_OUTPUT)))


def read_output(reader: Reader) -> TxOut:
    return TxOut(reader.u64(), reader.var_bytes())
