"""A key, its wallets and their transfers, for the tests of TON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.chains.ton import schemes
from strongroom.chains.ton.chain import Ton
from strongroom.domain.signing import Message, OurKey, Ours, Policy, Prepared, Signed, SignOptions
from strongroom.domain.summary import Caution

TON = Ton()
MAINNET, TESTNET = TON.networks
NOW = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)
SOON = int(NOW.timestamp()) + 600
DEFAULT = Policy(TON.limits)
OFF = Policy(dict.fromkeys(TON.limits))

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
RAW = "0:" + "35" * 32
BOUNCEABLE = "EQDHMWKzTPGWZyEK8xgNb8-4jfFnjLu-cx84ZCU0zGlR5ILu"
NOT_BOUNCEABLE = "UQDHMWKzTPGWZyEK8xgNb8-4jfFnjLu-cx84ZCU0zGlR5N8r"
TEST_ONLY = "kQDHMWKzTPGWZyEK8xgNb8-4jfFnjLu-cx84ZCU0zGlR5Dlk"
MASTER = "-1:" + "33" * 32


def ours(scheme: str = "raw-v5r1", *, testnet: bool = False) -> Ours:
    address = schemes.account(scheme).address(testnet, PUBLIC)
    return {PUBLIC: OurKey(PUBLIC, "m", scheme, address)}


def pay(to: str = NOT_BOUNCEABLE, amount: str = "1", **more: Any) -> dict[str, Any]:
    return {"address": to, "amount": amount, **more}


def form(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"seqno": 5, "valid_until": SOON, "messages": list(messages) or [pay()], **more}


def checked(
    unsigned: Any, scheme: str = "raw-v5r1", policy: Policy = DEFAULT, *, testnet: bool = False
) -> tuple[Prepared, tuple[Caution, ...]]:
    decoded = TON.decode(TESTNET if testnet else MAINNET, unsigned)
    keys = ours(scheme, testnet=testnet)
    cautions = TON.check(decoded, keys, policy, NOW)
    return TON.prepare(decoded, keys), cautions


def signed(unsigned: Any, scheme: str = "raw-v5r1", policy: Policy = DEFAULT, *, testnet: bool = False) -> Signed:
    prepared, _ = checked(unsigned, scheme, policy, testnet=testnet)
    return TON.assemble(prepared, [KEY.sign(item.payload) for item in prepared.to_sign])


def allowing(*names: str) -> Policy:
    return Policy(TON.limits, SignOptions(allow=frozenset(names)))


def statement(payload: Any, format_name: str = "ton-proof", **more: Any) -> Message:
    return Message(format_name, document={"domain": "example.com", "timestamp": 1795881600, "payload": payload, **more})
