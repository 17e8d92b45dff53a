"""The Ethereum vectors, as far as REST can tell them.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong and NotExpressible where REST has no
words for the vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.oracles.bip32 import Node, uncompressed
from tests.vectors.rest import NotExpressible, Rest, Vector, runner, same, segment
from tests.vectors.rest_common import no_words

Document = dict[str, Any]

_WORDS = {"mnemonic", "passphrase", "path"}
_SIGNED = {"raw_tx", "tx_hash", "signing_hash", "v", "r", "s", "from"}
_REFUSED_TRANSACTION = {
    "invalid_transaction", "limit_exceeded", "option_required", "invalid_address", "wrong_key", "malformed_request",
}  # fmt: skip
_SOME_CONTRACT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
_TRANSFER = {
    "type": "0x2", "chainId": "0x1", "nonce": "0x0", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1",
    "gas": "0x30d40", "value": "0x0", "data": "0x",
}  # fmt: skip
_KNOWN_CALLS: dict[str, tuple[str, ...]] = {
    "transfer(address,uint256)": ("to", "amount"),
    "approve(address,uint256)": ("spender", "amount"),
    "increaseAllowance(address,uint256)": ("spender", "amount"),
    "decreaseAllowance(address,uint256)": ("spender", "amount"),
    "transferFrom(address,address,uint256)": ("from_address", "to", "amount"),
    "safeTransferFrom(address,address,uint256)": ("from_address", "to", "token_id"),
    "safeTransferFrom(address,address,uint256,uint256,bytes)": ("from_address", "to", "token_id", "amount"),
    "setApprovalForAll(address,bool)": ("spender", "all"),
}
"""Where the summary of a call shows its arguments, in order."""


def keys(rest: Rest, given: Document) -> Iterator[tuple[str, Document]]:
    """The wallets that hold the vector's key, each as its URL and how a request names the key.

    The key by itself always; the words too, where the path fits a scheme, once they gave the same public key.
    """
    alone = rest.permissive.key_wallet(given["private_key_hex"])
    yield f"/wallets/{alone['id']}", {}
    if "mnemonic" in given:
        seeded = rest.permissive.words_wallet(given["mnemonic"], given.get("passphrase", ""))
        address = rest.permissive.address_at(seeded, given["path"])
        if address is not None:
            same("public key at the path", address["public_key"], alone["addresses"][0]["public_key"])
            yield f"/wallets/{seeded['id']}", {"path": given["path"]}


@runner({"private_key_hex"}, {"address", "public_key_uncompressed_hex"})
def address(rest: Rest, given: Document, expected: Document) -> None:
    found = rest.permissive.key_wallet(given["private_key_hex"])["addresses"][0]
    same("address", found["address"], expected["address"])
    public_key = uncompressed(bytes.fromhex(found["public_key"])).hex()
    same("public_key", public_key, expected["public_key_uncompressed_hex"])
    valid = rest.permissive.post("/networks/ethereum/validate-address", {"address": expected["address"]})
    same("validate-address", (valid["valid"], valid["address"]), (True, expected["address"]))
    owners = rest.permissive.get(f"/addresses/ethereum/{expected['address']}")["addresses"]
    assert found["wallet_id"] in {owner["wallet_id"] for owner in owners}


@runner({"sender", "nonce"}, {"contract_address"})
def created_address(rest: Rest, given: Document, expected: Document) -> None:
    creation = {**_TRANSFER, "from": given["sender"], "nonce": hex(given["nonce"]), "to": None, "data": "0x00"}
    decoded = rest.permissive.post("/networks/ethereum/decode", {"unsigned_tx": creation})
    [action] = decoded["summary"]["actions"]
    same("contract", action["contract"], expected["contract_address"])


@runner({"mnemonic", "passphrase", "path"}, {"private_key_hex", "public_key_hex", "address", "account_xpub"})
def derive(rest: Rest, given: Document, expected: Document) -> None:
    alone = rest.permissive.key_wallet(expected["private_key_hex"])["addresses"][0]
    same("public key of the private key", alone["public_key"], expected["public_key_hex"])
    same("address of the private key", alone["address"], expected["address"])
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    account = account_above(rest, wallet, given["path"])
    at = rest.permissive.address_at(wallet, given["path"])
    if at is None and account is None:
        raise NotExpressible("the path fits no scheme and is below no account")
    if at is not None:
        same("public_key", at["public_key"], expected["public_key_hex"])
        same("address", at["address"], expected["address"])
    if account is not None:
        same("account_xpub", account["extended_public_key"], expected["account_xpub"])
        below = node_below(account, given["path"])
        same("public key below the account", below.public.hex(), expected["public_key_hex"])


@runner({"mnemonic", "passphrase", "path"}, {"xpub", "public_key_hex", "chain_code_hex", "address"})
def derive_xpub(rest: Rest, given: Document, expected: Document) -> None:
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    account = account_above(rest, wallet, given["path"])
    if account is None:
        raise NotExpressible("the path is below no account")
    below = node_below(account, given["path"])
    same("xpub", below.xpub, expected["xpub"])
    same("public_key_hex", below.public.hex(), expected["public_key_hex"])
    same("chain_code_hex", below.chain_code.hex(), expected["chain_code_hex"])
    at = rest.permissive.address_at(wallet, given["path"])
    if at is not None:
        same("address", at["address"], expected["address"])


def account_above(rest: Rest, wallet: Document, path: str) -> Document | None:
    """The BIP-44 account on the way to a path, if nothing below it is hardened."""
    steps = path.split("/")
    if steps[:3] != ["m", "44'", "60'"] or len(steps) < 4 or not steps[3].endswith("'") or "'" in "".join(steps[4:]):
        return None
    found = rest.permissive.get(f"/wallets/{wallet['id']}/accounts/ethereum", account=steps[3][:-1])
    same("account path", found["path"], "/".join(steps[:4]))
    return found


def node_below(account: Document, path: str) -> Node:
    return Node.from_text(account["extended_public_key"]).below(path.removeprefix(account["path"]).strip("/"))


@runner({"private_key_hex", "tx", "unsigned_hex"}, _SIGNED, optional=_WORDS)
def sign(rest: Rest, given: Document, expected: Document) -> None:
    chain_id = given["tx"].get("chainId")
    network = "ethereum" if chain_id is None else f"eip155:{int(chain_id, 16)}"
    options = {"allow_resign": True, "allow_pre155": chain_id is None, "allow": ["creation_without_code"]}
    for unsigned in (given["tx"], given["unsigned_hex"]):
        decoded = rest.permissive.post(f"/networks/{network}/decode", {"unsigned_tx": unsigned})
        same("payload_hash", decoded["summary"]["payload_hash"], expected["signing_hash"])
        for wallet, key in keys(rest, given):
            body = {"network": network, "unsigned_tx": unsigned, "options": options, **key}
            signed = rest.permissive.post(f"{wallet}/sign", body)
            found = {name: signed["details"][name] for name in ("signing_hash", "v", "r", "s", "from")}
            found |= {"raw_tx": signed["signed_tx"], "tx_hash": signed["tx_id"]}
            for name in _SIGNED:
                same(name, found[name], expected[name])
            same("complete", signed["complete"], True)
            same("summary.from_address", signed["summary"]["from_address"], expected["from"])


@runner(
    {"private_key_hex", "chainId", "address", "nonce"},
    {"authorization_hash", "yParity", "r", "s", "authority"},
    optional=_WORDS,
)
def authorization(rest: Rest, given: Document, expected: Document) -> None:
    network = f"eip155:{given['chainId'] or 1}"
    body = {"chain_id": str(given["chainId"]), "contract": given["address"], "nonce": str(given["nonce"])}
    body |= {"allow_resign": True}
    for wallet, key in keys(rest, given):
        signed = rest.permissive.post(f"{wallet}/sign-authorization", {"network": network, **body, **key})
        same("authorization_hash", signed["digest"], expected["authorization_hash"])
        same("authority", signed["address"], expected["authority"])
        same("yParity", signed["details"]["y_parity"], expected["yParity"])
        same("r", signed["details"]["r"], expected["r"])
        same("s", signed["details"]["s"], expected["s"])


@runner(
    {"private_key_hex", "message_hex", "method"},
    {"hash", "signature", "address"},
    optional={"message_utf8", *_WORDS},
)
def personal(rest: Rest, given: Document, expected: Document) -> None:
    same("method", given["method"], "personal_sign (EIP-191 version 0x45)")
    forms = [{"message": given["message_hex"], "encoding": "hex"}]
    if "message_utf8" in given:
        forms.append({"message": given["message_utf8"], "encoding": "text"})
    for form in forms:
        message = {"network": "ethereum", "format": "eip191", **form}
        for wallet, key in keys(rest, given):
            has_signature(rest.permissive.post(f"{wallet}/sign-message", {**message, **key}), expected)
        proof = {"format": "eip191", **form, "signature": expected["signature"], "address": expected["address"]}
        same("verify", rest.permissive.post("/networks/ethereum/verify-message", proof), {"valid": True})


@runner({"private_key_hex", "typed_data", "method"}, {"hash", "signature", "address"}, optional=_WORDS)
def typed(rest: Rest, given: Document, expected: Document) -> None:
    same("method", given["method"], "eth_signTypedData_v4")
    document = given["typed_data"]
    chain_id = document.get("domain", {}).get("chainId")
    network = "ethereum" if chain_id is None else f"eip155:{int(str(chain_id), 0)}"
    for wallet, key in keys(rest, given):
        body = {"network": network, "typed_data": document, **key}
        has_signature(rest.permissive.post(f"{wallet}/sign-typed-data", body), expected)
    proof = {"typed_data": document, "signature": expected["signature"], "address": expected["address"]}
    same("verify", rest.permissive.post(f"/networks/{network}/verify-typed-data", proof), {"valid": True})


def has_signature(signed: Document, expected: Document) -> None:
    same("hash", signed["digest"], expected["hash"])
    same("signature", signed["signature"], expected["signature"])
    same("address", signed["address"], expected["address"])


@runner({"function", "args"}, {"data", "selector"})
def call_data(rest: Rest, given: Document, expected: Document) -> None:
    """The data is read back into the function and its arguments."""
    if given["function"] not in _KNOWN_CALLS:
        raise NotExpressible("the summary shows no arguments of this function")
    same("selector", expected["data"][:10], expected["selector"])
    call = {**_TRANSFER, "to": _SOME_CONTRACT, "data": expected["data"]}
    decoded = rest.permissive.post("/networks/ethereum/decode", {"unsigned_tx": call})
    [action] = decoded["summary"]["actions"]
    shown = {**action, **action.get("details", {})}
    same("method", shown.get("method"), given["function"].partition("(")[0])
    for name, argument in zip(_KNOWN_CALLS[given["function"]], given["args"], strict=False):
        same(name, shown.get(name), argument)


def network_of(rest: Rest, chain_id: object) -> str:
    """The network of a chain id where the defaults have it, else Ethereum."""
    caip2 = f"eip155:{int(str(chain_id), 0)}" if chain_id is not None else ""
    return caip2 if caip2 in rest.strict.caip2 else "ethereum"


@runner({"private_key_hex"}, {"error", "reason"}, optional={"tx", "unsigned_hex", "network_chain_id", "kind"})
def refused_transaction(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    wallet = rest.strict.key_wallet(given["private_key_hex"])
    unsigned = given.get("tx", given.get("unsigned_hex"))
    stated = given["tx"].get("chainId") if "tx" in given else None
    network = network_of(rest, given.get("network_chain_id", stated))
    body = {"network": network, "unsigned_tx": unsigned}
    rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", _REFUSED_TRANSACTION, json=body)


@runner({"private_key_hex"}, {"error", "reason"}, optional={"kind"})
def refused_key(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    body = {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": given["private_key_hex"]}
    rest.strict.refuses("POST", "/wallets/import", {"invalid_key"}, json=body)


@runner({"address"}, {"valid", "reason"}, optional={"kind"})
def refused_address(rest: Rest, given: Document, expected: Document) -> None:
    """Wherever a caller can send one: to be looked at, to be looked up, to be paid."""
    assert expected["valid"] is False
    text = given["address"]
    shown = rest.strict.post("/networks/ethereum/validate-address", {"address": text})
    same("validate-address", (shown["valid"], shown["address"]), (False, None))
    assert shown["reason"]
    if text:
        rest.strict.refuses("GET", f"/addresses/ethereum/{segment(text)}", {"invalid_address"})
    wallet = rest.strict.key_wallet("46" * 32)
    body = {"network": "ethereum", "unsigned_tx": {**_TRANSFER, "to": text}}
    rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", {"invalid_transaction"}, json=body)


@runner({"private_key_hex", "typed_data"}, {"error", "reason"}, optional={"kind"})
def refused_typed(rest: Rest, given: Document, expected: Document) -> None:
    assert expected["error"] is True
    wallet = rest.strict.key_wallet(given["private_key_hex"])
    document = given["typed_data"]
    domain = document.get("domain") if isinstance(document, dict) else None
    chain_id = domain.get("chainId") if isinstance(domain, dict) else None
    body = {"network": network_of(rest, chain_id if isinstance(chain_id, int) else None), "typed_data": document}
    codes = {"invalid_message"} if isinstance(document, dict) else {"invalid_message", "malformed_request"}
    rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign-typed-data", codes, json=body)


RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    "eth.address": address,
    "eth.address.create": created_address,
    "eth.derive": derive,
    "eth.derive.xpub": derive_xpub,
    "eth.message.eip191": personal,
    "eth.message.eip712": typed,
    "eth.negative.address": refused_address,
    "eth.negative.eip712": refused_typed,
    "eth.negative.key": refused_key,
    "eth.negative.rlp": refused_transaction,
    "eth.negative.tx": refused_transaction,
    "eth.sign.authorization7702": authorization,
    "eth.sign.eip1559": sign,
    "eth.sign.eip2930": sign,
    "eth.sign.eip4844": sign,
    "eth.sign.eip7702": sign,
    "eth.sign.legacy": sign,
    "eth.sign.legacy_pre155": sign,
    "eth.token.abi": call_data,
    "eth.token.decode": no_words("results of calls are not read"),
}
