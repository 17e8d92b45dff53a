"""Signing of every kind of PSBT, completely, in part and by several signers, and the guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from strongroom.chains.bitcoin import psbt, schemes, script
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.chains.bitcoin.spending import spends
from strongroom.codecs.bip144 import TxOut, parse
from strongroom.domain.signing import Algorithm, Guard, Prepared
from strongroom.errors import InternalError, InvalidTransaction, WrongKey
from tests.support.psbts import utxo
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    FEE,
    FOREIGN,
    NETWORK,
    SHARED,
    SINGLE,
    VALUE,
    allowing,
    make,
    multisig,
    ours,
    output_script,
    prepare,
    public_key,
    scripts,
    sign,
    signature,
    with_input,
    with_transaction,
)


def spent(one: psbt.Psbt) -> list[TxOut]:
    found = [utxo(one, index) for index in range(len(one.inputs))]
    return [output for output in found if output is not None]


@pytest.mark.parametrize("kind", SINGLE)
def test_one_key(kind: str) -> None:
    one = make([kind])
    signed = sign(one, ours(0))
    transaction = parse(bytes.fromhex(signed.raw))
    assert signed.complete
    assert signed.tx_id == transaction.txid == signed.details["txid"]
    assert spends(transaction, 0, spent(one))
    assert signed.details["fee_sat"] == str(FEE)
    assert (signed.details["vsize"], signed.details["weight"]) == (transaction.vsize, transaction.weight)
    assert signed.details["wtxid"] == transaction.wtxid


def test_every_kind_of_one_key_at_once() -> None:
    one = make(SINGLE)
    signed = sign(one, ours(0, 10, 20, 30))
    transaction = parse(bytes.fromhex(signed.raw))
    assert all(spends(transaction, index, spent(one)) for index in range(4))
    for index, given in enumerate(psbt.parse_text(str(signed.details["psbt"])).inputs):
        assert given.final_script_sig == (transaction.inputs[index].script_sig or None)
        assert given.final_script_witness == (transaction.inputs[index].witness or None)
        assert not any((given.partial_sigs, given.bip32_derivations, given.redeem_script, given.tap_key_sig))


@pytest.mark.parametrize("kind", SHARED)
def test_two_of_three(kind: str) -> None:
    one = make([kind])
    first = sign(one, ours(2))
    assert not first.complete
    assert first.raw == first.details["psbt"]
    assert (first.tx_id is None) is (kind != "p2wsh")
    [given] = psbt.parse_text(first.raw).inputs
    assert list(given.partial_sigs) == [public_key(2)]
    assert given.final_script_sig is None
    second = sign(first.raw, ours(0))
    assert second.complete
    assert spends(parse(bytes.fromhex(second.raw)), 0, spent(one))
    assert sign(one, ours(0, 2)).raw == second.raw
    assert first.tx_id in (None, second.tx_id)


def test_no_more_signatures_than_asked_for() -> None:
    one = make(["p2wsh"])
    signed = sign(one, ours(0, 1, 2))
    assert spends(parse(bytes.fromhex(signed.raw)), 0, spent(one))


def test_inputs_of_others_are_left_to_them() -> None:
    one = make(["p2wpkh", "p2tr", "p2pkh"])
    first = sign(one, ours(10))
    assert not first.complete
    assert first.tx_id is None
    middle = psbt.parse_text(first.raw).inputs[1]
    assert middle.tap_key_sig is not None
    assert middle.final_script_witness is None
    second = sign(first.raw, ours(0, 20))
    transaction = parse(bytes.fromhex(second.raw))
    assert all(spends(transaction, index, spent(one)) for index in range(3))


def test_what_is_not_known_stays() -> None:
    strange = {b"\xfc\x05other\x00": b"\1\2"}
    one = with_input(make(["p2wpkh"]), 0, unknown=strange)
    assert psbt.parse_text(str(sign(one, ours(0)).details["psbt"])).inputs[0].unknown == strange
    half = with_input(make(["p2wsh"]), 0, unknown=strange)
    assert psbt.parse_text(sign(half, ours(0)).raw).inputs[0].unknown == strange


def test_final_inputs_of_others_stay() -> None:
    one = make(["p2wpkh", "p2tr"])
    whole = parse(bytes.fromhex(sign(one, ours(0, 10)).raw))
    half = with_input(one, 0, final_script_witness=whole.inputs[0].witness, bip32_derivations={}, partial_sigs={})
    signed = sign(half, ours(0, 10))
    assert len(prepare(half, ours(0, 10)).to_sign) == 1
    assert parse(bytes.fromhex(signed.raw)) == whole


def test_taproot_with_a_script_tree() -> None:
    root = b"\x05" * 32
    tweaked = script.p2tr(schemes.output_key(public_key(0), root))
    one = make(["p2tr"])
    previous = one.inputs[0].non_witness_utxo
    assert previous is not None
    with_root = replace(previous, outputs=(previous.outputs[0], TxOut(VALUE, tweaked)))
    outpoint = replace(one.transaction.inputs[0].outpoint, txid=with_root.hash)
    one = with_transaction(one, inputs=(replace(one.transaction.inputs[0], outpoint=outpoint),))
    one = with_input(one, 0, non_witness_utxo=with_root, tap_merkle_root=root)
    assert prepare(one, ours(0)).to_sign[0].taproot_root == root
    assert spends(parse(bytes.fromhex(sign(one, ours(0)).raw)), 0, spent(one))
    with pytest.raises(WrongKey):
        sign(with_input(one, 0, tap_merkle_root=b"\x06" * 32), ours(0))
    with pytest.raises(WrongKey):
        sign(with_input(one, 0, tap_merkle_root=None), ours(0))


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize("hash_type", [each for each in HashType if each is not HashType.DEFAULT])
def test_hash_types(kind: str, hash_type: HashType) -> None:
    one = with_input(make([kind]), 0, sighash_type=hash_type)
    signed = sign(one, ours(0), allowing(hash_type.label))
    [txin] = parse(bytes.fromhex(signed.raw)).inputs
    made = txin.witness[0] if txin.witness else txin.script_sig[1 : 1 + txin.script_sig[0]]
    assert made[-1] == hash_type
    if hash_type is HashType.ALL:
        assert spends(parse(bytes.fromhex(signed.raw)), 0, spent(one))


def test_algorithms_and_paths() -> None:
    prepared = prepare(make(["p2tr", "p2wpkh"]), ours(0, 10))
    taproot, segwit = prepared.to_sign
    assert (taproot.algorithm, taproot.taproot_root, taproot.path) == (Algorithm.SCHNORR, b"", "m/84'/0'/0'/0/0")
    assert (segwit.algorithm, segwit.taproot_root, segwit.path) == (Algorithm.ECDSA, None, "m/84'/0'/0'/0/10")


@pytest.mark.parametrize("kind", ["p2wpkh", "p2tr"])
def test_a_signature_that_does_not_hold(kind: str) -> None:
    prepared = prepare(make([kind]), ours(0))
    good = signature(prepared.to_sign[0])
    for bad in (bytes((good[0] ^ 1,)) + good[1:], b"\xff" * len(good), good[:63], good + b"\0", b""):
        with pytest.raises(InternalError):
            BITCOIN.assemble(prepared, [bad])
    for several in ([], [good, good]):
        with pytest.raises(InternalError):
            BITCOIN.assemble(prepared, several)


def test_prepared_by_another_chain() -> None:
    prepared = prepare(make(["p2tr"]), ours(0))
    with pytest.raises(InternalError):
        BITCOIN.assemble(Prepared(NETWORK, prepared.to_sign, prepared.summary, None), [])


def test_text_that_is_not_canonical() -> None:
    text = psbt.serialize(make(["p2wpkh"])).hex()
    assert sign(text, ours(0)).complete
    assert sign(text.upper(), ours(0)).complete
    for spaced in (text + "\n", psbt.to_base64(make(["p2wpkh"])) + "\r\n"):
        assert sign(spaced, ours(0)).complete
    for spoilt in (text + "00", text[:-2], "0x" + text, text + "\0"):
        with pytest.raises(InvalidTransaction):
            sign(spoilt, ours(0))
    with pytest.raises(InvalidTransaction):
        BITCOIN.decode(NETWORK, {"psbt": text})


def places(guards: Sequence[Guard]) -> set[tuple[str, str]]:
    return {(guard.sequence, guard.address) for guard in guards}


class TestGuards:
    def test_only_for_outputs_that_we_sign_for(self) -> None:
        one = make(["p2wpkh", "p2tr", "p2pkh"])
        guards = prepare(one, ours(0, 20)).guards
        assert {guard.sequence for guard in guards} == {str(one.transaction.inputs[i].outpoint) for i in (0, 2)}
        assert {guard.chain_id for guard in guards} == {NETWORK.caip2}

    @pytest.mark.parametrize("kind", [*SINGLE, *SHARED])
    def test_the_output_script_is_among_them(self, kind: str) -> None:
        """1.0.8 made the same guard, so its signatures conflict too."""
        one = make([kind])
        assert (str(one.transaction.inputs[0].outpoint), output_script(kind).hex()) in places(
            prepare(one, ours(0)).guards
        )

    @pytest.mark.parametrize(("native", "nested"), [("p2wpkh", "p2sh-p2wpkh"), ("p2wsh", "p2sh-p2wsh")])
    def test_a_witness_program_has_the_same_ones_in_either_form(self, native: str, nested: str) -> None:
        """One digest is valid for both, because it does not contain the real output script."""
        one = make([native])
        claim = TxOut(VALUE, output_script(nested))
        told = with_input(one, 0, non_witness_utxo=None, witness_utxo=claim, **scripts(nested))
        first, second = prepare(one, ours(0)), prepare(told, ours(0))
        assert [item.payload for item in first.to_sign] == [item.payload for item in second.to_sign]
        assert places(first.guards) == places(second.guards)
        assert {guard.payload_hash for guard in first.guards}.isdisjoint(each.payload_hash for each in second.guards)

    def test_every_signer_of_one_transaction_has_the_same(self) -> None:
        one = make(["p2wsh"])
        first = sign(one, ours(1))
        assert prepare(one, ours(1)).guards == prepare(first.raw, ours(2)).guards

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: with_transaction(one, lock_time=1),
            lambda one: with_transaction(one, outputs=(TxOut(VALUE - FEE - 1, FOREIGN),)),
            lambda one: with_input(one, 0, sighash_type=HashType.SINGLE),
            lambda one: with_input(one, 0, non_witness_utxo=None, witness_utxo=TxOut(VALUE - 1, FOREIGN_OWN)),
        ],
        ids=["lock time", "output", "sighash", "amount"],
    )
    def test_another_payload_is_another(self, change: Any) -> None:
        """The payload covers the amounts too, because a segwit signature covers only that of its own input."""
        first = prepare(make(["p2wpkh"]), ours(0)).guards
        second = prepare(change(make(["p2wpkh"])), ours(0), allowing("SINGLE")).guards
        assert places(first) == places(second)
        assert {guard.payload_hash for guard in first}.isdisjoint(guard.payload_hash for guard in second)

    def test_what_was_made_up_for_an_outpoint_is_guarded_elsewhere(self) -> None:
        one = make(["p2wpkh"])
        claimed = with_input(one, 0, non_witness_utxo=None, witness_utxo=TxOut(VALUE, output_script("p2wpkh", 5)))
        mine, other = prepare(one, ours(0)).guards, prepare(claimed, ours(5)).guards
        assert {guard.sequence for guard in (*mine, *other)} == {str(one.transaction.inputs[0].outpoint)}
        assert places(mine).isdisjoint(places(other))


FOREIGN_OWN: bytes = output_script("p2wpkh", 0)


def test_multisig_keys_in_any_order() -> None:
    assert multisig((0, 1, 2)) == multisig((2, 0, 1))
