"""The Solana vectors, as far as REST can tell them.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong and NotExpressible where REST has no
words for the vector.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import base58

from tests.vectors.rest import NotExpressible, Rest, Vector, runner, same, segment

Document = dict[str, Any]
NETWORK = "solana"
_REFUSED = {"invalid_transaction", "limit_exceeded", "wrong_key", "malformed_request", "invalid_message"}
_EMPTY = "1" * 64
_SIGNED = {
    "signed_tx_base64", "signed_tx_base58", "signatures_base58", "txid", "complete", "fee_payer", "size_bytes",
    "required_signers",
}  # fmt: skip


def key_wallet(rest: Rest, key: str, form: str = "hex") -> Document:
    return rest.permissive.key_wallet(key, "solana", NETWORK, form)


@runner({"address"}, {"valid", "public_key_hex", "on_curve"}, optional={"note"})
def address(rest: Rest, given: Document, expected: Document) -> None:
    found = rest.permissive.post(f"/networks/{NETWORK}/validate-address", {"address": given["address"]})
    same("valid", found["valid"], expected["valid"])
    same("hex", found["forms"]["hex"], expected["public_key_hex"])
    same("on_curve", found["details"]["on_curve"], expected["on_curve"])


@runner(
    {"mnemonic", "passphrase", "path", "scheme"},
    {"private_key_hex", "public_key_hex", "address", "secret_key_base58_64bytes"},
)
def derive(rest: Rest, given: Document, expected: Document) -> None:
    for form, key in (("hex", "private_key_hex"), ("base58", "secret_key_base58_64bytes")):
        alone = key_wallet(rest, expected[key], form)["addresses"][0]
        same("address of the key", alone["address"], expected["address"])
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"], network=NETWORK)
    at = rest.permissive.address_at(wallet, given["path"] or "m", NETWORK)
    if at is None:
        raise NotExpressible("the path fits no scheme")
    same("public_key", at["public_key"], expected["public_key_hex"])
    same("address", at["address"], expected["address"])


@runner(
    {"private_key_hex", "message_hex", "method"},
    {"signature_base58", "signature_hex", "address"},
    optional={"message_utf8"},
)
def message(rest: Rest, given: Document, expected: Document) -> None:
    wallet = key_wallet(rest, given["private_key_hex"])
    forms = [{"message": given["message_hex"], "encoding": "hex"}]
    if "message_utf8" in given:
        forms.append({"message": given["message_utf8"], "encoding": "text"})
    for form in forms:
        body = {"network": NETWORK, "format": "solana", **form}
        signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign-message", body)
        same("signature", signed["signature"], expected["signature_base58"])
        same("bytes of the signature", base58.b58decode(signed["signature"]).hex(), expected["signature_hex"])
        same("address", signed["address"], expected["address"])
        proof = {"format": "solana", **form, "signature": signed["signature"], "address": expected["address"]}
        same("verify", rest.permissive.post(f"/networks/{NETWORK}/verify-message", proof), {"valid": True})


@runner(
    {"private_keys_hex", "addresses", "unsigned_tx_base64", "message_base64", "version"},
    _SIGNED,
    optional={"mnemonic", "path", "describe"},
)
def sign(rest: Rest, given: Document, expected: Document) -> None:
    decoded = rest.permissive.post(f"/networks/{NETWORK}/decode", {"unsigned_tx": given["unsigned_tx_base64"]})
    same("fee_payer", decoded["summary"]["details"]["fee_payer"], expected["fee_payer"])
    same("signers", decoded["summary"]["details"]["signers"], expected["required_signers"])
    unsigned = given["unsigned_tx_base64"]
    signed: Document = {}
    for key in given["private_keys_hex"]:
        wallet = key_wallet(rest, key)
        body = {"network": NETWORK, "unsigned_tx": unsigned, "options": {"allow_resign": True}}
        signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body)
        unsigned = signed["signed_tx"]
    same("signed_tx", signed["signed_tx"], expected["signed_tx_base64"])
    raw = base64.b64decode(signed["signed_tx"])
    same("signed_tx in base58", base58.b58encode(raw).decode(), expected["signed_tx_base58"])
    same("size", len(raw), expected["size_bytes"])
    same("complete", signed["complete"], expected["complete"])
    same("tx_id", signed["tx_id"], expected["txid"])
    made = [each or _EMPTY for each in signed["details"]["signatures"]]
    same("signatures", made, expected["signatures_base58"])


@runner({"owner", "mint", "token_program"}, {"associated_token_address", "bump"})
def associated_address(rest: Rest, given: Document, expected: Document) -> None:
    """As the structured form finds it: by whom it is to be paid to."""
    programs = {"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA": "spl-token"}
    transfer = {
        "to": given["owner"],
        "mint": given["mint"],
        "amount": "1",
        "decimals": 0,
        "token_program": programs.get(given["token_program"], "token-2022"),
        "to_program_address": True,
    }
    form = {"fee_payer": given["owner"], "recent_blockhash": given["mint"], "transfers": [transfer]}
    decoded = rest.permissive.post(f"/networks/{NETWORK}/decode", {"unsigned_tx": form})
    made = decoded["summary"]["actions"][0]
    same("associated_token_address", made["to"], expected["associated_token_address"])


def instruction(rest: Rest, vector: Vector) -> None:
    raise NotExpressible("a single instruction is no transaction")


@runner({"address"}, {"valid", "reason"}, optional={"kind"})
def refused_address(rest: Rest, given: Document, expected: Document) -> None:
    shown = rest.strict.post(f"/networks/{NETWORK}/validate-address", {"address": given["address"]})
    same("valid", (shown["valid"], shown["address"]), (expected["valid"], None))
    if given["address"]:
        path = f"/addresses/{NETWORK}/{segment(given['address'])}"
        rest.strict.refuses("GET", path, {"invalid_address"})


@runner({"private_key_hex"}, {"error", "reason"}, optional={"unsigned_tx_base64", "sign_message_hex", "kind"})
def refused_transaction(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    wallet = rest.strict.key_wallet(given["private_key_hex"], "solana", NETWORK)
    if "sign_message_hex" in given:
        body = {"network": NETWORK, "format": "solana", "message": given["sign_message_hex"], "encoding": "hex"}
        rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign-message", _REFUSED, json=body)
    else:
        body = {"network": NETWORK, "unsigned_tx": given["unsigned_tx_base64"]}
        rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", _REFUSED, json=body)


@runner({"private_key_hex"}, {"error", "reason"}, optional={"kind"})
def refused_key(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    body = {"kind": "raw_key", "keyspace": "solana", "format": "hex", "key": given["private_key_hex"]}
    rest.strict.refuses("POST", "/wallets/import", {"invalid_key"}, json=body)


@runner({"mnemonic", "passphrase"}, {"must_not_equal", "correct_default", "correct_path"})
def predecessor(rest: Rest, given: Document, expected: Document) -> None:
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"], network=NETWORK)
    found = rest.permissive.get(f"/wallets/{wallet['id']}/address/{NETWORK}")
    same("address", found["address"], expected["correct_default"])
    same("path", found["path"], expected["correct_path"])
    assert found["address"] != expected["must_not_equal"]


RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    "sol.address": address,
    "sol.derive": derive,
    "sol.derive.cli": derive,
    "sol.message.raw": message,
    "sol.negative.address": refused_address,
    "sol.negative.key": refused_key,
    "sol.negative.predecessor": predecessor,
    "sol.negative.tx": refused_transaction,
    "sol.sign.legacy": sign,
    "sol.sign.partial": sign,
    "sol.sign.v0": sign,
    "sol.token.ata": associated_address,
    "sol.token.instruction": instruction,
}
