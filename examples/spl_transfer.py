"""Sends an SPL token on Solana. The recipient's token account is created if it is missing.

    python -m examples.spl_transfer WALLET solana MINT 6 RECIPIENT 2500000

The numbers are the decimals of the mint, which the chain checks, and the amount in base units.
"""

from __future__ import annotations

import sys

from strongroom_client import Client

from examples.node import ask


def main(wallet_id: str, network: str, mint: str, decimals: str, recipient: str, amount: str) -> None:
    with Client() as strongroom:
        sender = strongroom.addresses.derive(wallet_id, network).address
        block = ask("getLatestBlockhash", {"commitment": "confirmed"})["value"]
        unsigned = {
            "fee_payer": sender,
            "recent_blockhash": block["blockhash"],
            "last_valid_block_height": block["lastValidBlockHeight"],
            "transfers": [{"to": recipient, "amount": amount, "mint": mint, "decimals": int(decimals)}],
        }
        signed = strongroom.transactions.sign(wallet_id, network=network, unsigned_tx=unsigned)
        print(ask("sendTransaction", signed.signed_tx, {"encoding": "base64"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
