"""Data that the signatures do not commit to is not trusted, and what they leave open is reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strongroom.chains.bitcoin import psbt, schemes, script
from strongroom.chains.bitcoin.psbt import Psbt, PsbtInput
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.codecs.bip144 import OutPoint, TxOut
from strongroom.codecs.hash160 import hash160
from strongroom.domain.signing import Policy, SignOptions
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired, WrongKey
from tests.support.psbts import utxo
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    FEE,
    FOREIGN,
    NETWORK,
    NOW,
    VALUE,
    allowing,
    codes,
    make,
    ours,
    output_script,
    prepare,
    sign,
    with_input,
    with_transaction,
)

LOOSE = [each for each in HashType if each not in (HashType.DEFAULT, HashType.ALL)]
ANYONECANPAY = [each for each in LOOSE if each & 0x80]
TRUSTING = Policy(BITCOIN.limits, SignOptions(allow=frozenset({"unverified_amounts"})))
ANCHOR = bytes.fromhex("51024e73")


def told(one: Psbt, *indexes: int, value: int | None = None) -> Psbt:
    """Without the previous transactions of these inputs, and with ``value`` as a false amount."""
    for index in indexes:
        output = utxo(one, index)
        assert output is not None
        claim = replace(output, value=output.value if value is None else value)
        one = with_input(one, index, non_witness_utxo=None, witness_utxo=claim)
    return one


class TestAmounts:
    @pytest.mark.parametrize("kind", ["p2wpkh", "p2sh-p2wpkh", "p2wsh", "p2sh-p2wsh"])
    @pytest.mark.parametrize("untold", [(0,), (1,), (0, 1)])
    def test_one_input_among_several_needs_all_previous_transactions(self, kind: str, untold: tuple[int, ...]) -> None:
        """A segwit v0 digest covers only the amount of its own input, so the other amount can be false."""
        one = told(make([kind, "p2wpkh"]), *untold)
        for held in (ours(0), ours(10), ours(0, 10)):
            with pytest.raises(OptionRequired, match="unverified_amounts"):
                sign(one, held)
            assert codes(one, held, TRUSTING) == ["unverified_amounts"]

    def test_two_half_lies_do_not_make_a_fee(self) -> None:
        one = make(["p2wpkh", "p2wpkh"])
        one = with_transaction(one, outputs=(TxOut(VALUE, FOREIGN),))
        for lie, held in ((1, ours(0)), (0, ours(10))):
            with pytest.raises(OptionRequired):
                sign(told(told(one, 1 - lie), lie, value=FEE), held)

    def test_an_input_alone_proves_its_own_amount(self) -> None:
        for kind in ("p2wpkh", "p2sh-p2wpkh", "p2tr"):
            assert codes(told(make([kind]), 0), ours(0)) == []

    def test_taproot_proves_them_all(self) -> None:
        one = told(make(["p2tr", "p2tr", "p2wpkh"]), 0, 1, 2)
        assert codes(one, ours(0, 10)) == []
        with pytest.raises(OptionRequired):
            sign(one, ours(0, 20))

    @pytest.mark.parametrize("hash_type", ANYONECANPAY)
    def test_taproot_with_anyonecanpay_proves_its_own_alone(self, hash_type: HashType) -> None:
        one = told(with_input(make(["p2tr", "p2wpkh"]), 0, sighash_type=hash_type), 1)
        with pytest.raises(OptionRequired, match="unverified_amounts"):
            sign(one, ours(0), allowing(hash_type.label))

    @pytest.mark.parametrize("hash_type", [HashType.NONE, HashType.SINGLE])
    def test_taproot_that_leaves_outputs_open_still_proves_amounts(self, hash_type: HashType) -> None:
        one = told(with_input(make(["p2tr", "p2wpkh"]), 0, sighash_type=hash_type), 0, 1)
        assert codes(one, ours(0), allowing(hash_type.label)) == ["partial_sighash"]

    def test_whoever_only_looks_is_told(self) -> None:
        one = told(make(["p2wpkh", "p2wpkh"]), 1)
        assert codes(one, None, TRUSTING) == ["unverified_amounts"]
        assert codes(make(["p2wpkh", "p2wpkh"]), None, TRUSTING) == []


class TestFinalScriptsOfOthers:
    @pytest.mark.parametrize("kind", ["p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"])
    def test_are_verified(self, kind: str) -> None:
        one = make([kind, "p2wpkh"])
        final = self._final(one, kind)
        assert sign(final, ours(10)).complete
        for other in (HashType.NONE, HashType.ALL_ANYONECANPAY):
            loose = self._final(with_input(one, 0, sighash_type=other), kind, other.label)
            assert sign(loose, ours(10)).complete
        for spoilt in self._spoilt(final):
            with pytest.raises(InvalidTransaction, match="final in the PSBT does not satisfy"):
                sign(spoilt, ours(10))

    def test_that_are_not_understood_are_not_called_complete(self) -> None:
        """Spent by OP_TRUE in P2WSH, which is valid but of a kind that is not judged."""
        one = make(["p2wpkh", "p2wpkh"])
        strange = script.p2wsh(bytes.fromhex("4ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260"))
        previous = one.inputs[0].non_witness_utxo
        assert previous is not None
        previous = replace(previous, outputs=(previous.outputs[0], TxOut(VALUE, strange)))
        spending = replace(one.transaction.inputs[0], outpoint=replace(one.transaction.inputs[0].outpoint,
                                                                       txid=previous.hash))  # fmt: skip
        one = with_transaction(one, inputs=(spending, one.transaction.inputs[1]))
        one = replace(one, inputs=(PsbtInput(non_witness_utxo=previous, final_script_witness=(b"\x51",)),
                                   one.inputs[1]))  # fmt: skip
        signed = sign(one, ours(10))
        assert not signed.complete
        assert len(psbt.parse_text(signed.raw).inputs[1].partial_sigs) == 1

    def test_with_an_empty_key_spend_nothing(self) -> None:
        """The output commits to the hash of an empty key, and the input gives an empty key."""
        one = make(["p2wpkh", "p2wpkh"])
        previous = one.inputs[0].non_witness_utxo
        assert previous is not None
        previous = replace(previous, outputs=(TxOut(VALUE, script.p2pkh(hash160(b""))), *previous.outputs[1:]))
        outpoint = OutPoint(previous.hash, 0)
        spending = replace(one.transaction.inputs[0], outpoint=outpoint)
        one = with_transaction(one, inputs=(spending, one.transaction.inputs[1]))
        made = script.push(bytes.fromhex("300602010102010101")) + bytes((script.OP_0,))
        final = PsbtInput(non_witness_utxo=previous, final_script_sig=made)
        with pytest.raises(InvalidTransaction, match="final in the PSBT does not satisfy"):
            sign(replace(one, inputs=(final, one.inputs[1])), ours(10))

    @staticmethod
    def _final(one: Psbt, kind: str, *allowed: str) -> Psbt:
        """A PSBT whose first input its own signer has made final."""
        made = psbt.parse_text(str(sign(one, ours(0, 10), allowing(*allowed)).details["psbt"]))
        return replace(one, inputs=(made.inputs[0], one.inputs[1]))

    @staticmethod
    def _spoilt(one: Psbt) -> list[Psbt]:
        given = one.inputs[0]
        witness, script_sig = given.final_script_witness or (), given.final_script_sig or b""
        found = [with_transaction(one, lock_time=1)]
        if witness:
            found.append(with_input(one, 0, final_script_witness=(witness[0][:-1] + b"\2", *witness[1:])))
            found.append(with_input(one, 0, final_script_witness=None, final_script_sig=script_sig or b"\0"))
            found.append(with_input(one, 0, final_script_sig=script_sig + b"\0"))
        else:
            found.append(with_input(one, 0, final_script_sig=script_sig + b"\0"))
            found.append(with_input(one, 0, final_script_witness=(b"\1",)))
        return found


class TestUnfinished:
    """Transactions for others to complete. A listing asks for a price, and a crowdfund for the rest."""

    @pytest.mark.parametrize("kind", ["p2tr", "p2wpkh", "p2sh-p2wpkh", "p2pkh"])
    def test_a_listing(self, kind: str) -> None:
        one = self._asking(kind, TxOut(5 * VALUE, output_script("p2tr", 3)))
        signed = sign(one, ours(0), allowing("SINGLE|ANYONECANPAY"))
        assert not signed.complete  # it pays more than it spends, as long as no buyer has joined
        assert signed.tx_id is None
        assert codes(one, ours(0), allowing("SINGLE|ANYONECANPAY")) == ["unfinished", "partial_sighash"]
        assert prepare(one, ours(0), allowing("SINGLE|ANYONECANPAY")).summary.fee is None
        with pytest.raises(OptionRequired):
            sign(one, ours(0))

    def test_a_crowdfund(self) -> None:
        one = self._asking("p2wpkh", TxOut(5 * VALUE, FOREIGN), HashType.ALL_ANYONECANPAY)
        assert not sign(one, ours(0), allowing("ALL|ANYONECANPAY")).complete

    def test_that_no_input_can_complete_is_refused(self) -> None:
        """Without ANYONECANPAY nobody can add inputs."""
        for kind in (HashType.ALL, HashType.SINGLE):
            one = self._asking("p2wpkh", TxOut(5 * VALUE, FOREIGN), kind)
            with pytest.raises(InvalidTransaction, match="more than the inputs"):
                sign(one, ours(0), allowing(kind.label))
        one = self._asking("p2wpkh", TxOut(5 * VALUE, FOREIGN), HashType.NONE)
        assert not sign(one, ours(0), allowing("NONE")).complete  # others choose the outputs

    def test_one_signature_that_covers_all_finishes_it(self) -> None:
        one = with_input(make(["p2wpkh", "p2wpkh"]), 0, sighash_type=HashType.SINGLE_ANYONECANPAY)
        one = replace(with_transaction(one, outputs=(TxOut(3 * VALUE, FOREIGN),)), outputs=one.outputs[:1])
        assert not sign(one, ours(0), allowing("SINGLE|ANYONECANPAY")).complete
        with pytest.raises(InvalidTransaction, match="more than the inputs"):
            sign(one, ours(0, 10), allowing("SINGLE|ANYONECANPAY"))

    @pytest.mark.parametrize("hash_type", [HashType.NONE, HashType.SINGLE, HashType.NONE_ANYONECANPAY,
                                           HashType.SINGLE_ANYONECANPAY])  # fmt: skip
    def test_what_others_can_take_is_limited_like_a_fee(self, hash_type: HashType) -> None:
        """A large output that no signature covers does not hide that the input's amount goes elsewhere."""
        one = self._asking("p2wpkh", TxOut(1_000, FOREIGN), hash_type, TxOut(9 * VALUE, FOREIGN))
        policy = replace(allowing(hash_type.label), limits={**BITCOIN.limits, "max_fee": VALUE // 2})
        with pytest.raises(LimitExceeded, match="others can take"):
            sign(one, ours(0), policy)

    def test_pairs_do_not_make_up_for_each_other(self) -> None:
        one = make(["p2wpkh", "p2wpkh"], [TxOut(2 * VALUE - 2_000, FOREIGN)])
        for index in (0, 1):
            one = with_input(one, index, sighash_type=HashType.SINGLE_ANYONECANPAY)
        policy = allowing("SINGLE|ANYONECANPAY")
        assert sign(one, ours(0, 10), policy).complete
        with pytest.raises(LimitExceeded):
            sign(one, ours(0, 10), replace(policy, limits={**BITCOIN.limits, "max_fee": VALUE - FEE - 1}))

    @pytest.mark.parametrize("hash_type", LOOSE)
    def test_each_type_says_what_it_leaves_open(self, hash_type: HashType) -> None:
        one = with_input(make(["p2wpkh"]), 0, sighash_type=hash_type)
        decoded = BITCOIN.decode(NETWORK, psbt.to_base64(one))
        [caution] = BITCOIN.check(decoded, ours(0), allowing(hash_type.label), NOW)
        assert caution.code == "partial_sighash"
        assert caution.message.startswith(f"{hash_type.label}: others can ")

    @staticmethod
    def _asking(kind: str, first: TxOut, hash_type: HashType = HashType.SINGLE_ANYONECANPAY, *more: TxOut) -> Psbt:
        one = with_input(make([kind]), 0, sighash_type=hash_type)
        outputs = (first, *more)
        return replace(with_transaction(one, outputs=outputs), outputs=one.outputs[:1] * len(outputs))


class TestAnchors:
    def test_one_is_known_by_its_name(self) -> None:
        one = make(["p2wpkh"], [TxOut(240, ANCHOR)])
        assert codes(one, ours(0)) == []
        action = prepare(one, ours(0)).summary.actions[1]
        assert (action.to, action.details["script"]) == ("bc1pfeessrawgf", "anchor")
        parsed = BITCOIN.parse_address(NETWORK, "bc1pfeessrawgf")
        assert (parsed.kind, parsed.canonical) == ("anchor", ANCHOR)

    @pytest.mark.parametrize("output", [TxOut(0, ANCHOR), TxOut(239, ANCHOR), TxOut(0, FOREIGN), TxOut(293, FOREIGN)])
    def test_ephemeral_dust_of_a_version_3_transaction_without_a_fee(self, output: TxOut) -> None:
        one = self._with(3, 0, output)
        assert sign(one, ours(0)).complete
        assert codes(one, ours(0)) == []
        for other in (self._with(2, 0, output), self._with(3, 0, output, output)):
            with pytest.raises(LimitExceeded, match="dust"):
                sign(other, ours(0))

    def test_only_an_empty_anchor_goes_with_a_fee(self) -> None:
        assert codes(self._with(3, FEE, TxOut(0, ANCHOR)), ours(0)) == ["anchor_with_fee"]
        for output in (TxOut(239, ANCHOR), TxOut(0, FOREIGN)):
            with pytest.raises(LimitExceeded, match="dust"):
                sign(self._with(3, FEE, output), ours(0))

    def test_a_version_3_transaction_is_small(self) -> None:
        outputs = [TxOut(1_000, FOREIGN)] * 330
        one = make(["p2wpkh"] * 4, outputs)
        assert sign(one, ours(0, 10, 20, 30)).complete
        with pytest.raises(LimitExceeded, match="weight is over"):
            sign(with_transaction(one, version=3), ours(0, 10, 20, 30))

    def test_a_child_spends_one_without_a_signature(self) -> None:
        one = make(["p2wpkh", "p2wpkh"])
        previous = one.inputs[1].non_witness_utxo
        assert previous is not None
        previous = replace(previous, outputs=(previous.outputs[0], TxOut(240, ANCHOR)))
        first, second = one.transaction.inputs
        second = replace(second, outpoint=replace(second.outpoint, txid=previous.hash))
        one = with_transaction(one, inputs=(first, second), outputs=(TxOut(VALUE - FEE, FOREIGN),))
        one = replace(one, inputs=(one.inputs[0], PsbtInput(non_witness_utxo=previous)))
        assert sign(one, ours(0)).complete
        with pytest.raises(WrongKey):
            sign(one, ours(5))

    @staticmethod
    def _with(version: int, fee: int, *dusty: TxOut) -> Psbt:
        rest = VALUE - fee - sum(each.value for each in dusty)
        one = make(["p2wpkh"])
        outputs = (TxOut(rest, FOREIGN), *dusty)
        one = replace(one, outputs=one.outputs[:1] * len(outputs))
        return with_transaction(one, version=version, outputs=outputs)


def test_the_cosigners_key_of_each_script() -> None:
    for keyspace, coin in (("bitcoin", 0), ("bitcoin-test", 1)):
        shared = {name: scheme.template for name, scheme in schemes.SCHEMES[keyspace].items() if scheme.shared}
        assert shared == {
            "bip48": f"m/48'/{coin}'/{{account}}'/2'/{{change}}/{{index}}",
            "bip48-p2sh-p2wsh": f"m/48'/{coin}'/{{account}}'/1'/{{change}}/{{index}}",
            "bip45": "m/45'/{change}/{index}",
            "bip45-cosigner": "m/45'/{account}/{change}/{index}",
        }
