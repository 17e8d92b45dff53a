"""Replaces a transaction that is stuck by the same one with a higher fee.

    python -m examples.fee_bump WALLET ethereum 0xTX_ID

A nonce is signed for once. Another transaction for it must name the one that it replaces, in `options.replaces`, and
the key needs the scope sign:replace.
"""

from __future__ import annotations

import sys

from strongroom_client import Client

from examples.node import ask
from examples.withdrawal import settled


def main(wallet_id: str, network: str, tx_id: str) -> None:
    with Client() as strongroom:
        stuck = ask("eth_getTransactionByHash", tx_id)
        # Nodes take a replacement that pays an eighth more of both. Double it, and it stays ahead.
        dearer = {name: hex(2 * int(stuck[name], 16)) for name in ("maxFeePerGas", "maxPriorityFeePerGas")}
        unsigned = {
            "chainId": stuck["chainId"],
            "from": stuck["from"],
            "nonce": stuck["nonce"],
            "to": stuck["to"],
            "value": stuck["value"],
            "data": stuck["input"],
            "gas": stuck["gas"],
            **dearer,
        }
        signed = strongroom.transactions.sign(
            wallet_id, network=network, unsigned_tx=unsigned, options={"replaces": tx_id}, broadcast=True
        )
        print(signed.tx_id, "replaces", tx_id)
        print(settled(strongroom, signed).state)


if __name__ == "__main__":
    main(*sys.argv[1:])
