"""tronpy as a second implementation, and random work for TronWeb. Imports nothing of ours."""

from __future__ import annotations

import random
from typing import Any

from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from tronpy.keys import PrivateKey, is_base58check_address

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CONTRACTS = (
    "TransferContract", "TransferAssetContract", "AccountCreateContract", "VoteWitnessContract",
    "WithdrawBalanceContract", "FreezeBalanceV2Contract", "UnfreezeBalanceV2Contract", "WithdrawExpireUnfreezeContract",
    "DelegateResourceContract", "UnDelegateResourceContract", "CancelAllUnfreezeV2Contract",
    "AccountPermissionUpdateContract", "TriggerSmartContract",
)  # fmt: skip
_MOST = 2**53 - 1
"""TronWeb's numbers are those of JavaScript."""


def private_key(draw: random.Random) -> bytes:
    return draw.randrange(1, N).to_bytes(32, "big")


def address(private: bytes) -> str:
    return str(PrivateKey(private).public_key.to_base58check_address())


def public_key(private: bytes) -> bytes:
    """Uncompressed, without its first byte."""
    return bytes(PrivateKey(private).public_key)


def private_at(words: str, path: str) -> bytes:
    return bytes(key_from_seed(seed_from_mnemonic(words, ""), path))


def sign_message(data: bytes, private: bytes) -> bytes:
    """TIP-191: r, s and recovery id."""
    return bytes.fromhex(PrivateKey(private).sign_msg(data).hex())


def sign_digest(digest: bytes, private: bytes) -> bytes:
    return bytes.fromhex(PrivateKey(private).sign_msg_hash(digest).hex())


def is_address(text: str) -> bool:
    return bool(is_base58check_address(text))


def random_address(draw: random.Random) -> str:
    return address(private_key(draw))


def question(draw: random.Random, contract: str, sender: str, expiration: int) -> dict[str, Any]:
    """What TronWeb is asked to build. Times in milliseconds."""
    found: dict[str, Any] = {
        "job": "build",
        "contract": contract,
        "from": sender,
        "arguments": _arguments(draw, contract),
        "block": {
            "ref_block_bytes": draw.randbytes(2).hex(),
            "ref_block_hash": draw.randbytes(8).hex(),
            "expiration": expiration,
            "timestamp": expiration - 60_000,
        },
    }
    if draw.random() < 0.2:
        found["permission"] = draw.randint(2, 9)
    if draw.random() < 0.2 and contract != "TriggerSmartContract":
        found["memo"] = draw.randbytes(draw.randint(1, 40)).hex()
    return found


def one_bit_changed(draw: random.Random, signed: dict[str, Any]) -> dict[str, Any]:
    """In the bytes, the id or the signature. The last byte of a signature has several spellings."""
    changed = {**signed}
    place = draw.choice(["raw_data_hex", "txID", "signature"])
    text = signed["signature"][0] if place == "signature" else signed[place]
    raw = bytearray.fromhex(text)
    raw[draw.randrange(64 if place == "signature" else len(raw))] ^= 1 << draw.randrange(8)
    changed[place] = [raw.hex()] if place == "signature" else raw.hex()
    return changed


def _arguments(draw: random.Random, contract: str) -> dict[str, Any]:
    amount = draw.choice([1, 1_000_000, _MOST, draw.randint(1, 10**12)])
    resource = draw.choice(["BANDWIDTH", "ENERGY"])
    found: dict[str, Any] = {"to": random_address(draw), "amount": amount, "resource": resource}
    if contract == "TransferAssetContract":
        found["token"] = str(draw.randint(1_000_001, 1_009_999))
    elif contract == "VoteWitnessContract":
        found["votes"] = {random_address(draw): draw.randint(1, 10**9) for _ in range(draw.randint(1, 30))}
    elif contract == "DelegateResourceContract":
        found |= {"lock": draw.random() < 0.5, "lockPeriod": draw.randint(0, 864_000)}
    elif contract == "TriggerSmartContract":
        found |= _call(draw)
    elif contract == "AccountPermissionUpdateContract":
        found |= {
            "owner": _permission(draw, 0),
            "witness": _permission(draw, 1) if draw.random() < 0.3 else None,
            "actives": [_permission(draw, 2) for _ in range(draw.randint(1, 8))],
        }
    return found


def _call(draw: random.Random) -> dict[str, Any]:
    """Of a token, or of something that nobody knows."""
    one, two = random_address(draw), random_address(draw)
    number = str(draw.choice([1, 10**6, 2**256 - 1, draw.getrandbits(200)]))
    calls: list[tuple[str, list[tuple[str, Any]]]] = [
        ("transfer(address,uint256)", [("address", one), ("uint256", number)]),
        ("approve(address,uint256)", [("address", one), ("uint256", number)]),
        ("transferFrom(address,address,uint256)", [("address", one), ("address", two), ("uint256", number)]),
        ("increaseApproval(address,uint256)", [("address", one), ("uint256", number)]),
        ("swap(bytes32,uint256[])", [("bytes32", "0x" + draw.randbytes(32).hex()), ("uint256[]", [number, "7"])]),
    ]  # fmt: skip
    function, parameters = draw.choice(calls)
    options: dict[str, Any] = {"feeLimit": draw.randint(1, 15_000_000_000)}
    if draw.random() < 0.3:
        options["callValue"] = draw.randint(1, 10**12)
    if draw.random() < 0.3:
        options |= {"tokenId": draw.randint(1_000_001, 1_009_999), "tokenValue": draw.randint(1, 10**12)}
    return {
        "contract": random_address(draw),
        "function": function,
        "parameters": [{"type": kind, "value": value} for kind, value in parameters],
        "options": options,
    }


def _permission(draw: random.Random, kind: int) -> dict[str, Any]:
    count = draw.randint(1, 5)
    keys: list[dict[str, Any]] = [{"address": random_address(draw), "weight": draw.randint(1, 9)} for _ in range(count)]
    found: dict[str, Any] = {
        "type": kind,
        "permission_name": draw.choice(["owner", "active", "zwei"]),
        "threshold": draw.randint(1, sum(key["weight"] for key in keys)),
        "keys": keys,
    }
    if kind == 2:
        found["operations"] = draw.randbytes(32).hex()
    return found
