"""What a transaction has to fulfil before it is signed, which is consensus and relay rules, limits and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from strongroom.chains.bitcoin import commitments, presigned, relay, script
from strongroom.chains.bitcoin.commitments import Commitments
from strongroom.chains.bitcoin.decoding import BitcoinTransaction, check_amounts_are_proved
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.codecs.bip144 import MAX_MONEY
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
"""The defaults of the limits.

- max_fee in satoshis and max_fee_rate in satoshis per virtual byte are those of Bitcoin Core's wallet and
  sendrawtransaction (-maxtxfee, maxfeerate).
- max_fee_percent is the fee in percent of all that is spent. It applies if the fee is over max_fee_percent_floor, in
  satoshis.
- max_weight is in weight units. Heavier transactions are not relayed (MAX_STANDARD_TX_WEIGHT).
- dust_relay_fee is the rate, in satoshis per thousand virtual bytes, at which every output must be worth spending
  (-dustrelayfee).
- max_burn is the most satoshis in an OP_RETURN output, which nobody can spend again.
- high_fee_rate_warning is the rate in satoshis per virtual byte above which the response carries a warning.
"""

Limits = Mapping[str, int | None]

_COINBASE: Final = bytes(32)


def check(decoded: BitcoinTransaction, held: Ownership | None, policy: Policy) -> Commitments:
    """Check everything, and return what the signatures commit to. ``held`` is None if nothing is to be signed.

    Raises InvalidTransaction, LimitExceeded, OptionRequired, WrongKey.
    """
    limits = {**LIMITS, **policy.limits}
    _check_shape(decoded, limits)
    check_amounts_are_proved(decoded)
    _check_amounts(decoded)
    if held is not None:
        _check_ours(decoded, held)
    signed = commitments.of(decoded, held)
    if held is not None:
        _check_hash_types(signed, policy.options)
        presigned.check(decoded)
    _check_outputs(decoded, limits)
    _check_fee(signed, limits)
    return signed


def balance(decoded: BitcoinTransaction) -> int | None:
    """Inputs minus outputs in satoshis. None if there are no inputs or the PSBT does not say what each one spends."""
    known = decoded.known
    if not known or len(known) != len(decoded.spent):
        return None
    return sum(output.value for output in known) - sum(output.value for output in decoded.transaction.outputs)


def fee(decoded: BitcoinTransaction) -> int | None:
    """The fee in satoshis. None if it is not known, or if inputs are still to be added."""
    left = balance(decoded)
    return None if left is None or left < 0 else left


def _check_shape(decoded: BitcoinTransaction, limits: Limits) -> None:
    transaction = decoded.transaction
    outpoints = {txin.outpoint for txin in transaction.inputs}
    if len(outpoints) != len(transaction.inputs):
        raise InvalidTransaction("an output is spent twice: remove one of the inputs", field="unsigned_tx")
    if any(outpoint.txid == _COINBASE for outpoint in outpoints):
        raise InvalidTransaction("an input does not name an output to spend", field="unsigned_tx")
    most = limits["max_weight"]
    if most is not None and transaction.version == relay.TRUC:
        most = min(most, relay.TRUC_WEIGHT)
    if most is not None and decoded.estimated.weight > most:
        raise LimitExceeded.over(
            "the transaction's weight is over the limit max_weight",
            name="max_weight", limit=most, received=decoded.estimated.weight, field="unsigned_tx",
        )  # fmt: skip


def _check_amounts(decoded: BitcoinTransaction) -> None:
    spent = [output.value for output in decoded.known]
    paid = [output.value for output in decoded.transaction.outputs]
    if max(*spent, *paid, sum(spent), sum(paid)) > MAX_MONEY:
        raise InvalidTransaction("an amount is larger than the supply of all bitcoins", field="unsigned_tx")


def _check_outputs(decoded: BitcoinTransaction, limits: Limits) -> None:
    relay_fee, most_burnt = limits["dust_relay_fee"], limits["max_burn"]
    transaction = decoded.transaction
    dusty = [] if relay_fee is None else relay.dust(transaction.outputs, relay_fee)
    if relay_fee is not None and dusty and not relay.is_ephemeral(transaction, dusty, balance(decoded)):
        raise LimitExceeded.over(
            "an output is dust under the limit dust_relay_fee: spending it would cost more than it holds",
            name="dust_relay_fee", limit=relay_fee, received=min(output.value for output in dusty), field="unsigned_tx",
        )  # fmt: skip
    for output in transaction.outputs:
        burnt = output.value if script.classify(output.script)[0] is ScriptKind.OP_RETURN else 0
        if most_burnt is not None and burnt > most_burnt:
            raise LimitExceeded.over(
                "an OP_RETURN output burns more than the limit max_burn allows",
                name="max_burn", limit=most_burnt, received=burnt, field="unsigned_tx",
            )  # fmt: skip


def _check_fee(signed: Commitments, limits: Limits) -> None:
    """Check the fee, and the amount of the signed inputs that others could take."""
    decoded = signed.decoded
    paid = balance(decoded)
    if paid is None:
        return
    if paid < 0 and not _can_be_finished(signed):
        raise InvalidTransaction("the outputs are worth more than the inputs", field="unsigned_tx")
    rate = limits["max_fee_rate"]
    if rate is not None and paid > rate * decoded.estimated.vsize:
        raise LimitExceeded.over(
            "the fee is over the limit max_fee_rate",
            name="max_fee_rate", limit=rate, received=-(-paid // decoded.estimated.vsize), field="unsigned_tx",
        )  # fmt: skip
    total = sum(output.value for output in decoded.known)
    for taken, what in ((paid, "the fee is"), (signed.open_amount, "the part of an input that others can take is")):
        most, percent, floor = limits["max_fee"], limits["max_fee_percent"], limits["max_fee_percent_floor"]
        if most is not None and taken > most:
            raise LimitExceeded.over(
                f"{what} over the limit max_fee", name="max_fee", limit=most, received=taken, field="unsigned_tx"
            )
        if percent is not None and taken > (floor or 0) and taken * 100 > total * percent:
            raise LimitExceeded.over(
                f"{what} over the limit max_fee_percent of the amount spent",
                name="max_fee_percent", limit=percent, received=-(-taken * 100 // total), field="unsigned_tx",
            )  # fmt: skip


def _can_be_finished(signed: Commitments) -> bool:
    """Whether others can still balance the amounts, by adding inputs or changing outputs that stay open."""
    if signed.inputs_open:
        return True
    outputs = signed.decoded.transaction.outputs
    fixed = sum(outputs[index].value for index in signed.fixed_outputs)
    return fixed <= sum(output.value for output in signed.decoded.known)


def _check_ours(decoded: BitcoinTransaction, held: Ownership) -> None:
    if None in decoded.spent:
        raise InvalidTransaction(
            "the PSBT does not contain the output that each input spends: add a witness_utxo or non_witness_utxo",
            field="unsigned_tx",
        )
    if not decoded.transaction.outputs:
        raise InvalidTransaction("a transaction must have at least one output", field="unsigned_tx")
    if not any(held.signers):
        raise WrongKey("no input is left for a key of this wallet to sign", field="unsigned_tx")
    held.check_claims()


def _check_hash_types(signed: Commitments, options: SignOptions) -> None:
    for index, kind in signed.loose.items():
        if kind & 3 == HashType.SINGLE and index >= len(signed.decoded.transaction.outputs):
            raise InvalidTransaction(
                "the sighash type SINGLE signs the output at the position of the input, but there is no such output",
                field="unsigned_tx",
            )
        if kind.label not in options.allowed_sighashes:
            raise OptionRequired(
                "a signature with this sighash type lets others change the transaction. To sign it "
                "all the same, name the type in options.allowed_sighashes",
                field="unsigned_tx",
            )
