"""What is refused before a key is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from btclib_secp256k1 import dsa

from strongroom.chains.bitcoin import psbt, schemes, script
from strongroom.chains.bitcoin.psbt import Origin, Psbt, TapOrigin
from strongroom.chains.bitcoin.relay import dust_threshold
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.codecs.bip144 import MAX_MONEY, OutPoint, TxIn, TxOut
from strongroom.domain.signing import Ours, Policy
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired, StrongroomError, WrongKey
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    DEFAULT,
    FOREIGN,
    NETWORK,
    NOW,
    SHARED,
    SINGLE,
    VALUE,
    allowing,
    claims,
    make,
    ours,
    output_script,
    prepare,
    public_key,
    scripts,
    sign,
    signature,
    with_input,
    with_output,
    with_transaction,
)


def refusal(one: Psbt, held: Ours | None = None, policy: Policy = DEFAULT) -> StrongroomError:
    with pytest.raises((InvalidTransaction, LimitExceeded, OptionRequired, WrongKey)) as caught:
        sign(one, ours(0) if held is None else held, policy)
    return caught.value


def limited(**limits: int | None) -> Policy:
    return Policy({**BITCOIN.limits, **limits})


def claimed_amount(one: Psbt, index: int, value: int) -> Psbt:
    """The output as a PSBT states it without the previous transaction."""
    previous = one.inputs[index].non_witness_utxo
    assert previous is not None
    claimed = replace(previous.outputs[1], value=value)
    return with_input(one, index, non_witness_utxo=None, witness_utxo=claimed)


class TestWhatIsSpent:
    def test_previous_transaction_of_another_id(self) -> None:
        one = make(["p2wpkh"])
        spending = replace(one.transaction.inputs[0], outpoint=OutPoint(b"\1" * 32, 1))
        assert "previous transaction" in refusal(with_transaction(one, inputs=(spending,))).message

    def test_output_that_does_not_exist(self) -> None:
        one = make(["p2wpkh"])
        outpoint = replace(one.transaction.inputs[0].outpoint, vout=2)
        spending = replace(one.transaction.inputs[0], outpoint=outpoint)
        assert "does not exist" in refusal(with_transaction(one, inputs=(spending,))).message

    @pytest.mark.parametrize(
        "output", [TxOut(VALUE + 1, output_script("p2wpkh")), TxOut(VALUE, output_script("p2wpkh", 1))]
    )
    def test_two_stories_of_it(self, output: TxOut) -> None:
        assert "the output" in refusal(with_input(make(["p2wpkh"]), 0, witness_utxo=output)).message

    @pytest.mark.parametrize("kind", ["p2pkh", "multisig", "p2sh-multisig"])
    def test_a_legacy_input_needs_the_previous_transaction(self, kind: str) -> None:
        message = refusal(claimed_amount(make([kind]), 0, VALUE)).message
        assert "needs its previous transaction" in message

    @pytest.mark.parametrize("kind", ["p2wpkh", "p2sh-p2wpkh", "p2tr", "p2wsh", "p2sh-p2wsh"])
    def test_a_witness_input_does_not(self, kind: str) -> None:
        assert sign(claimed_amount(make([kind]), 0, VALUE), ours(0, 1)).complete

    def test_it_must_be_said_of_every_input(self) -> None:
        one = with_input(make(["p2wpkh", "p2wpkh"]), 1, non_witness_utxo=None)
        assert "each input" in refusal(one).message

    def test_twice_the_same(self) -> None:
        one = make(["p2wpkh"])
        twice = replace(
            one,
            transaction=replace(one.transaction, inputs=one.transaction.inputs * 2),
            inputs=one.inputs * 2,
        )
        assert "twice" in refusal(twice).message

    def test_nothing(self) -> None:
        one = make(["p2wpkh"])
        outpoint = OutPoint(bytes(32), 0xFFFFFFFF)
        coinbase = with_transaction(one, inputs=(TxIn(outpoint, b"", 0),))
        assert "does not name an output to spend" in refusal(claimed_amount(coinbase, 0, VALUE)).message


@pytest.mark.parametrize(
    ("network", "version", "allowed"),
    [
        (0, "0488b21e", True),
        (0, "043587cf", False),
        (1, "043587cf", True),
        (1, "0488b21e", False),
        (4, "04b24746", True),
    ],
)
def test_extended_keys_of_another_network(network: int, version: str, allowed: bool) -> None:
    xpubs = {bytes.fromhex(version) + bytes(74): Origin(bytes(4), ())}
    text = psbt.to_base64(replace(make(["p2wpkh"]), xpubs=xpubs))
    if allowed:
        BITCOIN.decode(BITCOIN.networks[network], text)
    else:
        with pytest.raises(InvalidTransaction):
            BITCOIN.decode(BITCOIN.networks[network], text)


class TestScripts:
    @pytest.mark.parametrize("kind", ["p2sh-p2wpkh", "p2sh-multisig", "p2wsh", "p2sh-p2wsh"])
    def test_of_another_output(self, kind: str) -> None:
        for name, given in scripts(kind, 5).items():
            assert "does not match the hash" in refusal(with_input(make([kind]), 0, **{name: given})).message

    @pytest.mark.parametrize("kind", [*SINGLE, "multisig"])
    def test_that_no_output_names(self, kind: str) -> None:
        names = ("witness_script",) if kind == "p2sh-p2wpkh" else ("redeem_script", "witness_script")
        for name in names:
            assert (
                "script is given for an output of another kind"
                in refusal(with_input(make([kind]), 0, **{name: b"\x51"})).message
            )

    @pytest.mark.parametrize("kind", ["p2sh-p2wpkh", "p2wsh", "p2sh-p2wsh"])
    def test_that_are_missing(self, kind: str) -> None:
        one = with_input(make([kind]), 0, redeem_script=None, witness_script=None)
        if kind == "p2sh-p2wpkh":  # the output follows from the key, but the PSBT does not say how to spend it
            assert "no input is left" in refusal(one).message
        else:
            assert isinstance(refusal(one), WrongKey)


class TestAmounts:
    def test_over_all_there_are(self) -> None:
        one = make(["p2wpkh"], [TxOut(1_000, FOREIGN)])
        for bad in (MAX_MONEY + 1, 2**64 - 1):
            assert "all bitcoins" in refusal(claimed_amount(one, 0, bad)).message
            outputs = (TxOut(bad, FOREIGN), one.transaction.outputs[1])
            assert "all bitcoins" in refusal(with_transaction(one, outputs=outputs)).message
        several = make(["p2wpkh", "p2wpkh"])
        several = claimed_amount(claimed_amount(several, 0, MAX_MONEY), 1, 1)
        assert "all bitcoins" in refusal(several).message

    def test_more_out_than_in(self) -> None:
        assert (
            "more than the inputs"
            in refusal(with_transaction(make(["p2wpkh"]), outputs=(TxOut(VALUE + 1, FOREIGN),))).message
        )

    def test_no_outputs(self) -> None:
        one = replace(with_transaction(make(["p2wpkh"]), outputs=()), outputs=())
        assert (
            refusal(one, policy=Policy(dict.fromkeys(BITCOIN.limits))).message
            == "a transaction must have at least one output"
        )


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "fee", "allowed"),
        [
            ({"max_fee": 1_000}, 1_000, True),
            ({"max_fee": 1_000}, 1_001, False),
            ({"max_fee_rate": 10}, 1_100, True),  # 110 vB
            ({"max_fee_rate": 10}, 1_101, False),
            ({"max_fee_percent": 10, "max_fee_percent_floor": 0}, VALUE // 10, True),
            ({"max_fee_percent": 10, "max_fee_percent_floor": 0}, VALUE // 10 + 1, False),
            ({"max_fee_percent": 10, "max_fee_percent_floor": 20_000}, 20_000, True),
            ({"max_fee": None, "max_fee_rate": None, "max_fee_percent": None}, VALUE - 294, True),
        ],
    )
    def test_fee(self, limits: dict[str, int | None], fee: int, allowed: bool) -> None:
        one = with_transaction(make(["p2wpkh"]), outputs=(TxOut(VALUE - fee, FOREIGN),))
        if allowed:
            assert sign(one, ours(0), limited(**limits)).complete
        else:
            assert isinstance(refusal(one, policy=limited(**limits)), LimitExceeded)

    def test_the_rate_is_that_of_the_signed_transaction(self) -> None:
        for kinds in ([each] for each in (*SINGLE, *SHARED)):
            held = ours(0, 1)
            signed = sign(make(kinds), held)
            size = int(str(signed.details["vsize"]))
            summary = BITCOIN.summarise(BITCOIN.decode(NETWORK, psbt.to_base64(make(kinds))), held)
            assert summary.fee is not None
            assert 0 <= int(summary.fee.limit or 0) - size <= 4

    @pytest.mark.parametrize(
        ("output", "threshold"),
        [
            (output_script("p2pkh"), 546),
            (output_script("p2sh-p2wpkh"), 540),
            (output_script("p2wpkh"), 294),
            (output_script("p2wsh"), 330),
            (output_script("p2tr"), 330),
            (bytes.fromhex("51024e73"), 240),
        ],
    )
    def test_dust(self, output: bytes, threshold: int) -> None:
        assert dust_threshold(output, 3_000) == threshold
        sign(make(["p2wpkh"], [TxOut(threshold, output)]), ours(0))
        dust = make(["p2wpkh"], [TxOut(threshold - 1, output)])
        assert "dust" in refusal(dust).message
        assert sign(dust, ours(0), limited(dust_relay_fee=None)).complete

    def test_burning(self) -> None:
        data = script.OP_RETURN.to_bytes(1, "big") + script.push(b"hello")
        assert sign(make(["p2wpkh"], [TxOut(0, data)]), ours(0)).complete
        burning = make(["p2wpkh"], [TxOut(1, data)])
        assert "max_burn" in refusal(burning).message
        assert sign(burning, ours(0), limited(max_burn=1)).complete

    def test_weight(self) -> None:
        one = make(["p2wpkh"])
        weight = BITCOIN.decode(NETWORK, psbt.to_base64(one)).estimated.weight
        assert sign(one, ours(0), limited(max_weight=weight)).complete
        assert "max_weight" in refusal(one, policy=limited(max_weight=weight - 1)).message

    def test_no_limits(self) -> None:
        one = with_transaction(make(["p2wpkh"]), outputs=(TxOut(0, FOREIGN),))
        assert sign(one, ours(0), Policy(dict.fromkeys(BITCOIN.limits))).complete


class TestHashTypes:
    @pytest.mark.parametrize("hash_type", [each for each in HashType if each not in (HashType.DEFAULT, HashType.ALL)])
    def test_need_an_option(self, hash_type: HashType) -> None:
        one = with_input(make(["p2wpkh"]), 0, sighash_type=hash_type)
        assert isinstance(refusal(one), OptionRequired)
        others = {each.label for each in HashType} - {hash_type.label}
        assert isinstance(refusal(one, policy=allowing(*others)), OptionRequired)
        assert sign(one, ours(0), allowing(hash_type.label)).complete

    @pytest.mark.parametrize("kind", SINGLE)
    @pytest.mark.parametrize("hash_type", [4, 0x80, 0x84, 0x101, 2**32 - 1])
    def test_that_do_not_exist(self, kind: str, hash_type: int) -> None:
        assert "does not exist" in refusal(with_input(make([kind]), 0, sighash_type=hash_type)).message

    def test_default_is_of_taproot_alone(self) -> None:
        assert sign(with_input(make(["p2tr"]), 0, sighash_type=0), ours(0)).complete
        assert "does not exist" in refusal(with_input(make(["p2wpkh"]), 0, sighash_type=0)).message

    @pytest.mark.parametrize("hash_type", [HashType.SINGLE, HashType.SINGLE_ANYONECANPAY])
    @pytest.mark.parametrize("kind", SINGLE)
    def test_single_without_its_output(self, kind: str, hash_type: HashType) -> None:
        one = with_input(make(["p2wpkh", kind]), 1, sighash_type=hash_type)
        assert "there is no such output" in refusal(one, ours(10), allowing(hash_type.label)).message

    def test_those_of_others_are_theirs(self) -> None:
        one = with_input(make(["p2wpkh", "p2wpkh"]), 1, sighash_type=HashType.NONE)
        assert not sign(one, ours(0)).complete


class TestSignaturesOfOthers:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda made: made[:-1] + b"\2",
            lambda made: made[:-1] + b"\5",
            lambda made: b"\x30" * 71,
            lambda made: made[:12] + b"\0" + made[13:],
        ],
    )
    def test_must_hold(self, spoil: Callable[[bytes], bytes]) -> None:
        first = psbt.parse_text(sign(make(["p2wsh"]), ours(1)).raw)
        [(key, made)] = first.inputs[0].partial_sigs.items()
        assert sign(first, ours(0)).complete
        assert "not valid" in refusal(with_input(first, 0, partial_sigs={key: spoil(made)})).message
        assert "not valid" in refusal(with_input(first, 0, partial_sigs={public_key(0): made})).message
        assert "not valid" in refusal(with_input(first, 0, partial_sigs={public_key(50): made})).message

    def test_of_a_key_that_the_output_does_not_know(self) -> None:
        for kind, stranger in (("p2wpkh", 5), ("p2pkh", 5), ("p2wsh", 5)):
            one = make([kind, "p2wpkh"])
            item = replace(prepare(one, ours(0)).to_sign[0], public_key=public_key(stranger))
            made = dsa.to_der(signature(item)[:64]) + b"\1"  # by its own key, over the right digest
            signed = with_input(one, 0, partial_sigs={public_key(stranger): made})
            assert "not valid" in refusal(signed, ours(10)).message

    def test_on_taproot(self) -> None:
        first = psbt.parse_text(sign(make(["p2tr", "p2wpkh"]), ours(0)).raw)
        made = first.inputs[0].tap_key_sig
        assert made is not None
        assert sign(first, ours(10)).complete
        for spoilt in (bytes(64), made + b"\1", made + b"\0", made + b"\7"):
            assert "not valid" in refusal(with_input(first, 0, tap_key_sig=spoilt), ours(10)).message


class TestOwnership:
    def test_no_input_is_ours(self) -> None:
        assert isinstance(refusal(make(["p2wpkh"]), ours(7)), WrongKey)
        assert isinstance(refusal(make(["p2wpkh"]), {}), WrongKey)

    def test_all_is_signed_already(self) -> None:
        one = make(["p2wpkh"])
        final = psbt.parse_text(str(sign(one, ours(0)).details["psbt"]))
        assert isinstance(refusal(final), WrongKey)

    def test_a_claim_alone_does_not_make_an_input_ours(self) -> None:
        """The wallet's key is named, but the output pays another."""
        one = make(["p2wpkh"])
        assert isinstance(refusal(with_input(one, 0, **claims("p2wpkh", 5)), ours(5)), WrongKey)

    @pytest.mark.parametrize("kind", SINGLE)
    def test_change(self, kind: str) -> None:
        one = make(["p2wpkh"], [TxOut(10_000, output_script(kind, 3))])
        one = with_output(one, 0, **claims(kind, 3))
        assert sign(one, ours(0, 3)).complete

    @pytest.mark.parametrize("kind", SINGLE)
    def test_fake_change(self, kind: str) -> None:
        one = make(["p2wpkh"], [TxOut(10_000, output_script(kind, 4))])
        one = with_output(one, 0, **claims(kind, 3))
        assert "does not pay it" in refusal(one, ours(0, 3)).message
        assert sign(one, ours(0)).complete  # the claim is of a stranger's key

    def test_fake_change_of_two_keys(self) -> None:
        one = make(["p2wpkh"], [TxOut(10_000, output_script("p2wpkh", 3))])
        both = {**claims("p2wpkh", 3)["bip32_derivations"], **claims("p2wpkh", 4)["bip32_derivations"]}
        one = with_output(one, 0, bip32_derivations=both)
        assert "does not pay it" in refusal(one, ours(0, 3, 4)).message

    @pytest.mark.parametrize("kind", SHARED)
    def test_outputs_that_are_shared(self, kind: str) -> None:
        one = make(["p2wpkh"], [TxOut(10_000, output_script(kind, 3))])
        shared = with_output(one, 0, **claims(kind, 3), **scripts(kind, 3))
        assert sign(shared, ours(0, 4)).complete
        stranger = with_output(one, 0, **claims(kind, 30), **scripts(kind, 3))
        assert "does not pay it" in refusal(stranger, ours(0, 30)).message

    def test_an_output_with_scripts_of_its_own_is_not_change(self) -> None:
        tree, root = b"\0\xc0\x01\x51", b"\1" * 32
        output = script.p2tr(schemes.output_key(public_key(3), root))
        one = with_output(make(["p2wpkh"], [TxOut(10_000, output)]), 0, tap_tree=tree, **claims("p2tr", 3))
        assert sign(one, ours(0, 3)).complete
        decoded = BITCOIN.decode(NETWORK, psbt.to_base64(one))
        assert [each.kind for each in BITCOIN.summarise(decoded, ours(0, 3)).actions] == [
            "spend",
            "transfer",
            "transfer",
        ]

    def test_keys_of_taproot_leaves_claim_nothing(self) -> None:
        one = make(["p2wpkh"], [TxOut(10_000, output_script("p2tr", 4))])
        internal = public_key(3)[1:]
        origin = claims("p2tr", 3)["tap_bip32_derivations"][internal].origin
        leaf = {internal: TapOrigin((b"\1" * 32,), origin)}
        assert sign(with_output(one, 0, tap_bip32_derivations=leaf), ours(0, 3)).complete


def test_nobody_signs() -> None:
    """Decoding applies all checks except those that need the wallet's keys."""
    decoded = BITCOIN.decode(NETWORK, psbt.to_base64(with_input(make(["p2wpkh"]), 0, sighash_type=HashType.NONE)))
    assert [each.code for each in BITCOIN.check(decoded, None, DEFAULT, NOW)] == ["partial_sighash"]
    unknown = BITCOIN.decode(NETWORK, psbt.to_base64(with_input(make(["p2wpkh"]), 0, non_witness_utxo=None)))
    assert [each.code for each in BITCOIN.check(unknown, None, DEFAULT, NOW)] == ["unknown_fee"]
    with pytest.raises(LimitExceeded):
        BITCOIN.check(decoded, None, limited(max_fee=1), NOW)
