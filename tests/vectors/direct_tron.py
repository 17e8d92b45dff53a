"""Runs one vector of ``tron.*.json`` against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare. Keys come from the service's signer, with a key wrap in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from strongroom.chains.tron import addresses, calls
from strongroom.chains.tron.chain import Tron
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.signing import Message, OurKey, Ours, Policy, Signed
from strongroom.domain.wallet import WalletKind
from strongroom.errors import InvalidAddress, Refused
from strongroom.keys import bip39, derivation
from tests.vectors.direct_common import only
from tests.vectors.direct_ethereum import Holder, public_node, with_key

Vector = dict[str, Any]

TRON = Tron()
NETWORK = TRON.networks[0]
PERMISSIVE = Policy(dict.fromkeys(TRON.limits))
"""For valid vectors. Their dates are fixed."""
DEFAULT = Policy(TRON.limits)
"""For invalid vectors, the defaults of a new installation."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_KEY_FIELDS = {"private_key_hex", "mnemonic", "passphrase", "path"}


def ours(holder: Holder) -> Ours:
    key = holder.node.public_key
    return {key: OurKey(key, holder.node.path, "bip44", addresses.from_public_key(key))}


async def sign_transaction(holder: Holder, unsigned: Any, policy: Policy) -> Signed:
    decoded = TRON.decode(NETWORK, unsigned)
    TRON.check(decoded, ours(holder), policy, _NOW)
    prepared = TRON.prepare(decoded, ours(holder))
    return TRON.assemble(prepared, await holder.sign(prepared))


def sign(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "owner", "unsigned")
    short = {**expected}
    other = short.pop("signature_v01")

    async def run(holder: Holder) -> None:
        [key] = ours(holder).values()
        assert addresses.to_text(key.address) == given["owner"]
        for unsigned in (given["unsigned"], given["unsigned"]["raw_data_hex"]):
            signed = await sign_transaction(holder, unsigned, PERMISSIVE)
            details = signed.details
            assert {
                "txID": signed.tx_id,
                "raw_data_hex": details["raw_data_hex"],
                "signature": details["signature"],
                "signed_json": details["transaction"],
                "signed_transaction_protobuf_hex": signed.raw,
            } == short
            made = bytes.fromhex(str(details["signature"]))
            assert (made[:64] + bytes([made[64] - 27])).hex() == other
            ids = TRON.identify(NETWORK, signed.raw)
            assert ids.tx_ids == (signed.tx_id,)

    with_key(given, run)


def sign_bytes(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "message_hex", "message_utf8", "method")
    assert given["method"] == "TIP-191 / TronWeb signMessageV2"
    data = bytes.fromhex(given["message_hex"])
    if "message_utf8" in given:
        assert given["message_utf8"].encode() == data
    _sign_message(given, expected, Message("tip191", data=data), NETWORK)


def sign_typed(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY_FIELDS, "typed_data", "method")
    assert given["method"] == "TIP-712 (_signTypedData)"
    document = given["typed_data"]
    message = Message("eip712", document=document)
    on = network(document["domain"].get("chainId"))
    if "private_key_hex" in given:
        _sign_message(given, expected, message, on)
        return
    only(expected, "hash", "signature")
    assert expected["signature"] is None
    _sign_message({"private_key_hex": "11" * 32}, {"hash": expected["hash"]}, message, on)


def network(chain_id: Any) -> Network:
    """By the chain id of a domain."""
    if chain_id is None:
        return NETWORK
    found = TRON.network_for(f"tron:0x{int(str(chain_id), 0):08x}")
    assert found is not None
    return next((known for known in TRON.networks if known.caip2 == found.caip2), found)


def _sign_message(given: Vector, expected: Vector, message: Message, on: Network) -> None:
    async def run(holder: Holder) -> None:
        prepared, _ = TRON.prepare_message(on, message, ours(holder))
        signed = TRON.assemble_message(prepared, await holder.sign(prepared))
        found = {"hash": signed.digest, "signature": signed.signature, "address": signed.address}
        if not expected["hash"].startswith("0x"):
            found["hash"] = str(signed.digest)[2:]
        assert {name: found.get(name) for name in expected} == expected
        assert TRON.verify_message(on, message, signed.signature, signed.address)

    with_key(given, run)


def address(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    if "private_key_hex" in given:
        only(given, "private_key_hex")
        with_key(given, lambda holder: _address_of(holder, expected))
        return
    only(given, "address")
    for text in (given["address"], expected["hex"]):
        found = TRON.parse_address(NETWORK, text)
        assert {"valid": True, "hex": found.forms["hex"], "evm": found.forms["evm"]} == expected
        assert found.address == given["address"]


async def _address_of(holder: Holder, expected: Vector) -> None:
    shown = TRON.render(NETWORK, TRON.schemes("tron")["raw"], holder.node.public_key)
    assert {"address": shown.address, "hex": shown.forms["hex"]} == expected
    assert TRON.parse_address(NETWORK, shown.address) == shown


def refused_address(vector: Vector) -> None:
    only(vector["input"], "address")
    only(vector["expected"], "valid", "reason", "kind")
    assert vector["expected"]["valid"] is False
    try:
        TRON.parse_address(NETWORK, vector["input"]["address"])
    except InvalidAddress:
        return
    raise AssertionError("the address was not refused")


def derive(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "mnemonic", "passphrase", "path")
    seed = bip39.seed(bip39.parse(given["mnemonic"]), given["passphrase"])
    indexes = bip32.parse_path(given["path"])
    node = public_node(seed, indexes)
    shown = TRON.render(NETWORK, TRON.default_scheme("tron", WalletKind.BIP39), node.public_key)
    with derivation.derive(seed, indexes) as private:
        private_key = private.key.reveal().hex()
    assert {
        "private_key_hex": private_key,
        "public_key_hex": node.public_key.hex(),
        "address": shown.address,
        "address_hex": shown.forms["hex"],
        "evm_address": shown.forms["evm_checksum"],
        "account_xpub": bip32.xpub(public_node(seed, indexes[:3])),
    } == expected
    assert any(scheme.match(given["path"]) is not None for scheme in TRON.schemes("tron").values())


def call_data(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "function_selector", "args")
    data = calls.encode(given["function_selector"], given["args"])
    assert {"data": data.hex(), "selector": data[:4].hex(), "parameter": data[4:].hex()} == expected


def refused_transaction(vector: Vector) -> None:
    """Under the rules of a fresh installation: today, and for its own sake at a time when it had not expired."""
    given, expected = vector["input"], vector["expected"]
    only(given, "private_key_hex", "unsigned")
    only(expected, "error", "reason", "kind")
    assert expected["error"] is True

    async def run(holder: Holder) -> None:
        _refused(holder, given["unsigned"], datetime.now(UTC))
        if "expir" not in expected["reason"]:
            _refused(holder, given["unsigned"], None)

    with_key(given, run)


def _refused(holder: Holder, unsigned: Any, now: datetime | None) -> None:
    try:
        decoded = TRON.decode(NETWORK, unsigned)
        TRON.check(decoded, ours(holder), DEFAULT, now or decoded.transaction.expires - timedelta(minutes=1))
        TRON.prepare(decoded, ours(holder))
    except Refused:
        return
    raise AssertionError("the transaction was not refused")


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "tron.address": address,
    "tron.derive": derive,
    "tron.message.tip191": sign_bytes,
    "tron.message.tip712": sign_typed,
    "tron.negative.address": refused_address,
    "tron.negative.tx": refused_transaction,
    "tron.sign.CancelAllUnfreezeV2Contract": sign,
    "tron.sign.DelegateResourceContract": sign,
    "tron.sign.FreezeBalanceV2Contract": sign,
    "tron.sign.TransferAssetContract": sign,
    "tron.sign.TransferContract": sign,
    "tron.sign.TriggerSmartContract": sign,
    "tron.sign.UnDelegateResourceContract": sign,
    "tron.sign.UnfreezeBalanceV2Contract": sign,
    "tron.sign.VoteWitnessContract": sign,
    "tron.sign.WithdrawBalanceContract": sign,
    "tron.sign.WithdrawExpireUnfreezeContract": sign,
    "tron.token.abi": call_data,
}
