"""Sends an ERC-20 token.

    python -m examples.erc20_transfer WALLET ethereum 0xTOKEN 0xRECIPIENT 1000000

The amount is in the token's base units. The service decodes the call: what it will do is printed before it is signed.
"""

from __future__ import annotations

import sys

from strongroom_client import Client

from examples.withdrawal import settled, transfer

TRANSFER = "a9059cbb"
"""transfer(address,uint256)"""


def calldata(recipient: str, amount: int) -> str:
    return f"0x{TRANSFER}{recipient.removeprefix('0x').lower():0>64}{amount:064x}"


def main(wallet_id: str, network: str, token: str, recipient: str, amount: str) -> None:
    with Client() as strongroom:
        sender = strongroom.addresses.derive(wallet_id, network).address
        unsigned = transfer(
            strongroom, network, sender, to=token, value="0x0", gas=hex(100_000), data=calldata(recipient, int(amount))
        )
        [action] = strongroom.transactions.decode(network, unsigned_tx=unsigned).summary.actions
        print(action.kind, action.amount, "of", action.asset, "to", action.to)
        signed = strongroom.transactions.sign(wallet_id, network=network, unsigned_tx=unsigned, broadcast=True)
        print(signed.tx_id, settled(strongroom, signed).state)


if __name__ == "__main__":
    main(*sys.argv[1:])
