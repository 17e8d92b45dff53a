"""Makes a transaction from signatures, in the roles of Finalizer and Extractor of BIP-174."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from strongroom.chains.bitcoin.locks import Lock
from strongroom.chains.bitcoin.psbt import Psbt, PsbtInput
from strongroom.codecs.bip144 import Transaction

Parts = tuple[bytes, tuple[bytes, ...]]
"""The scriptSig and the witness of an input."""


def finalise(signed: Psbt, locks: Iterable[Lock | None]) -> Psbt | None:
    """The PSBT with every input final, or None if a signature is missing.

    A final input keeps the outputs it spends, its final scripts and unknown fields. BIP-174 has the others removed.
    """
    inputs = []
    for given, lock in zip(signed.inputs, locks, strict=True):
        parts = _final(given) or _satisfied(given, lock)
        if parts is None:
            return None
        script_sig, witness = parts
        inputs.append(
            PsbtInput(
                non_witness_utxo=given.non_witness_utxo,
                witness_utxo=given.witness_utxo,
                final_script_sig=script_sig or None,
                final_script_witness=witness or None,
                unknown=given.unknown,
                order=given.order,
            )
        )
    return replace(signed, inputs=tuple(inputs))


def extract(final: Psbt) -> Transaction:
    """The transaction of a PSBT in which every input is final."""
    return _with_parts(final.transaction, [_final(given) or (b"", ()) for given in final.inputs])


def estimate(unsigned: Psbt, locks: Iterable[Lock | None]) -> Transaction:
    """The transaction with placeholders of about the size of the signatures. Unknown inputs get none."""
    parts = []
    for given, lock in zip(unsigned.inputs, locks, strict=True):
        found = _final(given)
        if found is None:
            found = (b"", ()) if lock is None else lock.place(lock.estimate())
        parts.append(found)
    return _with_parts(unsigned.transaction, parts)


def _final(given: PsbtInput) -> Parts | None:
    if not given.is_final:
        return None
    return given.final_script_sig or b"", given.final_script_witness or ()


def _satisfied(given: PsbtInput, lock: Lock | None) -> Parts | None:
    stack = None if lock is None else lock.satisfy(given.partial_sigs, given.tap_key_sig)
    return None if lock is None or stack is None else lock.place(stack)


def _with_parts(transaction: Transaction, parts: Iterable[Parts]) -> Transaction:
    inputs = (
        replace(txin, script_sig=script_sig, witness=witness)
        for txin, (script_sig, witness) in zip(transaction.inputs, parts, strict=True)
    )
    return replace(transaction, inputs=tuple(inputs))
