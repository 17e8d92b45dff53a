"""What an attacker could once make of two of our signatures, tried against a real node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from strongroom.chains.bitcoin import psbt, script
from strongroom.chains.bitcoin.psbt import Psbt
from strongroom.codecs.bip144 import TxOut, parse
from strongroom.codecs.hash160 import hash160
from tests.integration.conftest import Service
from tests.integration.test_bitcoind import NETWORK, SCHEMES, Wallet
from tests.support.bitcoind import COIN, Bitcoind, Refused
from tests.support.psbts import utxo

pytestmark = pytest.mark.needs("bitcoind")

FEE = 30_000
ANCHOR = "bcrt1pfeesnyr2tx"


@pytest.fixture(scope="module")
def node() -> Iterator[Bitcoind]:
    with Bitcoind() as node:
        yield node


@pytest.fixture
async def wallet(service: Service, node: Bitcoind) -> Wallet:
    return await Wallet.new(service, node)


async def two_coins(wallet: Wallet) -> tuple[Psbt, str]:
    """A PSBT that spends two outputs of 5 coins and pays one of them, and the address that it pays."""
    node = wallet.node
    addresses = [await wallet.address("bip84", index) for index in (0, 1)]
    recipient = node.call("getnewaddress", wallet="miner")
    paid = {recipient: 5 * COIN + 10_000 - FEE}
    made = node.psbt(wallet.id, node.fund(*addresses, satoshis=5 * COIN), paid, fee_rate=100, change_position=1)
    one = psbt.parse_text(made)
    output = one.transaction.outputs[0]
    return replace(one, transaction=replace(one.transaction, outputs=(output,)), outputs=one.outputs[:1]), recipient


def half_true(one: Psbt, true: int) -> Psbt:
    """One input with its true amount and its key, the other with an amount of 10,000 satoshis and nobody's key."""
    inputs = list(one.inputs)
    for index, given in enumerate(one.inputs):
        output = utxo(one, index)
        assert output is not None
        told = output if index == true else TxOut(10_000, output.script)
        named = given.bip32_derivations if index == true else {}
        inputs[index] = replace(given, non_witness_utxo=None, witness_utxo=told, bip32_derivations=named)
    return replace(one, inputs=tuple(inputs))


async def test_a_fee_cannot_be_made_of_amounts_that_are_told_falsely_in_turns(wallet: Wallet) -> None:
    one, _ = await two_coins(wallet)
    for true in (0, 1):
        asked = {"wallet_id": wallet.id, "network": NETWORK, "unsigned_tx": psbt.to_base64(half_true(one, true))}
        assert await wallet.service.refusal("transactions.sign", **asked) == "option_required"
    whole = {"wallet_id": wallet.id, "network": NETWORK, "unsigned_tx": psbt.to_base64(one)}
    assert await wallet.service.refusal("transactions.sign", **whole) == "limit_exceeded"  # a fee of almost 5 coins


async def test_who_asks_to_take_amounts_on_trust_gives_the_fee_away(wallet: Wallet) -> None:
    """What the option is for, and why it has its own scope: the node mines what the two halves make."""
    one, _ = await two_coins(wallet)
    halves = []
    for true in (0, 1):
        signed = await wallet.service.ask(
            "transactions.sign",
            wallet_id=wallet.id,
            network=NETWORK,
            unsigned_tx=psbt.to_base64(half_true(one, true)),
            options={"allow": ["unverified_amounts"]},
        )
        assert "unverified_amounts" in {warning["code"] for warning in signed["warnings"]}
        assert signed["summary"]["fee"]["amount"] == str(FEE)
        halves.append(psbt.parse_text(signed["details"]["psbt"]))
    joined = replace(one, inputs=tuple(
        replace(given, partial_sigs=half.inputs[index].partial_sigs)
        for index, (given, half) in enumerate(zip(one.inputs, halves, strict=True))
    ))  # fmt: skip
    final = wallet.node.call("finalizepsbt", psbt.to_base64(joined))
    assert final["complete"]
    accepted = wallet.node.call("testmempoolaccept", [final["hex"]], 0)
    assert accepted[0]["fees"]["base"] * COIN == 5 * COIN - 10_000 + FEE


async def one_coin(wallet: Wallet, fee_rate: int, inputs: list[dict[str, Any]]) -> Psbt:
    node = wallet.node
    recipient = node.call("getnewaddress", wallet="miner")
    return psbt.parse_text(node.psbt(wallet.id, inputs, {recipient: COIN // 4}, fee_rate=fee_rate))


def nested(one: Psbt) -> Psbt:
    """The same, described as an output of the same witness program in P2SH."""
    output = utxo(one, 0)
    assert output is not None
    told = TxOut(output.value, script.p2sh(hash160(output.script)))
    given = replace(one.inputs[0], non_witness_utxo=None, witness_utxo=told, redeem_script=output.script)
    return replace(one, inputs=(given,))


async def test_an_output_is_not_signed_away_again_under_its_nested_name(wallet: Wallet) -> None:
    node, inputs = wallet.node, await wallet.funded("p2wpkh")
    first = await wallet.sign(psbt.to_base64(await one_coin(wallet, 5, inputs)))
    other = await one_coin(wallet, 50, inputs)
    asked = {"wallet_id": wallet.id, "network": NETWORK, "unsigned_tx": psbt.to_base64(nested(other))}
    assert await wallet.service.refusal("transactions.sign", **asked) == "already_signed"
    again = await wallet.service.ask("transactions.sign", **asked, options={"allow_resign": True})
    raw = parse(bytes.fromhex(again["signed_tx"]))
    bare = replace(raw, inputs=(replace(raw.inputs[0], script_sig=b""),))
    assert node.call("testmempoolaccept", [bare.serialize().hex()])[0]["allowed"]  # it belongs to the native output
    node.mined(first["signed_tx"])
    with pytest.raises(Refused):
        node.call("sendrawtransaction", bare.serialize().hex())


async def test_a_nested_output_is_not_signed_away_again_under_its_native_name(wallet: Wallet) -> None:
    inputs = await wallet.funded("p2sh-p2wpkh")
    await wallet.sign(psbt.to_base64(await one_coin(wallet, 5, inputs)))
    other = await one_coin(wallet, 50, inputs)
    program = other.inputs[0].redeem_script
    assert program is not None
    output = utxo(other, 0)
    assert output is not None
    told = replace(other.inputs[0], non_witness_utxo=None, redeem_script=None,
                   witness_utxo=TxOut(output.value, program))  # fmt: skip
    asked = {"wallet_id": wallet.id, "network": NETWORK,
             "unsigned_tx": psbt.to_base64(replace(other, inputs=(told,)))}  # fmt: skip
    assert await wallet.service.refusal("transactions.sign", **asked) == "already_signed"


async def test_a_final_input_of_another_with_a_bad_signature_is_refused(wallet: Wallet) -> None:
    node = wallet.node
    kinds = ["p2wpkh", "p2tr"]
    unsigned = node.psbt(wallet.id, await wallet.funded(*kinds), {node.call("getnewaddress", wallet="miner"): COIN})
    signed = psbt.parse_text((await wallet.sign(unsigned))["details"]["psbt"])
    one = psbt.parse_text(unsigned)
    witness = signed.inputs[1].final_script_witness
    assert witness is not None
    for spoilt, code in ((witness, None), ((bytes(64),), "invalid_transaction")):
        given = replace(signed.inputs[1], final_script_witness=spoilt)
        asked = {"wallet_id": wallet.id, "network": NETWORK,
                 "unsigned_tx": psbt.to_base64(replace(one, inputs=(one.inputs[0], given)))}  # fmt: skip
        if code is not None:
            assert await wallet.service.refusal("transactions.sign", **asked) == code
        else:
            assert node.call(
                "testmempoolaccept", [(await wallet.service.ask("transactions.sign", **asked))["signed_tx"]]
            )[0]["allowed"]


@pytest.mark.parametrize("kind", SCHEMES)
async def test_a_buyer_completes_our_listing(wallet: Wallet, kind: str) -> None:
    """We sign one input against one output. The buyer adds the price, and the node mines it."""
    node = wallet.node
    [coin] = await wallet.funded(kind)
    asking = {await wallet.address("bip86", 5): 3 * COIN}
    price = {address: Decimal(value) / COIN for address, value in asking.items()}
    blank = node.call("createpsbt", [coin], [price])
    filled = psbt.parse_text(
        node.call("walletprocesspsbt", blank, False, "SINGLE|ANYONECANPAY", wallet=wallet.id)["psbt"]
    )
    signed = await wallet.service.ask(
        "transactions.sign",
        wallet_id=wallet.id,
        network=NETWORK,
        unsigned_tx=psbt.to_base64(replace(filled, inputs=(replace(filled.inputs[0], sighash_type=0x83),))),
        options={"allowed_sighashes": ["SINGLE|ANYONECANPAY"]},
    )
    assert (signed["complete"], "tx_id" in signed) == (False, False)
    buyer = node.call("getnewaddress", wallet="miner")
    [money] = node.fund(buyer, satoshis=4 * COIN)
    both = node.call(
        "createpsbt", [coin, money], [price, {node.call("getnewaddress", wallet="miner"): Decimal("1.99")}]
    )
    joined = psbt.parse_text(node.call("walletprocesspsbt", both, True, "ALL", wallet="miner")["psbt"])
    ours = psbt.parse_text(signed["details"]["psbt"]).inputs[0]
    final = node.call("finalizepsbt", psbt.to_base64(replace(joined, inputs=(ours, joined.inputs[1]))))
    assert final["complete"]
    node.mined(final["hex"])


async def test_a_parent_with_an_empty_anchor_is_mined_with_its_child(wallet: Wallet) -> None:
    node = wallet.node
    [coin] = await wallet.funded("p2wpkh")
    recipient = await wallet.address("bip84", 3)
    outputs = [{recipient: Decimal(1)}, {ANCHOR: Decimal(0)}]
    blank = psbt.parse_text(node.call("createpsbt", [coin], outputs))
    third = psbt.to_base64(replace(blank, transaction=replace(blank.transaction, version=3)))
    filled = node.call("walletprocesspsbt", third, False, wallet=wallet.id)["psbt"]
    parent = await wallet.sign(filled)
    assert parent["complete"]
    txid = parent["tx_id"]

    before = parse(bytes.fromhex(parent["signed_tx"]))
    child_outputs = [{node.call("getnewaddress", wallet="miner"): Decimal("0.9999")}]
    blank = psbt.parse_text(
        node.call("createpsbt", [{"txid": txid, "vout": 0}, {"txid": txid, "vout": 1}], child_outputs)
    )
    account = psbt.parse_text(filled).outputs[0].bip32_derivations
    inputs = (replace(blank.inputs[0], non_witness_utxo=before, bip32_derivations=account),
              replace(blank.inputs[1], non_witness_utxo=before))  # fmt: skip
    child = await wallet.sign(
        psbt.to_base64(replace(blank, transaction=replace(blank.transaction, version=3), inputs=inputs))
    )
    assert child["complete"]
    told = node.call("submitpackage", [parent["signed_tx"], child["signed_tx"]])
    assert told["package_msg"] == "success", told
