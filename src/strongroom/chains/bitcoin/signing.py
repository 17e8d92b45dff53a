"""Signs a PSBT, and makes the signed PSBT or the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from btclib_secp256k1 import dsa, ssa

from strongroom.chains.bitcoin import checks, commitments, finalising, psbt, summary
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Way
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.bitcoin.psbt import Psbt
from strongroom.chains.bitcoin.script import p2sh, witness_version
from strongroom.chains.bitcoin.sighash import BINDING, HashType
from strongroom.codecs.bip144 import Transaction, parse
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.signing import Algorithm, Guard, OurKey, Ours, Prepared, Purpose, Signed, ToSign
from strongroom.errors import InternalError, InvalidTransaction

_ECDSA_LENGTH: Final = 65
"""Bytes of r ‖ s ‖ recovery id."""
_SCHNORR_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Share:
    """One signature that the wallet makes."""

    index: int
    key: OurKey
    digest: bytes
    kind: HashType
    taproot_root: bytes | None
    """None for ECDSA."""


@dataclass(frozen=True, slots=True)
class Template:
    decoded: BitcoinTransaction
    shares: tuple[Share, ...]


def prepare(decoded: BitcoinTransaction, ours: Ours) -> Prepared:
    """Raises InvalidTransaction."""
    if not decoded.is_canonical:
        raise InvalidTransaction("the PSBT is not in its canonical form", field="unsigned_tx")
    held = Ownership(decoded, ours)
    shares = tuple(_shares(decoded, held))
    return Prepared(
        network=decoded.network,
        to_sign=tuple(map(_to_sign, shares)),
        summary=summary.summarise(decoded, held),
        template=Template(decoded, shares),
        guards=_guards(decoded, sorted({share.index for share in shares})),
        receives=held.receives,
    )


def assemble(template: Template, made: Sequence[bytes]) -> Signed:
    """Insert the signatures. Raises InternalError if one is not valid.

    The result is the transaction if a node would accept it, or else the PSBT.
    """
    decoded = template.decoded
    if len(made) != len(template.shares):
        raise InternalError("the number of signatures differs from the number requested")
    signed = decoded.psbt
    inputs = list(signed.inputs)
    for share, signature in zip(template.shares, made, strict=True):
        given = inputs[share.index]
        if share.taproot_root is None:
            sigs = {**given.partial_sigs, share.key.public_key: _ecdsa(share, signature)}
            inputs[share.index] = replace(given, partial_sigs=sigs)
        else:
            inputs[share.index] = replace(given, tap_key_sig=_schnorr(decoded, share, signature))
    signed = replace(signed, inputs=tuple(inputs))
    final = finalising.finalise(signed, decoded.locks)
    if final is None or None in decoded.judged.values() or checks.fee(decoded) is None:
        return _partial(template, signed)  # signatures are missing, a final input was not judged, or inputs are missing
    return _complete(decoded, final)


def _shares(decoded: BitcoinTransaction, held: Ownership) -> list[Share]:
    found = []
    for index, keys in enumerate(held.signers):
        lock = decoded.locks[index]
        if lock is None or not keys:
            continue
        kind = commitments.hash_type(decoded, index)
        digest = commitments.digest(decoded, index, lock, kind)
        found += [Share(index, key, digest, kind, held.root(index)) for key in keys]
    return found


def _to_sign(share: Share) -> ToSign:
    return ToSign(
        path=share.key.path,
        algorithm=Algorithm.ECDSA if share.taproot_root is None else Algorithm.SCHNORR,
        payload=share.digest,
        public_key=share.key.public_key,
        purpose=Purpose.TRANSACTION,
        taproot_root=share.taproot_root,
    )


def _guards(decoded: BitcoinTransaction, indexes: Sequence[int]) -> tuple[Guard, ...]:
    """Guards of each spent output that is signed for.

    Their payload is the transaction with all outputs that it spends and all sighash types.
    """
    transaction, network = decoded.transaction, decoded.network
    spent = b"".join(output.serialize() for output in decoded.known)
    kinds = bytes(commitments.hash_type(decoded, index) for index in range(len(transaction.inputs)))
    payload = tagged_hash("Strongroom/payload", transaction.serialize(witness=False) + spent + kinds)
    return tuple(
        Guard(
            keyspace=network.keyspace,
            chain_id=network.caip2,
            address=guarded.hex(),
            sequence=str(transaction.inputs[index].outpoint),
            payload_hash=payload,
            joint=True,
        )
        for index in indexes
        for guarded in _guarded_scripts(decoded, index)
    )


def _guarded_scripts(decoded: BitcoinTransaction, index: int) -> tuple[bytes, ...]:
    """All output scripts that a signature of this input could spend, whichever of them the PSBT states.

    A segwit v0 digest contains the script code, which is the same for a witness program and for that program in P2SH.
    So both are guarded, and signatures for the two conflict with each other. A Taproot digest contains the output
    script, and the previous transaction proves that of a legacy input.
    """
    output, lock = decoded.spent[index], decoded.locks[index]
    if output is None or lock is None:
        return ()
    if lock.way is not Way.SEGWIT:
        return (output.script,)
    program = output.script if lock.redeem_script is None else lock.redeem_script
    return program, p2sh(hash160(program))


def _ecdsa(share: Share, made: bytes) -> bytes:
    try:
        der = dsa.to_der(made[:64])
        holds = len(made) == _ECDSA_LENGTH and dsa.verify(share.digest, share.key.public_key, der)
    except ValueError:
        holds = False
    if not holds:
        raise InternalError("a signature is not valid")
    return der + bytes((share.kind,))


def _schnorr(decoded: BitcoinTransaction, share: Share, made: bytes) -> bytes:
    """Verify against the key in the output itself, not against the key that is believed to be in it."""
    lock = decoded.locks[share.index]
    holds = lock is not None and len(made) == _SCHNORR_LENGTH and ssa.verify(share.digest, lock.code[2:], made)
    if not holds:
        raise InternalError("a signature is not valid")
    return made if share.kind is HashType.DEFAULT else made + bytes((share.kind,))


def _partial(template: Template, signed: Psbt) -> Signed:
    """The signed PSBT. Its id is final if no input has a scriptSig and no signature of the wallet leaves it open."""
    text, decoded = psbt.to_base64(signed), template.decoded
    fixed = all(output is not None and witness_version(output.script) is not None for output in decoded.spent)
    fixed = fixed and all(share.kind in BINDING for share in template.shares)
    return Signed(text, decoded.transaction.txid if fixed else None, False, {"psbt": text})


def _complete(decoded: BitcoinTransaction, final: Psbt) -> Signed:
    transaction = finalising.extract(final)
    raw = transaction.serialize()
    if _unsigned(parse(raw)) != decoded.transaction:
        raise InternalError("the signed transaction is not the one that was checked")
    details: dict[str, object] = {
        "psbt": psbt.to_base64(final),
        "txid": transaction.txid,
        "wtxid": transaction.wtxid,
        "vsize": transaction.vsize,
        "weight": transaction.weight,
        "fee_sat": str(checks.fee(decoded)),
    }
    return Signed(raw.hex(), transaction.txid, True, details)


def _unsigned(transaction: Transaction) -> Transaction:
    return replace(transaction, inputs=tuple(replace(txin, script_sig=b"", witness=()) for txin in transaction.inputs))
