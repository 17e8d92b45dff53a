"""Digests that Bitcoin signatures sign, by the legacy algorithm, BIP-143 (segwit v0) and BIP-341 (Taproot key path)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from typing import Final

from strongroom.codecs.bip144 import Transaction, TxIn, TxOut
from strongroom.codecs.bitcoin_wire import compact_size, var_bytes
from strongroom.codecs.hash256 import hash256, tagged_hash


class HashType(IntEnum):
    DEFAULT = 0
    """Commits to the same as ALL, but the signature has no type byte. Only for Taproot."""
    ALL = 1
    NONE = 2
    SINGLE = 3
    ALL_ANYONECANPAY = 0x81
    NONE_ANYONECANPAY = 0x82
    SINGLE_ANYONECANPAY = 0x83

    @property
    def label(self) -> str:
        """The name as PSBT tools write it, such as ``ALL|ANYONECANPAY``."""
        return self.name.replace("_", "|")


ANYONECANPAY: Final = 0x80
BINDING: Final = frozenset({HashType.DEFAULT, HashType.ALL})
"""Hash types that commit to every input and output. Only these are signed without an option."""
_OUTPUTS: Final = 0x1F
"""The bits of a hash type that choose outputs, in the two algorithms that accept any number."""
_NONE: Final = bytes(32)
_ONE: Final = (1).to_bytes(32, "little")
_CODE_SEPARATOR: Final = 0xAB
_PUSHDATA: Final = {0x4C: 1, 0x4D: 2, 0x4E: 4}
"""The number of length bytes after OP_PUSHDATA1, 2 and 4."""


class Precomputed:
    """The data that the digests of all inputs of a transaction share, so that each part is hashed once."""

    def __init__(self, tx: Transaction, spent: Sequence[TxOut] = ()) -> None:
        self._tx = tx
        self._spent = spent

    @cached_property
    def blank_inputs(self) -> list[bytes]:
        return [_input(each, b"") for each in self._tx.inputs]

    @cached_property
    def prevouts(self) -> bytes:
        return b"".join(each.outpoint.serialize() for each in self._tx.inputs)

    @cached_property
    def sequences(self) -> bytes:
        return b"".join(_u32(each.sequence) for each in self._tx.inputs)

    @cached_property
    def outputs(self) -> bytes:
        return b"".join(each.serialize() for each in self._tx.outputs)

    @cached_property
    def hash_prevouts(self) -> bytes:
        return hash256(self.prevouts)

    @cached_property
    def hash_sequences(self) -> bytes:
        return hash256(self.sequences)

    @cached_property
    def hash_outputs(self) -> bytes:
        return hash256(self.outputs)

    @cached_property
    def taproot_inputs(self) -> bytes:
        """sha_prevouts, sha_amounts, sha_scriptpubkeys and sha_sequences of BIP-341."""
        amounts = b"".join(_u64(each.value) for each in self._spent)
        scripts = b"".join(var_bytes(each.script) for each in self._spent)
        return b"".join(sha256(each).digest() for each in (self.prevouts, amounts, scripts, self.sequences))

    @cached_property
    def taproot_outputs(self) -> bytes:
        return sha256(self.outputs).digest()


def legacy(tx: Transaction, index: int, script_code: bytes, hash_type: int, shared: Precomputed | None = None) -> bytes:
    """The digest of the legacy algorithm. As in consensus, ``hash_type`` may be any 32-bit number.

    SINGLE without an output at the same position gives the number one. A signature of that is valid for anything, so it
    must never be signed.
    """
    outputs_of, alone = hash_type & _OUTPUTS, bool(hash_type & ANYONECANPAY)
    if outputs_of == HashType.SINGLE and index >= len(tx.outputs):
        return _ONE
    shared = shared or Precomputed(tx)
    own = _input(tx.inputs[index], _without_code_separators(script_code))
    if alone:
        inputs = [own]
    elif outputs_of in (HashType.NONE, HashType.SINGLE):
        inputs = [each[:-4] + bytes(4) for each in shared.blank_inputs]
        inputs[index] = own
    else:
        inputs = [*shared.blank_inputs[:index], own, *shared.blank_inputs[index + 1 :]]
    if outputs_of == HashType.NONE:
        outputs = compact_size(0)
    elif outputs_of == HashType.SINGLE:
        outputs = compact_size(index + 1) + TxOut(2**64 - 1, b"").serialize() * index + tx.outputs[index].serialize()
    else:
        outputs = compact_size(len(tx.outputs)) + shared.outputs
    head = _u32(tx.version) + compact_size(len(inputs))
    return hash256(head + b"".join(inputs) + outputs + _u32(tx.lock_time) + _u32(hash_type))


def segwit_v0(
    tx: Transaction,
    index: int,
    script_code: bytes,
    value: int,
    hash_type: int,
    shared: Precomputed | None = None,
) -> bytes:
    """The digest of BIP-143. ``script_code`` comes without its length. ``value`` is that of the spent output."""
    outputs_of, alone = hash_type & _OUTPUTS, bool(hash_type & ANYONECANPAY)
    shared = shared or Precomputed(tx)
    all_outputs = outputs_of not in (HashType.NONE, HashType.SINGLE)
    if all_outputs:
        outputs = shared.hash_outputs
    elif outputs_of == HashType.SINGLE and index < len(tx.outputs):
        outputs = hash256(tx.outputs[index].serialize())
    else:
        outputs = _NONE
    own = tx.inputs[index]
    return hash256(
        _u32(tx.version)
        + (_NONE if alone else shared.hash_prevouts)
        + (shared.hash_sequences if all_outputs and not alone else _NONE)
        + own.outpoint.serialize()
        + var_bytes(script_code)
        + _u64(value)
        + _u32(own.sequence)
        + outputs
        + _u32(tx.lock_time)
        + _u32(hash_type)
    )


def taproot(
    tx: Transaction, index: int, spent: Sequence[TxOut], hash_type: int, shared: Precomputed | None = None
) -> bytes:
    """The digest of BIP-341 for the key path without annex. ``spent`` holds the spent output of each input, in order.

    Raises ValueError on an unknown hash type and on SINGLE without an output at the same position.
    """
    kind = HashType(hash_type)
    outputs_of, alone = kind & 3, bool(kind & ANYONECANPAY)
    if len(spent) != len(tx.inputs):
        raise ValueError("Taproot signs the amount and the script of every input")
    shared = shared or Precomputed(tx, spent)
    message = bytes((0, kind)) + _u32(tx.version) + _u32(tx.lock_time)
    if not alone:
        message += shared.taproot_inputs
    if outputs_of in (HashType.DEFAULT, HashType.ALL):
        message += shared.taproot_outputs
    message += b"\0"  # spend type: key path, no annex
    if alone:
        own = tx.inputs[index]
        message += own.outpoint.serialize() + spent[index].serialize() + _u32(own.sequence)
    else:
        message += _u32(index)
    if outputs_of == HashType.SINGLE:
        if index >= len(tx.outputs):
            raise ValueError(
                "the sighash type SINGLE signs the output at the position of the input, but there is no such output"
            )
        message += sha256(tx.outputs[index].serialize()).digest()
    return tagged_hash("TapSighash", message)


def _without_code_separators(script: bytes) -> bytes:
    """The script as the legacy algorithm signs it. From the first push that is cut short it is left as it is."""
    kept, start, at = b"", 0, 0
    while at < len(script):
        opcode, after = script[at], at + 1
        if opcode in _PUSHDATA:
            width = _PUSHDATA[opcode]
            after += width + int.from_bytes(script[after : after + width], "little")
        elif opcode < min(_PUSHDATA):
            after += opcode
        elif opcode == _CODE_SEPARATOR:
            kept += script[start:at]
            start = after
        at = after
    return kept + script[start:]


def _input(spending: TxIn, script: bytes) -> bytes:
    return replace(spending, script_sig=script).serialize()


def _u32(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")
