"""A deposit address for each customer, and the customer for an address.

    python -m examples.deposit_addresses ethereum customer-17 customer-18

Run it again: the wallet and the addresses are the same. The external id of an address names the network and the
customer, since no two addresses have the same. It is the idempotency key of handing it out, too.
"""

from __future__ import annotations

import sys

from strongroom_client import Client, types


def deposit_wallet(strongroom: Client) -> types.WalletView:
    """Made once. Its external id finds it from then on."""
    for wallet in strongroom.wallets.list(external_id="deposits").wallets:
        return wallet
    return strongroom.wallets.create(external_id="deposits", idempotency_key="wallet-for-deposits")


def main(network: str, *customers: str) -> None:
    with Client() as strongroom:
        wallet = deposit_wallet(strongroom)
        for customer in customers:
            name = f"{network}/{customer}"
            address = strongroom.addresses.next(wallet.id, network=network, external_id=name, idempotency_key=name)
            print(customer, address.address)
        for customer in customers:
            [address] = strongroom.addresses.list(
                wallet.id, network=network, external_id=f"{network}/{customer}"
            ).addresses
            [found] = strongroom.addresses.find(network, address.address).addresses
            print(found.address, "belongs to", found.external_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
