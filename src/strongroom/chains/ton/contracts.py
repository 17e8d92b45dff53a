"""Wallet contracts with their code and initial state, from which the address of a key follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from strongroom.chains.ton import addresses, boc, codes
from strongroom.chains.ton.cell import Builder, Cell
from strongroom.chains.ton.networks import global_id

WALLET_ID: Final = 698_983_191
"""0x29a9a317, the base of the ids of v3 and v4. The work chain and the subwallet are added to it."""
HIGHLOAD_ID: Final = 0x10AD
"""The id that highload v3 recommends, so that no other contract of the key accepts its messages."""
HIGHLOAD_TIMEOUT: Final = 3600
"""Seconds for which highload v3 remembers a query, as set in its initial state. It recommends at least one hour."""


@dataclass(frozen=True)
class Contract:
    name: str
    code_base64: str
    code_hash: str
    max_messages: int
    max_subwallet: int
    """For v5R1 this is less than the contract allows. From 128 on, a subwallet has the id, and so the address, of
    another subwallet of the same key on the other network, and what is signed for one would be valid for the other."""

    @cached_property
    def code(self) -> Cell:
        found = boc.from_base64(self.code_base64)
        assert found.hash.hex() == self.code_hash
        return found


V3R2: Final = Contract(
    "v3r2", codes.V3R2, "84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599", 4, 999_999
)
V4R2: Final = Contract(
    "v4r2", codes.V4R2, "feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0", 4, 999_999
)
V5R1: Final = Contract("v5r1", codes.V5R1, "20834b7b72b112147e1b2fb457b84e74d1a30f04f737d4f62a668e9552d2b72f", 255, 127)
HIGHLOAD_V3: Final = Contract(
    "highload3", codes.HIGHLOAD_V3, "11acad7955844090f283bf238bc1449871f783e7cc0979408d3f4859483e8525", 254, 999_999
)
CONTRACTS: Final = {contract.name: contract for contract in (V3R2, V4R2, V5R1, HIGHLOAD_V3)}


@dataclass(frozen=True, slots=True)
class Account:
    """A contract with the two numbers by which one key has several wallets."""

    contract: Contract
    workchain: int = 0
    subwallet: int = 0

    def wallet_id(self, testnet: bool) -> int:
        """The 32-bit wallet id. In v5R1 it is the network's global id XOR a context (wallet-contract-v5, README)."""
        if self.contract is V5R1:
            context = 1 << 31 | (self.workchain & 0xFF) << 23 | self.subwallet
            return (global_id(testnet) & 0xFFFFFFFF) ^ context
        first = HIGHLOAD_ID if self.contract is HIGHLOAD_V3 else WALLET_ID
        return first + self.subwallet + (0 if self.contract is HIGHLOAD_V3 else self.workchain)

    def state(self, testnet: bool, public_key: bytes) -> Cell:
        """The StateInit of a wallet that was never used, with code and data only."""
        data = _data(self.contract, self.wallet_id(testnet), public_key)
        return Builder().uint(0b00110, 5).ref(self.contract.code).ref(data).cell()

    def address(self, testnet: bool, public_key: bytes) -> bytes:
        """The canonical bytes of the wallet's address."""
        return _address(self, testnet, public_key)


@lru_cache(maxsize=8192)
def _address(account: Account, testnet: bool, public_key: bytes) -> bytes:
    return addresses.of_state(account.state(testnet, public_key).hash, account.workchain)


def _data(contract: Contract, wallet_id: int, public_key: bytes) -> Cell:
    if contract is HIGHLOAD_V3:  # no old or new queries, never cleaned
        return Builder().raw(public_key).uint(wallet_id, 32).uint(0, 66).uint(HIGHLOAD_TIMEOUT, 22).cell()
    data = Builder()
    if contract is V5R1:
        data.bit(True)  # signatures are allowed
    data.uint(0, 32).uint(wallet_id, 32).raw(public_key)
    if contract is not V3R2:
        data.bit(False)  # no plugins or extensions
    return data.cell()
