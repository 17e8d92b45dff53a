"""The Bitcoin vectors, as far as REST can tell them.

``RUNNERS[group](rest, vector)`` raises AssertionError where an answer is wrong and NotExpressible where REST has no
words for the vector.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from tests.oracles.bip32 import Node, public_key
from tests.oracles.bitcoin import hash160, maps, outputs_of, pair, txid, var_bytes
from tests.vectors.rest import Face, NotExpressible, Rest, Vector, runner, same, segment
from tests.vectors.rest_common import no_words

Document = dict[str, Any]

_NETWORKS = {
    "mainnet": ["bitcoin"],
    "testnet": ["bitcoin-testnet3", "bitcoin-testnet4", "bitcoin-signet"],
    "regtest": ["bitcoin-regtest"],
}
_ALL_NETWORKS = [name for names in _NETWORKS.values() for name in names]
_SCHEMES = {"44'": "bip44", "49'": "bip49", "84'": "bip84", "86'": "bip86", "48'": "bip48"}
_RAW_SCHEMES = ("raw-p2pkh", "raw-p2sh-p2wpkh", "raw-p2wpkh", "raw-p2tr")
_FORMATS = {
    "bip137": "bip137",
    "bip137 (header by script type)": "bip137",
    "bitcoin-core signmessage": "bitcoin",
    "electrum (header 31..34 for every script type)": "bitcoin",
}
_REFUSED_TRANSACTION = {"invalid_transaction", "limit_exceeded", "option_required", "wrong_key", "malformed_request"}
_BIP322_KEY = "L3VFeEujGtevx9w18HD1fhRbCH67Az2dpCymeRE1SoPK6XQtaN2k"
"""Of the address in BIP-322's vectors of hashes, by BIP-322 itself."""
_SOME_KEY = "46" * 32
_OPTIONS = {"allow_resign": True, "allow": ["unverified_amounts"]}
"""For valid vectors. Some spend an output twice, and some leave previous transactions out."""
_POLICY = "rfc6979_no_grind; taproot aux_rand=0^32"


def keyspace_of(network: str) -> str:
    return "bitcoin" if network == "bitcoin" else "bitcoin-test"


def key_wallet(face: Face, key: str, network: str, form: str = "hex") -> Document:
    return face.key_wallet(key, keyspace_of(network), network, form)


def raw_scheme(rest: Rest, wallet: Document, network: str, address: str) -> str:
    """The script under which a single key has the address."""
    for scheme in _RAW_SCHEMES:
        if rest.permissive.get(f"/wallets/{wallet['id']}/address/{network}", scheme=scheme)["address"] == address:
            return scheme
    raise AssertionError("the key does not have the address")


def keys(rest: Rest, given: Document, network: str) -> Iterator[tuple[str, Document]]:
    """The wallets that hold the key of ``address``, each as its URL and how a request names the key."""
    if "mnemonic" in given:
        seeded = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
        found = rest.permissive.address_at(seeded, given["path"], network)
        assert found is not None, "the path fits no scheme"
        same("address", found["address"], given["address"])
        yield f"/wallets/{seeded['id']}", {"path": given["path"]}
        yield f"/wallets/{seeded['id']}", {"address": given["address"]}
        return
    form, key = (
        ("wif", given["private_keys_wif"][0]) if "private_keys_wif" in given else ("hex", given["private_key_hex"])
    )
    alone = key_wallet(rest.permissive, key, network, form)
    yield f"/wallets/{alone['id']}", {"scheme": raw_scheme(rest, alone, network, given["address"])}


@runner({"address", "network"}, {"valid", "script_pubkey_hex"})
def address(rest: Rest, given: Document, expected: Document) -> None:
    for network in _NETWORKS[given["network"]]:
        shown = rest.permissive.post(f"/networks/{network}/validate-address", {"address": given["address"]})
        same("valid", shown["valid"], expected["valid"])
        same("script_pubkey", shown["forms"]["script_pubkey"], expected["script_pubkey_hex"])


@runner({"address", "network"}, {"valid", "reason"}, optional={"kind"})
def refused_address(rest: Rest, given: Document, expected: Document) -> None:
    """Wherever a caller can send one: to be looked at, to be looked up, to verify for."""
    assert expected["valid"] is False
    text, networks = given["address"], _NETWORKS.get(given["network"], _ALL_NETWORKS)
    for network in networks:
        shown = rest.strict.post(f"/networks/{network}/validate-address", {"address": text})
        same("validate-address", (shown["valid"], shown["address"]), (False, None))
        assert shown["reason"]
    if text:
        rest.strict.refuses("GET", f"/addresses/{networks[0]}/{segment(text)}", {"invalid_address"})
    proof = {"format": "bip322", "message": "", "encoding": "text", "signature": "smpAA==", "address": text}
    rest.strict.refuses("POST", f"/networks/{networks[0]}/verify-message", {"invalid_address"}, json=proof)


@runner({"wif"}, {"private_key_hex", "network", "compressed"})
def wif(rest: Rest, given: Document, expected: Document) -> None:
    network = _NETWORKS[expected["network"]][0]
    body = {"kind": "raw_key", "keyspace": keyspace_of(network), "format": "wif", "key": given["wif"]}
    if not expected["compressed"]:
        rest.strict.refuses("POST", "/wallets/import", {"invalid_key"}, json=body)
        raise NotExpressible("keys whose public key is not compressed are not taken")
    found = key_wallet(rest.permissive, given["wif"], network, "wif")["addresses"][0]
    same("public key", found["public_key"], public_key(int(expected["private_key_hex"], 16)).hex())
    other = "bitcoin" if network != "bitcoin" else "bitcoin-test"
    rest.strict.refuses("POST", "/wallets/import", {"invalid_key"}, json={**body, "keyspace": other})


@runner(
    {"mnemonic", "passphrase", "path", "network"},
    {
        "private_key_hex", "wif", "public_key_hex", "address", "script_pubkey_hex", "master_fingerprint",
        "account_xpub", "descriptor",
    },
    optional={"account_xpub_slip132"},
)  # fmt: skip
def derive(rest: Rest, given: Document, expected: Document) -> None:
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    same("master_fingerprint", wallet["master_fingerprint"], expected["master_fingerprint"])
    for network in _NETWORKS[given["network"]]:
        found = rest.permissive.address_at(wallet, given["path"], network)
        assert found is not None, "the path fits no scheme"
        account = account_of(rest, wallet, given["path"], network)
        shown = {
            "public_key_hex": found["public_key"],
            "script_pubkey_hex": found["forms"]["script_pubkey"],
            "account_xpub": account["extended_public_key"],
            "descriptor": account["descriptor"],
            "account_xpub_slip132": account["slip132"],
        }
        for name, value in shown.items():
            same(name, value, expected.get(name))
        same("address", found["address"], expected["address"])
    for form, key in (("hex", expected["private_key_hex"]), ("wif", expected["wif"])):
        network = _NETWORKS[given["network"]][0]
        alone = key_wallet(rest.permissive, key, network, form)
        same("public key", alone["addresses"][0]["public_key"], expected["public_key_hex"])
        raw_scheme(rest, alone, network, expected["address"])


def account_of(rest: Rest, wallet: Document, path: str, network: str) -> Document:
    _, purpose, _, number, *_ = path.split("/")
    found = rest.permissive.get(
        f"/wallets/{wallet['id']}/accounts/{network}", scheme=_SCHEMES[purpose], account=number.removesuffix("'")
    )
    assert path.startswith(found["path"])
    return found


@runner({"mnemonic", "passphrase", "account_path", "network"}, {"descriptor_with_checksum", "addresses"})
def descriptor(rest: Rest, given: Document, expected: Document) -> None:
    wallet = rest.permissive.words_wallet(given["mnemonic"], given["passphrase"])
    for network in _NETWORKS[given["network"]]:
        account = account_of(rest, wallet, given["account_path"], network)
        same("descriptor", account["descriptor"], expected["descriptor_with_checksum"])
        for place, text in expected["addresses"].items():
            found = rest.permissive.address_at(wallet, f"{given['account_path']}/{place}", network)
            assert found is not None
            same("address", found["address"], text)


@runner(
    {"network", "address", "message", "format"},
    {"signature_base64"},
    optional={"mnemonic", "passphrase", "path", "private_key_hex", "compressed", "signature_hex"},
)
def legacy_message(rest: Rest, given: Document, expected: Document) -> None:
    assert given.get("compressed", True)
    for network in _NETWORKS[given["network"]]:
        for wallet, key in keys(rest, given, network):
            body = {**_message(given["message"], _FORMATS[given["format"]]), "network": network, **key}
            signed = rest.permissive.post(f"{wallet}/sign-message", body)
            same("signature", signed["signature"], expected["signature_base64"])
            same("address", signed["address"], given["address"])
        for name in ("bip137", "bitcoin"):
            same("verify", verified(rest, network, given, expected["signature_base64"], name), True)
    raw = expected.get("signature_hex")
    assert raw in (None, base64.b64decode(expected["signature_base64"]).hex())


@runner({"network", "address", "message", "signature_base64", "operation"}, {"valid"})
def verify_message(rest: Rest, given: Document, expected: Document) -> None:
    same("operation", given["operation"], "verify")
    for network in _NETWORKS[given["network"]]:
        for name in ("bip137", "bitcoin"):
            same("valid", verified(rest, network, given, given["signature_base64"], name), expected["valid"])


def verified(rest: Rest, network: str, given: Document, signature: str, form: str) -> bool:
    proof = {**_message(given["message"], form), "signature": signature, "address": given["address"]}
    valid = rest.permissive.post(f"/networks/{network}/verify-message", proof)["valid"]
    assert isinstance(valid, bool)
    return valid


def _message(text: str, form: str) -> Document:
    return {"format": form, "message": text, "encoding": "text"}


def bip322(rest: Rest, vector: Vector) -> None:
    (bip322_hash if "message_hash" in vector["expected"] else bip322_signature)(rest, vector)


@runner({"address", "message"}, {"message_hash", "to_spend_txid", "to_sign_txid"})
def bip322_hash(rest: Rest, given: Document, expected: Document) -> None:
    """What is signed shows with the signature."""
    wallet = key_wallet(rest.permissive, _BIP322_KEY, "bitcoin", "wif")
    if wallet["addresses"][0]["address"] != given["address"]:
        raise NotExpressible("the hashes show with a signature, and there is no key")
    body = {**_message(given["message"], "bip322"), "network": "bitcoin"}
    signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign-message", body)
    for name, value in expected.items():
        same(name, signed["details"][name], value)


@runner(
    {"address", "message", "type"},
    set(),
    optional={
        "private_key_hex", "private_keys_wif", "witness_script", "tx_version", "lock_time", "sequence",
        "signature", "signatures", "signature_low_r", "signature_unprefixed_legacy", "to_sign_txid", "valid",
        "own_deterministic", "matches_own",
    },
)  # fmt: skip
def bip322_signature(rest: Rest, given: Document, expected: Document) -> None:
    """Every published signature is valid. The service makes the deterministic one, if the vector has it."""
    published = [*expected.get("signatures", ()), *(expected[name] for name in _PUBLISHED if name in expected)]
    assert published
    assert expected.get("valid", True) is True
    for signature in published:
        same("valid", verified(rest, "bitcoin", given, signature, "bip322"), True)
    if len(given.get("private_keys_wif", [""])) > 1:
        return
    for wallet, key in keys(rest, given, "bitcoin"):
        body = {**_message(given["message"], "bip322"), "network": "bitcoin", **key}
        signed = rest.permissive.post(f"{wallet}/sign-message", body)
        same("address", signed["address"], given["address"])
        same("ours", verified(rest, "bitcoin", given, signed["signature"], "bip322"), True)
        if "tx_version" in given:  # ours has no lock time
            continue
        deterministic = set(expected.get("own_deterministic", {}).values())
        assert signed["signature"] in deterministic | set(published), "our signature is none of the vector's"
        if deterministic:
            same("matches_own", bool(deterministic & set(published)), expected["matches_own"])
        if "to_sign_txid" in expected:
            same("to_sign_txid", signed["details"]["to_sign_txid"], expected["to_sign_txid"])


_PUBLISHED = ("signature", "signature_low_r", "signature_unprefixed_legacy")


@runner({"address", "message", "signature", "operation"}, {"valid", "reason"})
def refused_bip322(rest: Rest, given: Document, expected: Document) -> None:
    """Not valid, or not readable."""
    assert (given["operation"], expected["valid"]) == ("verify", False)
    proof = {**_message(given["message"], "bip322"), "signature": given["signature"], "address": given["address"]}
    try:
        answer = rest.permissive.post("/networks/bitcoin/verify-message", proof)
    except AssertionError:
        rest.strict.refuses("POST", "/networks/bitcoin/verify-message", {"invalid_message"}, json=proof)
        return
    same("valid", answer, {"valid": False})


@runner({"psbt_base64"}, {"error", "description"})
def readable(rest: Rest, given: Document, expected: Document) -> None:
    """Read, and refused only for what is not in its form."""
    assert expected["error"] is False
    for unsigned in _texts(given["psbt_base64"]):
        for network in _ALL_NETWORKS:
            path, body = f"/networks/{network}/decode", {"unsigned_tx": unsigned}
            try:
                decoded = rest.permissive.post(path, body)
            except AssertionError as refusal:
                if not any(reason in str(refusal) for reason in _NO_TRANSACTION):
                    raise
            else:
                same("type", decoded["summary"]["type"], "psbt")


_NO_TRANSACTION = (
    "the outputs are worth more than the inputs",
    "an extended key in the PSBT belongs to another network",
)
"""Why some PSBTs of BIP-174 can be read but never become a transaction."""


def _texts(psbt: str) -> Iterator[str]:
    yield psbt
    yield base64.b64decode(psbt).hex()


@runner(
    {"network", "psbt_base64"},
    {"raw_tx_hex", "txid", "vsize", "fee_sat"},
    optional={
        "mnemonic", "passphrase", "inputs", "outputs", "unsigned_tx_hex", "version", "locktime", "private_key_hex",
        "wif", "wtxid", "weight", "raw_tx_hex_low_r", "txid_low_r", "signature_policy",
    },
)  # fmt: skip
def sign(rest: Rest, given: Document, expected: Document) -> None:
    same("signature_policy", expected.get("signature_policy", _POLICY), _POLICY)
    if "raw_tx_hex_low_r" in expected:
        same("txid_low_r", txid(bytes.fromhex(expected["raw_tx_hex_low_r"])), expected["txid_low_r"])
    for network in _NETWORKS[given["network"]]:
        wallets = signing_wallets(rest, given, network)
        for text in _texts(given["psbt_base64"]):
            signed = sign_in_turn(rest, wallets, network, text)
            same("complete", signed["complete"], True)
            grinds = signed["signed_tx"] == expected.get("raw_tx_hex_low_r")
            same("raw_tx_hex", signed["signed_tx"], expected["raw_tx_hex_low_r" if grinds else "raw_tx_hex"])
            same("txid", signed["tx_id"], expected["txid_low_r" if grinds else "txid"])
            details = signed["details"]
            same("fee_sat", (details["fee_sat"], signed["summary"]["fee"]["amount"]), (str(expected["fee_sat"]),) * 2)
            if not grinds:
                for name in ("wtxid", "vsize", "weight"):
                    same(name, details[name], expected.get(name, details[name]))
            for address, amount in [(each.get("address"), each["amount_sat"]) for each in given.get("outputs", ())]:
                paid = [(action.get("to"), action["amount"]) for action in signed["summary"]["actions"]]
                assert address is None or (address, str(amount)) in paid


def sign_in_turn(rest: Rest, wallets: list[Document], network: str, text: str) -> Document:
    """What the last of them gives back."""
    signed: Document = {}
    for wallet in wallets:
        body = {"network": network, "unsigned_tx": text, "options": _OPTIONS}
        signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body)
        text = signed["details"]["psbt"]
    return signed


def signing_wallets(rest: Rest, given: Document, network: str) -> list[Document]:
    """With the accounts of the inputs open."""
    if "private_key_hex" in given:
        return [key_wallet(rest.permissive, given["private_key_hex"], network)]
    if "mnemonic" not in given:
        alone = [given["wif"]] if "wif" in given else []
        texts = dict.fromkeys([*alone, *(each["wif"] for each in given.get("inputs", ()))])
        return [key_wallet(rest.permissive, text, network, "wif") for text in texts]
    wallet = rest.permissive.words_wallet(given["mnemonic"], given.get("passphrase", ""))
    for each in given["inputs"]:
        found = rest.permissive.address_at(wallet, each["path"], network)
        assert found is not None, "the path fits no scheme"
        same("script", found["forms"]["script_pubkey"], each["script_pubkey_hex"])
    return [wallet]


def sighash(rest: Rest, vector: Vector) -> None:
    if "prevouts" in vector["input"]:
        raise NotExpressible("an input that is not segwit comes without its previous transaction")
    one_sighash(rest, vector)


@runner(
    {
        "unsigned_tx_hex", "input_index", "amount_sat", "script_pubkey_hex", "private_key_hex", "sighash_type",
        "network",
    },
    {"sighash_hex", "signature_hex", "raw_tx_hex"},
)  # fmt: skip
def one_sighash(rest: Rest, given: Document, expected: Document) -> None:
    """As a PSBT of the only input, which holds what the vector says of it."""
    unsigned, output_script = bytes.fromhex(given["unsigned_tx_hex"]), bytes.fromhex(given["script_pubkey_hex"])
    public = public_key(int(given["private_key_hex"], 16))
    if unsigned[4] != 1:
        raise NotExpressible("what the other inputs spend is not told")
    if output_script[:1] not in (b"\0", b"\x51", b"\xa9"):
        raise NotExpressible("an input that is not segwit comes without its previous transaction")
    entries = pair(b"\1", given["amount_sat"].to_bytes(8, "little") + var_bytes(output_script))
    kind = given["sighash_type"]
    entries += pair(b"\3", kind.to_bytes(4, "little"))
    if output_script[:1] == b"\xa9":
        entries += pair(b"\4", b"\0\x14" + hash160(public))
    outputs = outputs_of(unsigned)
    made = b"psbt\xff" + pair(b"\0", unsigned) + b"\0" + entries + b"\0" * (1 + outputs)
    options = _OPTIONS | {"allowed_sighashes": [_LABELS[kind]] if kind in _LABELS else []}
    for network in _NETWORKS[given["network"]]:
        wallet = key_wallet(rest.permissive, given["private_key_hex"], network)
        body = {"network": network, "unsigned_tx": base64.b64encode(made).decode(), "options": options}
        signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body)
        same("raw_tx_hex", signed["signed_tx"], expected["raw_tx_hex"])
        assert expected["signature_hex"] in signed["signed_tx"]
        assert len(expected["sighash_hex"]) == 64


_LABELS = {2: "NONE", 3: "SINGLE", 0x81: "ALL|ANYONECANPAY", 0x82: "NONE|ANYONECANPAY", 0x83: "SINGLE|ANYONECANPAY"}


def roles(rest: Rest, vector: Vector) -> None:
    if "psbts_base64" in vector["input"]:
        raise NotExpressible("PSBTs are not combined here")
    if "wifs" not in vector["input"]:
        raise NotExpressible("what no key of ours signs is not finalised here")
    signer_role(rest, vector)


@runner({"psbt_base64", "wifs", "network", "master_tprv", "paths"}, {"psbt_base64"})
def signer_role(rest: Rest, given: Document, expected: Document) -> None:
    """Each key as a wallet of its own, one after the other."""
    network = _NETWORKS[given["network"]][0]
    master = Node.from_text(given["master_tprv"])
    text = given["psbt_base64"]
    for key, path in zip(given["wifs"], given["paths"], strict=True):
        wallet = key_wallet(rest.permissive, key, network, "wif")
        below = master.below(path.removeprefix("m/"))
        same("public key at the path", wallet["addresses"][0]["public_key"], below.public.hex())
        body = {"network": network, "unsigned_tx": text, "options": _OPTIONS}
        text = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body)["details"]["psbt"]
    same("psbt", maps(text), maps(expected["psbt_base64"]))


@runner(
    {"network", "mnemonics", "path", "signers", "witness_script_hex", "address", "psbt_base64"},
    {"raw_tx_hex", "txid", "partial_sig_hex"},
)
def multisig(rest: Rest, given: Document, expected: Document) -> None:
    """One cosigner after another. The first returns a PSBT, and the last the transaction."""
    for network in _NETWORKS[given["network"]]:
        text = given["psbt_base64"]
        signed: dict[str, Any] = {}
        assert pair(b"\x05", bytes.fromhex(given["witness_script_hex"])) in base64.b64decode(text)
        for number in given["signers"]:
            assert signed.get("complete") is not True
            wallet = rest.permissive.words_wallet(given["mnemonics"][number])
            account_of(rest, wallet, given["path"], network)
            body = {"network": network, "unsigned_tx": text, "options": _OPTIONS}
            signed = rest.permissive.post(f"/wallets/{wallet['id']}/sign", body)
            shown = {action.get("from_address") for action in signed["summary"]["actions"]}
            assert given["address"] in shown
            text = signed["details"]["psbt"]
            if not signed["complete"]:
                same("signed_tx", signed["signed_tx"], text)
                raw = base64.b64decode(text)
                made = [key for key, value in expected["partial_sig_hex"].items() if _partial(key, value) in raw]
                same("partial signatures", len(made), given["signers"].index(number) + 1)
        same("complete", signed["complete"], True)
        same("raw_tx_hex", signed["signed_tx"], expected["raw_tx_hex"])
        same("txid", signed["tx_id"], expected["txid"])


def _partial(key: str, signature: str) -> bytes:
    return pair(b"\x02" + bytes.fromhex(key), bytes.fromhex(signature))


def refused_psbt(rest: Rest, vector: Vector) -> None:
    """``policy``: signing it is right too, as long as a refusal is a clear one."""
    given, expected = dict(vector["input"]), dict(vector["expected"])
    if "psbt" in given:
        given["psbt_base64"] = given.pop("psbt")
    changed = vector | {"input": given}
    (either if "policy" in expected else must_refuse)(rest, changed)


@runner({"psbt_base64"}, {"policy"}, optional={"network", "mnemonic", "stage", "kind", "reason", "error"})
def either(rest: Rest, given: Document, expected: Document) -> None:
    for network in _NETWORKS[given.get("network", "mainnet")]:
        wallet = asked_wallet(rest.strict, given, network)
        path, body = f"/wallets/{wallet['id']}/sign", {"network": network, "unsigned_tx": given["psbt_base64"]}
        try:
            rest.strict.post(path, body)
        except AssertionError:
            rest.strict.refuses("POST", path, _REFUSED_TRANSACTION | {"address_not_derived"}, json=body)


@runner({"psbt_base64"}, {"error", "reason"}, optional={"network", "mnemonic", "stage", "kind"})
def must_refuse(rest: Rest, given: Document, expected: Document) -> None:
    """Asked to sign, and, where the rule does not ask whose it is, to decode."""
    assert expected["error"] is True
    text = given["psbt_base64"]
    for network in _NETWORKS[given.get("network", "mainnet")]:
        wallet = asked_wallet(rest.strict, given, network)
        if "mnemonic" not in given:
            codes = {"invalid_transaction"}
            rest.strict.refuses("POST", f"/networks/{network}/decode", codes, json={"unsigned_tx": text})
        body = {"network": network, "unsigned_tx": text}
        rest.strict.refuses("POST", f"/wallets/{wallet['id']}/sign", _REFUSED_TRANSACTION, json=body)


def asked_wallet(face: Face, given: Document, network: str) -> Document:
    """With its accounts open, where the vector names one."""
    if "mnemonic" not in given:
        return key_wallet(face, _SOME_KEY, network)
    wallet = face.words_wallet(given["mnemonic"])
    for scheme in ("bip44", "bip49", "bip84", "bip86"):
        face.get(f"/wallets/{wallet['id']}/address/{network}", scheme=scheme)
    return wallet


RUNNERS: dict[str, Callable[[Rest, Vector], None]] = {
    "btc.address.taproot": no_words("a public key cannot be sent"),
    "btc.address.valid": address,
    "btc.derive.bip44": derive,
    "btc.derive.bip49": derive,
    "btc.derive.bip84": derive,
    "btc.derive.bip86": derive,
    "btc.descriptor": descriptor,
    "btc.message.bip322": bip322,
    "btc.message.bip322_full": bip322_signature,
    "btc.message.legacy": legacy_message,
    "btc.message.verify": verify_message,
    "btc.negative.address": refused_address,
    "btc.negative.bip322": refused_bip322,
    "btc.negative.psbt_parse": refused_psbt,
    "btc.negative.psbt_policy": refused_psbt,
    "btc.negative.psbt_signer": refused_psbt,
    "btc.psbt.valid": readable,
    "btc.sign.multisig": multisig,
    "btc.sign.psbt": sign,
    "btc.sign.psbt_roles": roles,
    "btc.sign.public": sign,
    "btc.sign.sighash": sighash,
    "btc.wif": wif,
}
