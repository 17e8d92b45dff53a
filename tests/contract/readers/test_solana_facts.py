"""Published responses of Solana nodes, and what they mean."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from strongroom.rpc.base import Direction, NodeError, Rejection, State, Tracked, Verdict
from strongroom.rpc.jsonrpc import Fault, common
from strongroom.rpc.solana.node import Node
from strongroom.rpc.solana.verdicts import KNOWN, classify
from tests.support import solana_chain
from tests.support.solana_chain import holder, setup
from tests.support.tap import Tap

MAINNET = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
SWAP = json.loads((Path(__file__).parent / "data" / "solana_swap.json").read_text())["result"]
PAYER = "7zujqoQsFic14ncDYhBSVGvDnqc94rE49c1ZJCHvAtiW"
SIGNATURE = SWAP["transaction"]["signatures"][0]
OF_THE_DOCUMENTATION = {"slot": 48, "confirmations": None, "err": None, "status": {"Ok": None},
                        "confirmationStatus": "finalized"}  # fmt: skip
"""solana.com/docs/rpc/http/getsignaturestatuses."""


@pytest.fixture
async def told() -> AsyncIterator[tuple[Node, dict[str, Any]]]:
    """A node with its responses by method."""
    answers: dict[str, Any] = {}
    tap = Tap()
    tap.before = lambda asked: {"result": answers[asked["method"]]}
    node = Node(setup(MAINNET[:32]), solana_chain.rpc("http://127.0.0.1:1", tap))
    yield node, answers
    await node.close()


def statuses(*found: object) -> dict[str, Any]:
    return {"context": {"apiVersion": "2.0.15", "slot": 82}, "value": list(found)}


async def test_mainnet(told: tuple[Node, dict[str, Any]]) -> None:
    """The CAIP-2 reference is the beginning of its genesis hash (namespaces.chainagnostic.org/solana/caip2)."""
    node, answers = told
    answers["getGenesisHash"] = MAINNET
    await node.pin()
    answers["getGenesisHash"] = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"  # devnet
    with pytest.raises(NodeError) as caught:
        await node.pin()
    assert caught.value.verdict is Verdict.LYING


async def test_statuses_of_the_documentation(told: tuple[Node, dict[str, Any]]) -> None:
    node, answers = told
    answers["getSignatureStatuses"] = statuses(OF_THE_DOCUMENTATION)
    answers["getTransaction"] = None
    found = await node.status(Tracked(SIGNATURE))
    assert (found.state, found.final, found.block and found.block.height) == (State.FINAL, True, 48)
    answers["getSignatureStatuses"] = statuses(None)
    assert (await node.status(Tracked(SIGNATURE))).state is State.UNKNOWN
    answers["getSignatureStatuses"] = statuses(OF_THE_DOCUMENTATION, None)
    with pytest.raises(NodeError):
        await node.status(Tracked(SIGNATURE))
    seen = {"slot": 82, "confirmations": 0, "err": None, "confirmationStatus": "processed"}
    answers["getSignatureStatuses"] = statuses(seen)
    assert (await node.status(Tracked(SIGNATURE))).state is State.PENDING


async def test_a_swap_with_lookup_tables(told: tuple[Node, dict[str, Any]]) -> None:
    """Version 0, fee 5031, of 2025-10-25 20:40:54 UTC. The swap had nothing to do, so the payer lost only the fee."""
    node, answers = told
    row = {"signature": SIGNATURE, "slot": 375777791, "err": None, "memo": None, "blockTime": 1761424854,
           "confirmationStatus": "finalized"}  # fmt: skip
    nothing = {"context": {"slot": 375777999}, "value": []}
    answers |= {"getSlot": 375777999, "getTokenAccountsByOwner": nothing, "getTransaction": SWAP}
    answers["getSignaturesForAddress"] = [row]
    page = await node.history(holder(Pubkey.from_string(PAYER)), begin=None, most=10)
    [entry] = page.entries
    assert (entry.tx_id, entry.fee, entry.amount, entry.direction) == (SIGNATURE, 5031, 0, Direction.SELF)
    assert (entry.status, entry.block and entry.block.height) == (State.FINAL, 375777791)
    assert entry.block is not None
    assert entry.block.time is not None
    assert entry.block.time.timestamp() == 1761424854
    answers["getSignatureStatuses"] = statuses(OF_THE_DOCUMENTATION | {"slot": 375777791}) | {
        "context": {"slot": 375777999}
    }
    found = await node.status(Tracked(SIGNATURE))
    assert (found.state, found.fee, found.confirmations) == (State.FINAL, 5031, 209)


def preflight(err: object, message: str = "Transaction simulation failed", *logs: str) -> Fault:
    return Fault(-32002, message, json.dumps({"err": err, "logs": list(logs)}).encode())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "verdict", "cause"),
    [
        # anza-xyz/agave rpc-client-api/src/custom_error.rs
        (Fault(-32001, "Block 5 cleaned up, does not exist on node. First available block: 9"), "elsewhere", "pruned"),
        (Fault(-32004, "Block not available for slot 9"), "elsewhere", "no_block"),
        (Fault(-32005, "Node is behind by 42 slots"), "elsewhere", "behind"),
        (Fault(-32005, "Node is unhealthy"), "elsewhere", "behind"),
        (Fault(-32007, "Slot 5 was skipped, or missing due to ledger jump to recent snapshot"), "elsewhere", "skipped"),
        (Fault(-32009, "Slot 5 was skipped, or missing in long-term storage"), "elsewhere", "pruned"),
        (Fault(-32011, "Transaction history is not available from this node"), "elsewhere", "no_history"),
        (Fault(-32015, 'Transaction version (0) is not supported'), "elsewhere", "version"),
        (Fault(-32016, "Minimum context slot has not been reached"), "elsewhere", "behind"),
        (Fault(-32601, "Method not found"), "elsewhere", "no_method"),
        (Fault(-32602, "Too many inputs provided; max 100"), "ours", "bad_request"),
        (Fault(-32602, "Invalid param: Invalid"), "ours", "bad_request"),
        (Fault(-32603, "Internal error"), "broken", "error"),
        # of providers
        (Fault(-32007, "50/second request limit reached"), "busy", "rate_limited"),
        (Fault(-32429, "rate limited"), "busy", "rate_limited"),
        (Fault(429, "Too many requests for a specific RPC call"), "busy", "rate_limited"),
        # of proxies, which use agave's code of a refusal for anything
        (Fault(-32002, "Too many requests, try again later"), "busy", "rate_limited"),
        (Fault(-32002, "request timed out"), "broken", "error"),
        (Fault(-32002, "x", b"[" * 100_000), "broken", "error"),  # type: ignore[arg-type]
        # of transactions
        (preflight("AlreadyProcessed"), "no", KNOWN),
        (Fault(-32002, "Transaction simulation failed: This transaction has already been processed"), "no", KNOWN),
        (preflight("BlockhashNotFound"), "elsewhere", "no_blockhash"),
        (Fault(-32002, "Transaction simulation failed: Blockhash not found"), "elsewhere", "no_blockhash"),
        (preflight("AccountInUse"), "elsewhere", "not_now"),
        (preflight("WouldExceedMaxBlockCostLimit"), "elsewhere", "not_now"),
    ],
)  # fmt: skip
def test_errors(fault: Fault, verdict: str, cause: str) -> None:
    error = classify(fault) or common(fault)
    assert (error.verdict, error.cause) == (verdict, cause)


@pytest.mark.parametrize(
    ("fault", "rejection"),
    [
        (preflight("InsufficientFundsForFee"), Rejection.INSUFFICIENT_FUNDS),
        (preflight({"InsufficientFundsForRent": {"account_index": 1}}), Rejection.INSUFFICIENT_FUNDS),
        (preflight("AccountNotFound"), Rejection.INSUFFICIENT_FUNDS),
        (preflight({"InstructionError": [0, {"Custom": 1}]}, "x", "Transfer: insufficient lamports 1, need 2"),
         Rejection.INSUFFICIENT_FUNDS),
        (preflight({"InstructionError": [0, {"Custom": 1}]}, "x", "Program log: Error: insufficient funds"),
         Rejection.INSUFFICIENT_FUNDS),
        (preflight({"InstructionError": [0, {"Custom": 6001}]}), Rejection.INVALID),
        (preflight("SignatureFailure"), Rejection.INVALID),
        (preflight(None), Rejection.INVALID),
        (preflight([1, 2]), Rejection.INVALID),
        (preflight({}), Rejection.INVALID),
        (preflight("SignatureFailure", "x"), Rejection.INVALID),
        (Fault(-32002, "Transaction simulation failed", b"[" * 100_000), Rejection.INVALID),  # type: ignore[arg-type]
        (Fault(-32003, "Transaction signature verification failure"), Rejection.INVALID),
        (Fault(-32602, "base64 encoded VersionedTransaction too large: 1648 bytes (max: encoded/raw 1644/1232)"),
         Rejection.INVALID),
    ],
)  # fmt: skip
def test_refusals(fault: Fault, rejection: Rejection) -> None:
    error = classify(fault)
    assert error is not None
    assert (error.verdict, error.rejection) == (Verdict.NO, rejection)
