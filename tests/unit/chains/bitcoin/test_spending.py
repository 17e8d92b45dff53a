"""Whether an input spends its output. A valid signature that the output does not ask for does not spend it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from btclib_secp256k1 import dsa, keys, ssa, xonly

from strongroom.chains.bitcoin import schemes, script, sighash
from strongroom.chains.bitcoin.bip322 import Challenge
from strongroom.chains.bitcoin.script import multisig, push
from strongroom.chains.bitcoin.sighash import HashType
from strongroom.chains.bitcoin.spending import UnknownScriptError
from strongroom.codecs.bip144 import TxOut
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import tagged_hash

PRIVATE, OTHER_PRIVATE = b"\x07" * 32, b"\x08" * 32
PUBLIC, OTHER = keys.pubkey_from_prvkey(PRIVATE), keys.pubkey_from_prvkey(OTHER_PRIVATE)
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BARE = multisig(1, [PUBLIC])


def legacy(challenge: Challenge, code: bytes, private: bytes = PRIVATE, hash_type: int = HashType.ALL) -> bytes:
    return dsa.sign(sighash.legacy(challenge.to_sign, 0, code, hash_type), private) + bytes([hash_type])


def segwit(challenge: Challenge, code: bytes, private: bytes = PRIVATE, hash_type: int = HashType.ALL) -> bytes:
    return dsa.sign(sighash.segwit_v0(challenge.to_sign, 0, code, 0, hash_type), private) + bytes([hash_type])


def of(output_script: bytes) -> Challenge:
    return Challenge(b"", output_script)


def test_p2pkh() -> None:
    challenge, own, other = of(schemes.p2pkh(PUBLIC)), schemes.p2pkh(PUBLIC), schemes.p2pkh(OTHER)
    made = legacy(challenge, own)
    spent = challenge.signed(push(made) + push(PUBLIC))
    assert challenge.is_met(spent)
    refused = {
        "another key, rightly signed": challenge.signed(push(legacy(challenge, own, OTHER_PRIVATE)) + push(OTHER)),
        "another key's script": challenge.signed(push(legacy(challenge, other, OTHER_PRIVATE)) + push(OTHER)),
        "a witness": challenge.signed(push(made) + push(PUBLIC), (b"",)),
        "one push more": challenge.signed(b"\0" + push(made) + push(PUBLIC)),
        "one push less": challenge.signed(push(made)),
        "nothing": challenge.signed(),
        "a longer push": challenge.signed(b"\x4c" + push(made) + push(PUBLIC)),
        "no push": challenge.signed(push(made) + push(PUBLIC) + b"\x61"),
        "a push cut short": challenge.signed((push(made) + push(PUBLIC))[:-1]),
        "another type": challenge.signed(push(legacy(challenge, own, hash_type=HashType.NONE)) + push(PUBLIC)),
        "high s": challenge.signed(push(_high_s(made)) + push(PUBLIC)),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why
    moved = spent.inputs[0].outpoint
    for why, signed in {
        "another output": replace(spent, outputs=(replace(spent.outputs[0], value=1),)),
        "another version": replace(spent, version=1),
        "another outpoint": replace(spent, inputs=(replace(spent.inputs[0], outpoint=replace(moved, vout=1)),)),
        "two inputs": replace(spent, inputs=spent.inputs * 2),
    }.items():
        assert not challenge.is_met(signed), why


@pytest.mark.parametrize(
    "changes",
    [{"version": 1}, {"outputs": (TxOut(0, schemes.p2wpkh(OTHER)),)}, {"outputs": (TxOut(0, b"\x6a"),) * 2}],
    ids=["version", "output", "outputs"],
)
def test_what_was_signed_is_not_the_transaction_of_bip322(changes: dict[str, Any]) -> None:
    challenge, code = of(schemes.p2wpkh(PUBLIC)), schemes.p2pkh(PUBLIC)
    for allowed, holds in (({}, True), ({"version": 2, "lock_time": 9}, True), (changes, False)):
        unsigned = replace(challenge.to_sign, **allowed)
        made = dsa.sign(sighash.segwit_v0(unsigned, 0, code, 0, HashType.ALL), PRIVATE) + b"\1"
        signed = replace(unsigned, inputs=(replace(unsigned.inputs[0], witness=(made, PUBLIC)),))
        assert challenge.is_met(signed) is holds


def test_an_empty_key_and_an_empty_signature_spend_nothing() -> None:
    """The hash of an empty key is like any other, and its pre-image is an empty push."""
    made, nobody = b"\x30" * 70 + b"\1", b""
    challenge = of(schemes.p2pkh(nobody))
    for signature in (made, b"\1", b""):
        assert not challenge.is_met(challenge.signed(push(signature) + push(nobody)))
    challenge = of(script.p2wpkh(hash160(nobody)))
    assert not challenge.is_met(challenge.signed(witness=(made, nobody)))
    challenge = of(script.p2sh(hash160(schemes.p2pkh(nobody))))
    assert not challenge.is_met(challenge.signed(push(made) + push(nobody) + push(schemes.p2pkh(nobody))))
    challenge = of(script.p2wsh(sha256(schemes.p2pkh(nobody)).digest()))
    assert not challenge.is_met(challenge.signed(witness=(made, nobody, schemes.p2pkh(nobody))))


@pytest.mark.parametrize("count", range(5))
def test_empty_items_spend_nothing(count: int) -> None:
    """Any output, with anything in the place of signatures, keys and scripts."""
    several = multisig(1, [PUBLIC])
    for output_script in (
        schemes.p2pkh(PUBLIC), schemes.p2wpkh(PUBLIC), schemes.p2sh_p2wpkh(PUBLIC), schemes.p2tr(PUBLIC), several,
        script.p2sh(hash160(several)), script.p2wsh(sha256(several).digest()), script.p2sh(hash160(b"")),
        script.p2wsh(sha256(b"").digest()), script.p2pkh(hash160(b"")),
    ):  # fmt: skip
        challenge = of(output_script)
        for signed in (challenge.signed(b"\0" * count), challenge.signed(witness=(b"",) * count)):
            with suppress(UnknownScriptError):
                assert not challenge.is_met(signed)


def _high_s(made: bytes) -> bytes:
    compact = dsa.to_compact(made[:-1])
    return dsa.to_der(compact[:32] + (N - int.from_bytes(compact[32:], "big")).to_bytes(32, "big")) + made[-1:]


def test_p2wpkh() -> None:
    challenge, code = of(schemes.p2wpkh(PUBLIC)), schemes.p2pkh(PUBLIC)
    made = segwit(challenge, code)
    assert challenge.is_met(challenge.signed(witness=(made, PUBLIC)))
    refused = {
        "a scriptSig": challenge.signed(b"\0", (made, PUBLIC)),
        "another key": challenge.signed(witness=(segwit(challenge, code, OTHER_PRIVATE), OTHER)),
        "the legacy algorithm": challenge.signed(witness=(legacy(challenge, code), PUBLIC)),
        "nothing": challenge.signed(),
        "one item more": challenge.signed(witness=(b"", made, PUBLIC)),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why


def test_a_witness_holds_compressed_keys_only() -> None:
    uncompressed = keys.reserialize(PUBLIC, compressed=False)
    challenge = of(script.p2wpkh(hash160(uncompressed)))
    made = segwit(challenge, schemes.p2pkh(uncompressed))
    assert not challenge.is_met(challenge.signed(witness=(made, uncompressed)))
    legacy_challenge = of(schemes.p2pkh(uncompressed))
    made = legacy(legacy_challenge, schemes.p2pkh(uncompressed))
    assert legacy_challenge.is_met(legacy_challenge.signed(push(made) + push(uncompressed)))


def test_p2sh_p2wpkh() -> None:
    challenge, code = of(schemes.p2sh_p2wpkh(PUBLIC)), schemes.p2pkh(PUBLIC)
    redeem, made = schemes.p2wpkh(PUBLIC), segwit(challenge, code)
    assert challenge.is_met(challenge.signed(push(redeem), (made, PUBLIC)))
    theirs = segwit(challenge, schemes.p2pkh(OTHER), OTHER_PRIVATE)
    refused = {
        "another script": challenge.signed(push(schemes.p2wpkh(OTHER)), (theirs, OTHER)),
        "one push more": challenge.signed(b"\0" + push(redeem), (made, PUBLIC)),
        "no script": challenge.signed(b"", (made, PUBLIC)),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why


def test_p2sh_multisig() -> None:
    challenge = of(script.p2sh(hash160(BARE)))
    made = legacy(challenge, BARE)
    assert challenge.is_met(challenge.signed(b"\0" + push(made) + push(BARE)))
    theirs = multisig(1, [OTHER])
    refused = {
        "another script": challenge.signed(b"\0" + push(legacy(challenge, theirs, OTHER_PRIVATE)) + push(theirs)),
        "a dummy that is something": challenge.signed(push(b"\1") + push(made) + push(BARE)),
        "a witness": challenge.signed(b"\0" + push(made) + push(BARE), (b"",)),
        "two signatures for one": challenge.signed(b"\0" + push(made) * 2 + push(BARE)),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why


def test_p2wsh_multisig() -> None:
    challenge = of(script.p2wsh(sha256(BARE).digest()))
    made, theirs = segwit(challenge, BARE), multisig(1, [OTHER])
    assert challenge.is_met(challenge.signed(witness=(b"", made, BARE)))
    refused = {
        "another script": challenge.signed(witness=(b"", segwit(challenge, theirs, OTHER_PRIVATE), theirs)),
        "a scriptSig": challenge.signed(b"\0", (b"", made, BARE)),
        "a dummy that is something": challenge.signed(witness=(b"\1", made, BARE)),
        "nothing": challenge.signed(),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why


def test_fewer_signatures_than_the_script_asks_for() -> None:
    inner = multisig(2, [PUBLIC, OTHER])
    challenge = of(script.p2wsh(sha256(inner).digest()))
    first, second = (segwit(challenge, inner, private) for private in (PRIVATE, OTHER_PRIVATE))
    assert challenge.is_met(challenge.signed(witness=(b"", first, second, inner)))
    assert not challenge.is_met(challenge.signed(witness=(b"", first, inner)))
    assert not challenge.is_met(challenge.signed(witness=(b"", inner)))


def test_p2tr() -> None:
    challenge = of(schemes.p2tr(PUBLIC))
    tweaked = xonly.prvkey_tweak_add(PRIVATE, tagged_hash("TapTweak", PUBLIC[1:]))
    made = ssa.sign(sighash.taproot(challenge.to_sign, 0, challenge.to_spend.outputs, 0), tweaked, bytes(32))
    explicit = ssa.sign(sighash.taproot(challenge.to_sign, 0, challenge.to_spend.outputs, 1), tweaked, bytes(32))
    assert challenge.is_met(challenge.signed(witness=(made,)))
    assert challenge.is_met(challenge.signed(witness=(explicit + b"\1",)))
    refused = {
        "a scriptSig": challenge.signed(b"\0", (made,)),
        "another type than was signed": challenge.signed(witness=(made + b"\1",)),
        "a type of two bytes": challenge.signed(witness=(explicit + b"\0\1",)),
        "the default type written out": challenge.signed(witness=(made + b"\0",)),
        "nothing": challenge.signed(),
        "another type": challenge.signed(witness=(bytes(64) + b"\3",)),
        "too short": challenge.signed(witness=(bytes(63),)),
    }
    for why, signed in refused.items():
        assert not challenge.is_met(signed), why


@pytest.mark.parametrize(
    ("output_script", "witness"),
    [
        (schemes.p2tr(PUBLIC), (b"\x51", b"\xc0" + PUBLIC[1:])),
        (script.p2wsh(sha256(b"\x51").digest()), (b"\x51",)),
        (script.witness(2, bytes(32)), (b"",)),
        (b"\x51", ()),
    ],
    ids=["script path", "a script of its own", "a later version", "no script that is known"],
)
def test_not_judged(output_script: bytes, witness: tuple[bytes, ...]) -> None:
    challenge = of(output_script)
    with pytest.raises(UnknownScriptError):
        challenge.is_met(challenge.signed(witness=witness))
