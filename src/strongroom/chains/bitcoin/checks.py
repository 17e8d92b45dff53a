"""What a transaction must hold before it is signed: rules of consensus and relay, limits, options."""

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
from strongroom.domain import hazards
from strongroom.domain.signing import Policy, SignOptions
from strongroom.domain.summary import Caution
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

_COINBASE: Final = bytes(32)


def check(decoded: BitcoinTransaction, held: Ownership | None, policy: Policy) -> tuple[Caution, ...]:
    """``held``: what is ours; None where nobody signs. The cautions are those of hazards that were asked for.

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
    return () if signed.verified else (policy.permit(hazards.UNVERIFIED_AMOUNTS),)


def balance(decoded: BitcoinTransaction) -> int | None:
    """What is spent less what is paid, where there are inputs and the PSBT says what each of them spends."""
    values = [output.value for output in decoded.spent if output is not None]
    if not values or len(values) != len(decoded.spent):
        return None
    return sum(values) - sum(output.value for output in decoded.transaction.outputs)


def fee(decoded: BitcoinTransaction) -> int | None:
    """Of the transaction as it stands; None if that is not known, or if inputs are still to be added."""
    left = balance(decoded)
    return None if left is None or left < 0 else left


def _check_shape(decoded: BitcoinTransaction, limits: Limits) -> None:
    transaction = decoded.transaction
    outpoints = {txin.outpoint for txin in transaction.inputs}
    if len(outpoints) != len(transaction.inputs):
        raise InvalidTransaction("an output is spent twice", field="unsigned_tx")
    if any(outpoint.txid == _COINBASE for outpoint in outpoints):
        raise InvalidTransaction("an input spends nothing", field="unsigned_tx")
    most = limits["max_weight"]
    if most is not None and transaction.version == relay.TRUC:
        most = min(most, relay.TRUC_WEIGHT)
    if most is not None and decoded.estimated.weight > most:
        raise LimitExceeded("the transaction weighs more than the limit max_weight", field="unsigned_tx")


def _check_amounts(decoded: BitcoinTransaction) -> None:
    spent = [output.value for output in decoded.spent if output is not None]
    paid = [output.value for output in decoded.transaction.outputs]
    if max(*spent, *paid, sum(spent), sum(paid)) > MAX_MONEY:
        raise InvalidTransaction("an amount is more than all bitcoins there are", field="unsigned_tx")


def _check_outputs(decoded: BitcoinTransaction, limits: Limits) -> None:
    relay_fee, most_burnt = limits["dust_relay_fee"], limits["max_burn"]
    transaction = decoded.transaction
    dusty = [] if relay_fee is None else relay.dust(transaction.outputs, relay_fee)
    if dusty and not relay.is_ephemeral(transaction, dusty, balance(decoded)):
        raise LimitExceeded("an output is dust: spending it costs more than it holds", field="unsigned_tx")
    for output in transaction.outputs:
        burnt = output.value if script.classify(output.script)[0] is ScriptKind.OP_RETURN else 0
        if most_burnt is not None and burnt > most_burnt:
            raise LimitExceeded("an OP_RETURN output burns more than the limit max_burn", field="unsigned_tx")


def _check_fee(signed: Commitments, limits: Limits) -> None:
    """The fee of the transaction as it stands; of one that is not finished, what others can take of ours."""
    decoded = signed.decoded
    paid = balance(decoded)
    if paid is None:
        return
    if paid < 0 and not _can_be_finished(signed):
        raise InvalidTransaction("the outputs hold more than the inputs", field="unsigned_tx")
    rate = limits["max_fee_rate"]
    if rate is not None and paid > rate * decoded.estimated.vsize:
        raise LimitExceeded("the fee is over the limit max_fee_rate", field="unsigned_tx")
    total = sum(output.value for output in decoded.spent if output is not None)
    for taken, what in ((paid, "the fee is"), (signed.open_amount, "what others can take of an input is")):
        most, percent, floor = limits["max_fee"], limits["max_fee_percent"], limits["max_fee_percent_floor"]
        if most is not None and taken > most:
            raise LimitExceeded(f"{what} over the limit max_fee", field="unsigned_tx")
        if percent is not None and taken > (floor or 0) and taken * 100 > total * percent:
            raise LimitExceeded(f"{what} over max_fee_percent of what is spent", field="unsigned_tx")


def _can_be_finished(signed: Commitments) -> bool:
    """Whether others can still make the amounts meet: by adding inputs, or by changing outputs that we leave open."""
    if signed.inputs_open:
        return True
    outputs, spent = signed.decoded.transaction.outputs, signed.decoded.spent
    fixed = sum(outputs[index].value for index in signed.fixed_outputs)
    return fixed <= sum(output.value for output in spent if output is not None)


def _check_ours(decoded: BitcoinTransaction, held: Ownership) -> None:
    if None in decoded.spent:
        raise InvalidTransaction("the PSBT does not say what every input spends", field="unsigned_tx")
    if not decoded.transaction.outputs:
        raise InvalidTransaction("a transaction has outputs", field="unsigned_tx")
    if not any(held.signers):
        raise WrongKey("no input is left that a key of this wallet signs", field="unsigned_tx")
    held.check_claims()


def _check_hash_types(signed: Commitments, options: SignOptions) -> None:
    for index, kind in signed.loose.items():
        if kind & 3 == HashType.SINGLE and index >= len(signed.decoded.transaction.outputs):
            raise InvalidTransaction("SINGLE signs the output at the input's own position, and there is none",
                                     field="unsigned_tx")  # fmt: skip
        if kind.label not in options.allowed_sighashes:
            raise OptionRequired(
                "a signature of this sighash type lets others change the transaction; allowed_sighashes signs it all"
                " the same",
                field="unsigned_tx",
            )
