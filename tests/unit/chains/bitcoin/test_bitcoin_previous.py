"""Which previous transactions a PSBT lacks, and the PSBT with them, so that nobody can invent amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strongroom.chains.base import Decoded
from strongroom.chains.bitcoin import psbt
from strongroom.chains.bitcoin.psbt import Psbt
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.domain.signing import Ours, Signed
from strongroom.errors import InvalidTransaction, OptionRequired
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    DEFAULT,
    NETWORK,
    NOW,
    SHARED,
    SINGLE,
    VALUE,
    make,
    ours,
    sign,
    signature,
    with_input,
)


def claiming(one: Psbt, value: int | None = None) -> Psbt:
    """Without previous transactions: each input claims what it spends, the first one ``value``."""
    for index, given in enumerate(one.inputs):
        assert given.non_witness_utxo is not None
        output = given.non_witness_utxo.outputs[1]
        claimed = replace(output, value=output.value if value is None or index else value)
        one = with_input(one, index, non_witness_utxo=None, witness_utxo=claimed)
    return one


def silent(one: Psbt) -> Psbt:
    for index in range(len(one.inputs)):
        one = with_input(one, index, non_witness_utxo=None)
    return one


def found(one: Psbt) -> dict[str, bytes]:
    made = [each.non_witness_utxo for each in one.inputs if each.non_witness_utxo is not None]
    return {each.txid: each.serialize() for each in made}


def decoded(one: Psbt) -> Decoded:
    return BITCOIN.decode(NETWORK, psbt.to_base64(one))


def signed(read: Decoded, held: Ours) -> Signed:
    BITCOIN.check(read, held, DEFAULT, NOW)
    prepared = BITCOIN.prepare(read, held)
    return BITCOIN.assemble(prepared, [signature(item) for item in prepared.to_sign])


@pytest.mark.parametrize("kind", [*SINGLE, *SHARED])
def test_nothing_is_wanted_with_all_previous_transactions(kind: str) -> None:
    assert decoded(make([kind, "p2wpkh"])).wants == ()


@pytest.mark.parametrize("kind", ["p2wpkh", "p2sh-p2wpkh", "p2tr", "p2wsh", "p2sh-p2wsh"])
def test_nothing_is_wanted_for_one_input_whose_signature_holds_its_amount(kind: str) -> None:
    assert decoded(claiming(make([kind]))).wants == ()


def test_taproot_alone_holds_the_amounts_of_others() -> None:
    one = make(["p2tr", "p2tr"])
    assert decoded(claiming(one)).wants == ()
    loose = with_input(claiming(one), 1, sighash_type=HashType.ALL | 0x80)
    assert decoded(loose).wants == tuple(found(one))


@pytest.mark.parametrize("kinds", [["p2wpkh", "p2wpkh"], ["p2tr", "p2wpkh"], ["p2pkh", "p2tr"]])
def test_amounts_that_no_signature_holds_are_proved(kinds: list[str]) -> None:
    one = make(kinds)
    read = decoded(claiming(one))
    assert read.wants == tuple(found(one))
    with pytest.raises((OptionRequired, InvalidTransaction)):
        signed(read, ours(0, 10))
    proved = read.with_previous(found(one))
    assert proved.wants == ()
    assert signed(proved, ours(0, 10)).raw == sign(one, ours(0, 10)).raw


@pytest.mark.parametrize("kind", ["p2pkh", "multisig", "p2sh-multisig"])
def test_a_legacy_input_is_signed_with_what_was_found(kind: str) -> None:
    one = make([kind])
    for given in (claiming(one), silent(one)):
        read = decoded(given)
        assert read.wants == tuple(found(one))
        with pytest.raises(InvalidTransaction):
            signed(read, ours(0, 1))
        assert signed(read.with_previous(found(one)), ours(0, 1)).raw == sign(one, ours(0, 1)).raw


def test_an_amount_that_was_made_up_is_found_out() -> None:
    one = make(["p2wpkh", "p2wpkh"])
    with pytest.raises(InvalidTransaction, match="differs from the one in its previous transaction"):
        decoded(claiming(one, VALUE // 10)).with_previous(found(one))


def test_another_transaction_is_not_taken() -> None:
    one, other = make(["p2wpkh", "p2wpkh"]), make(["p2wpkh"], value=VALUE + 1)
    [wrong] = found(other).values()
    with pytest.raises(InvalidTransaction, match="not the one that its input spends"):
        decoded(claiming(one)).with_previous(dict.fromkeys(found(one), wrong))


def test_what_was_not_found_is_still_wanted() -> None:
    one = make(["p2wpkh", "p2wpkh"])
    first, second = found(one)
    read = decoded(claiming(one)).with_previous({first: found(one)[first], "00" * 32: b""})
    assert read.wants == (second,)
    with pytest.raises(OptionRequired):
        signed(read, ours(0, 10))


def test_what_came_in_is_still_compared() -> None:
    """The text is no longer the input, so the check for the canonical form comes before."""
    raw = psbt.serialize(claiming(make(["p2wpkh", "p2wpkh"])))
    read = BITCOIN.decode(NETWORK, raw.hex())
    with pytest.raises(InvalidTransaction, match="canonical"):
        replace(read, text=read.text[:-2] + "01").with_previous({})


def test_a_partly_signed_one_carries_them_on() -> None:
    one = make(["p2wpkh", "p2wpkh"])
    half = signed(decoded(claiming(one)).with_previous(found(one)), ours(0))
    assert not half.complete
    assert decoded(psbt.parse_text(half.raw)).wants == ()
