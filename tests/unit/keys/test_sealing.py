from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.domain.scheme import Curve
from strongroom.domain.wallet import Owner, SealedSecret, WalletKind
from strongroom.keys import sealing
from strongroom.keys.base import KeyFailure, KeyFailureReason
from strongroom.keywrap.base import Wrapped
from strongroom.keywrap.local import LocalKeyWrap

OWNER = Owner(UUID(int=1), UUID(int=2))
SEED = sealing.SeedMaterial(entropy=b"e" * 16, language="english", passphrase="canary", seed=bytearray(b"s" * 64))
KEY = sealing.KeyMaterial(curve=Curve.ED25519, key=bytearray(b"k" * 32))


@pytest.fixture
def keywrap() -> LocalKeyWrap:
    return LocalKeyWrap([bytes(32)])


async def test_what_was_sealed_opens(keywrap: LocalKeyWrap) -> None:
    owners = [OWNER, Owner(UUID(int=1), UUID(int=3))]
    sealed = await sealing.seal(keywrap, list(zip(owners, (SEED, KEY), strict=True)), rng=secrets.token_bytes)
    assert [secret.kind for secret in sealed] == [WalletKind.BIP39, WalletKind.RAW_KEY]
    assert await sealing.unseal(keywrap, sealed) == [SEED, KEY]
    for secret in sealed:
        assert b"s" * 8 not in secret.blob
        assert b"canary" not in secret.blob


CHANGES: dict[str, Callable[[SealedSecret], SealedSecret]] = {
    "tenant": lambda secret: replace(secret, tenant_id=UUID(int=9)),
    "wallet": lambda secret: replace(secret, wallet_id=UUID(int=9)),
    "kind": lambda secret: replace(secret, kind=WalletKind.RAW_KEY),
    "version": lambda secret: replace(secret, version=2),
    "key": lambda secret: replace(secret, kek="other"),
    "key version": lambda secret: replace(secret, kek_version=2),
    "wrapped key": lambda secret: replace(
        secret, wrapped_dek=secret.wrapped_dek[:-1] + bytes([secret.wrapped_dek[-1] ^ 1])
    ),
    "nonce": lambda secret: replace(secret, blob=bytes(12) + secret.blob[12:]),
    "tag": lambda secret: replace(secret, blob=secret.blob[:-1] + bytes([secret.blob[-1] ^ 1])),
    "cut": lambda secret: replace(secret, blob=secret.blob[:20]),
    "short": lambda secret: replace(secret, blob=b"123"),
    "empty": lambda secret: replace(secret, blob=b""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_changed_secret_does_not_open(
    keywrap: LocalKeyWrap, change: Callable[[SealedSecret], SealedSecret]
) -> None:
    [sealed] = await sealing.seal(keywrap, [(OWNER, SEED)], rng=secrets.token_bytes)
    good, bad = await sealing.unseal(keywrap, [sealed, change(sealed)])
    assert good == SEED
    assert isinstance(bad, KeyFailure)
    assert bad.reason is KeyFailureReason.TAMPERED


async def test_the_parts_of_two_wallets_do_not_mix(keywrap: LocalKeyWrap) -> None:
    other = Owner(OWNER.tenant_id, UUID(int=3))
    first, second = await sealing.seal(keywrap, [(OWNER, SEED), (other, SEED)], rng=secrets.token_bytes)
    for mixed in (replace(first, wrapped_dek=second.wrapped_dek), replace(first, blob=second.blob)):
        [opened] = await sealing.unseal(keywrap, [mixed])
        assert isinstance(opened, KeyFailure)


async def test_what_is_stored_keeps_its_form() -> None:
    """The format, written out by hand. Any change would lock out every wallet that is already stored."""
    fields = [b"strongroom/seal/v1", OWNER.tenant_id.hex.encode(), OWNER.wallet_id.hex.encode(), b"bip39"]
    prefixed = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    assert sealing.wrap_context(OWNER, WalletKind.BIP39) == sha256(prefixed).digest()
    key = b"d" * 32
    [sealed] = await sealing.seal(LocalKeyWrap([bytes(32)]), [(OWNER, SEED)], rng=lambda size: key[:size], version=7)
    plaintext = AESGCM(key).decrypt(key[:12], sealed.blob[12:], prefixed + b"\0\0\0\x017")
    assert msgspec.msgpack.decode(plaintext) == {
        "kind": "bip39",
        "format": 1,
        "entropy": b"e" * 16,
        "language": "english",
        "passphrase": "canary",
        "seed": b"s" * 64,
    }


async def test_every_seal_has_a_key_and_a_nonce_of_its_own(keywrap: LocalKeyWrap) -> None:
    drawn: list[bytes] = []

    def rng(size: int) -> bytes:
        drawn.append(secrets.token_bytes(size))
        return drawn[-1]

    await sealing.seal(keywrap, [(OWNER, SEED)] * 2, rng=rng)
    assert sorted(map(len, drawn)) == [12, 12, 32, 32]


@pytest.mark.parametrize("fields", [{"format": 2}, {"extra": 1}, {"seed": "text"}, {"kind": "watch"}])
async def test_a_plaintext_of_another_shape_does_not_open(keywrap: LocalKeyWrap, fields: dict[str, object]) -> None:
    document = msgspec.msgpack.decode(msgspec.msgpack.encode(SEED)) | fields
    key, nonce = bytes(32), bytes(12)
    [wrapped] = await keywrap.wrap([(key, sealing.wrap_context(OWNER, WalletKind.BIP39))])
    additional = sealing._additional_data(OWNER, WalletKind.BIP39, 1)
    blob = nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(document), additional)
    secret = _sealed(wrapped, blob)
    [opened] = await sealing.unseal(keywrap, [secret])
    assert isinstance(opened, KeyFailure)
    assert opened.reason is KeyFailureReason.TAMPERED
    assert opened.__context__ is None


def _sealed(wrapped: Wrapped, blob: bytes) -> SealedSecret:
    return SealedSecret(
        OWNER.tenant_id, OWNER.wallet_id, WalletKind.BIP39, 1, wrapped.kek, wrapped.version, wrapped.ciphertext, blob
    )


def test_material_does_not_print_and_is_wiped() -> None:
    material = sealing.KeyMaterial(curve=Curve.ED25519, key=bytearray(b"k" * 32))
    assert "kk" not in repr(material)
    assert "canary" not in repr(SEED)
    material.wipe()
    assert not any(material.key)
