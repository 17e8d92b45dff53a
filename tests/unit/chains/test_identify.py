"""What identifies a signed transaction, whoever signed it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.domain.network import Network
from strongroom.errors import InvalidTransaction
from tests.vectors.run import OWN

EVM, BITCOIN, TON = CHAINS["evm"], CHAINS["bitcoin"], CHAINS["ton"]


def vectors(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((OWN / file).read_text())["vectors"]
    return found


def evm_network(chain_id: int | None) -> Network:
    found = EVM.network_for(f"eip155:{chain_id or 1}")
    assert found is not None
    return found


SIGNED_EVM = [each for each in vectors("ethereum.signing.json") if "raw_tx" in each["expected"]]
SIGNED_BITCOIN = [each for each in vectors("bitcoin.signing.json") if "txid" in each["expected"]]
SIGNED_TON = [
    (vector["input"], layout)
    for vector in vectors("ton.signing.json")
    for layout in vector["expected"]["layouts"].values()
]
REGTEST = next(network for network in BITCOIN.networks if network.name == "bitcoin-regtest")


@pytest.mark.parametrize("vector", SIGNED_EVM, ids=lambda vector: vector["id"])
def test_evm(vector: dict[str, Any]) -> None:
    from eth_account import Account
    from eth_utils import keccak

    raw = vector["expected"]["raw_tx"]
    transaction = EVM.decode(evm_network(1), vector["input"]["unsigned_hex"]).transaction  # type: ignore[attr-defined]
    if transaction.chain_id == 0:  # no network has this id
        with pytest.raises(InvalidTransaction):
            EVM.identify(evm_network(1), raw)
        return
    ids = EVM.identify(evm_network(transaction.chain_id), raw)
    assert ids.tx_ids == ("0x" + keccak(hexstr=raw).hex(),)
    [consumed] = ids.consumes
    assert int(consumed.sequence) == transaction.nonce
    assert f"0x{consumed.address}" == Account.recover_transaction(raw).lower()


@pytest.mark.parametrize("vector", SIGNED_BITCOIN, ids=lambda vector: vector["id"])
def test_bitcoin(vector: dict[str, Any]) -> None:
    ids = BITCOIN.identify(REGTEST, vector["expected"]["raw_tx_hex"])
    assert ids.tx_ids[0] == vector["expected"]["txid"]
    assert all(":" in consumed.sequence and not consumed.address for consumed in ids.consumes)


@pytest.mark.parametrize(("given", "layout"), SIGNED_TON)
def test_ton_in_either_layout(given: dict[str, Any], layout: dict[str, Any]) -> None:
    """Compared with the vectors, which @ton/core and pytoniq-core made."""
    network = TON.networks[given["network"] == "testnet"]
    ids = TON.identify(network, layout["boc_base64"])
    assert ids.tx_ids == (layout["normalized_ext_hash_tep467"], layout["ext_msg_hash"])
    [consumed] = ids.consumes
    assert consumed.sequence == str(given["seqno"])
    expected = None if given["valid_until"] == 2**32 - 1 else given["valid_until"]
    assert (None if ids.expiry is None else int(ids.expiry.timestamp())) == expected


def test_ton_wallets_of_the_other_network_and_changed_deployments_are_refused() -> None:
    from base64 import b64decode, b64encode

    from strongroom.chains.ton import boc
    from strongroom.chains.ton.cell import Builder

    by_id = {vector["id"]: vector for vector in vectors("ton.signing.json")}
    deploy = by_id["trust-wallet_v5r1_transfer_and_deploy"]["expected"]["layouts"]["inline"]["boc_base64"]
    with pytest.raises(InvalidTransaction):
        TON.identify(TON.networks[1], deploy)
    root = boc.from_base64(deploy)
    for place in range(0, root.length, 31):
        changed = Builder().uint(root.bits ^ 1 << place, root.length)
        for ref in root.refs:
            changed.ref(ref)
        with pytest.raises(InvalidTransaction):
            TON.identify(TON.networks[0], boc.to_base64(changed.cell()))
    for text in ("", "AA==", boc.to_base64(Builder().cell()), b64encode(b64decode(deploy) + bytes(1)).decode()):
        with pytest.raises(InvalidTransaction):
            TON.identify(TON.networks[0], text)


def test_what_is_not_signed_is_refused() -> None:
    with pytest.raises(InvalidTransaction):
        EVM.identify(evm_network(1), SIGNED_EVM[0]["input"]["unsigned_hex"])
    with pytest.raises(InvalidTransaction):
        EVM.identify(evm_network(5), SIGNED_EVM[0]["expected"]["raw_tx"])
    with pytest.raises(InvalidTransaction):
        BITCOIN.identify(REGTEST, "00")
