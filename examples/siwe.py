"""Signs in with Ethereum (EIP-4361): the message, the signature, and the check that a server makes.

python -m examples.siwe WALLET ethereum example.com 8f2a91c0
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from strongroom_client import Client


def message(domain: str, address: str, chain_id: int, nonce: str, issued: datetime) -> str:
    return (
        f"{domain} wants you to sign in with your Ethereum account:\n{address}\n\nSign in.\n\n"
        f"URI: https://{domain}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\n"
        f"Issued At: {issued.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    )


def main(wallet_id: str, network: str, domain: str, nonce: str) -> None:
    with Client() as strongroom:
        address = strongroom.addresses.derive(wallet_id, network).address
        [chain] = [each.caip2 for each in strongroom.networks.list().networks if network in (each.name, *each.aliases)]
        text = message(domain, address, int(chain.removeprefix("eip155:")), nonce, datetime.now(UTC))
        signed = strongroom.messages.sign(wallet_id, network=network, format="eip191", message=text, encoding="text")
        checked = strongroom.messages.verify(
            network, format="eip191", message=text, encoding="text", signature=signed.signature, address=address
        )
        print(text, signed.signature, "valid" if checked.valid else "not valid", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
