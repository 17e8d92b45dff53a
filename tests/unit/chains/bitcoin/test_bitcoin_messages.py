"""Messages, beyond the vectors. Multisig and lock times are from BIP-322's own test vectors."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from btclib_secp256k1 import dsa, keys, recovery, ssa, xonly

from strongroom.chains.bitcoin import address, message, networks, schemes, sighash
from strongroom.chains.bitcoin.bip322 import Challenge
from strongroom.chains.bitcoin.script import multisig, p2sh, push
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.signing import Algorithm, Message, OurKey, Prepared, SignedMessage
from strongroom.errors import InternalError, InvalidAddress, InvalidMessage, WrongKey

NETWORK = networks.NETWORKS[0]
PRIVATE = b"\x07" * 32
PUBLIC = keys.pubkey_from_prvkey(PRIVATE)
ONE_KEY = {
    "p2pkh": schemes.p2pkh,
    "p2sh-p2wpkh": schemes.p2sh_p2wpkh,
    "p2wpkh": schemes.p2wpkh,
    "p2tr": schemes.p2tr,
}
TEXT = "Wer zuletzt lacht, lacht am besten: äöü".encode()
HEADERS = {"p2pkh": 31, "p2sh-p2wpkh": 35, "p2wpkh": 39}

PUBLISHED = {
    "p2wsh 3 of 3, simple": (
        "bc1qp0ahvfh83088w49k405szqgg4f3pptr7p2g06tdxfjcd40z4lh4q95lsz9",
        "This will be a p2wsh 3-of-3 multisig BIP 322 signed message",
        (
            "smpBQBHMEQCIFX9aaqPJWq2Ff2kpen5bFDTid+ehgUOpHV0LfjncXy4AiA3GNicF7aKPzdpa9PCpmaYQs3pHd+qbvvhXdxOCKCAMAFIMEUCIQD/ELXg"
            "6CNYyUQijCg96JtgvgjZb9dsl1Ctof4QAeyTcQIgVM/1AAblFl/DCt6A1gJg+T/i2qU5SQD09+chFJzolRwBSDBFAiEAlqRfSFyWNVQhvaCnmeV5tyne"
            "iCWMTcFbuujoD/pFa3wCIGnZjfQb8NolSYq9asV+ZeBSkCGHJcqnaV4JYS5MYPEGAWlTIQJ1aLEfEi/4p7wcV+XHZCBVvGGJZ7L3v+jhH+mZA8lN0yEC"
            "Covfec+kIdllXpKCgA8RX/HZ2x5yHOtCSKP8/sf6pnwhAwxSng6kCgCXXSAmJOOZFdr3vdK3HzGqCFloOHgc5fM6U64="
        ),
    ),
    "p2pkh, full, lock time": (
        "164P4mbDkPcyvRnFGAZd1ThjxSj7Fbsywz",
        "GI2SVNWVCWTEEIMFZFFZYAQNSA",
        (
            "AgAAAAGEmHuloQANVIqnpMegGLNFKwAGE0Urv0a/uMiHnJ+FQwAAAABrSDBFAiEAr8VdqPCZU/oVqKKj2WwHfeCX/lzp+Rfk8d59cS9xdGECIAar0nie"
            "vDdeVstmIgjfM7kzMepL6HrecBuJtgEitFxBASECzgU8WF30ffzpbdClcw/0NBkTCkuRbiEzr+CTXePjiPfgBwAAAQAAAAAAAAAAAWrgBwAA"
        ),
    ),
    "p2tr, full, lock time": (
        "bc1psmjelwjtg7lz26jhd4kkf35v0xp3u7ffc6p4n4869s0hxkrrrtkqkpqvmg",
        "K276VUM3MXP56DGNVICQR5XWRT",
        (
            "AgAAAAABAY+B3hhlrps+S2YaxSvL3HxZKdfT+8XCCtZ4KQc5N+AaAAAAAADgBwAAAQAAAAAAAAAAAWoBQEHQoT3HfPKw4WNiQySblfcRX2gnha/mrpFx"
            "UoYlkJxuQFXNN3sS+XbJsNAoXRlvQitk0tVEFpsUGRcCdZ7bWPHgBwAA"
        ),
    ),
}
P2WSH_TIME_LOCK = (
    "bc1q9dtw8dz93e7w6v5w8tra2et0vhz3wct3hpvl4tk5vrac9xz8szwqtvf0e2",
    "TOJXD6LSM3XO5OQ4QBQSL56I22",
    (
        "AgAAAAABARVzK6W+9P3uKAmwv5xuqaftTkpGVj+1VWPgnqAVBFPyAAAAAADgBwAAAQAAAAAAAAAAAWoDSDBFAiEA82QBQkW16bqrm2mfKOLubqM2XHM+"
        "042kNMIor103anACICxp8esh++3RqSzqeefA+nlZoejw4pJJeubRTC9d6kZaAQBNYyEDrYfXhOkh0CvwuJpB+O3tal2ECfO0v7k1/A4PTlGcQiBnAuAH"
        "snUhAyTbIAnLsvFRwT/A4kYwUNI0ny1pwRQ5KkFkMopLD5q4aKzgBwAA"
    ),
)


def key_of(kind: str) -> OurKey:
    return OurKey(PUBLIC, "m", kind, ONE_KEY[kind](PUBLIC))


def text_of(script: bytes) -> str:
    found = address.encode(address.params(NETWORK), script)
    assert found is not None
    return found


def made(prepared: Prepared) -> bytes:
    [to_sign] = prepared.to_sign
    if to_sign.algorithm is Algorithm.ECDSA:
        compact, recovery_id = recovery.sign(to_sign.payload, PRIVATE)
        return compact + bytes((recovery_id,))
    internal = PUBLIC[1:]
    tweaked = xonly.prvkey_tweak_add(PRIVATE, tagged_hash("TapTweak", internal + (to_sign.taproot_root or b"")))
    return ssa.sign(to_sign.payload, tweaked, bytes(32))


def sign(form: str, kind: str) -> SignedMessage:
    key = key_of(kind)
    prepared, _ = message.prepare(NETWORK, Message(form, TEXT), {key.public_key: key})
    return message.assemble(prepared, [made(prepared)])


def verify(form: str, script: bytes, signature: str, data: bytes = TEXT) -> bool:
    return message.verify(NETWORK, Message(form, data), signature, text_of(script))


EVERY = [(form, kind) for form in message.MESSAGE_FORMATS for kind in ONE_KEY if (form, kind) != ("bip137", "p2tr")]
EVERY.remove(("bitcoin", "p2tr"))


@pytest.mark.parametrize(("form", "kind"), EVERY)
def test_what_is_signed_holds_for_its_address_and_text_alone(form: str, kind: str) -> None:
    signed = sign(form, kind)
    assert signed.address == text_of(ONE_KEY[kind](PUBLIC))
    assert verify(form, ONE_KEY[kind](PUBLIC), signed.signature)
    assert not verify(form, ONE_KEY[kind](PUBLIC), signed.signature, TEXT + b".")
    other = keys.pubkey_from_prvkey(b"\x08" * 32)
    assert not verify(form, ONE_KEY[kind](other), signed.signature)


@pytest.mark.parametrize("kind", HEADERS)
def test_the_first_byte(kind: str) -> None:
    bip137, core = (base64.b64decode(sign(form, kind).signature) for form in ("bip137", "bitcoin"))
    assert bip137[0] - HEADERS[kind] in (0, 1)
    assert core[0] - 31 == bip137[0] - HEADERS[kind]
    assert core[1:] == bip137[1:]
    others = [script_of(PUBLIC) for other, script_of in ONE_KEY.items() if other not in (kind, "p2tr")]
    told = [verify("bip137", script, base64.b64encode(bip137).decode()) for script in others]
    assert told == [kind == "p2pkh"] * 2, "31 to 34 stand for any kind, the rest for their own"
    assert all(verify("bip137", script, base64.b64encode(core).decode()) for script in others)


def test_core_is_told_apart() -> None:
    for kind in HEADERS:
        key = key_of(kind)
        _, cautions = message.prepare(NETWORK, Message("bitcoin", TEXT), {key.public_key: key})
        assert [caution.code for caution in cautions] == ([] if kind == "p2pkh" else ["not_verified_by_core"])


def test_a_key_that_is_not_compressed() -> None:
    raw = base64.b64decode(sign("bitcoin", "p2pkh").signature)
    signature = base64.b64encode(bytes((raw[0] - 4,)) + raw[1:]).decode()
    uncompressed = schemes.p2pkh(keys.reserialize(PUBLIC, compressed=False))
    assert verify("bitcoin", uncompressed, signature)
    assert not verify("bitcoin", schemes.p2pkh(PUBLIC), signature)


def test_a_taproot_address_has_bip322_only() -> None:
    for form in ("bitcoin", "bip137"):
        with pytest.raises(InvalidMessage, match="only sign messages in the format bip322"):
            sign(form, "p2tr")


@pytest.mark.parametrize("kind", ONE_KEY)
def test_the_prefix_says_the_variant(kind: str) -> None:
    signature = sign("bip322", kind).signature
    assert signature[:3] == ("smp" if kind in ("p2wpkh", "p2tr") else "ful")
    script = ONE_KEY[kind](PUBLIC)
    assert verify("bip322", script, signature[3:]), "as before version 2.0.0"
    other = {"smp": "ful", "ful": "smp"}[signature[:3]]
    with pytest.raises(InvalidMessage):
        verify("bip322", script, other + signature[3:])


def test_a_p2pkh_address_keeps_what_it_had() -> None:
    signature = sign("bitcoin", "p2pkh").signature
    assert verify("bip322", schemes.p2pkh(PUBLIC), signature)
    with pytest.raises(InvalidMessage):
        verify("bip322", schemes.p2wpkh(PUBLIC), signature)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published(name: str) -> None:
    signer, text, signature = PUBLISHED[name]
    assert message.verify(NETWORK, Message("bip322", text.encode()), signature, signer)
    assert not message.verify(NETWORK, Message("bip322", text.encode() + b"."), signature, signer)


def test_a_script_that_is_not_judged() -> None:
    signer, text, signature = P2WSH_TIME_LOCK
    with pytest.raises(InvalidMessage, match="cannot be verified"):
        message.verify(NETWORK, Message("bip322", text.encode()), signature, signer)


@pytest.mark.parametrize("kind", ONE_KEY)
def test_one_bit_changed_does_not_hold(kind: str) -> None:
    challenge = Challenge(TEXT, ONE_KEY[kind](PUBLIC))
    [txin] = challenge.decode(sign("bip322", kind).signature).inputs
    for at in range(len(txin.script_sig)):
        assert not challenge.is_met(challenge.signed(_changed(txin.script_sig, at), txin.witness))
    for number, item in enumerate(txin.witness):
        for at in range(len(item)):
            witness = (*txin.witness[:number], _changed(item, at), *txin.witness[number + 1 :])
            assert not challenge.is_met(challenge.signed(txin.script_sig, witness))


def _changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def test_multisig_signatures_come_in_the_order_of_their_keys() -> None:
    privates = [bytes((number,)) * 32 for number in (1, 2, 3)]
    inner = multisig(2, [keys.pubkey_from_prvkey(private) for private in privates])
    challenge = Challenge(TEXT, p2sh(hash160(inner)))
    signatures = [_der(challenge, inner, private) for private in privates]
    for chosen, holds in (((0, 1), True), ((0, 2), True), ((1, 2), True), ((1, 0), False), ((1, 1), False)):
        script_sig = b"\0" + b"".join(push(signatures[number]) for number in chosen) + push(inner)
        assert challenge.is_met(challenge.signed(script_sig)) is holds, chosen


def _der(challenge: Challenge, inner: bytes, private: bytes) -> bytes:
    return dsa.sign(sighash.legacy(challenge.to_sign, 0, inner, 1), private) + b"\x01"


@pytest.mark.parametrize(
    ("form", "signature"),
    [
        ("bip322", ""),
        ("bip322", "pofAA=="),
        ("bip322", "smp!"),
        ("bip322", "smpAA"),
        ("bip322", "smpAR=="),
        ("bitcoin", ""),
        ("bitcoin", base64.b64encode(bytes(65)).decode()),
        ("bitcoin", base64.b64encode(b"\x2b" + bytes(64)).decode()),
        ("bip137", base64.b64encode(b"\x1f" + bytes(63)).decode()),
    ],
)
def test_what_cannot_be_read(form: str, signature: str) -> None:
    with pytest.raises(InvalidMessage):
        verify(form, schemes.p2wpkh(PUBLIC), signature)


def test_base64_has_one_form() -> None:
    signature = sign("bip322", "p2wpkh").signature
    assert signature[-2:-1] + "=" == signature[-2:]
    other = chr(ord(signature[-2]) + 1)  # the same bytes if the unused bits were ignored
    with pytest.raises(InvalidMessage, match="base64"):
        verify("bip322", schemes.p2wpkh(PUBLIC), f"{signature[:-2]}{other}=")


def test_a_proof_of_funds_is_not_judged() -> None:
    with pytest.raises(InvalidMessage, match="proofs of funds"):
        verify("bip322", schemes.p2wpkh(PUBLIC), "pof" + sign("bip322", "p2sh-p2wpkh").signature[3:])


def test_what_can_be_read_and_holds_nothing() -> None:
    assert not verify("bip322", schemes.p2wpkh(PUBLIC), "smpAA==")
    assert not verify("bip322", schemes.p2wpkh(PUBLIC), "AA==")
    assert not verify("bitcoin", schemes.p2pkh(PUBLIC), base64.b64encode(b"\x1f" + bytes(64)).decode())


def test_refused() -> None:
    key = key_of("p2wpkh")
    ours = {key.public_key: key}
    with pytest.raises(InvalidMessage, match="no message format with this name"):
        message.prepare(NETWORK, Message("eip191", TEXT), ours)
    with pytest.raises(WrongKey):
        message.prepare(NETWORK, Message("bip322", TEXT), {})
    cosigner = replace(key, address=p2sh(hash160(multisig(1, [PUBLIC]))))
    with pytest.raises(InvalidMessage, match="several keys"):
        message.prepare(NETWORK, Message("bip322", TEXT), {PUBLIC: cosigner})
    with pytest.raises(InvalidAddress):
        message.verify(NETWORK, Message("bip322", TEXT), "smpAA==", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx")


@pytest.mark.parametrize(("form", "kind"), EVERY)
def test_a_signature_of_something_else_does_not_leave(form: str, kind: str) -> None:
    key = key_of(kind)
    prepared, _ = message.prepare(NETWORK, Message(form, TEXT), {key.public_key: key})
    other, _ = message.prepare(NETWORK, Message(form, b"other"), {key.public_key: key})
    with pytest.raises(InternalError):
        message.assemble(prepared, [made(other)])
