"""BIP-322, version 2.0.0. A message is signed by a virtual transaction, ``to_sign``, that spends another one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from strongroom.chains.bitcoin import script
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.spending import spends
from strongroom.codecs import base64text, bip144
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.codecs.bitcoin_wire import Reader
from strongroom.codecs.hash256 import tagged_hash

_TAG: Final = "BIP0322-signed-message"
_NOTHING: Final = OutPoint(bytes(32), 0xFFFFFFFF)
_BURNT: Final = (TxOut(0, bytes((script.OP_RETURN,))),)
_VERSIONS: Final = (0, 2)
_SEGWIT: Final = (ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR)


class Variant(StrEnum):
    """The variants of a signature, by the prefix of its text."""

    SIMPLE = "smp"
    """The witness of ``to_sign``, which is enough for native segwit."""
    FULL = "ful"
    """The whole ``to_sign``."""
    PROOF_OF_FUNDS = "pof"
    """``to_sign`` with further inputs, which can be judged only with the unspent outputs."""


@dataclass(frozen=True)
class Challenge:
    """A message, and the script of the address that has to sign it."""

    message: bytes
    script: bytes

    @cached_property
    def message_hash(self) -> bytes:
        return tagged_hash(_TAG, self.message)

    @cached_property
    def to_spend(self) -> Transaction:
        script_sig = bytes((script.OP_0,)) + script.push(self.message_hash)
        return Transaction(0, (TxIn(_NOTHING, script_sig, 0),), (TxOut(0, self.script),), 0)

    @cached_property
    def to_sign(self) -> Transaction:
        return self.signed()

    def signed(self, script_sig: bytes = b"", witness: tuple[bytes, ...] = ()) -> Transaction:
        txin = TxIn(OutPoint(self.to_spend.hash, 0), script_sig, 0, witness)
        return Transaction(0, (txin,), _BURNT, 0)

    @property
    def variant(self) -> Variant:
        """The shortest variant for this kind of address."""
        return Variant.SIMPLE if script.classify(self.script)[0] in _SEGWIT else Variant.FULL

    def encode(self, signed: Transaction) -> str:
        if self.variant is Variant.SIMPLE:
            raw = bip144.serialize_witness(signed.inputs[0].witness)
        else:
            raw = signed.serialize()
        return self.variant + base64.b64encode(raw).decode()

    def decode(self, signature: str) -> Transaction:
        """``to_sign`` completed by the signature. Raises ValueError.

        A signature without a prefix, as before version 2.0.0, may be of either variant. No text can be both.
        """
        variant, text = signature[:3], signature[3:]
        if variant == Variant.PROOF_OF_FUNDS:
            raise ValueError("proofs of funds (pof) cannot be verified without the unspent outputs")
        if variant == Variant.SIMPLE:
            return self._simple(from_base64(text))
        if variant == Variant.FULL:
            return bip144.parse(from_base64(text))
        raw = from_base64(signature)
        try:
            return self._simple(raw)
        except ValueError:
            return bip144.parse(raw)

    def is_met(self, signed: Transaction) -> bool:
        """Whether ``signed`` is a valid signature of the address. Raises UnknownScriptError.

        A lock time is not checked. It says from when on the signature counts.
        """
        expected = self.to_sign
        inputs = tuple(replace(txin, script_sig=b"", sequence=0, witness=()) for txin in signed.inputs)
        if inputs != expected.inputs or signed.outputs != expected.outputs or signed.version not in _VERSIONS:
            return False
        return spends(signed, 0, self.to_spend.outputs)

    def _simple(self, raw: bytes) -> Transaction:
        reader = Reader(raw)
        witness = bip144.read_witness(reader)
        reader.end()
        return self.signed(witness=witness)


def from_base64(text: str) -> bytes:
    """The bytes of canonical base64 text that is not empty. Raises ValueError."""
    try:
        raw = base64text.decode(text)
    except ValueError:
        raw = b""
    if not raw:
        raise ValueError("a signature must be base64 (BIP-322: after its prefix)")
    return raw
