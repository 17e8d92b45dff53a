"""Words of EVM nodes. Where each comes from stands beside it."""

from __future__ import annotations

import pytest

from strongroom.rpc.base import NodeError, Rejection, Verdict
from strongroom.rpc.evm.verdicts import KNOWN, RANGE, REVERTED, UNKNOWN_BLOCK, classify
from strongroom.rpc.jsonrpc import Fault, common

BROADCAST = [
    ("already known", KNOWN),  # geth, core/txpool/errors.go
    ("AlreadyKnown", KNOWN),  # Nethermind, AcceptTxResult
    ("Known transaction", KNOWN),  # Besu
    ("known transaction: 0x9e4c", KNOWN),  # geth before 1.10
    ("known transaction. transaction with hash 0x9e4c is already in the system", KNOWN),  # zkSync
    ("Transaction with the same hash was already imported.", KNOWN),  # OpenEthereum
    ("transaction already imported", KNOWN),  # anvil 1.7.1, -32003
    ("existing tx with same hash", KNOWN),  # Erigon
    ("tx already in mempool", KNOWN),  # Cosmos EVM chains
    ("nonce too low", Rejection.NONCE_USED),
    ("nonce too low: address 0x71, tx: 3 state: 4", Rejection.NONCE_USED),
    ("nonce too low: next nonce 5, tx nonce 4", Rejection.NONCE_USED),  # geth since 1.13
    ("OldNonce", Rejection.NONCE_USED),  # Nethermind
    ("Transaction nonce is too low. Try incrementing the nonce.", Rejection.NONCE_USED),  # OpenEthereum
    ("nonce too high", Rejection.NONCE_GAP),
    ("NonceGap", Rejection.NONCE_GAP),
    ("Transaction nonce is too distant from current sender nonce", Rejection.NONCE_GAP),  # Besu
    ("transaction underpriced", Rejection.FEE_TOO_LOW),
    ("transaction underpriced: gas tip cap 0, minimum needed 1000000000", Rejection.FEE_TOO_LOW),  # BSC
    ("replacement transaction underpriced", Rejection.FEE_TOO_LOW),
    ("max fee per gas less than block base fee: address 0x71, maxFeePerGas: 1, baseFee: 2", Rejection.FEE_TOO_LOW),
    ("FeeTooLowToCompete", Rejection.FEE_TOO_LOW),  # Nethermind
    ("ReplacementNotAllowed", Rejection.FEE_TOO_LOW),
    ("Gas price below configured minimum gas price", Rejection.FEE_TOO_LOW),  # Besu
    ("insufficient funds for gas * price + value", Rejection.INSUFFICIENT_FUNDS),
    ("insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1", Rejection.INSUFFICIENT_FUNDS),
    ("Upfront cost exceeds account balance", Rejection.INSUFFICIENT_FUNDS),  # Besu
    ("Insufficient funds. The account you tried to send transaction from does not have enough funds.",
     Rejection.INSUFFICIENT_FUNDS),
    ("invalid chain id for signer: have 5 want 1", Rejection.INVALID),
    ("intrinsic gas too low", Rejection.INVALID),
    ("exceeds block gas limit", Rejection.INVALID),
    ("transaction type not supported", Rejection.INVALID),
    ("invalid sender", Rejection.INVALID),
    ("max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: 2, maxFeePerGas: 1",
     Rejection.INVALID),
    ("rlp: expected input list for types.LegacyTx", Rejection.INVALID),
    ("tx fee (1.05 ether) exceeds the configured cap (1.00 ether)", Rejection.POLICY),
    ("only replay-protected (EIP-155) transactions allowed over RPC", Rejection.POLICY),
    ("sender is over rate limit", Rejection.POLICY),  # a sequencer's: no other provider helps
    ("account limit exceeded: pooled 20 txs", Rejection.POLICY),
]  # fmt: skip

NODES = [
    ("header not found", Verdict.ELSEWHERE, UNKNOWN_BLOCK),  # geth
    ("Resource not found", Verdict.ELSEWHERE, UNKNOWN_BLOCK),  # anvil, a hash that was orphaned
    ("BlockOutOfRangeError: block height is 5 but requested was 9", Verdict.ELSEWHERE, UNKNOWN_BLOCK),  # anvil, -32602
    ("hash 0xabcd is not currently canonical", Verdict.ELSEWHERE, UNKNOWN_BLOCK),  # geth, EIP-1898
    ("unknown block", Verdict.ELSEWHERE, UNKNOWN_BLOCK),
    ("missing trie node 9a1b (path ) state 0x9a1b is not available", Verdict.ELSEWHERE, "pruned"),  # geth
    ("transaction indexing is in progress", Verdict.ELSEWHERE, "pruned"),
    ("World state unavailable", Verdict.ELSEWHERE, "pruned"),  # Besu
    ("the method eth_foo does not exist/is not available", Verdict.ELSEWHERE, "no_method"),
    ("Your app has exceeded its compute units per second capacity.", Verdict.BUSY, "rate_limited"),  # Alchemy
    ("daily request count exceeded, request rate limited", Verdict.BUSY, "rate_limited"),  # Infura
    ("project ID request rate exceeded: too many requests", Verdict.BUSY, "rate_limited"),
    ("txpool is full", Verdict.BUSY, "rate_limited"),
    ("query returned more than 10000 results", Verdict.ELSEWHERE, RANGE),  # Infura, -32005
    ("block range is too wide (maximum 1024)", Verdict.ELSEWHERE, RANGE),
    ("eth_getLogs is limited to a 10,000 range", Verdict.ELSEWHERE, RANGE),  # QuickNode
    ("Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range", Verdict.ELSEWHERE,
     RANGE),  # Alchemy
    ("exceed maximum block range: 50000", Verdict.ELSEWHERE, RANGE),  # BSC
    ("execution reverted: no", Verdict.NO, REVERTED),
    ("EVM error OutOfGas", Verdict.NO, REVERTED),  # anvil
    ("EVM error MemoryOOG", Verdict.NO, REVERTED),
    ("out of gas", Verdict.NO, REVERTED),
    ("execution aborted (timeout = 5s)", Verdict.NO, REVERTED),  # geth
]  # fmt: skip


@pytest.mark.parametrize("code", [-32000, -32003, -32602, -32603, -32002, 1])
@pytest.mark.parametrize(("words", "meaning"), BROADCAST)
def test_what_is_said_of_a_transaction(words: str, meaning: Rejection | str, code: int) -> None:
    found = classify(Fault(code, words))
    assert found is not None
    assert found.verdict is Verdict.NO
    assert (found.rejection or found.cause) == meaning


@pytest.mark.parametrize("code", [-32000, -32003, -32602, -32603, -32005, 1])
@pytest.mark.parametrize(("words", "verdict", "cause"), NODES)
def test_what_is_said_of_the_node(words: str, verdict: Verdict, cause: str, code: int) -> None:
    found = classify(Fault(code, words))
    assert found is not None
    assert (found.verdict, found.cause) == (verdict, cause)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault(-32000, "unknown transaction"), Verdict.BROKEN),
        (Fault(-32005, "no"), Verdict.BUSY),
        (Fault(-32601, "no"), Verdict.ELSEWHERE),
        (Fault(-32602, "missing value for required argument 0"), Verdict.OURS),
        (Fault(3, ""), Verdict.NO),
        (Fault(-32000, ""), Verdict.BROKEN),
    ],
)
def test_what_only_the_code_says(fault: Fault, verdict: Verdict) -> None:
    assert (classify(fault) or common(fault)).verdict is verdict


def test_no_word_of_a_node_is_passed_on() -> None:
    for words, _ in BROADCAST:
        found = classify(Fault(-32000, words + " 0xdeadbeef"))
        assert isinstance(found, NodeError)
        assert "deadbeef" not in repr(found) + str(found) + found.cause
