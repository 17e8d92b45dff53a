"""A fake Tron node with accounts whose keys are known, and transactions signed without the service."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import base58
from coincurve import PrivateKey
from tronpy.keys import keccak256
from tronpy.proto import tron_pb2

from strongroom.chains.tron.chain import Tron
from strongroom.chains.tron.networks import NETWORKS
from strongroom.domain.asset import Asset, coin_of, token_id
from strongroom.domain.network import Network
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Holder, Setup
from tests.support.fake_tron_node import FakeTronNode

TRON = Tron()
TIME = 1_790_000_000_000 - 1_790_000_000_000 % 3000
TRX = 10**6
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
OTHERS = [
    "TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8",
    "TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR",
    "TXLAQ63Xg1NAzckPwKHvzw7CSEmLMEqcdj",
]
"""Well-formed addresses."""
LISTED = {network.name: network for network in NETWORKS}


def network(name: str = "tron-nile") -> Network:
    return LISTED[name]


def token(contract: str, decimals: int | None = 6, symbol: str = "USDT", *, name: str = "tron-nile") -> Asset:
    return Asset(token_id(network(name), contract), network(name).caip2, symbol, decimals, contract)


def setup(name: str = "tron-nile", pin: str | None = None, tokens: dict[str, Asset] | None = None) -> Setup:
    found = network(name)
    listed = {USDT: token(USDT, name=name)} if tokens is None else tokens
    return Setup(found, coin_of(found), listed, pin or found.caip2.partition(":")[2])


@dataclass(frozen=True)
class Key:
    secret: PrivateKey

    @property
    def raw(self) -> bytes:
        return b"\x41" + keccak256(self.secret.public_key.format(compressed=False)[1:])[-20:]

    @property
    def address(self) -> str:
        return base58.b58encode_check(self.raw).decode()

    @property
    def holder(self) -> Holder:
        return Holder(self.raw, self.address)

    def sign(self, unsigned: dict[str, Any]) -> tuple[str, SignedIds]:
        """The hex for nodes, and the transaction id."""
        raw = bytes.fromhex(unsigned["raw_data_hex"])
        made = self.secret.sign_recoverable(sha256(raw).digest(), hasher=None)
        whole = tron_pb2.Transaction(raw_data=tron_pb2.Transaction.raw.FromString(raw), signature=[made])
        signed = whole.SerializeToString().hex()
        return signed, TRON.identify(network(), signed)


def key(number: int) -> Key:
    return Key(PrivateKey(sha256(b"tron %d" % number).digest()))


def pay(node: FakeTronNode, sender: Key, to: str, amount: int = TRX) -> tuple[str, SignedIds]:
    return sender.sign(node.create(sender.address, to, amount))


def call(
    node: FakeTronNode, sender: Key, contract: str, to: str, amount: int, *, selector: str = "a9059cbb", value: int = 0
) -> str:
    """Broadcasts a call with two arguments, as in TRC-20. Returns the id."""
    reference = node.reference()
    block_id = bytes.fromhex(reference["block_id"])
    raw = tron_pb2.Transaction.raw(
        ref_block_bytes=block_id[6:8],
        ref_block_hash=block_id[8:16],
        expiration=reference["expiration"],
        timestamp=reference["timestamp"] + len(node.pool),
        fee_limit=TRX,
    )
    data = bytes.fromhex(selector) + base58.b58decode_check(to)[1:].rjust(32, b"\0") + amount.to_bytes(32, "big")
    trigger = tron_pb2.TriggerSmartContract(
        owner_address=sender.raw, contract_address=base58.b58decode_check(contract), data=data, call_value=value
    )
    raw.contract.add(type=31).parameter.Pack(trigger)
    return _send(node, sender, raw)


def give(node: FakeTronNode, sender: Key, to: str, amount: int) -> str:
    """Broadcasts a transfer of a TRC-10 token. Returns the id."""
    reference = node.reference()
    block_id = bytes.fromhex(reference["block_id"])
    raw = tron_pb2.Transaction.raw(
        ref_block_bytes=block_id[6:8], ref_block_hash=block_id[8:16], expiration=reference["expiration"]
    )
    message = tron_pb2.TransferAssetContract(
        asset_name=b"1002000", owner_address=sender.raw, to_address=base58.b58decode_check(to), amount=amount
    )
    raw.contract.add(type=2).parameter.Pack(message)
    return _send(node, sender, raw)


def _send(node: FakeTronNode, sender: Key, raw: Any) -> str:
    signed, ids = sender.sign({"raw_data_hex": raw.SerializeToString().hex()})
    answer = node.broadcast(bytes.fromhex(signed))
    assert answer["result"], answer
    return ids.tx_ids[0]
