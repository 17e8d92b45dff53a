"""Published responses of nodes, read by the sources. They are from tests/*.io of Ethereum's execution-apis (CC0)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import State, Tracked
from strongroom.rpc.evm.node import Node
from strongroom.rpc.evm.verdicts import classify
from strongroom.rpc.http import Http
from strongroom.rpc.jsonrpc import JsonRpc
from tests.support.evm_chain import network, setup
from tests.support.tap import Tap
from tests.unit.chains.evm.evm_cases import EVM

CHAIN_ID = 0xC72DD9D5E883E

FINALIZED = {  # eth_getBlockByNumber/get-finalized.io, 0236776
    "number": "0x14",
    "hash": "0x8f64c4436f7213cfdf02cfb9f45d012f1774dfb329b8803de5e7479b11586902",
    "timestamp": "0xc8",
    "baseFeePerGas": "0x44103f2",
    "totalDifficulty": "0x20000",
    "withdrawals": [],
}
FEE_HISTORY = {  # eth_feeHistory/fee-history.io, 0d6b1aa; of two percentiles, the second of which stands twice here
    "oldestBlock": "0x2",
    "reward": [["0x1", "0x1", "0x1"]],
    "baseFeePerGas": ["0x2db08786", "0x2806be9d"],
    "gasUsedRatio": [0.0042],
}
LEGACY: dict[str, Any] = {  # eth_getTransactionReceipt/get-legacy-receipt.io, 02ed294
    "blockHash": "0xfeffbee8fafd9860e744ac88ffb4f12752de7ccd86c2fb301c82c510b2ccd32c",
    "blockNumber": "0x2",
    "contractAddress": None,
    "effectiveGasPrice": "0x2db08787",
    "gasUsed": "0x5208",
    "logs": [],
    "status": "0x1",
    "transactionHash": "0x0d9ba049a158972e7fc1066122ceb31e431483ebf84f90f845f02e326942d467",
    "type": "0x0",
}
BLOB = {  # eth_getTransactionReceipt/get-blob-tx.io, 0236776
    "blobGasPrice": "0x1",
    "blobGasUsed": "0x20000",
    "blockHash": "0x1732a5fe86d54098c431fa4fea34387b650e41dbff65ca554370028172fcdb6a",
    "blockNumber": "0x3",
    "effectiveGasPrice": "0x281d620e",
    "gasUsed": "0xca9c",
    "status": "0x1",
    "transactionHash": "0xb0ebf0d8fca6724d5111d0be9ac61f0e7bf174208e0fafcb653f337c72465b83",
    "type": "0x3",
}
RAW = (  # eth_sendRawTransaction/send-legacy-transaction.io, 1cf89a7
    "0xf86c808401a2084b8261a894aa000000000000000000000000000000000000000a8255448718e5bb3abd10a0a01f58022a8a818ebd02e2"
    "f10fec94d76830154e8d40115060bd1899d51158a732a0516a77d195fddef41adb8b3325bc3b976bb65537bee788349d738ccd7c67843d"
)
HASH = "0x3522bfdee1a8db4fe11bf683767801266b0aeae640017148eed8c55148c24fb9"


@pytest.fixture
def answers() -> dict[str, Any]:
    """Results by method, or by method and first parameter."""
    return {"eth_getBlockByNumber": FINALIZED}


@pytest.fixture
async def node(answers: dict[str, Any]) -> Any:
    tap = Tap(httpx.MockTransport(lambda request: httpx.Response(500, content=json.dumps({}))))

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        method, first = asked["method"], str(next(iter(asked["params"]), ""))
        return {"result": answers.get(f"{method} {first}", answers.get(method))}

    tap.before = answer
    source = Node(setup(pin=str(CHAIN_ID)), JsonRpc(Http(Secret("http://127.0.0.1:1"), transport=tap), classify))
    yield source
    await source.close()


async def test_the_chain_and_its_head(answers: dict[str, Any], node: Node) -> None:
    answers["eth_chainId"] = "0xc72dd9d5e883e"  # eth_chainId/get-chain-id.io
    await node.pin()
    head = await node.head()
    assert (head.height, head.hash, head.finalized) == (20, FINALIZED["hash"], 20)
    assert head.time.timestamp() == 200


async def test_fees(answers: dict[str, Any], node: Node) -> None:
    answers["eth_feeHistory"] = FEE_HISTORY
    fees = await node.fees()
    assert fees.details["base_fee"] == 671530653
    assert fees.normal == 2 * 671530653 + 1


@pytest.mark.parametrize(
    ("receipt", "height", "fee"),
    [(LEGACY, 2, 21000 * 766543751), (BLOB, 3, 51868 * 673014286 + 131072)],
    ids=["legacy", "blob"],
)
async def test_receipts(answers: dict[str, Any], node: Node, receipt: dict[str, Any], height: int, fee: int) -> None:
    answers["eth_getTransactionReceipt"] = receipt
    answers[f"eth_getBlockByNumber {height:#x}"] = FINALIZED | {"number": hex(height), "hash": receipt["blockHash"]}
    status = await node.status(Tracked(receipt["transactionHash"]))
    assert (status.state, status.final, status.confirmations) == (State.FINAL, True, 21 - height)
    assert status.fee == fee
    assert status.block is not None
    assert (status.block.height, status.block.hash) == (height, receipt["blockHash"])


async def test_the_hash_of_a_transaction(answers: dict[str, Any], node: Node) -> None:
    answers["eth_sendRawTransaction"] = HASH
    ids = EVM.identify(network(CHAIN_ID), RAW)
    assert (await node.broadcast(RAW, ids)).tx_id == HASH
