"""One key of a wallet of the running service, and the node that mines what it signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.integration.conftest import Service
from tests.support.anvil import Anvil

FEES = {"maxFeePerGas": hex(20 * 10**9), "maxPriorityFeePerGas": hex(10**9)}
ETHER = 10**18
Form = dict[str, Any]


@dataclass(frozen=True)
class Mined:
    signed: dict[str, Any]
    receipt: dict[str, Any]

    @property
    def action(self) -> dict[str, Any]:
        """The first log that our summary announced."""
        action: dict[str, Any] = self.signed["summary"]["actions"][0]
        return action


@dataclass(frozen=True)
class Account:
    service: Service
    node: Anvil
    network: str
    wallet_id: str
    address: str

    @classmethod
    async def new(cls, service: Service, node: Anvil, network: str = "anvil") -> Account:
        """The first key of a new wallet, with 100 ether."""
        wallet = await service.ask("wallets.create", networks=[network])
        node.fund(wallet["addresses"][0]["address"])
        return cls(service, node, network, wallet["id"], wallet["addresses"][0]["address"])

    async def sibling(self) -> Account:
        """The next key of the same wallet, with 100 ether."""
        found = await self.service.ask("addresses.next", wallet_id=self.wallet_id, network=self.network)
        self.node.fund(found["address"])
        return Account(self.service, self.node, self.network, self.wallet_id, found["address"])

    @property
    def selector(self) -> dict[str, str]:
        return {"wallet_id": self.wallet_id, "network": self.network, "address": self.address}

    def form(self, **fields: Any) -> Form:
        """A transaction of this account, EIP-1559 unless something else is given."""
        fees = {} if "gasPrice" in fields else FEES
        common = {"chainId": hex(self.node.chain_id), "nonce": hex(self.node.nonce(self.address)), "gas": hex(21_000)}
        return {**common, **fees, **fields}

    async def sign(self, form: Form, **more: Any) -> dict[str, Any]:
        signed: dict[str, Any] = await self.service.ask("transactions.sign", **self.selector, unsigned_tx=form, **more)
        return signed

    async def mine(self, **fields: Any) -> Mined:
        signed = await self.sign(self.form(**fields))
        return Mined(signed, self.broadcast(signed))

    def broadcast(self, signed: dict[str, Any], raw: str | None = None) -> dict[str, Any]:
        """The receipt. The node must have mined it, under our id, as ours. ``raw``: its other form, if the node takes
        one.
        """
        assert self.node.broadcast(raw or signed["signed_tx"]) == signed["tx_id"]
        receipt = self.node.mined(signed["tx_id"])
        assert receipt["status"] == "0x1"
        assert receipt["transactionHash"] == signed["tx_id"]
        assert receipt["from"] == self.address.lower() == signed["summary"]["from_address"].lower()
        return receipt
