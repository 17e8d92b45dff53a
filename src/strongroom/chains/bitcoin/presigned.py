"""Verifies signatures and final scripts already in a PSBT, because nodes refuse a transaction with an invalid one."""

from __future__ import annotations

from typing import Final

from btclib_secp256k1 import dsa, ssa

from strongroom.chains.bitcoin.commitments import ECDSA_TYPES, digest
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Lock, Way
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.errors import InvalidTransaction

_SCHNORR: Final = 64


def check(decoded: BitcoinTransaction) -> None:
    """Raises InvalidTransaction if one is not valid. All amounts must be known."""
    if not all(_signatures_hold(decoded, index) for index in range(len(decoded.spent))):
        raise InvalidTransaction("a signature that is already in the PSBT is not valid", field="unsigned_tx")
    if any(holds is False for holds in decoded.judged.values()):
        raise InvalidTransaction(
            "an input that is marked as final in the PSBT does not satisfy its output's script", field="unsigned_tx"
        )


def _signatures_hold(decoded: BitcoinTransaction, index: int) -> bool:
    lock, given = decoded.locks[index], decoded.psbt.inputs[index]
    if lock is None:
        return True
    try:
        sound = all(_holds(decoded, index, lock, key, made) for key, made in given.partial_sigs.items())
        if sound and given.tap_key_sig is not None and lock.way is Way.TAPROOT:
            sound = _key_path_holds(decoded, index, lock, given.tap_key_sig)
    except ValueError:
        sound = False
    return sound


def _holds(decoded: BitcoinTransaction, index: int, lock: Lock, key: bytes, made: bytes) -> bool:
    kind = HashType(made[-1])
    if kind not in ECDSA_TYPES or not lock.admits(key):
        return False
    return dsa.verify(digest(decoded, index, lock, kind), key, made[:-1])


def _key_path_holds(decoded: BitcoinTransaction, index: int, lock: Lock, made: bytes) -> bool:
    suffix = made[_SCHNORR:]
    if suffix == bytes((HashType.DEFAULT,)):
        return False  # BIP-341 does not allow a byte for DEFAULT
    kind = HashType(suffix[0]) if suffix else HashType.DEFAULT
    return ssa.verify(digest(decoded, index, lock, kind), lock.code[2:], made[:_SCHNORR])
