"""Pays out of a wallet, exactly once, whatever breaks.

    python -m examples.withdrawal WALLET ethereum 0xRECIPIENT 0.25 payout-7781

The last argument names the payout. Nonce and fees are chosen once and stored under that name before anything is signed
(here in a file; use your database). A program that was stopped repeats the same request with the same key, so the
payout cannot happen twice.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from strongroom_client import Client, types

from examples.node import ask, next_nonce

ETHER = 10**18


def transfer(strongroom: Client, network: str, sender: str, **fields: Any) -> dict[str, Any]:
    """An EIP-1559 transaction with the fees that the service suggests."""
    fees = strongroom.fees.suggest(network)
    tip = int(fees.details["tip_normal"])
    return {
        "chainId": ask("eth_chainId"),
        "from": sender,
        "nonce": hex(next_nonce(sender)),
        "maxFeePerGas": hex(int(fees.normal)),
        "maxPriorityFeePerGas": hex(min(tip, int(fees.normal))),
        **fields,
    }


def settled(strongroom: Client, signed: types.SignedTransaction) -> types.TransactionState:
    """Once it is in a block, or will never be."""
    sent = signed.broadcast
    if sent is None or sent.state == "rejected":
        raise SystemExit(f"the network refuses it: {sent and sent.rejected}")
    while True:
        state = strongroom.transactions.state(sent.network, sent.tx_id)
        if state.state in ("confirmed", "final", "failed", "replaced", "expired"):
            return state
        time.sleep(1)


def main(wallet_id: str, network: str, recipient: str, amount: str, payout: str) -> None:
    with Client() as strongroom:
        sender = strongroom.addresses.derive(wallet_id, network).address
        kept = Path(f"{payout}.json")
        if not kept.exists():
            value = int(Decimal(amount) * ETHER)
            kept.write_text(
                json.dumps(transfer(strongroom, network, sender, to=recipient, value=hex(value), gas=hex(21_000)))
            )
        signed = strongroom.transactions.sign(
            wallet_id,
            network=network,
            unsigned_tx=json.loads(kept.read_text()),
            broadcast=True,
            idempotency_key=payout,
        )
        state = settled(strongroom, signed)
        print(signed.tx_id, state.state, "block", state.block.height if state.block else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
