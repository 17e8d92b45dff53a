"""Encrypts a wallet's secret with a data key of its own, which the key wrap wraps.

The cipher is AES-256-GCM. Its additional data names tenant, wallet, kind and version. The context of the wrapped data
key names the first three. So a secret that is moved to another row, or put back from an older version, does not open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.domain.scheme import Curve
from strongroom.domain.wallet import Owner, SealedSecret, WalletKind
from strongroom.errors import KeyWrapUnavailable
from strongroom.keys.base import KeyFailure, KeyFailureReason
from strongroom.keywrap.base import KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.telemetry import tracing
from strongroom.telemetry.metrics import UNWRAPS_TOTAL

Rng = Callable[[int], bytes]
FORMAT = 1
"""Version of the plaintext below. Any other version is refused."""
_LABEL = "strongroom/seal/v1"
SERVICE_CONTEXT = hashlib.sha256(b"strongroom/service-secret/v1").digest()
"""The context that the service secret is wrapped under."""
_KEY_SIZE = 32
_NONCE_SIZE = 12


class _Material(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    format: int = FORMAT

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class SeedMaterial(_Material, frozen=True, tag=WalletKind.BIP39.value):
    """A mnemonic with its seed, so that no request pays for PBKDF2 again."""

    entropy: bytes
    language: str
    passphrase: str
    seed: bytearray

    def wipe(self) -> None:
        self.seed[:] = bytes(len(self.seed))


class KeyMaterial(_Material, frozen=True, tag=WalletKind.RAW_KEY.value):
    """One private key."""

    curve: Curve
    key: bytearray

    def wipe(self) -> None:
        self.key[:] = bytes(len(self.key))


class TonMaterial(_Material, frozen=True, tag=WalletKind.TON_NATIVE.value):
    """TON's 24 words with their key, so that no request pays for PBKDF2 again."""

    words: str
    password: str
    key: bytearray

    def wipe(self) -> None:
        self.key[:] = bytes(len(self.key))


Material = SeedMaterial | KeyMaterial | TonMaterial

_KINDS: Final[dict[type[Material], WalletKind]] = {
    SeedMaterial: WalletKind.BIP39,
    KeyMaterial: WalletKind.RAW_KEY,
    TonMaterial: WalletKind.TON_NATIVE,
}

_decoder: msgspec.msgpack.Decoder[Material] = msgspec.msgpack.Decoder(Material)


async def seal(
    keywrap: KeyWrap, items: Sequence[tuple[Owner, Material]], *, rng: Rng, version: int = 1
) -> list[SealedSecret]:
    """Seal all items with one call to the key wrap. Raises KeyWrapUnavailable."""
    keys = [rng(_KEY_SIZE) for _ in items]
    kinds = [_KINDS[type(material)] for _, material in items]
    contexts = [wrap_context(owner, kind) for (owner, _), kind in zip(items, kinds, strict=True)]
    wrapped = await keywrap.wrap(list(zip(keys, contexts, strict=True)))
    sealed = []
    for (owner, material), kind, key, wrap in zip(items, kinds, keys, wrapped, strict=True):
        nonce = rng(_NONCE_SIZE)
        plaintext = msgspec.msgpack.encode(material)
        blob = nonce + AESGCM(key).encrypt(nonce, plaintext, _additional_data(owner, kind, version))
        sealed.append(
            SealedSecret(
                tenant_id=owner.tenant_id,
                wallet_id=owner.wallet_id,
                kind=kind,
                version=version,
                kek=wrap.kek,
                kek_version=wrap.version,
                wrapped_dek=wrap.ciphertext,
                blob=blob,
            )
        )
    return sealed


@tracing.traced("unwrap")
async def unseal(keywrap: KeyWrap, secrets: Sequence[SealedSecret]) -> list[Material | KeyFailure]:
    """One result per item, in order, from one call to the key wrap."""
    wrapped = [
        (Wrapped(secret.kek, secret.kek_version, secret.wrapped_dek), wrap_context(secret.owner, secret.kind))
        for secret in secrets
    ]
    try:
        keys = await keywrap.unwrap(wrapped)
    except KeyWrapUnavailable as error:
        UNWRAPS_TOTAL.labels(WrapFailureReason.UNAVAILABLE).inc(len(wrapped))
        return [KeyFailure(KeyFailureReason.UNAVAILABLE, error.retry_after) for _ in secrets]
    for key in keys:
        UNWRAPS_TOTAL.labels(key.reason if isinstance(key, WrapFailure) else "ok").inc()
    return [_open(secret, key) for secret, key in zip(secrets, keys, strict=True)]


def wrap_context(owner: Owner, kind: WalletKind) -> bytes:
    """The 32-byte context of a wallet's data key. It leaves out the version, so that a rewrap does not need it."""
    return hashlib.sha256(_fields(_LABEL, owner.tenant_id.hex, owner.wallet_id.hex, kind.value)).digest()


def _additional_data(owner: Owner, kind: WalletKind, version: int) -> bytes:
    return _fields(_LABEL, owner.tenant_id.hex, owner.wallet_id.hex, kind.value, str(version))


def _fields(*fields: str) -> bytes:
    """The fields, each after its length, so that no two lists of fields give the same bytes."""
    return b"".join(len(field).to_bytes(4, "big") + field.encode("ascii") for field in fields)


def _open(secret: SealedSecret, key: bytes | WrapFailure) -> Material | KeyFailure:
    if isinstance(key, WrapFailure):
        away = key.reason is WrapFailureReason.UNAVAILABLE
        return KeyFailure(KeyFailureReason.UNAVAILABLE if away else KeyFailureReason.TAMPERED, key.retry_after)
    additional = _additional_data(secret.owner, secret.kind, secret.version)
    try:
        plaintext = AESGCM(key).decrypt(secret.blob[:_NONCE_SIZE], secret.blob[_NONCE_SIZE:], additional)
        material = _decoder.decode(plaintext)
    except (InvalidTag, ValueError):  # ValueError covers a nonce that is cut short and msgspec's errors
        return KeyFailure(KeyFailureReason.TAMPERED)
    return material if material.format == FORMAT else KeyFailure(KeyFailureReason.TAMPERED)
