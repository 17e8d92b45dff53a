"""Runs one vector of ``ethereum.*.json`` against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare. Keys come from the service's signer, with a key wrap in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from btclib_secp256k1 import keys as secp256k1

from strongroom.chains.evm import addresses
from strongroom.chains.evm.chain import Evm
from strongroom.chains.evm.networks import NETWORKS
from strongroom.codecs import abi, bip32, eip55, hexadecimal
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.network import Network
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Message, OurKey, Ours, Policy, Prepared, Signed, SignOptions
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret, WalletKind
from strongroom.errors import InvalidAddress, InvalidKey, InvalidMessage, Refused
from strongroom.keys import bip39, derivation
from strongroom.keys.base import Mnemonic, RawKey, RawKeyFormat, Want
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.local import LocalKeyWrap
from tests.support.calldata import encode_call
from tests.vectors.direct_common import only

Vector = dict[str, Any]

EVM = Evm()
PERMISSIVE = Policy(
    dict.fromkeys(EVM.limits), SignOptions(allow_resign=True, allow_pre155=True, allow=frozenset(HAZARDS))
)
"""For valid vectors. Some are older than today's rules."""
DEFAULT = Policy(EVM.limits)
"""For invalid vectors, the defaults of a new installation."""

_OWNER = Owner(UUID(int=1), UUID(int=2))
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_BY_CHAIN_ID = {network.chain_id: network for network in NETWORKS}
_KEY_FIELDS = {"private_key_hex", "mnemonic", "passphrase", "path"}


@dataclass(frozen=True)
class Holder:
    """A key as our signer holds it."""

    signer: SeededSigner
    secret: SealedSecret
    node: PublicNode

    @property
    def ours(self) -> Ours:
        address = addresses.from_public_key(self.node.public_key)
        return {self.node.public_key: OurKey(self.node.public_key, self.node.path, "bip44", address)}

    async def sign(self, prepared: Prepared) -> list[bytes]:
        made = await self.signer.sign(prepared.requests(self.secret, UUID(int=3)))
        assert all(isinstance(one, bytes) for one in made)
        return [one for one in made if isinstance(one, bytes)]


def with_key(given: Vector, use: Callable[[Holder], Any]) -> Any:
    """Calls ``use`` with the vector's key: from its words where it has them, which must give the same private key."""

    async def run() -> Any:
        signer = SeededSigner(LocalKeyWrap([bytes(32)]))
        try:
            material: Mnemonic | RawKey = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret(given["private_key_hex"]))
            path = "m"
            if "mnemonic" in given:
                material = Mnemonic(Secret(given["mnemonic"]), Secret(given.get("passphrase", "")))
                path = given["path"]
            created = await signer.restore(_OWNER, material, [Want(path, Curve.SECP256K1)])
            private = bytes.fromhex(given["private_key_hex"])
            assert created.public[0].public_key == secp256k1.pubkey_from_prvkey(private)
            return await use(Holder(signer, created.secret, created.public[0]))
        finally:
            await signer.close()

    return asyncio.run(run())


def network(chain_id: int | None) -> Network:
    return _BY_CHAIN_ID.get(chain_id) or EVM.network_for(f"eip155:{chain_id}") or EVM.networks[0]


async def sign_transaction(holder: Holder, on: Network, unsigned: Any, policy: Policy) -> Signed:
    decoded = EVM.decode(on, unsigned)
    EVM.check(decoded, holder.ours, policy, _NOW)
    prepared = EVM.prepare(decoded, holder.ours)
    return EVM.assemble(prepared, await holder.sign(prepared))


def sign(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "tx", "unsigned_hex")
    only(expected, "raw_tx", "tx_hash", "signing_hash", "v", "r", "s", "from")
    chain_id = given["tx"].get("chainId")
    on = network(None if chain_id is None else int(chain_id, 16))

    async def run(holder: Holder) -> None:
        for unsigned in (given["tx"], given["unsigned_hex"]):
            signed = await sign_transaction(holder, on, unsigned, PERMISSIVE)
            assert signed.complete
            found = {name: signed.details[name] for name in ("signing_hash", "v", "r", "s", "from")}
            assert {"raw_tx": signed.raw, "tx_hash": signed.tx_id, **found} == expected

    with_key(given, run)


def sign_authorization(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "chainId", "address", "nonce")
    only(expected, "authorization_hash", "yParity", "r", "s", "authority")
    document = {"chain_id": given["chainId"], "address": given["address"], "nonce": given["nonce"]}
    message = Message("eip7702", document=document)

    async def run(holder: Holder) -> None:
        on = network(given["chainId"] or 1)
        prepared, _ = EVM.prepare_message(on, message, holder.ours)
        signed = EVM.assemble_message(prepared, await holder.sign(prepared))
        details = signed.details
        assert {
            "authorization_hash": signed.digest,
            "yParity": details["y_parity"],
            "r": details["r"],
            "s": details["s"],
            "authority": signed.address,
        } == expected
        assert details["chain_id"] == str(given["chainId"])
        assert EVM.verify_message(on, message, signed.signature, signed.address)

    with_key(given, run)


def sign_personal(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "message_utf8", "message_hex", "method")
    assert given["method"] == "personal_sign (EIP-191 version 0x45)"
    data = bytes.fromhex(given["message_hex"].removeprefix("0x"))
    if "message_utf8" in given:
        assert given["message_utf8"].encode() == data
    _sign_message(given, expected, Message("eip191", data=data), network(1))


def sign_typed(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "typed_data", "method")
    assert given["method"] == "eth_signTypedData_v4"
    document = given["typed_data"]
    chain_id = document.get("domain", {}).get("chainId")
    on = network(None if chain_id is None else int(str(chain_id), 0))
    _sign_message(given, expected, Message("eip712", document=document), on)


def _sign_message(given: Vector, expected: Vector, message: Message, on: Network) -> None:
    only(expected, "hash", "signature", "address")

    async def run(holder: Holder) -> None:
        prepared, _ = EVM.prepare_message(on, message, holder.ours)
        signed = EVM.assemble_message(prepared, await holder.sign(prepared))
        assert {"hash": signed.digest, "signature": signed.signature, "address": signed.address} == expected
        assert EVM.verify_message(on, message, expected["signature"], expected["address"])

    with_key(given, run)


def address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "private_key_hex")
    only(expected, "address", "public_key_uncompressed_hex")

    async def run(holder: Holder) -> None:
        found = EVM.render(network(1), EVM.schemes("evm")["raw"], holder.node.public_key)
        uncompressed = secp256k1.reserialize(holder.node.public_key, compressed=False).hex()
        assert {"address": found.address, "public_key_uncompressed_hex": uncompressed} == expected
        assert EVM.parse_address(network(1), expected["address"]).canonical == found.canonical

    with_key(given, run)


def created_address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "sender", "nonce")
    sender = EVM.parse_address(network(1), given["sender"]).canonical
    found = eip55.checksum(addresses.created_by(sender, given["nonce"]))
    assert {"contract_address": found} == expected


def derive(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "path")
    seed = bip39.seed(bip39.parse(given["mnemonic"]), given["passphrase"])
    indexes = bip32.parse_path(given["path"])
    node = public_node(seed, indexes)
    found = {
        "public_key_hex": node.public_key.hex(),
        "address": EVM.render(network(1), EVM.default_scheme("evm", WalletKind.BIP39), node.public_key).address,
    }
    if vector["group"] == "eth.derive":
        with derivation.derive(seed, indexes) as private:
            found["private_key_hex"] = private.key.reveal().hex()
        found["account_xpub"] = bip32.xpub(public_node(seed, indexes[:3]))
    else:
        assert node.chain_code is not None
        found["xpub"], found["chain_code_hex"] = bip32.xpub(node), node.chain_code.hex()
    assert found == expected


def public_node(seed: bytes, indexes: tuple[int, ...]) -> PublicNode:
    with derivation.derive(seed, indexes[:-1]) as parent:
        parent_fingerprint = bip32.fingerprint(derivation.public_key(parent))
    with derivation.derive(seed, indexes) as node:
        path, chain_code = bip32.format_path(indexes), bytes(node.chain_code.reveal())
        return PublicNode(path, derivation.public_key(node), chain_code, parent_fingerprint)


def abi_call(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "function", "args")
    found = {
        "data": hexadecimal.to_text(encode_call(given["function"], given["args"])),
        "selector": hexadecimal.to_text(abi.selector(given["function"])),
    }
    assert found == expected


def abi_result(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "function", "result_hex")
    name = given["function"].removesuffix("()")
    result = hexadecimal.to_bytes(given["result_hex"])
    if name == "decimals":
        [found] = abi.decode(["uint8"], result)
    elif len(result) == abi.WORD:  # bytes32 padded with zeros, of older tokens
        found = result.rstrip(b"\0").decode()
    else:
        [found] = abi.decode(["string"], result)
    assert {name: found} == expected


def refused_transaction(vector: Vector) -> None:
    """Under the rules of a fresh installation."""
    given = vector["input"]
    _refusal(vector["expected"])
    only(given, "private_key_hex", "tx", "unsigned_hex", "network_chain_id")
    unsigned = given.get("tx", given.get("unsigned_hex"))
    stated = given["tx"].get("chainId") if "tx" in given else None
    on = network(given.get("network_chain_id") or _stated(stated))

    async def run(holder: Holder) -> None:
        try:
            decoded = EVM.decode(on, unsigned)
            EVM.check(decoded, holder.ours, DEFAULT, _NOW)
            EVM.prepare(decoded, holder.ours)
        except Refused:
            return
        raise AssertionError("the transaction was not refused")

    with_key(given, run)


def refused_key(vector: Vector) -> None:
    _refusal(vector["expected"])
    only(vector["input"], "private_key_hex")

    async def run(_: Holder) -> None:
        raise AssertionError("the key was taken")

    try:
        with_key(vector["input"], run)
    except InvalidKey:
        return
    raise AssertionError("the key was not refused")


def refused_address(vector: Vector) -> None:
    only(vector["input"], "address")
    only(vector["expected"], "valid", "reason", "kind")
    assert vector["expected"]["valid"] is False
    try:
        EVM.parse_address(network(1), vector["input"]["address"])
    except InvalidAddress:
        return
    raise AssertionError("the address was not refused")


def refused_typed(vector: Vector) -> None:
    given = vector["input"]
    _refusal(vector["expected"])
    only(given, "private_key_hex", "typed_data")
    domain = given["typed_data"].get("domain")
    chain_id = domain.get("chainId") if isinstance(domain, dict) else None
    on = network(_stated(chain_id))

    async def run(holder: Holder) -> None:
        try:
            EVM.prepare_message(on, Message("eip712", document=given["typed_data"]), holder.ours)
        except InvalidMessage:
            return
        raise AssertionError("the typed data was not refused")

    with_key(given, run)


def _stated(chain_id: Any) -> int | None:
    """The network that a bad document would be for, so that it is not refused for its network alone."""
    try:
        return chain_id if type(chain_id) is int else int(chain_id, 0)
    except (TypeError, ValueError):
        return None


def _refusal(expected: Vector) -> None:
    only(expected, "error", "reason", "kind")
    assert expected["error"] is True


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "eth.address": address,
    "eth.address.create": created_address,
    "eth.derive": derive,
    "eth.derive.xpub": derive,
    "eth.message.eip191": sign_personal,
    "eth.message.eip712": sign_typed,
    "eth.negative.address": refused_address,
    "eth.negative.eip712": refused_typed,
    "eth.negative.key": refused_key,
    "eth.negative.rlp": refused_transaction,
    "eth.negative.tx": refused_transaction,
    "eth.sign.authorization7702": sign_authorization,
    "eth.sign.eip1559": sign,
    "eth.sign.eip2930": sign,
    "eth.sign.eip4844": sign,
    "eth.sign.eip7702": sign,
    "eth.sign.legacy": sign,
    "eth.sign.legacy_pre155": sign,
    "eth.token.abi": abi_call,
    "eth.token.decode": abi_result,
}
