"""Collects what is on the addresses of a wallet.

    python -m examples.sweep WALLET ethereum 0xTREASURY

Each address with more than the fee pays all it has to the treasury.
"""

from __future__ import annotations

import sys

from strongroom_client import Client

from examples.withdrawal import settled, transfer

GAS = 21_000


def main(wallet_id: str, network: str, treasury: str) -> None:
    with Client() as strongroom:
        for address in strongroom.addresses.list_all(wallet_id, network=network):
            balances = strongroom.balances.address(network, address.address, tokens="none", fresh=True)
            [coin] = [each for each in balances.balances if each.contract is None]
            unsigned = transfer(strongroom, network, address.address, to=treasury, gas=hex(GAS))
            value = int(coin.confirmed) - GAS * int(unsigned["maxFeePerGas"], 16)
            if value <= 0:
                continue
            signed = strongroom.transactions.sign(
                wallet_id,
                network=network,
                address=address.address,
                unsigned_tx={**unsigned, "value": hex(value)},
                broadcast=True,
                idempotency_key=f"sweep-{network}-{address.address}-{unsigned['nonce']}",
            )
            print(address.address, value, settled(strongroom, signed).state)


if __name__ == "__main__":
    main(*sys.argv[1:])
