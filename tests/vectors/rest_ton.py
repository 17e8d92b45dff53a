"""The TON vectors, as far as REST can tell them.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong and NotExpressible where REST has no
words for the vector. What a signed message holds is read by pytoniq-core.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from pytoniq_core import Cell

from tests.oracles import ton as oracle
from tests.vectors.rest import Face, NotExpressible, Rest, Vector, runner, same
from tests.vectors.rest_common import no_words

Document = dict[str, Any]

_FORMS = {
    "raw": "raw",
    "bounceable_mainnet": "bounceable",
    "non_bounceable_mainnet": "non_bounceable",
    "bounceable_testnet": "bounceable_testnet",
    "non_bounceable_testnet": "non_bounceable_testnet",
}
_NETWORKS = {"mainnet": "ton", "testnet": "ton-testnet"}
_KEYSPACES = {"ton": "ton", "ton-testnet": "ton-test"}
_WALLETS = {
    "v3R2": ("v3r2", "ton"),
    "v4R2": ("v4r2", "ton"),
    "v5R1_mainnet": ("v5r1", "ton"),
    "v5R1_testnet": ("v5r1", "ton-testnet"),
}
_NAMES = {"to": "address", "value": "amount"}
_REFUSED = {"invalid_transaction", "limit_exceeded", "option_required", "invalid_address", "unknown_scheme"}
_CONTRACTS = ("v5r1", "v4r2", "v3r2", "highload3")
_SOMEBODY = "EQDYW_1eScJVxtitoBRksvoV9cCYo4uKGWLVNIHB1JqRR3n0"


def forms(found: Document) -> Document:
    return {name: found["forms"][ours] for name, ours in _FORMS.items()}


def at(face: Face, wallet: Document, network: str, scheme: str, **more: str) -> Document:
    return face.get(f"/wallets/{wallet['id']}/address/{network}", scheme=scheme, **more)


def key_wallet(face: Face, key: str, network: str) -> Document:
    return face.key_wallet(key, keyspace=_KEYSPACES[network], network=network)


@runner(
    {"mnemonic", "scheme"},
    {"private_key_hex", "public_key_hex", "wallets"},
    optional={"password", "passphrase", "path"},
)
def derive(rest: Rest, given: Document, expected: Document) -> None:
    """The words' addresses, and those of the private key by itself."""
    face = rest.permissive
    if "password" in given:
        more = {"passphrase": given["password"]} if given["password"] else {}
        words, keys, path = (
            face.wallet("ton", kind="ton_native", mnemonic=given["mnemonic"], **more), "native", {},
        )  # fmt: skip
    else:
        words = face.wallet("ton", kind="bip39", mnemonic=given["mnemonic"], passphrase=given["passphrase"])
        keys = "bip39" if given["path"].count("/") == 3 else "ledger"
        path = {"path": given["path"]}
    for name, (contract, network) in _WALLETS.items():
        alone = key_wallet(face, expected["private_key_hex"], network)
        found = [at(face, alone, network, f"raw-{contract}")]
        if not (keys == "ledger" and network == "ton-testnet"):  # there Ledger has another path
            found.append(at(face, words, network, f"{keys}-{contract}", **path))
        for each in found:
            same("public_key_hex", each["public_key"], expected["public_key_hex"])
            told = {"wallet_id": each["details"]["wallet_id"], **forms(each)}
            same(name, told, expected["wallets"][name])
    same("wallets", expected["wallets"].keys(), _WALLETS.keys())


@runner(
    {"private_key_hex", "wallet_version", "wallet_id"},
    {"public_key_hex", "address", *_FORMS},
    optional={"network"},
)
def wallet_address(rest: Rest, given: Document, expected: Document) -> None:
    network = _NETWORKS[given.get("network", "mainnet")]
    wallet = key_wallet(rest.permissive, given["private_key_hex"], network)
    found = at(rest.permissive, wallet, network, f"raw-{given['wallet_version'].lower()}")
    same("wallet_id", found["details"]["wallet_id"], given["wallet_id"])
    told = {"public_key_hex": found["public_key"], "address": found["address"], **forms(found)}
    same("address", told, expected)


@runner({"address"}, {"valid", "workchain", "hash_hex", *_FORMS}, optional={"flags"})
def address(rest: Rest, given: Document, expected: Document) -> None:
    found = rest.permissive.post("/networks/ton-testnet/validate-address", {"address": given["address"]})
    details = found["details"]
    told = {
        "valid": found["valid"],
        "workchain": details["workchain"],
        "hash_hex": details["raw"].partition(":")[2],
        **forms(found),
    }
    if "bounceable" in details:
        told["flags"] = {"bounceable": details["bounceable"], "test_only": details["test_only"]}
    same("address", told, expected)


def form(given: Document) -> Document:
    messages = [{_NAMES.get(name, name): value for name, value in each.items()} for each in given["messages"]]
    names = ("seqno", "valid_until", "send_mode", "deploy")
    top: dict[str, Any] = {name: given[name] for name in names if name in given}
    return {**top, "messages": messages}


@runner(
    {"private_key_hex", "wallet_version", "wallet_id", "network", "workchain", "seqno", "valid_until", "send_mode",
     "deploy", "messages"},
    {"wallet_address", "wallet_raw", "layouts", "semantics"},
)  # fmt: skip
def sign(rest: Rest, given: Document, expected: Document) -> None:
    network, face = _NETWORKS[given["network"]], rest.permissive
    wallet = key_wallet(face, given["private_key_hex"], network)
    scheme = f"raw-{given['wallet_version'].lower()}"
    found = at(face, wallet, network, scheme)
    same("wallet_id", found["details"]["wallet_id"], given["wallet_id"])
    same("wallet_raw", found["forms"]["raw"], expected["wallet_raw"])
    same("wallet_address", found["address"], expected["wallet_address"])
    body = {
        "network": network,
        "scheme": scheme,
        "unsigned_tx": form(given) | {"from": found["address"]},
        "options": {"allow_resign": True},
    }
    made = face.post(f"/wallets/{wallet['id']}/sign", body)
    inline, details = expected["layouts"]["inline"], made["details"]
    same("tx_id", made["tx_id"], inline["normalized_ext_hash_tep467"])
    same("message_hash", details["message_hash"], inline["ext_msg_hash"])
    for name in ("signing_hash", "signature", "body_hash"):
        same(name, details[name], inline[name])
    root = Cell.one_from_boc(base64.b64decode(made["signed_tx"]))
    same("the bag", root.hash, Cell.one_from_boc(base64.b64decode(inline["boc_base64"])).hash)
    same("semantics", oracle.semantics(root, given["wallet_version"]), expected["semantics"])
    told = [
        (action["details"]["to_raw"], action["details"].get("value", action.get("amount")), action["details"]["bounce"])
        for action in made["summary"]["actions"]
    ]
    sent = [(each["dest_raw"], each["value"], each["bounce"]) for each in expected["semantics"]["messages"]]
    same("summary", told, sent)


def statement(given: Document) -> Document:
    if "message_utf8" in given:
        return {"format": "ton-personal", "message": given["message_utf8"], "encoding": "text"}
    found = {"domain": given["domain"], "timestamp": given["timestamp"]}
    if "type" in given:
        content = {name: given[name] for name in ("type", "text", "bytes", "schema", "cell") if name in given}
        return {"format": "ton-sign-data", **found, "payload": content}
    return {"format": "ton-proof", **found, "payload": given["payload"]}


def message(rest: Rest, vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    known = {
        "private_key_hex", "message_utf8", "method", "operation", "address", "public_key_hex", "domain", "timestamp",
        "payload", "signature_base64", "type", "text", "bytes", "schema", "cell",
    }  # fmt: skip
    assert given.keys() <= known, "input keys that this runner does not know"
    assert expected.keys() <= {"signature_hex", "signature_base64", "public_key_hex", "hash", "valid"}
    if given.get("operation") == "verify":
        verify(rest, given, expected)
    else:
        sign_message(rest, given, expected)


def verify(rest: Rest, given: Document, expected: Document) -> None:
    proof = statement(given) | {
        "address": given["address"],
        "public_key": given["public_key_hex"],
        "signature": given["signature_base64"],
    }
    same("valid", rest.permissive.post("/networks/ton/verify-message", proof)["valid"], expected["valid"])
    text = oracle.proof_hash(given["address"], given["domain"], given["timestamp"], given["payload"])
    same("hash", text.hex(), expected["hash"])  # an answer of verify has none; it is what the signature is of
    oracle.check_signature(given["public_key_hex"], text, given["signature_base64"])


def sign_message(rest: Rest, given: Document, expected: Document) -> None:
    face = rest.permissive
    wallet = key_wallet(face, given["private_key_hex"], "ton")
    scheme = next(schemes(face, wallet, given.get("address")), None)
    if scheme is None:
        raise NotExpressible("the address is of no wallet contract that this key has here")
    asked = {"network": "ton", "scheme": scheme, **statement(given)}
    made = face.post(f"/wallets/{wallet['id']}/sign-message", asked)
    told = {
        "signature_hex": base64.b64decode(made["signature"]).hex(),
        "signature_base64": made["signature"],
        "public_key_hex": made["details"]["public_key"],
        "hash": made["digest"],
    }
    same("answer", {name: told[name] for name in told if name in expected}, expected)
    proof = statement(given) | {
        "address": made["address"],
        "signature": made["signature"],
        "public_key": made["details"]["public_key"],
    }
    same("verify", face.post("/networks/ton/verify-message", proof), {"valid": True})


def schemes(face: Face, wallet: Document, raw: str | None) -> Iterator[str]:
    """Those under which the wallet's key has this address."""
    for contract in _CONTRACTS:
        if raw is None or at(face, wallet, "ton", f"raw-{contract}")["forms"]["raw"] == raw:
            yield f"raw-{contract}"


def decoded(rest: Rest, **content: str) -> Document:
    """The one action of a transfer that carries a body."""
    transfer = {
        "seqno": 1,
        "valid_until": 1893456000,
        "messages": [{"address": _SOMEBODY, "amount": "1", **content}],
    }
    found = rest.permissive.post("/networks/ton/decode", {"unsigned_tx": transfer})
    [action] = found["summary"]["actions"]
    assert isinstance(action, dict)
    return action


@runner(
    {"query_id", "amount", "destination", "response_destination", "custom_payload", "forward_ton_amount",
     "forward_comment", "forward_payload_layout"},
    {"body_boc_base64", "body_hash"},
)  # fmt: skip
def jetton(rest: Rest, given: Document, expected: Document) -> None:
    body = Cell.one_from_boc(base64.b64decode(expected["body_boc_base64"]))
    same("body_hash", body.hash.hex(), expected["body_hash"])
    action = decoded(rest, payload=expected["body_boc_base64"])
    details = action["details"]
    told = {
        "query_id": details["query_id"],
        "amount": action["amount"],
        "destination": action["to"],
        "response_destination": details["response_to"],
        "custom_payload": details.get("custom_payload"),
        "forward_ton_amount": details["forward_amount"],
        "forward_comment": details.get("comment"),
        "forward_payload_layout": given["forward_payload_layout"],
    }
    same("kind", action["kind"], "jetton_transfer")
    same("transfer", told, given)


@runner({"comment"}, {"body_boc_base64", "body_hash"})
def comment(rest: Rest, given: Document, expected: Document) -> None:
    """Written as the payload it is read; written as a comment it becomes the same body."""
    body = Cell.one_from_boc(base64.b64decode(expected["body_boc_base64"]))
    same("body_hash", body.hash.hex(), expected["body_hash"])
    same("comment", decoded(rest, payload=expected["body_boc_base64"])["details"]["comment"], given["comment"])
    wallet = key_wallet(rest.permissive, "11" * 32, "ton")
    transfer = {
        "seqno": 1,
        "valid_until": 1893456000,
        "messages": [{"address": _SOMEBODY, "amount": "1", "comment": given["comment"]}],
    }
    body_of = {"network": "ton", "scheme": "raw-v5r1", "unsigned_tx": transfer, "options": {"allow_resign": True}}
    made = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body_of)
    root = Cell.one_from_boc(base64.b64decode(made["signed_tx"]))
    [sent] = oracle.semantics(root, "v5R1")["messages"]
    same("body of the signed transfer", sent["body_hash"], expected["body_hash"])


@runner({"mnemonic", "scheme"}, {"error", "reason"}, optional={"password"})
def negative_mnemonic(rest: Rest, given: Document, expected: Document) -> None:
    same("error", expected["error"], True)
    kind = "bip39" if given["scheme"] == "bip39" else "ton_native"
    body = {"kind": kind, "mnemonic": given["mnemonic"], "networks": ["ton"]}
    if given.get("password"):
        body["passphrase"] = given["password"]
    rest.strict.refuses("POST", "/wallets/import", {"invalid_mnemonic"}, json=body)


@runner({"address"}, {"valid", "reason"})
def negative_address(rest: Rest, given: Document, expected: Document) -> None:
    for network in _NETWORKS.values():
        found = rest.strict.post(f"/networks/{network}/validate-address", {"address": given["address"]})
        same("valid", found["valid"], expected["valid"])
    transfer = {
        "seqno": 1,
        "valid_until": 1893456000,
        "messages": [{"address": given["address"], "amount": "1"}],
    }
    rest.strict.refuses("POST", "/networks/ton/decode", {"invalid_address"}, json={"unsigned_tx": transfer})


@runner(
    {"private_key_hex", "wallet_version", "send_mode", "messages"},
    {"error", "reason", "kind"},
    optional={"network", "seqno", "valid_until"},
)
def negative_transfer(rest: Rest, given: Document, expected: Document) -> None:
    same("error", expected["error"], True)
    network = _NETWORKS[given.get("network", "mainnet")]
    wallet = key_wallet(rest.strict, given["private_key_hex"], network)
    scheme = f"raw-{given['wallet_version'].lower()}"
    if scheme.removeprefix("raw-") in _CONTRACTS:
        at(rest.strict, wallet, network, scheme)
    body = {"network": network, "scheme": scheme, "unsigned_tx": form(given)}
    rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", _REFUSED, json=body)


@runner(
    {"mnemonic", "passphrase", "wallet_version"},
    {"must_not_equal_raw", "must_not_equal", "correct_v4R2", "correct_path"},
)
def predecessor(rest: Rest, given: Document, expected: Document) -> None:
    face = rest.permissive
    wallet = face.wallet("ton", kind="bip39", mnemonic=given["mnemonic"], passphrase=given["passphrase"])
    found = at(face, wallet, "ton", f"bip39-{given['wallet_version'].lower()}")
    same("path", found["path"], expected["correct_path"])
    same("address", found["forms"]["bounceable"], expected["correct_v4R2"])
    theirs = face.post("/networks/ton/validate-address", {"address": expected["must_not_equal"]})
    same("must_not_equal", theirs["forms"]["raw"], expected["must_not_equal_raw"])
    assert found["forms"]["raw"] != expected["must_not_equal_raw"]


_SIGN = [f"ton.sign.{name}{kind}" for name in ("v3R2", "v4R2", "v5R1") for kind in ("", ".jetton")]
RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    **dict.fromkeys(("ton.derive.native24", "ton.derive.bip39", "ton.derive.ledger"), derive),
    "ton.address.wallet": wallet_address,
    "ton.address": address,
    **dict.fromkeys(_SIGN, sign),
    **dict.fromkeys(("ton.message.personal_sign", "ton.message.ton_proof", "ton.message.sign_data"), message),
    "ton.token.jetton": jetton,
    "ton.token.comment": comment,
    "ton.token.get_wallet_address": no_words("nothing reads the chain"),
    "ton.negative.mnemonic": negative_mnemonic,
    "ton.negative.address": negative_address,
    "ton.negative.tx": negative_transfer,
    "ton.negative.boc": no_words("nothing reads the chain"),
    "ton.negative.predecessor": predecessor,
}
