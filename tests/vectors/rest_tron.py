"""The Tron vectors, as far as REST can tell them.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.oracles.bip32 import Node
from tests.vectors.rest import Rest, Vector, runner, same, segment

Document = dict[str, Any]

_WORDS = {"mnemonic", "passphrase", "path"}
_SIGNED = {"txID", "raw_data_hex", "signature", "signature_v01", "signed_transaction_protobuf_hex", "signed_json"}
_REFUSED_TRANSACTION = {
    "invalid_transaction", "limit_exceeded", "option_required", "invalid_address", "wrong_key", "malformed_request",
}  # fmt: skip
_SOME_CONTRACT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
_SOME_KEY = "11" * 32
_KNOWN_CALLS: dict[str, tuple[str, ...]] = {
    "transfer(address,uint256)": ("to", "amount"),
    "approve(address,uint256)": ("spender", "amount"),
    "transferFrom(address,address,uint256)": ("from_address", "to", "amount"),
}
"""Where the summary of a call shows its arguments, in order."""


def key_wallet(rest: Rest, key: str) -> Document:
    return rest.permissive.key_wallet(key, "tron", "tron")


def keys(rest: Rest, given: Document) -> Iterator[tuple[str, Document]]:
    """The wallets that hold the vector's key, each as its URL and how a request names the key."""
    alone = key_wallet(rest, given["private_key_hex"])
    yield f"/wallets/{alone['id']}", {}
    if "mnemonic" in given:
        seeded = rest.permissive.words_wallet(given["mnemonic"], given.get("passphrase", ""))
        at = rest.permissive.address_at(seeded, given["path"], "tron")
        assert at is not None, "the path fits no scheme"
        same("public key at the path", at["public_key"], alone["addresses"][0]["public_key"])
        yield f"/wallets/{seeded['id']}", {"path": given["path"]}


def address(rest: Rest, vector: Vector) -> None:
    (address_of_key if "private_key_hex" in vector["input"] else valid_address)(rest, vector)


@runner({"private_key_hex"}, {"address", "hex"})
def address_of_key(rest: Rest, given: Document, expected: Document) -> None:
    found = key_wallet(rest, given["private_key_hex"])["addresses"][0]
    same("address", found["address"], expected["address"])
    same("hex", found["forms"]["hex"], expected["hex"])


@runner({"address"}, {"valid", "hex", "evm"})
def valid_address(rest: Rest, given: Document, expected: Document) -> None:
    for network in ("tron", "tron-nile", "tron-shasta"):
        found = rest.permissive.post(f"/networks/{network}/validate-address", {"address": given["address"]})
        same("valid", found["valid"], expected["valid"])
        same("hex", found["forms"]["hex"], expected["hex"])
        same("evm", found["forms"]["evm"], expected["evm"])
        same("address", found["address"], given["address"])


@runner({"address"}, {"valid", "reason"}, optional={"kind"})
def refused_address(rest: Rest, given: Document, expected: Document) -> None:
    """Wherever a caller can send one: to be looked at, to be looked up, to be verified for."""
    assert expected["valid"] is False
    text = given["address"]
    shown = rest.strict.post("/networks/tron/validate-address", {"address": text})
    same("validate-address", (shown["valid"], shown["address"]), (False, None))
    assert shown["reason"]
    if text:
        rest.strict.refuses("GET", f"/addresses/tron/{segment(text)}", {"invalid_address"})
    proof = {"format": "tip191", "message": "", "encoding": "text", "signature": "0x" + "00" * 65, "address": text}
    rest.strict.refuses("POST", "/networks/tron/verify-message", {"invalid_address"}, json=proof)


@runner(
    {"mnemonic", "passphrase", "path"},
    {"private_key_hex", "public_key_hex", "address", "address_hex", "evm_address", "account_xpub"},
)
def derive(rest: Rest, given: Document, expected: Document) -> None:
    alone = key_wallet(rest, expected["private_key_hex"])["addresses"][0]
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    at = rest.permissive.address_at(wallet, given["path"], "tron")
    assert at is not None, "the path fits no scheme"
    for found in (alone, at):
        same("public_key", found["public_key"], expected["public_key_hex"])
        same("address", found["address"], expected["address"])
        same("address_hex", found["forms"]["hex"], expected["address_hex"])
        same("evm_address", found["forms"]["evm_checksum"], expected["evm_address"])
    number = given["path"].split("/")[3].removesuffix("'")
    account = rest.permissive.get(f"/wallets/{wallet['id']}/accounts/tron", account=number)
    same("account_xpub", account["extended_public_key"], expected["account_xpub"])
    below = Node.from_text(account["extended_public_key"]).below(given["path"].removeprefix(account["path"]).strip("/"))
    same("public key below the account", below.public.hex(), expected["public_key_hex"])


@runner({"private_key_hex", "owner", "unsigned"}, _SIGNED, optional=_WORDS)
def sign(rest: Rest, given: Document, expected: Document) -> None:
    unsigned = given["unsigned"]
    for form in (unsigned, unsigned["raw_data_hex"]):
        decoded = rest.permissive.post("/networks/tron/decode", {"unsigned_tx": form})
        same("tx_id", decoded["summary"]["details"]["tx_id"], expected["txID"])
        same("owner", decoded["summary"]["from_address"], given["owner"])
        for wallet, key in keys(rest, given):
            signed = rest.permissive.post(f"{wallet}/sign", {"network": "tron", "unsigned_tx": form, **key})
            details = signed["details"]
            same("txID", signed["tx_id"], expected["txID"])
            same("raw_data_hex", details["raw_data_hex"], expected["raw_data_hex"])
            same("signature", details["signature"], expected["signature"])
            short = bytes.fromhex(details["signature"])
            same("signature_v01", (short[:64] + bytes([short[64] - 27])).hex(), expected["signature_v01"])
            same("protobuf", signed["signed_tx"], expected["signed_transaction_protobuf_hex"])
            same("broadcast_hex", details["broadcast_hex"], signed["signed_tx"])
            same("signed_json", details["transaction"], expected["signed_json"])


@runner(
    {"private_key_hex", "message_hex", "method"},
    {"hash", "signature", "address"},
    optional={"message_utf8", *_WORDS},
)
def message(rest: Rest, given: Document, expected: Document) -> None:
    same("method", given["method"], "TIP-191 / TronWeb signMessageV2")
    forms = [{"message": given["message_hex"], "encoding": "hex"}]
    if "message_utf8" in given:
        forms.append({"message": given["message_utf8"], "encoding": "text"})
    for form in forms:
        body = {"network": "tron", "format": "tip191", **form}
        for wallet, key in keys(rest, given):
            has_signature(rest.permissive.post(f"{wallet}/sign-message", {**body, **key}), expected)
        proof = {"format": "tip191", **form, "signature": expected["signature"], "address": expected["address"]}
        same("verify", rest.permissive.post("/networks/tron/verify-message", proof), {"valid": True})


@runner({"typed_data", "method"}, {"hash", "signature"}, optional={"private_key_hex", "address", *_WORDS})
def typed(rest: Rest, given: Document, expected: Document) -> None:
    """What was published without a key is signed with some key, for its hash."""
    same("method", given["method"], "TIP-712 (_signTypedData)")
    document = given["typed_data"]
    chain_id = document["domain"].get("chainId")
    network = "tron" if chain_id is None else f"tron:0x{int(str(chain_id), 0):08x}"
    for wallet, key in keys(rest, {"private_key_hex": _SOME_KEY, **given}):
        body = {"network": network, "typed_data": document, **key}
        signed = rest.permissive.post(f"{wallet}/sign-typed-data", body)
        if "private_key_hex" in given:
            has_signature(signed, expected)
        else:
            same("hash", signed["digest"], expected["hash"])
            same("signature", None, expected["signature"])
        proof = {"typed_data": document, "signature": signed["signature"], "address": signed["address"]}
        same("verify", rest.permissive.post(f"/networks/{network}/verify-typed-data", proof), {"valid": True})


def has_signature(signed: Document, expected: Document) -> None:
    same("hash", signed["digest"].removeprefix("0x"), expected["hash"].removeprefix("0x"))
    same("signature", signed["signature"], expected["signature"])
    same("address", signed["address"], expected["address"])


@runner({"function_selector", "args"}, {"data", "selector", "parameter"})
def call_data(rest: Rest, given: Document, expected: Document) -> None:
    """The data is built from the function and its arguments, and read back into them."""
    function, arguments = given["function_selector"], given["args"]
    same("data", expected["data"], expected["selector"] + expected["parameter"])
    call = {"type": "TriggerSmartContract", "owner_address": _SOME_CONTRACT, "contract_address": _SOME_CONTRACT}
    form = {"block_id": "00" * 32, "expiration": 1, "fee_limit": 1}
    forms = [
        {**form, "contract": {**call, **data}}
        for data in (
            {"data": expected["data"]},
            {"function_selector": function, "parameter": expected["parameter"]},
            {"function_selector": function, "arguments": arguments},
        )
    ]
    answers = [rest.permissive.post("/networks/tron/decode", {"unsigned_tx": one})["summary"] for one in forms]
    same("tx_id", len({answer["details"]["tx_id"] for answer in answers}), 1)
    if function not in _KNOWN_CALLS:
        same("method", answers[0]["actions"][0]["method"], "0x" + expected["selector"])
        return
    [action] = answers[0]["actions"]
    same("method", action["method"], function.partition("(")[0])
    for name, argument in zip(_KNOWN_CALLS[function], arguments, strict=True):
        same(name, action[name], argument)


@runner({"private_key_hex", "unsigned"}, {"error", "reason"}, optional={"kind"})
def refused_transaction(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    wallet = rest.strict.key_wallet(given["private_key_hex"], "tron", "tron")
    body = {"network": "tron", "unsigned_tx": given["unsigned"]}
    rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", _REFUSED_TRANSACTION, json=body)


RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    "tron.address": address,
    "tron.derive": derive,
    "tron.message.tip191": message,
    "tron.message.tip712": typed,
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
