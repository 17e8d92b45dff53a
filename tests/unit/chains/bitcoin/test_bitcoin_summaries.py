"""What a summary says to a caller that signs and to one that only decodes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from strongroom.chains.bitcoin import psbt
from strongroom.chains.bitcoin.psbt import Psbt
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.codecs.bip144 import TxOut
from strongroom.domain.signing import Ours, Policy
from strongroom.domain.summary import Summary
from tests.unit.chains.bitcoin.bitcoin_cases import (
    BITCOIN,
    FEE,
    FOREIGN,
    NETWORK,
    VALUE,
    allowing,
    claims,
    codes,
    make,
    multisig,
    ours,
    output_script,
    with_input,
    with_output,
    with_transaction,
)

DATA = bytes.fromhex("6a0568656c6c6f")


def summary(one: Psbt, held: Ours | None = None) -> Summary:
    return BITCOIN.summarise(BITCOIN.decode(NETWORK, psbt.to_base64(one)), held)


def tree(one: Psbt, held: Ours) -> Any:
    return msgspec.to_builtins(summary(one, held))


def test_a_payment_with_change_and_data() -> None:
    paid = [TxOut(20_000, output_script("p2tr", 5)), TxOut(30_000, output_script("p2wpkh", 1)), TxOut(0, DATA)]
    one = with_output(make(["p2wpkh", "p2pkh"], paid), 1, **claims("p2wpkh", 1))
    outpoints = [str(each.outpoint) for each in one.transaction.inputs]
    assert tree(one, ours(0, 1)) == {
        "network": "bitcoin",
        "type": "psbt",
        "actions": [
            {"kind": "spend", "from_address": "bc1q870jy2k73sd89nclwdam5e0ur6xpt4nzadjsh2", "amount": "100000",
             "asset": "BTC", "details": {"outpoint": outpoints[0], "ours": True, "sequence": 0xFFFFFFFD,
                                         "path": "m/84'/0'/0'/0/0", "script": "p2wpkh"}},
            {"kind": "spend", "from_address": "14WyaZsdQ1Rp1KFWec7vkHdrjjjXUW3X1K", "amount": "100000", "asset": "BTC",
             "details": {"outpoint": outpoints[1], "ours": False, "sequence": 0xFFFFFFFD, "script": "p2pkh"}},
            {"kind": "transfer", "to": "bc1pyh8r5zlllgazg9cz3rl5nssupvmpdh3quatcenny5lvzcuxm7wkqxg8546",
             "amount": "20000", "asset": "BTC", "details": {"script": "p2tr"}},
            {"kind": "change", "to": "bc1qkv0lgph480sxlpvn68fzdsmpyr7p6lut65g3l2", "amount": "30000", "asset": "BTC",
             "details": {"script": "p2wpkh", "path": "m/84'/0'/0'/0/1"}},
            {"kind": "data", "amount": "0", "asset": "BTC", "data_size": 6, "details": {"script": DATA.hex()}},
            {"kind": "transfer", "to": "bc1qqurswpc8qurswpc8qurswpc8qurswpc89fe3yv", "amount": "149000", "asset": "BTC",
             "details": {"script": "p2wpkh"}},
        ],
        "fee": {"amount": str(FEE), "asset": "BTC", "rate": "2.87", "limit": "348"},
        "details": {"unsigned_txid": one.transaction.txid, "version": 2, "lock_time": 0, "replaceable": True},
    }  # fmt: skip


def test_who_looks_owns_nothing() -> None:
    one = with_output(make(["p2wpkh"], [TxOut(30_000, output_script("p2wpkh", 1))]), 0, **claims("p2wpkh", 1))
    spend, first, second = summary(one).actions
    assert spend.details["ours"] is False
    assert (first.kind, second.kind) == ("transfer", "transfer")


def test_multisig_is_neither_ours_alone_nor_change() -> None:
    paid = [TxOut(30_000, output_script("p2wsh", 0))]
    one = with_output(make(["p2wsh"], paid), 0, witness_script=multisig((0, 1, 2)), **claims("p2wsh", 0))
    spend, first, _ = summary(one, ours(0, 1)).actions
    assert spend.details["multisig"] == "2 of 3"
    assert spend.details["ours"] is True
    assert set(spend.details["path"].split(", ")) == {"m/84'/0'/0'/0/0", "m/84'/0'/0'/0/1"}
    assert first.kind == "transfer"


def test_what_has_no_address_is_shown_whole() -> None:
    bare, strange = output_script("multisig", 20), bytes.fromhex("51")
    actions = summary(make(["p2wpkh"], [TxOut(10_000, bare), TxOut(10_000, strange)])).actions
    assert [(each.to, each.details["script"]) for each in actions[1:3]] == [(None, bare.hex()), (None, "51")]


def test_what_is_spent_may_be_unknown() -> None:
    found = summary(with_input(make(["p2wpkh"]), 0, non_witness_utxo=None))
    assert (found.fee, found.actions[0].amount, found.actions[0].from_address) == (None, None, None)


@pytest.mark.parametrize(
    ("sequence", "replaceable"), [(0xFFFFFFFF, False), (0xFFFFFFFE, False), (0xFFFFFFFD, True), (0, True)]
)
def test_replaceable(sequence: int, replaceable: bool) -> None:
    one = make(["p2wpkh"])
    [spending] = one.transaction.inputs
    changed = with_transaction(one, inputs=(type(spending)(spending.outpoint, b"", sequence),))
    assert summary(changed).details["replaceable"] is replaceable


def test_cautions() -> None:
    assert codes(make(["p2wpkh"]), ours(0)) == []
    high = with_transaction(make(["p2wpkh"]), outputs=(TxOut(VALUE - 110 * 500 - 1, FOREIGN),))
    assert codes(high, ours(0)) == ["high_fee"]
    assert codes(high, ours(0), Policy({**BITCOIN.limits, "high_fee_rate_warning": None})) == []
    loose = with_input(make(["p2wpkh", "p2wpkh"]), 1, sighash_type=HashType.NONE)
    assert codes(loose, ours(0)) == []  # the wallet's signature covers everything, whatever others sign
    assert codes(loose, ours(10), allowing("NONE")) == ["partial_sighash"]
    elsewhere = make(["p2wpkh"], [TxOut(10_000, output_script("p2tr", 1))])
    assert codes(elsewhere, ours(0, 1)) == ["other_script"]
    assert codes(make(["p2wpkh"], [TxOut(10_000, b"\x51")]), ours(0)) == ["unknown_script"]
