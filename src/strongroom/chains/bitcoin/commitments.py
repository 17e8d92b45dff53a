"""What the requested signatures commit to, and what they leave open to others.

A signature is valid in every transaction that has the same digest. So data outside the digest must not be trusted. An
amount that no digest covers may be a different one in the next request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from strongroom.chains.bitcoin import sighash
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.locks import Lock, Way
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.bitcoin.sighash import ANYONECANPAY, BINDING, HashType
from strongroom.errors import InvalidTransaction

TAPROOT_TYPES: Final = frozenset(HashType)
ECDSA_TYPES: Final = TAPROOT_TYPES - {HashType.DEFAULT}


@dataclass(frozen=True)
class Commitments:
    """What the wallet's signatures commit to, or all requested signatures if nothing is to be signed."""

    decoded: BitcoinTransaction
    kinds: Mapping[int, HashType]
    """The hash type of each signed input, by its position."""

    @cached_property
    def verified(self) -> bool:
        """Whether the amounts and scripts of all inputs are proved.

        A previous transaction proves them, because its hash is in the outpoint. A Taproot digest covers the amount and
        script of every input, except with ANYONECANPAY. A segwit v0 digest covers only those of its own input, which
        is enough if there is no other.
        """
        given, locks = self.decoded.psbt.inputs, self.decoded.locks
        if len(given) == 1 or all(each.non_witness_utxo is not None for each in given):
            return True
        return bool(self.kinds) and all(
            _is_taproot(locks[index]) and not kind & ANYONECANPAY for index, kind in self.kinds.items()
        )

    @property
    def loose(self) -> Mapping[int, HashType]:
        """The signatures that let others change the transaction."""
        return {index: kind for index, kind in self.kinds.items() if kind not in BINDING}

    @property
    def fixed_outputs(self) -> frozenset[int]:
        """Positions of the outputs that at least one signature commits to."""
        outputs = len(self.decoded.transaction.outputs)
        if any(_outputs_of(kind) == HashType.ALL for kind in self.kinds.values()):
            return frozenset(range(outputs))
        singles = {index for index, kind in self.kinds.items() if _outputs_of(kind) == HashType.SINGLE}
        return frozenset(index for index in singles if index < outputs)

    @property
    def inputs_open(self) -> bool:
        """Whether others can add inputs without invalidating any signature."""
        return bool(self.kinds) and all(kind & ANYONECANPAY for kind in self.kinds.values())

    @property
    def open_amount(self) -> int:
        """Satoshis of the signed inputs that no signature binds to an output, so that others can take them.

        Each pair of an input and its output is counted separately, because others can use each pair separately.
        """
        return sum(self._open(index, kind) for index, kind in self.kinds.items())

    def _open(self, index: int, kind: HashType) -> int:
        spent, outputs = self.decoded.spent[index], self.decoded.transaction.outputs
        if spent is None or _outputs_of(kind) == HashType.ALL:
            return 0
        single = _outputs_of(kind) == HashType.SINGLE and index < len(outputs)
        return max(0, spent.value - (outputs[index].value if single else 0))


def of(decoded: BitcoinTransaction, held: Ownership | None) -> Commitments:
    """The commitments of a PSBT. ``held`` is None if nothing is to be signed.

    Raises InvalidTransaction if an input asks for a sighash type that does not exist.
    """
    if held is None:
        return Commitments(decoded, {index: _stated(decoded, index) for index in range(len(decoded.spent))})
    signing = (index for index, keys in enumerate(held.signers) if keys)
    return Commitments(decoded, {index: hash_type(decoded, index) for index in signing})


def hash_type(decoded: BitcoinTransaction, index: int) -> HashType:
    """The sighash type that an input asks for. Raises InvalidTransaction if there is no such type."""
    taproot = _is_taproot(decoded.locks[index])
    asked = decoded.psbt.inputs[index].sighash_type
    if asked is None:
        return HashType.DEFAULT if taproot else HashType.ALL
    if asked not in (TAPROOT_TYPES if taproot else ECDSA_TYPES):
        raise InvalidTransaction("an input requests a sighash type that does not exist", field="unsigned_tx")
    return HashType(asked)


def digest(decoded: BitcoinTransaction, index: int, lock: Lock, kind: HashType) -> bytes:
    """The 32-byte digest that a signature of an input signs. All spent outputs must be known."""
    transaction, shared = decoded.transaction, decoded.shared
    if lock.way is Way.TAPROOT:
        return sighash.taproot(transaction, index, decoded.known, kind, shared)
    if lock.way is Way.SEGWIT:
        return sighash.segwit_v0(transaction, index, lock.code, decoded.known[index].value, kind, shared)
    return sighash.legacy(transaction, index, lock.code, kind, shared)


def _stated(decoded: BitcoinTransaction, index: int) -> HashType:
    """Like `hash_type`. A type that does not exist counts as the one that commits to the least."""
    try:
        return hash_type(decoded, index)
    except InvalidTransaction:
        return HashType.NONE_ANYONECANPAY


def _outputs_of(kind: HashType) -> HashType:
    """ALL, NONE or SINGLE. DEFAULT counts as ALL."""
    return HashType(kind & 3 or HashType.ALL)


def _is_taproot(lock: Lock | None) -> bool:
    return lock is not None and lock.way is Way.TAPROOT
