"""Sends jettons on TON (TEP-74).

    python -m examples.jetton_transfer WALLET ton JETTON_WALLET 12 RECIPIENT 5000000 "invoice 7"

JETTON_WALLET is the sender's wallet contract of that jetton (get-method `get_wallet_address` of the jetton master).
12 is the sender's seqno, and 5000000 the amount in base units. pytoniq-core builds the payload. `sendBoc` of toncenter
takes what is printed.
"""

from __future__ import annotations

import base64
import sys
import time

from pytoniq_core import Address, begin_cell
from strongroom_client import Client

TRANSFER = 0x0F8A7EA5
FORWARD = 1
"""Nanotons that go along to the recipient, so that it is told."""
GAS = 50_000_000
"""Nanotons for the jetton wallets; what is left comes back."""


def payload(amount: int, recipient: str, sender: str, comment: str) -> str:
    body = (
        begin_cell()
        .store_uint(TRANSFER, 32)
        .store_uint(0, 64)  # query id
        .store_coins(amount)
        .store_address(Address(recipient))
        .store_address(Address(sender))  # for what is left of the gas
        .store_bit(0)  # no custom payload
        .store_coins(FORWARD)
        .store_maybe_ref(begin_cell().store_uint(0, 32).store_snake_string(comment).end_cell())
        .end_cell()
    )
    return base64.b64encode(body.to_boc()).decode()


def main(
    wallet_id: str, network: str, jetton_wallet: str, seqno: str, recipient: str, amount: str, comment: str
) -> None:
    with Client() as strongroom:
        sender = strongroom.addresses.derive(wallet_id, network)
        unsigned = {
            "seqno": int(seqno),
            "valid_until": int(time.time()) + 300,
            "messages": [
                {
                    "address": jetton_wallet,
                    "amount": str(GAS),
                    "payload": payload(int(amount), recipient, sender.details["raw"], comment),
                }
            ],
        }
        signed = strongroom.transactions.sign(wallet_id, network=network, unsigned_tx=unsigned)
        for action in signed.summary.actions:
            print(action.kind, action.amount, action.to, file=sys.stderr)
        print(signed.signed_tx)


if __name__ == "__main__":
    main(*sys.argv[1:])
