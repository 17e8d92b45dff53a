"""What tests look up in a PSBT without decoding it, because decoding refuses some of them."""

from __future__ import annotations

from strongroom.chains.bitcoin.psbt import Psbt
from strongroom.codecs.bip144 import TxOut


def utxo(psbt: Psbt, index: int) -> TxOut | None:
    """The output that an input spends, from the previous transaction if present, else as claimed."""
    given, vout = psbt.inputs[index], psbt.transaction.inputs[index].outpoint.vout
    if given.non_witness_utxo is None:
        return given.witness_utxo
    outputs = given.non_witness_utxo.outputs
    return outputs[vout] if vout < len(outputs) else None
