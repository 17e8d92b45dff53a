"""Signs an ERC-20 permit (EIP-2612): the spender may take tokens without a transaction of the owner.

    python -m examples.permit WALLET ethereum 0xTOKEN "Token name" 1 0xSPENDER 1000000

Name and version are those of the token's EIP-712 domain.
"""

from __future__ import annotations

import sys
import time

from strongroom_client import Client

from examples.node import ask

NONCES = "0x7ecebe00"
"""nonces(address)"""
FIELDS = ("owner address", "spender address", "value uint256", "nonce uint256", "deadline uint256")
DOMAIN = ("name string", "version string", "chainId uint256", "verifyingContract address")


def members(of: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in (each.split() for each in of)]


def main(wallet_id: str, network: str, token: str, name: str, version: str, spender: str, value: str) -> None:
    deadline = int(time.time()) + 3600
    with Client() as strongroom:
        owner = strongroom.addresses.derive(wallet_id, network).address
        call = {"to": token, "data": NONCES + owner.removeprefix("0x").lower().rjust(64, "0")}
        typed_data = {
            "types": {"EIP712Domain": members(DOMAIN), "Permit": members(FIELDS)},
            "primaryType": "Permit",
            "domain": {
                "name": name,
                "version": version,
                "chainId": int(ask("eth_chainId"), 16),
                "verifyingContract": token,
            },
            "message": {
                "owner": owner,
                "spender": spender,
                "value": value,
                "nonce": str(int(ask("eth_call", call, "latest"), 16)),
                "deadline": str(deadline),
            },
        }
        signed = strongroom.typed_data.sign(wallet_id, network=network, typed_data=typed_data)
        for action in signed.summary.actions:
            print(action.kind, action.amount, "for", action.to)
        print("valid until", deadline)
        print(signed.signature)


if __name__ == "__main__":
    main(*sys.argv[1:])
