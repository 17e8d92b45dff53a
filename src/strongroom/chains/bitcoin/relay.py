"""Relay rules (Bitcoin Core 29, src/policy) for dust, ephemeral dust and the size of version 3 transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from strongroom.chains.bitcoin import script
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.codecs.bip144 import Transaction, TxOut

TRUC: Final = 3
"""The version of transactions whose fee a child may pay (BIP-431)."""
TRUC_WEIGHT: Final = 40_000
"""TRUC_MAX_WEIGHT, src/policy/truc_policy.h."""

_SPEND_SIZE: Final = {True: 67, False: 148}
"""Virtual bytes of an input, by whether it has a witness (GetDustThreshold, src/policy/policy.cpp)."""


def dust_threshold(output_script: bytes, relay_fee: int) -> int:
    """Satoshis below which an output is not worth spending, or 0 if nobody can spend it.

    ``relay_fee`` is in satoshis per thousand virtual bytes.
    """
    if script.classify(output_script)[0] is ScriptKind.OP_RETURN:
        return 0
    witness = script.witness_version(output_script) is not None
    size = len(TxOut(0, output_script).serialize()) + _SPEND_SIZE[witness]
    return size * relay_fee // 1000


def dust(outputs: Sequence[TxOut], relay_fee: int) -> list[TxOut]:
    return [output for output in outputs if output.value < dust_threshold(output.script, relay_fee)]


def is_ephemeral(transaction: Transaction, dusty: Sequence[TxOut], fee: int | None) -> bool:
    """Whether the dust is the only such output of a version 3 transaction and will be spent by a child.

    Nodes relay it if the parent pays no fee of its own (src/policy/ephemeral_policy.cpp). An empty anchor loses nothing
    in any case, so it is accepted with any fee.
    """
    if transaction.version != TRUC or len(dusty) != 1:
        return False
    return fee == 0 or is_empty_anchor(dusty[0])


def is_empty_anchor(output: TxOut) -> bool:
    return output.value == 0 and script.classify(output.script)[0] is ScriptKind.ANCHOR
