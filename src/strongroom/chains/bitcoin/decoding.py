"""Reads a PSBT, with what its inputs spend and which keys it asks for."""

from __future__ import annotations

from base64 import b64encode
from binascii import a2b_hex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from strongroom.chains.base import Decoded, Unsigned
from strongroom.chains.bitcoin import descriptor, finalising, locks, psbt, script, spending
from strongroom.chains.bitcoin.locks import Lock
from strongroom.chains.bitcoin.psbt import Origin, Psbt, PsbtInput, PsbtOutput
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.chains.bitcoin.sighash import ANYONECANPAY, HashType, Precomputed
from strongroom.codecs.bip32 import format_path
from strongroom.codecs.bip144 import Transaction, TxOut, parse
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint
from strongroom.errors import InvalidTransaction

_SEGWIT_V0: Final = (ScriptKind.P2WPKH, ScriptKind.P2WSH)


@dataclass(frozen=True)
class BitcoinTransaction(Decoded):
    psbt: Psbt
    text: str
    """The input text without white space, which files, mails and terminals add."""
    spent: tuple[TxOut | None, ...]
    """The output that each input spends, or None if the PSBT does not say."""
    locks: tuple[Lock | None, ...]
    """The lock of each spent output, or None if it cannot be signed here."""
    shared: Precomputed

    @property
    def transaction(self) -> Transaction:
        """The unsigned transaction."""
        return self.psbt.transaction

    @cached_property
    def estimated(self) -> Transaction:
        """The transaction with placeholders of about the size of the signatures."""
        return finalising.estimate(self.psbt, self.locks)

    @cached_property
    def judged(self) -> Mapping[int, bool | None]:
        """Whether each final input spends its output, by its position. None if its script is of an unknown kind.

        All amounts must be known.
        """
        return {index: self._judge(index) for index, given in enumerate(self.psbt.inputs) if given.is_final}

    @cached_property
    def known(self) -> tuple[TxOut, ...]:
        """The spent outputs that the PSBT states. If all are known, there is one per input, in order."""
        return tuple(output for output in self.spent if output is not None)

    def with_previous(self, previous: Mapping[str, bytes]) -> BitcoinTransaction:
        if not self.is_canonical:
            raise InvalidTransaction("the PSBT is not in its canonical form", field="unsigned_tx")
        inputs = list(self.psbt.inputs)
        for index, txin in enumerate(self.transaction.inputs):
            raw = previous.get(txin.outpoint.txid[::-1].hex())
            if raw is not None and inputs[index].non_witness_utxo is None:
                inputs[index] = replace(inputs[index], non_witness_utxo=parse(raw))
        found = replace(self.psbt, inputs=tuple(inputs))
        return _read(self.network, found, psbt.to_base64(found))

    @property
    def is_canonical(self) -> bool:
        """Whether serialising the PSBT gives the input text."""
        serialised = psbt.serialize(self.psbt)
        return self.text.lower() == serialised.hex() or self.text == b64encode(serialised).decode()

    def _judge(self, index: int) -> bool | None:
        try:
            return spending.spends(self.estimated, index, self.known, frozenset(HashType), self.shared)
        except spending.UnknownScriptError:
            return None


def decode(network: Network, unsigned: Unsigned) -> BitcoinTransaction:
    """Raises InvalidTransaction if the text is no PSBT or contradicts itself about what an input spends."""
    if not isinstance(unsigned, str):
        raise InvalidTransaction("a Bitcoin transaction must be a PSBT: a string in base64 or hex", field="unsigned_tx")
    try:
        parsed = psbt.parse_text(unsigned)
    except ValueError as error:
        raise InvalidTransaction(str(error), field="unsigned_tx") from None
    _check_network(network, parsed)
    return _read(network, parsed, psbt.without_space(unsigned))


def _read(network: Network, parsed: Psbt, text: str) -> BitcoinTransaction:
    spent = tuple(_spent(parsed, index) for index in range(len(parsed.inputs)))
    known = tuple(output for output in spent if output is not None)
    return BitcoinTransaction(
        network=network,
        key_hints=tuple(dict.fromkeys(_hints(parsed))),
        names_its_keys=True,
        wants=tuple(dict.fromkeys(_wants(parsed, spent))),
        psbt=parsed,
        text=text,
        spent=spent,
        locks=tuple(map(_lock, spent, parsed.inputs)),
        shared=Precomputed(parsed.transaction, known),
    )


def signed(text: str) -> Transaction:
    """Read a signed transaction in hex, whoever signed it. Raises InvalidTransaction.

    The signatures are not verified, because that needs the outputs that it spends.
    """
    try:
        found = parse(a2b_hex(text))
    except ValueError as error:
        raise InvalidTransaction(str(error), field="signed_tx") from None
    if not found.inputs or not all(txin.script_sig or txin.witness for txin in found.inputs):
        raise InvalidTransaction("the transaction is not signed", field="signed_tx")
    return found


def _check_network(network: Network, parsed: Psbt) -> None:
    """Refuse extended keys of another network. Nothing else in a PSBT tells whether it is for main or test."""
    versions = {int.from_bytes(each[:4], "big") for each in parsed.xpubs}
    if versions & set(descriptor.VERSIONS.values()) - {descriptor.VERSIONS[network.keyspace]}:
        raise InvalidTransaction("an extended key in the PSBT belongs to another network", field="unsigned_tx")


def _spent(parsed: Psbt, index: int) -> TxOut | None:
    """The output that an input spends. A previous transaction in the PSBT must be the one that the input names."""
    given, outpoint = parsed.inputs[index], parsed.transaction.inputs[index].outpoint
    if given.non_witness_utxo is None:
        return given.witness_utxo
    previous = given.non_witness_utxo
    if previous.hash != outpoint.txid:
        raise InvalidTransaction(
            "a previous transaction in the PSBT is not the one that its input spends", field="unsigned_tx"
        )
    if outpoint.vout >= len(previous.outputs):
        raise InvalidTransaction("an input spends an output that does not exist", field="unsigned_tx")
    output = previous.outputs[outpoint.vout]
    if given.witness_utxo not in (None, output):
        raise InvalidTransaction(
            "the output given for an input differs from the one in its previous transaction", field="unsigned_tx"
        )
    return output


def _wants(parsed: Psbt, spent: Sequence[TxOut | None]) -> Iterator[str]:
    """Previous transactions of inputs whose spent output is unknown, or is not covered by the signatures.

    Segwit v0 commits only to the amount of its own input. Taproot commits to those of all, except with ANYONECANPAY.
    """
    enough = len(parsed.inputs) == 1 or all(map(_commits_to_all, parsed.inputs, spent))
    for given, txin, output in zip(parsed.inputs, parsed.transaction.inputs, spent, strict=True):
        proved = output is not None and _commits_to_amount(output.script, given.redeem_script)
        if given.non_witness_utxo is None and not (enough and proved):
            yield txin.outpoint.txid[::-1].hex()


def _commits_to_all(given: PsbtInput, output: TxOut | None) -> bool:
    taproot = output is not None and script.classify(output.script)[0] is ScriptKind.P2TR
    return taproot and not (given.sighash_type or 0) & ANYONECANPAY


def _lock(output: TxOut | None, given: PsbtInput) -> Lock | None:
    return None if output is None else locks.read(output.script, given.redeem_script, given.witness_script)


def check_amounts_are_proved(decoded: BitcoinTransaction) -> None:
    """Raises InvalidTransaction if a legacy input comes without its previous transaction."""
    for given, output in zip(decoded.psbt.inputs, decoded.spent, strict=True):
        if output is None or given.non_witness_utxo is not None:
            continue
        if not _commits_to_amount(output.script, given.redeem_script):
            raise InvalidTransaction(
                "an input without a witness needs its previous transaction (non_witness_utxo), "
                "because its signature does not cover the amount",
                field="unsigned_tx",
            )


def _commits_to_amount(output_script: bytes, redeem_script: bytes | None) -> bool:
    """Whether spending the output takes a witness, as far as is known. A missing redeem script counts as yes."""
    if script.classify(output_script)[0] is not ScriptKind.P2SH:
        return script.witness_version(output_script) is not None
    return redeem_script is None or script.classify(redeem_script)[0] in _SEGWIT_V0


def _hints(parsed: Psbt) -> Iterator[KeyHint]:
    parts: tuple[PsbtInput | PsbtOutput, ...] = (*parsed.inputs, *parsed.outputs)
    for part in parts:
        for public_key, origin in _origins(part):
            path = format_path(origin.path)
            yield KeyHint(public_key=public_key, fingerprint_and_path=(origin.fingerprint, path))


def _origins(part: PsbtInput | PsbtOutput) -> Iterator[tuple[bytes, Origin]]:
    yield from part.bip32_derivations.items()
    for public_key, tap in part.tap_bip32_derivations.items():
        yield public_key, tap.origin
