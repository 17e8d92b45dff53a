"""A key, a network and transactions of every type, for the tests of the EVM chain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from btclib_secp256k1 import keys, recovery

from strongroom.chains.evm import addresses
from strongroom.chains.evm.chain import Evm
from strongroom.codecs import eip55
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.network import Network
from strongroom.domain.signing import OurKey, Policy, Prepared, Signed, SignOptions
from strongroom.domain.summary import Caution

EVM = Evm()
ETHEREUM = EVM.networks[0]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = Policy(EVM.limits)
PERMISSIVE = Policy(dict.fromkeys(EVM.limits), SignOptions(allow_pre155=True, allow=frozenset(HAZARDS)))

PRIVATE = b"\x46" * 32
TO = "0x3535353535353535353535353535353535353535"
TOKEN = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
HASH = "0x01" + "ab" * 31

LEGACY: dict[str, Any] = {
    "type": "0x0",
    "chainId": "0x1",
    "nonce": "0x9",
    "gasPrice": "0x4a817c800",
    "gas": "0x5208",
    "to": TO,
    "value": "0xde0b6b3a7640000",
    "data": "0x",
}
ACCESS_LIST = LEGACY | {
    "type": "0x1",
    "gas": "0x7530",
    "accessList": [{"address": TO, "storageKeys": ["0x" + "00" * 32]}],
}
DYNAMIC = {name: value for name, value in LEGACY.items() if name != "gasPrice"} | {
    "type": "0x2",
    "maxFeePerGas": "0x77359400",
    "maxPriorityFeePerGas": "0x3b9aca00",
}
BLOB = DYNAMIC | {"type": "0x3", "maxFeePerBlobGas": "0x1", "blobVersionedHashes": [HASH]}
AUTHORIZATION = {"chainId": "0x1", "address": TOKEN, "nonce": "0x1", "yParity": "0x0", "r": "0x1", "s": "0x1"}
SET_CODE = DYNAMIC | {"type": "0x4", "gas": "0xffff", "authorizationList": [AUTHORIZATION]}
EVERY: dict[int, dict[str, Any]] = {0: LEGACY, 1: ACCESS_LIST, 2: DYNAMIC, 3: BLOB, 4: SET_CODE}


def our_key(private: bytes = PRIVATE) -> OurKey:
    public_key = keys.pubkey_from_prvkey(private)
    return OurKey(public_key, "m", "raw", addresses.from_public_key(public_key))


OURS = {our_key().public_key: our_key()}
FROM = eip55.checksum(our_key().address)


def signature(prepared: Prepared, private: bytes = PRIVATE) -> list[bytes]:
    compact, recovery_id = recovery.sign(prepared.to_sign[0].payload, private)
    return [compact + bytes([recovery_id])]


def sign(unsigned: Any, *, private: bytes = PRIVATE, policy: Policy = DEFAULT, network: Network = ETHEREUM) -> Signed:
    key = our_key(private)
    decoded = EVM.decode(network, unsigned)
    EVM.check(decoded, {key.public_key: key}, policy, NOW)
    prepared = EVM.prepare(decoded, {key.public_key: key})
    return EVM.assemble(prepared, signature(prepared, private))


def check(unsigned: Any, policy: Policy = DEFAULT, network: Network = ETHEREUM) -> tuple[Caution, ...]:
    return EVM.check(EVM.decode(network, unsigned), OURS, policy, NOW)


def serialised(form: dict[str, Any]) -> str:
    return "0x" + EVM.decode(ETHEREUM, form).transaction.payload().hex()
