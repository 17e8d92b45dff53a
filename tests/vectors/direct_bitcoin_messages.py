"""Runs one message vector of ``bitcoin.*.json`` against the code, without a server.

`RUNNERS` maps a group to a function that takes one vector. It raises AssertionError if the result differs or if the
vector has a key that the function does not compare.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from btclib_secp256k1 import dsa, ssa, xonly
from btclib_secp256k1 import keys as secp256k1

from strongroom.chains.bitcoin import address, bip322, schemes, script, sighash
from strongroom.chains.bitcoin.bip322 import Challenge
from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.codecs import wif
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.scheme import Curve
from strongroom.domain.signing import Message, OurKey, SignedMessage
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidMessage
from strongroom.keys.base import Mnemonic, RawKey, Want
from tests.vectors.direct_bitcoin_signing import Holder, mnemonic, network, raw_key, run
from tests.vectors.direct_common import only

Vector = dict[str, Any]

BITCOIN = Bitcoin()
_FORMATS = {
    "bip137": "bip137",
    "bip137 (header by script type)": "bip137",
    "bitcoin-core signmessage": "bitcoin",
    "electrum (header 31..34 for every script type)": "bitcoin",
}
_SCRIPTS = (schemes.p2pkh, schemes.p2sh_p2wpkh, schemes.p2wpkh, schemes.p2tr)
_KEY = {"mnemonic", "passphrase", "path", "private_key_hex", "compressed", "private_keys_wif", "witness_script"}
_PUBLISHED = ("signature", "signature_low_r", "signature_unprefixed_legacy")


def sign(given: Vector, form: str) -> SignedMessage:
    """With the vector's key, for its address."""
    where = network(given.get("network", "mainnet"))
    wanted = address.decode(address.params(where), given["address"])
    material: Mnemonic | RawKey = mnemonic(given) if "mnemonic" in given else raw_key(_private(given).hex())
    path = given.get("path", "m")

    async def use(holder: Holder) -> SignedMessage:
        nodes = await holder.signer.public(holder.secret, [Want(path, Curve.SECP256K1)])
        ours = _key(nodes[0], wanted)
        prepared, _ = BITCOIN.prepare_message(where, _message(given, form), {ours.public_key: ours})
        return BITCOIN.assemble_message(prepared, await holder.signatures(prepared))

    signed: SignedMessage = run(material, use)
    assert signed.address == given["address"]
    return signed


def _private(given: Vector) -> bytes:
    if "private_key_hex" in given:
        assert given.get("compressed", True)
        return bytes.fromhex(given["private_key_hex"])
    found = wif.decode(given["private_keys_wif"][0])
    assert found.compressed
    return bytes(found.key.reveal())


def _key(node: PublicNode, wanted: bytes) -> OurKey:
    assert wanted in [make(node.public_key) for make in _SCRIPTS], "the key does not have the address"
    return OurKey(node.public_key, node.path, "", wanted)


def _message(given: Vector, form: str) -> Message:
    return Message(form, given["message"].encode())


def verified(given: Vector, signature: str, form: str) -> bool:
    where = network(given.get("network", "mainnet"))
    return BITCOIN.verify_message(where, _message(given, form), signature, given["address"])


def legacy(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY, "network", "address", "message", "format")
    only(expected, "signature_base64", "signature_hex")
    signature = sign(given, _FORMATS[given["format"]]).signature
    assert signature == expected["signature_base64"]
    assert base64.b64decode(signature).hex() == expected.get("signature_hex", base64.b64decode(signature).hex())
    assert verified(given, signature, "bip137")
    assert verified(given, signature, "bitcoin")


def verify(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    only(given, "network", "address", "message", "signature_base64", "operation")
    only(expected, "valid")
    assert given["operation"] == "verify"
    for form in ("bip137", "bitcoin"):
        assert verified(given, given["signature_base64"], form) is expected["valid"]


def simple(vector: Vector) -> None:
    given, expected = vector["input"], vector["expected"]
    if "message_hash" in expected:
        only(given, "address", "message")
        challenge = _challenge(given)
        found = {
            "message_hash": challenge.message_hash.hex(),
            "to_spend_txid": challenge.to_spend.txid,
            "to_sign_txid": challenge.to_sign.txid,
        }
        assert found == expected
        return
    only(given, *_KEY, "address", "message", "type")
    only(expected, *_PUBLISHED, "signatures", "valid", "own_deterministic", "matches_own", "to_sign_txid")
    published = [*expected.get("signatures", ()), *(expected[name] for name in _PUBLISHED if name in expected)]
    assert published
    assert expected.get("valid", True) is all(verified(given, signature, "bip322") for signature in published)
    assert expected.get("to_sign_txid") in (None, _challenge(given).to_sign.txid)
    if len(given.get("private_keys_wif", [""])) > 1:
        return  # several keys sign an address here one after the other, and no message
    signature = sign(given, "bip322").signature
    deterministic = set(expected.get("own_deterministic", {}).values())
    assert signature in deterministic | set(published)
    if deterministic:
        assert expected["matches_own"] is bool(deterministic & set(published))


def full(vector: Vector) -> None:
    """The service sets no lock time. So this signs the published digest, to show that the signature is equal."""
    given, expected = vector["input"], vector["expected"]
    only(given, *_KEY, "address", "message", "type", "tx_version", "lock_time", "sequence")
    only(expected, "signatures", "valid", "matches_own", "own_deterministic")
    for signature in expected["signatures"]:
        assert verified(given, signature, "bip322") is expected["valid"]
    if len(given["private_keys_wif"]) > 1:
        return  # several keys sign an address here one after the other, and no message
    assert verified(given, sign(given, "bip322").signature, "bip322")
    ours = {own for each in expected["signatures"] for own in _ours(given, each)}
    assert expected["matches_own"] is bool(ours & set(expected["signatures"]))
    assert ours >= set(expected.get("own_deterministic", {}).values())


def _ours(given: Vector, published: str) -> list[str]:
    """The signatures of the key over the published transaction, with and without a low r."""
    challenge, private = _challenge(given), _private(given)
    signed = challenge.decode(published)
    [txin] = signed.inputs
    stated = (given["tx_version"], given["lock_time"], given["sequence"])
    assert (signed.version, signed.lock_time, txin.sequence) == stated
    public_key = secp256k1.pubkey_from_prvkey(private)
    unsigned = replace(signed, inputs=(replace(txin, script_sig=b"", witness=()),))
    code = schemes.p2pkh(public_key)
    if given["type"] == "p2tr":
        tweaked = xonly.prvkey_tweak_add(private, tagged_hash("TapTweak", public_key[1:]))
        digest = sighash.taproot(unsigned, 0, challenge.to_spend.outputs, 0)
        parts = [replace(txin, witness=(ssa.sign(digest, tweaked, bytes(32)),))]
    elif given["type"] == "p2pkh":
        made = [_der(sighash.legacy(unsigned, 0, code, 1), private, grind) for grind in (False, True)]
        parts = [replace(txin, script_sig=script.push(each) + script.push(public_key)) for each in made]
    else:
        made = [_der(sighash.segwit_v0(unsigned, 0, code, 0, 1), private, grind) for grind in (False, True)]
        parts = [replace(txin, witness=(each, public_key)) for each in made]
    return [f"ful{base64.b64encode(replace(signed, inputs=(part,)).serialize()).decode()}" for part in parts]


def _der(digest: bytes, private: bytes, grind: bool) -> bytes:
    return dsa.sign(digest, private, grind=grind) + b"\1"


def _challenge(given: Vector) -> Challenge:
    where = network(given.get("network", "mainnet"))
    return bip322.Challenge(given["message"].encode(), address.decode(address.params(where), given["address"]))


def refused(vector: Vector) -> None:
    """Not valid, or not readable."""
    given, expected = vector["input"], vector["expected"]
    only(given, "address", "message", "signature", "operation")
    only(expected, "valid", "reason", "kind")
    assert (given["operation"], expected["valid"]) == ("verify", False)
    try:
        valid = verified(given, given["signature"], "bip322")
    except InvalidMessage:
        return
    assert not valid


RUNNERS: dict[str, Callable[[Vector], None]] = {
    "btc.message.bip322": simple,
    "btc.message.bip322_full": full,
    "btc.message.legacy": legacy,
    "btc.message.verify": verify,
    "btc.negative.bip322": refused,
}
