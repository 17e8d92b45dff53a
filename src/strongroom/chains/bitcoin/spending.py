"""Tells whether an input spends an output, for scripts of a single key and multisig scripts only.

This is stricter than consensus, as relay rules and BIP-322 require. Every signature is strict DER with low s and has a
hash type that the caller allows, pushes are the shortest possible, and nothing is left on the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from btclib_secp256k1 import dsa, ssa

from strongroom.chains.bitcoin import script, sighash
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import BINDING, HashType, Precomputed
from strongroom.codecs.bip144 import Transaction, TxOut
from strongroom.codecs.bitcoin_wire import Reader
from strongroom.codecs.hash160 import hash160

_SCHNORR: Final = 64
_KEYS: Final = b"\2\3\4"
"""The first bytes of public keys."""
_NUMBERS: Final = {0x4F: b"\x81"} | {0x50 + number: bytes((number,)) for number in range(1, 17)}
"""Opcodes that push one number."""

Digest = Callable[[bytes, int], bytes]
"""Makes the digest from the script code and the hash type."""


class UnknownScriptError(Exception):
    """The output has a script of a kind that is not judged here."""


def spends(
    transaction: Transaction,
    index: int,
    spent: Sequence[TxOut],
    types: AbstractSet[HashType] = BINDING,
    shared: Precomputed | None = None,
) -> bool:
    """Whether input ``index`` may spend its output. ``spent`` holds the spent output of each input, in order.

    ``types`` are the hash types that signatures may have. Raises UnknownScriptError.
    """
    try:
        return _Input(transaction, index, spent, types, shared or Precomputed(transaction, spent)).spends()
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Input:
    transaction: Transaction
    index: int
    spent: Sequence[TxOut]
    types: AbstractSet[HashType]
    shared: Precomputed

    def spends(self) -> bool:
        txin, output = self.transaction.inputs[self.index], self.spent[self.index]
        kind, program = script.classify(output.script)
        if kind is ScriptKind.ANCHOR:
            return not txin.script_sig and not txin.witness
        if kind is ScriptKind.P2TR:
            return not txin.script_sig and self._key_path(program)
        if script.witness_version(output.script) is not None:
            return not txin.script_sig and self._segwit(output.script)
        stack = _pushes(txin.script_sig)
        inner = output.script
        if kind is ScriptKind.P2SH:
            inner = stack.pop() if stack else b""
            if hash160(inner) != program:
                return False
            if script.witness_version(inner) is not None:
                return not stack and self._segwit(inner)
        return self._satisfies(stack, inner, self._legacy_digest, compressed=False) and not txin.witness

    def _key_path(self, output_key: bytes) -> bool:
        stack = self.transaction.inputs[self.index].witness
        if len(stack) > 1:
            raise UnknownScriptError
        suffix = stack[0][_SCHNORR:] if stack else b""
        if not stack or len(suffix) > 1 or suffix == bytes((HashType.DEFAULT,)):
            return False
        hash_type = HashType(int.from_bytes(suffix, "big"))
        if hash_type not in self.types:
            return False
        digest = sighash.taproot(self.transaction, self.index, self.spent, hash_type, self.shared)
        return ssa.verify(digest, output_key, stack[0][:_SCHNORR])

    def _segwit(self, program_script: bytes) -> bool:
        kind, program = script.classify(program_script)
        stack = list(self.transaction.inputs[self.index].witness)
        if kind is ScriptKind.P2WPKH:
            inner = script.p2pkh(program)
        elif kind is ScriptKind.P2WSH:
            inner = stack.pop() if stack else b""
            if sha256(inner).digest() != program:
                return False
        else:
            raise UnknownScriptError
        return self._satisfies(stack, inner, self._segwit_digest, compressed=True)

    def _satisfies(self, stack: Sequence[bytes], inner: bytes, digest: Digest, *, compressed: bool) -> bool:
        """Whether the stack opens ``inner``. With ``compressed``, as in witnesses, other keys are not allowed."""
        kind, program = script.classify(inner)
        if kind is ScriptKind.P2PKH:
            if len(stack) != 2 or hash160(stack[1]) != program or (compressed and len(stack[1]) != 33):
                return False
            return self._holds(stack[0], stack[1], inner, digest)
        several = script.parse_multisig(inner)
        if several is None or (compressed and any(len(key) != 33 for key in several.keys)):
            raise UnknownScriptError
        if len(stack) != 1 + several.threshold or stack[0]:
            return False
        # Signatures are in the order of the keys, so the search for each key continues where the last one ended.
        keys = iter(several.keys)
        return all(any(self._holds(signature, key, inner, digest) for key in keys) for signature in stack[1:])

    def _holds(self, signature: bytes, key: bytes, code: bytes, digest: Digest) -> bool:
        """Whether a signature is valid. libsecp256k1 accepts only strict DER and low s. Hybrid keys are refused."""
        if not signature or not key or key[0] not in _KEYS:
            return False
        hash_type = HashType(signature[-1])
        if hash_type is HashType.DEFAULT or hash_type not in self.types:
            return False
        return dsa.verify(digest(code, hash_type), key, signature[:-1])

    def _legacy_digest(self, code: bytes, hash_type: int) -> bytes:
        return sighash.legacy(self.transaction, self.index, code, hash_type, self.shared)

    def _segwit_digest(self, code: bytes, hash_type: int) -> bytes:
        value = self.spent[self.index].value
        return sighash.segwit_v0(self.transaction, self.index, code, value, hash_type, self.shared)


def _pushes(script_sig: bytes) -> list[bytes]:
    """The stack after a script that only pushes, bottom first. Raises ValueError if a push is not the shortest."""
    reader, items = Reader(script_sig), []
    while reader.left:
        size = reader.u8()
        if size in _NUMBERS:
            items.append(_NUMBERS[size])
            continue
        if size > script.OP_PUSHDATA1 + 1:
            raise ValueError("the script may only push data of at most 65535 bytes")
        if size >= script.OP_PUSHDATA1:
            size = int.from_bytes(reader.take(size - script.OP_PUSHDATA1 + 1), "little")
        items.append(reader.take(size))
    if b"".join(map(_push, items)) != script_sig or any(len(item) > script.MAX_PUSH for item in items):
        raise ValueError("a push is too long or not in its shortest form")
    return items


def _push(item: bytes) -> bytes:
    opcode = next((opcode for opcode, number in _NUMBERS.items() if number == item), None)
    return script.push(item) if opcode is None else bytes((opcode,))
