"""Whether an input spends an output: for the scripts of one key and of bare multisig, and for no other.

Stricter than consensus, as BIP-322 asks: every signature commits to everything, is strict DER with low s, and nothing
is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from btclib_secp256k1 import dsa, ssa

from strongroom.chains.bitcoin import script, sighash
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.chains.bitcoin.transaction import Transaction, TxOut
from strongroom.chains.bitcoin.wire import Reader
from strongroom.codecs.hash160 import hash160

_SCHNORR: Final = 64

Digest = Callable[[bytes], bytes]
"""What a signature is over, given the script code."""


class UnknownScriptError(Exception):
    """The output has a script that is not judged here."""


def spends(transaction: Transaction, index: int, spent: Sequence[TxOut]) -> bool:
    """Whether input ``index`` may spend its output; ``spent``: the outputs of all inputs. Raises UnknownScriptError."""
    try:
        return _spends(transaction, index, spent)
    except ValueError:
        return False


def _spends(transaction: Transaction, index: int, spent: Sequence[TxOut]) -> bool:
    txin, output = transaction.inputs[index], spent[index]
    kind, program = script.classify(output.script)
    if kind is ScriptKind.P2TR:
        return not txin.script_sig and _key_path(transaction, index, spent, program)
    if script.witness_version(output.script) is not None:
        return not txin.script_sig and _segwit(transaction, index, output.value, output.script)
    stack = _pushes(txin.script_sig)
    inner = output.script
    if kind is ScriptKind.P2SH:
        inner = stack.pop() if stack else b""
        if hash160(inner) != program:
            return False
        if script.witness_version(inner) is not None:
            return not stack and _segwit(transaction, index, output.value, inner)
    return not txin.witness and _satisfies(
        stack, inner, lambda code: sighash.legacy(transaction, index, code, HashType.ALL), compressed=False
    )


def _key_path(transaction: Transaction, index: int, spent: Sequence[TxOut], output_key: bytes) -> bool:
    stack = transaction.inputs[index].witness
    if len(stack) > 1:
        raise UnknownScriptError
    if len(stack) != 1 or stack[0][_SCHNORR:] not in (b"", bytes((HashType.ALL,))):
        return False
    hash_type = HashType.ALL if stack[0][_SCHNORR:] else HashType.DEFAULT
    return ssa.verify(sighash.taproot(transaction, index, spent, hash_type), output_key, stack[0][:_SCHNORR])


def _segwit(transaction: Transaction, index: int, value: int, program_script: bytes) -> bool:
    kind, program = script.classify(program_script)
    stack = list(transaction.inputs[index].witness)
    if kind is ScriptKind.P2WPKH:
        inner = script.p2pkh(program)
    elif kind is ScriptKind.P2WSH:
        inner = stack.pop() if stack else b""
        if sha256(inner).digest() != program:
            return False
    else:
        raise UnknownScriptError
    return _satisfies(
        stack, inner, lambda code: sighash.segwit_v0(transaction, index, code, value, HashType.ALL), compressed=True
    )


def _satisfies(stack: Sequence[bytes], inner: bytes, digest: Digest, *, compressed: bool) -> bool:
    """``compressed``: no other keys are allowed, as in witnesses."""
    kind, program = script.classify(inner)
    if kind is ScriptKind.P2PKH:
        if len(stack) != 2 or hash160(stack[1]) != program or (compressed and len(stack[1]) != 33):
            return False
        return _holds(stack[0], stack[1], digest(inner))
    several = script.parse_multisig(inner)
    if several is None or (compressed and any(len(key) != 33 for key in several.keys)):
        raise UnknownScriptError
    if len(stack) != 1 + several.threshold or stack[0]:
        return False
    # In the order of the keys: each signature takes up where the one before it found its key.
    keys, signed = iter(several.keys), digest(inner)
    return all(any(_holds(signature, key, signed) for key in keys) for signature in stack[1:])


def _holds(signature: bytes, key: bytes, digest: bytes) -> bool:
    """libsecp256k1 reads strict DER only and takes no high s."""
    return signature[-1:] == bytes((HashType.ALL,)) and dsa.verify(digest, key, signature[:-1])


def _pushes(script_sig: bytes) -> list[bytes]:
    """What a script that only pushes leaves, bottom first. Raises ValueError where a push is not the shortest."""
    reader, items = Reader(script_sig), []
    while reader.left:
        size = reader.u8()
        if size > script.OP_PUSHDATA1 + 1:
            raise ValueError("the script does more than push data of at most 65535 bytes")
        if size >= script.OP_PUSHDATA1:
            size = int.from_bytes(reader.take(size - script.OP_PUSHDATA1 + 1), "little")
        items.append(reader.take(size))
    if b"".join(map(script.push, items)) != script_sig:
        raise ValueError("a push is not the shortest")
    return items
