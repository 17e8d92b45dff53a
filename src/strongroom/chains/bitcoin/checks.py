"""What a transaction must hold before it is signed: rules of consensus and relay, limits, options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from btclib_secp256k1 import dsa, ssa

from strongroom.chains.bitcoin import script, sighash
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Lock, Way
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.chains.bitcoin.transaction import MAX_MONEY, TxOut
from strongroom.domain.signing import Policy, SignOptions
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired, WrongKey

LIMITS: Final[dict[str, int | None]] = {
    "max_fee": 10_000_000,
    "max_fee_rate": 10_000,
    "max_fee_percent": 50,
    "max_fee_percent_floor": 100_000,
    "max_weight": 400_000,
    "dust_relay_fee": 3_000,
    "max_burn": 0,
    "high_fee_rate_warning": 500,
}
"""Satoshis, satoshis a virtual byte, percent, weight units.

max_fee and max_fee_rate: those of Bitcoin Core's wallet and sendrawtransaction (-maxtxfee, maxfeerate).
max_fee_percent: the fee in percent of all that is spent, once it is over max_fee_percent_floor. max_weight: more is not
relayed (MAX_STANDARD_TX_WEIGHT). dust_relay_fee: satoshis a thousand virtual bytes at which an output must be worth
spending (-dustrelayfee). max_burn: what an OP_RETURN output may hold, which nobody can spend again.
high_fee_rate_warning: from here on the answer carries a warning.
"""

Limits = Mapping[str, int | None]

TAPROOT_TYPES: Final = frozenset(HashType)
ECDSA_TYPES: Final = TAPROOT_TYPES - {HashType.DEFAULT}
BINDING: Final = frozenset({HashType.DEFAULT, HashType.ALL})
"""Hash types that commit to every input and output: what is signed without being asked for."""

_SPEND_SIZE: Final = {True: 67, False: 148}
"""Virtual bytes that spending an output takes, with a witness and without (GetDustThreshold, src/policy/policy.cpp)."""
_COINBASE: Final = bytes(32)
_SCHNORR: Final = 64


def check(decoded: BitcoinTransaction, held: Ownership | None, policy: Policy) -> None:
    """``held``: what is ours; None where nobody signs. Raises InvalidTransaction, LimitExceeded, OptionRequired,
    WrongKey."""
    limits = {**LIMITS, **policy.limits}
    _check_shape(decoded, limits)
    _check_amounts(decoded)
    _check_outputs(decoded, limits)
    _check_fee(decoded, limits)
    if held is not None:
        _check_ours(decoded, held, policy.options)


def fee(decoded: BitcoinTransaction) -> int | None:
    """What is spent and not paid out, where there are inputs and the PSBT says what each of them spends."""
    values = [output.value for output in decoded.spent if output is not None]
    if not values or len(values) != len(decoded.spent):
        return None
    return sum(values) - sum(output.value for output in decoded.transaction.outputs)


def hash_type(decoded: BitcoinTransaction, index: int) -> HashType:
    """Of the signature that an input asks for. Raises InvalidTransaction where there is no such type."""
    lock, asked = decoded.locks[index], decoded.psbt.inputs[index].sighash_type
    taproot = lock is not None and lock.way is Way.TAPROOT
    if asked is None:
        return HashType.DEFAULT if taproot else HashType.ALL
    if asked not in (TAPROOT_TYPES if taproot else ECDSA_TYPES):
        raise InvalidTransaction("an input asks for a sighash type that does not exist", field="unsigned_tx")
    return HashType(asked)


def dust_threshold(output_script: bytes, relay_fee: int) -> int:
    """Satoshis below which an output is not worth spending; 0 for one that nobody can."""
    if script.classify(output_script)[0] is ScriptKind.OP_RETURN:
        return 0
    witness = script.witness_version(output_script) is not None
    size = len(TxOut(0, output_script).serialize()) + _SPEND_SIZE[witness]
    return size * relay_fee // 1000


def _check_shape(decoded: BitcoinTransaction, limits: Limits) -> None:
    transaction = decoded.transaction
    outpoints = {txin.outpoint for txin in transaction.inputs}
    if len(outpoints) != len(transaction.inputs):
        raise InvalidTransaction("an output is spent twice", field="unsigned_tx")
    if any(outpoint.txid == _COINBASE for outpoint in outpoints):
        raise InvalidTransaction("an input spends nothing", field="unsigned_tx")
    most = limits["max_weight"]
    if most is not None and decoded.estimated.weight > most:
        raise LimitExceeded("the transaction weighs more than the limit max_weight", field="unsigned_tx")


def _check_amounts(decoded: BitcoinTransaction) -> None:
    spent = [output.value for output in decoded.spent if output is not None]
    paid = [output.value for output in decoded.transaction.outputs]
    if max(*spent, *paid, sum(spent), sum(paid)) > MAX_MONEY:
        raise InvalidTransaction("an amount is more than all bitcoins there are", field="unsigned_tx")


def _check_outputs(decoded: BitcoinTransaction, limits: Limits) -> None:
    relay_fee, most_burnt = limits["dust_relay_fee"], limits["max_burn"]
    for output in decoded.transaction.outputs:
        if relay_fee is not None and output.value < dust_threshold(output.script, relay_fee):
            raise LimitExceeded("an output is dust: spending it costs more than it holds", field="unsigned_tx")
        burnt = output.value if script.classify(output.script)[0] is ScriptKind.OP_RETURN else 0
        if most_burnt is not None and burnt > most_burnt:
            raise LimitExceeded("an OP_RETURN output burns more than the limit max_burn", field="unsigned_tx")


def _check_fee(decoded: BitcoinTransaction, limits: Limits) -> None:
    paid = fee(decoded)
    if paid is None:
        return
    if paid < 0:
        raise InvalidTransaction("the outputs hold more than the inputs", field="unsigned_tx")
    most, rate, percent = limits["max_fee"], limits["max_fee_rate"], limits["max_fee_percent"]
    if most is not None and paid > most:
        raise LimitExceeded("the fee is over the limit max_fee", field="unsigned_tx")
    if rate is not None and paid > rate * decoded.estimated.vsize:
        raise LimitExceeded("the fee is over the limit max_fee_rate", field="unsigned_tx")
    total = paid + sum(output.value for output in decoded.transaction.outputs)
    if percent is not None and paid > (limits["max_fee_percent_floor"] or 0) and paid * 100 > total * percent:
        raise LimitExceeded("the fee is over max_fee_percent of what is spent", field="unsigned_tx")


def _check_ours(decoded: BitcoinTransaction, held: Ownership, options: SignOptions) -> None:
    if None in decoded.spent:
        raise InvalidTransaction("the PSBT does not say what every input spends", field="unsigned_tx")
    if not decoded.transaction.outputs:
        raise InvalidTransaction("a transaction has outputs", field="unsigned_tx")
    if not any(held.signers):
        raise WrongKey("no input is left that a key of this wallet signs", field="unsigned_tx")
    held.check_claims()
    for index, keys in enumerate(held.signers):
        if keys:
            _check_hash_type(decoded, index, options)
        _check_signatures(decoded, index)


def _check_hash_type(decoded: BitcoinTransaction, index: int, options: SignOptions) -> None:
    kind = hash_type(decoded, index)
    if kind & 3 == HashType.SINGLE and index >= len(decoded.transaction.outputs):
        raise InvalidTransaction("SINGLE signs the output at the input's own position, and there is none",
                                 field="unsigned_tx")  # fmt: skip
    if kind not in BINDING and kind.label not in options.allowed_sighashes:
        raise OptionRequired(
            "a signature of this sighash type lets others change the transaction; allowed_sighashes signs it all the"
            " same",
            field="unsigned_tx",
        )


def _check_signatures(decoded: BitcoinTransaction, index: int) -> None:
    """Signatures of others must hold: what is finished with one that does not is refused by every node."""
    lock, given = decoded.locks[index], decoded.psbt.inputs[index]
    if lock is None:
        return
    try:
        sound = all(_holds(decoded, index, lock, key, made) for key, made in given.partial_sigs.items())
        if sound and given.tap_key_sig is not None and lock.way is Way.TAPROOT:
            sound = _key_path_holds(decoded, index, lock, given.tap_key_sig)
    except ValueError:
        sound = False
    if not sound:
        raise InvalidTransaction("a signature that the PSBT holds already is not valid", field="unsigned_tx")


def _holds(decoded: BitcoinTransaction, index: int, lock: Lock, key: bytes, made: bytes) -> bool:
    kind = HashType(made[-1])
    if kind not in ECDSA_TYPES or not lock.admits(key):
        return False
    return dsa.verify(digest(decoded, index, lock, kind), key, made[:-1])


def _key_path_holds(decoded: BitcoinTransaction, index: int, lock: Lock, made: bytes) -> bool:
    suffix = made[_SCHNORR:]
    if suffix == bytes((HashType.DEFAULT,)):
        return False  # DEFAULT is the one that is not written (BIP-341)
    kind = HashType(suffix[0]) if suffix else HashType.DEFAULT
    return ssa.verify(digest(decoded, index, lock, kind), lock.code[2:], made[:_SCHNORR])


def digest(decoded: BitcoinTransaction, index: int, lock: Lock, kind: HashType) -> bytes:
    """What a signature of an input is over. Everything that is spent must be known."""
    spent = [output for output in decoded.spent if output is not None]
    transaction, shared = decoded.transaction, decoded.shared
    if lock.way is Way.TAPROOT:
        return sighash.taproot(transaction, index, spent, kind, shared)
    if lock.way is Way.SEGWIT:
        return sighash.segwit_v0(transaction, index, lock.code, spent[index].value, kind, shared)
    return sighash.legacy(transaction, index, lock.code, kind, shared)
