"""The contract of every signer. A new implementation is one more line in IMPLEMENTATIONS."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import coincurve
import pytest
from bip_utils import Bip32Slip10Ed25519, Bip32Slip10Secp256k1, Bip39SeedGenerator
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.codecs import bip32
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.signing import Algorithm, Purpose, SignRequest, ToSign
from strongroom.domain.wallet import Owner, SealedSecret, WalletKind
from strongroom.errors import InvalidField, InvalidKey, InvalidMnemonic, InvalidPath
from strongroom.keys.base import (
    KeyFailure,
    KeyFailureReason,
    Mnemonic,
    NewSeed,
    NewTonWords,
    RawKey,
    RawKeyFormat,
    Signer,
    TonWords,
    Want,
)
from strongroom.keys.seeded import SeededSigner
from strongroom.keywrap.base import KeyWrap
from strongroom.keywrap.local import LocalKeyWrap

IMPLEMENTATIONS: dict[str, Callable[[KeyWrap], Signer]] = {
    "seeded": SeededSigner,
    "seeded, nothing kept": lambda keywrap: SeededSigner(keywrap, ttl=0),
}

OWNER = Owner(UUID(int=1), UUID(int=2))
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
EVM, SOLANA, TAPROOT = "m/44'/60'/0'/0/0", "m/44'/501'/0'/0'", "m/86'/0'/0'/0/0"


@pytest.fixture(params=IMPLEMENTATIONS)
async def signer(request: pytest.FixtureRequest) -> AsyncIterator[Signer]:
    made = IMPLEMENTATIONS[request.param](LocalKeyWrap([bytes(32)]))
    yield made
    await made.close()


def to_sign(path: str, algorithm: Algorithm, public_key: bytes, payload: bytes = b"p" * 32) -> ToSign:
    return ToSign(path, algorithm, payload, public_key, Purpose.TRANSACTION)


def request(secret: SealedSecret, item: ToSign) -> SignRequest:
    return SignRequest(secret, item, UUID(int=3))


async def restored(signer: Signer, passphrase: str = "", owner: Owner = OWNER) -> SealedSecret:
    return (await signer.restore(owner, Mnemonic(Secret(WORDS), Secret(passphrase)), [])).secret


def reason(answer: object) -> KeyFailureReason:
    assert isinstance(answer, KeyFailure)
    return answer.reason


@pytest.mark.parametrize("words", [12, 15, 18, 21, 24])
async def test_a_created_wallet_is_restored_from_its_words(signer: Signer, words: int) -> None:
    wants = [Want(EVM, Curve.SECP256K1), Want("m/84'/0'/0'", Curve.SECP256K1, node=True), Want(SOLANA, Curve.ED25519)]
    spec = NewSeed(words=words, passphrase=Secret("é"), reveal_words=True)
    created = await signer.create(OWNER, spec, wants)
    assert created.kind is created.secret.kind is WalletKind.BIP39
    assert created.words is not None
    assert len(created.words.reveal().split()) == words
    again = await signer.restore(OWNER, Mnemonic(created.words, Secret("e\u0301")), wants)
    assert again.public == created.public == await signer.public(created.secret, wants)
    assert again.master_fingerprint == created.master_fingerprint
    assert again.words is None
    seed = Bip39SeedGenerator(created.words.reveal()).Generate("é")
    master = Bip32Slip10Secp256k1.FromSeed(seed)
    account = master.DerivePath("m/84'/0'/0'")
    assert created.master_fingerprint == master.FingerPrint().ToBytes().hex()
    assert created.public[0].public_key == master.DerivePath(EVM).PublicKey().RawCompressed().ToBytes()
    assert created.public[0].chain_code is None
    assert bip32.xpub(created.public[1]) == account.PublicKey().ToExtended()
    solana = Bip32Slip10Ed25519.FromSeedAndPath(seed, SOLANA)
    assert b"\0" + created.public[2].public_key == solana.PublicKey().RawCompressed().ToBytes()


async def test_words_are_given_only_when_asked_for(signer: Signer) -> None:
    assert (await signer.create(OWNER, NewSeed(), [])).words is None


async def test_other_languages(signer: Signer) -> None:
    created = await signer.create(OWNER, NewSeed(language="japanese", reveal_words=True), [])
    assert created.words is not None
    again = await signer.restore(OWNER, Mnemonic(created.words, Secret("")), [])
    assert again.master_fingerprint == created.master_fingerprint


@pytest.mark.parametrize("password", ["", "пароль"])
async def test_words_of_ton_are_made_and_restored(signer: Signer, password: str) -> None:
    wants = [Want("m", Curve.ED25519)]
    created = await signer.create(OWNER, NewTonWords(Secret(password), reveal_words=True), wants)
    assert created.kind is created.secret.kind is WalletKind.TON_NATIVE
    assert created.master_fingerprint is None
    assert created.words is not None
    assert len(created.words.reveal().split()) == 24
    again = await signer.restore(OWNER, TonWords(created.words, Secret(password)), wants)
    assert again.public == created.public == await signer.public(created.secret, wants)
    assert again.words is None
    key = created.public[0].public_key
    [signature] = await signer.sign([request(created.secret, to_sign("m", Algorithm.ED25519, key, b"payload"))])
    assert isinstance(signature, bytes)
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"payload")
    wrong = Secret("" if password else "another")
    for bad in (TonWords(created.words, wrong), TonWords(Secret(WORDS))):
        with pytest.raises(InvalidMnemonic):
            await signer.restore(OWNER, bad, wants)
    with pytest.raises(InvalidPath):
        await signer.public(created.secret, [Want("m/0'", Curve.ED25519)])


@pytest.mark.parametrize("spec", [NewSeed(words=13), NewSeed(words=0), NewSeed(words=-12), NewSeed(language="klingon")])
async def test_a_seed_that_cannot_be_made(signer: Signer, spec: NewSeed) -> None:
    with pytest.raises(InvalidField):
        await signer.create(OWNER, spec, [])


async def test_bad_words(signer: Signer) -> None:
    with pytest.raises(InvalidMnemonic):
        await signer.restore(OWNER, Mnemonic(Secret("canary " * 12), Secret("")), [])


async def test_ecdsa_against_a_second_implementation(signer: Signer) -> None:
    rng, secret = random.Random(1), await restored(signer)
    seed = Bip39SeedGenerator(WORDS).Generate()
    for _ in range(20):
        path = f"m/44'/60'/0'/0/{rng.randrange(100)}"
        key = coincurve.PrivateKey(Bip32Slip10Secp256k1.FromSeedAndPath(seed, path).PrivateKey().Raw().ToBytes())
        digest = rng.randbytes(32)
        item = to_sign(path, Algorithm.ECDSA, key.public_key.format(), digest)
        [signature] = await signer.sign([request(secret, item)])
        assert signature == key.sign_recoverable(digest, hasher=None)
        assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
        assert [signature] == await signer.sign([request(secret, item)])


@pytest.mark.parametrize("root", [None, b"", sha256(b"script").digest()])
async def test_schnorr_against_a_second_implementation(signer: Signer, root: bytes | None) -> None:
    rng, secret = random.Random(2), await restored(signer)
    seed = Bip39SeedGenerator(WORDS).Generate()
    for index in range(10):
        path = f"m/86'/0'/0'/0/{index}"
        key = coincurve.PrivateKey(Bip32Slip10Secp256k1.FromSeedAndPath(seed, path).PrivateKey().Raw().ToBytes())
        public, digest = key.public_key.format(), rng.randbytes(32)
        item = replace(to_sign(path, Algorithm.SCHNORR, public, digest), taproot_root=root)
        [signature] = await signer.sign([request(secret, item)])
        scalar = int.from_bytes(key.secret, "big")
        if root is not None:  # BIP-341: taproot_tweak_seckey
            tag = sha256(b"TapTweak").digest()
            tweak = int.from_bytes(sha256(tag + tag + public[1:] + root).digest(), "big")
            scalar = ((scalar if public[0] == 2 else ORDER - scalar) + tweak) % ORDER
        assert signature == coincurve.PrivateKey.from_int(scalar).sign_schnorr(digest, bytes(32))


async def test_bip86_published(signer: Signer) -> None:
    # BIP-86, test vectors: the output key of the first receiving address
    words = "abandon " * 11 + "about"
    created = await signer.restore(OWNER, Mnemonic(Secret(words), Secret("")), [Want(TAPROOT, Curve.SECP256K1)])
    item = replace(to_sign(TAPROOT, Algorithm.SCHNORR, created.public[0].public_key), taproot_root=b"")
    [signature] = await signer.sign([request(created.secret, item)])
    assert isinstance(signature, bytes)
    output = bytes.fromhex("a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c")
    assert coincurve.PublicKeyXOnly(output).verify(signature, b"p" * 32)


async def test_ed25519(signer: Signer) -> None:
    created = await signer.restore(OWNER, Mnemonic(Secret(WORDS), Secret("")), [Want(SOLANA, Curve.ED25519)])
    public = created.public[0].public_key
    for message in (b"", b"m", b"m" * 1232):
        [signature] = await signer.sign([request(created.secret, to_sign(SOLANA, Algorithm.ED25519, public, message))])
        assert isinstance(signature, bytes)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


@pytest.mark.parametrize("text", ["{:064x}", "0x{:064X}"])
@pytest.mark.parametrize("scalar", [1, ORDER - 1])
async def test_a_raw_secp256k1_key(signer: Signer, text: str, scalar: int) -> None:
    raw = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret(text.format(scalar)))
    created = await signer.restore(OWNER, raw, [Want("m", Curve.SECP256K1)])
    key = coincurve.PrivateKey.from_int(scalar)
    assert created.kind is WalletKind.RAW_KEY
    assert created.master_fingerprint is None
    assert created.public[0].public_key == key.public_key.format()
    [signature] = await signer.sign([request(created.secret, to_sign("m", Algorithm.ECDSA, key.public_key.format()))])
    assert signature == key.sign_recoverable(b"p" * 32, hasher=None)


async def test_a_raw_ed25519_key(signer: Signer) -> None:
    # RFC 8032, 7.1, test 1
    raw = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    created = await signer.restore(
        OWNER, RawKey(Curve.ED25519, RawKeyFormat.HEX, Secret(raw)), [Want("m", Curve.ED25519)]
    )
    assert created.public[0].public_key.hex() == public
    [signature] = await signer.sign(
        [request(created.secret, to_sign("m", Algorithm.ED25519, bytes.fromhex(public), b""))]
    )
    assert isinstance(signature, bytes)
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")


@pytest.mark.parametrize(
    "text",
    ["", "00" * 32, f"{ORDER:064x}", "ff" * 32, "11" * 31, "11" * 33, "0x", "zz" * 32, " " + "11" * 32, "١" * 64],
)
async def test_a_bad_raw_key(signer: Signer, text: str) -> None:
    with pytest.raises(InvalidKey) as refusal:
        await signer.restore(OWNER, RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret(text)), [])
    assert refusal.value.__context__ is None


async def test_a_raw_key_has_the_path_m_and_one_curve(signer: Signer) -> None:
    raw = RawKey(Curve.SECP256K1, RawKeyFormat.HEX, Secret("11" * 32))
    secret = (await signer.restore(OWNER, raw, [])).secret
    with pytest.raises(InvalidPath):
        await signer.public(secret, [Want("m/0", Curve.SECP256K1)])
    for want in (Want("m", Curve.ED25519), Want("m", Curve.SECP256K1, node=True)):
        with pytest.raises(KeyFailure) as failure:
            await signer.public(secret, [want])
        assert failure.value.reason is KeyFailureReason.UNSUPPORTED


async def test_a_want_that_cannot_be_met(signer: Signer) -> None:
    secret = await restored(signer)
    for path in ("m/44'/501'/0", "m/x", ""):
        with pytest.raises(InvalidPath):
            await signer.public(secret, [Want(path, Curve.ED25519)])
    with pytest.raises(KeyFailure):
        await signer.public(secret, [Want(SOLANA, Curve.ED25519, node=True)])


async def test_a_bad_item_fails_alone(signer: Signer) -> None:
    secret = await restored(signer)
    [public, other, ed25519] = [
        node.public_key
        for node in await signer.public(
            secret,
            [Want(EVM, Curve.SECP256K1), Want("m/44'/60'/0'/0/1", Curve.SECP256K1), Want(SOLANA, Curve.ED25519)],
        )
    ]
    good = to_sign(EVM, Algorithm.ECDSA, public)
    schnorr = replace(good, algorithm=Algorithm.SCHNORR)
    bad = {
        replace(good, public_key=other): KeyFailureReason.WRONG_PUBLIC_KEY,
        replace(good, public_key=b""): KeyFailureReason.WRONG_PUBLIC_KEY,
        replace(good, path="m/44'/60'/0'/0/1"): KeyFailureReason.WRONG_PUBLIC_KEY,
        replace(schnorr, public_key=public[1:]): KeyFailureReason.WRONG_PUBLIC_KEY,
        replace(good, payload=b"p" * 31): KeyFailureReason.UNSUPPORTED,
        replace(schnorr, payload=b"p" * 33): KeyFailureReason.UNSUPPORTED,
        replace(good, path="nonsense"): KeyFailureReason.UNSUPPORTED,
        replace(good, taproot_root=b""): KeyFailureReason.UNSUPPORTED,
        replace(schnorr, taproot_root=b"r" * 31): KeyFailureReason.UNSUPPORTED,
        to_sign("m/44'/501'/0", Algorithm.ED25519, ed25519): KeyFailureReason.UNSUPPORTED,
        replace(to_sign(SOLANA, Algorithm.ED25519, ed25519), taproot_root=b""): KeyFailureReason.UNSUPPORTED,
    }
    answers = await signer.sign([request(secret, item) for item in (good, *bad, good)])
    assert [reason(answer) for answer in answers[1:-1]] == list(bad.values())
    assert isinstance(answers[0], bytes)
    assert answers[0] == answers[-1]


async def test_a_changed_secret_fails_alone(signer: Signer) -> None:
    secret = await restored(signer)
    [node] = await signer.public(secret, [Want(EVM, Curve.SECP256K1)])
    item = to_sign(EVM, Algorithm.ECDSA, node.public_key)
    moved = replace(secret, wallet_id=UUID(int=9))
    assert isinstance((await signer.sign([request(secret, item)]))[0], bytes)
    answers = await signer.sign([request(secret, item), request(moved, item), request(secret, item)])
    assert reason(answers[1]) is KeyFailureReason.TAMPERED
    assert isinstance(answers[0], bytes)
    assert answers[0] == answers[2]
    with pytest.raises(KeyFailure):
        await signer.public(moved, [])


async def test_no_requests(signer: Signer) -> None:
    assert await signer.sign([]) == []


async def test_forgetting_what_is_not_open(signer: Signer) -> None:
    await signer.forget(UUID(int=77))
