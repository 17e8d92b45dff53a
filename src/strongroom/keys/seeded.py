"""The signer that opens seeds in this process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final
from uuid import UUID

from btclib_secp256k1 import keys as secp256k1
from btclib_secp256k1 import recovery, ssa, xonly
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import Counter as PrometheusCounter

from strongroom.codecs.bip32 import fingerprint, format_path, parse_path
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret, SecretBytes
from strongroom.domain.signing import Algorithm, Purpose, SignRequest, ToSign
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret
from strongroom.errors import InvalidField, InvalidKey, InvalidPath, KeyWrapUnavailable
from strongroom.keys import bip39, raw, sealing, ton_mnemonic
from strongroom.keys.base import (
    Created,
    KeyFailure,
    KeyFailureReason,
    Mnemonic,
    NewSeed,
    NewTonWords,
    RawKey,
    TonWords,
    Want,
)
from strongroom.keys.opened import Opened, OpenedKey, OpenedSecrets
from strongroom.keys.sealing import KeyMaterial, Material, SeedMaterial, TonMaterial
from strongroom.keywrap.base import KeyWrap
from strongroom.telemetry.metrics import SIGNATURES_TOTAL

_CURVE_OF: Final = {
    Algorithm.ECDSA: Curve.SECP256K1,
    Algorithm.SCHNORR: Curve.SECP256K1,
    Algorithm.ED25519: Curve.ED25519,
}
_DIGEST_SIZE: Final = 32
_AT_ONCE: Final = 64
"""Signatures made before others get a turn on the event loop: 2 ms."""


class SeededSigner:
    """Implements `Signer`. Keeps opened secrets within the given bounds; a bound of 0 keeps none.

    ``ttl``: seconds from opening, however much it is used. ``max_uses``: signatures. ``max_entries``: secrets held,
    derived keys counted too.
    """

    def __init__(
        self,
        keywrap: KeyWrap,
        *,
        ttl: float = 60.0,
        max_uses: int = 1000,
        max_entries: int = 256,
        clock: Callable[[], float] = time.monotonic,
        rng: sealing.Rng = secrets.token_bytes,
    ) -> None:
        self._keywrap = keywrap
        self._rng = rng
        self._opened = OpenedSecrets(keywrap, ttl=ttl, max_uses=max_uses, max_entries=max_entries, clock=clock)

    async def create(self, owner: Owner, spec: NewSeed | NewTonWords, wants: Sequence[Want]) -> Created:
        """Raises KeyFailure, InvalidField, InvalidPath, InvalidMnemonic (the passphrase)."""
        if isinstance(spec, NewTonWords):
            made = await asyncio.to_thread(ton_mnemonic.generate, spec.password.reveal(), self._rng)
            return await self._seal(
                owner, _ton_material(made), wants, Secret(made.words) if spec.reveal_words else None
            )
        if spec.words not in bip39.WORD_COUNTS:
            raise InvalidField("a mnemonic has 12, 15, 18, 21 or 24 words", field="words")
        phrase = bip39.from_entropy(self._rng(spec.words * 4 // 3), spec.language)
        material = await _seed_material(phrase, spec.passphrase)
        return await self._seal(owner, material, wants, Secret(phrase.text) if spec.reveal_words else None)

    async def restore(self, owner: Owner, material: Mnemonic | TonWords | RawKey, wants: Sequence[Want]) -> Created:
        """Raises KeyFailure, InvalidMnemonic, InvalidKey, InvalidField, InvalidPath."""
        if isinstance(material, RawKey):
            return await self._seal(owner, _key_material(material), wants)
        if isinstance(material, TonWords):
            words, password = material.words.reveal(), material.password.reveal()
            found = await asyncio.to_thread(ton_mnemonic.parse, words, password)
            return await self._seal(owner, _ton_material(found), wants)
        phrase = bip39.parse(material.words.reveal(), material.language)
        return await self._seal(owner, await _seed_material(phrase, material.passphrase), wants)

    async def public(self, secret: SealedSecret, wants: Sequence[Want]) -> list[PublicNode]:
        """Raises KeyFailure, InvalidPath."""
        async with self._opened.lease({secret: 1}) as opened:
            found = opened[secret]
            if isinstance(found, KeyFailure):
                raise KeyFailure(found.reason, found.retry_after)
            return [_public(found, want) for want in wants]

    async def sign(self, requests: Sequence[SignRequest]) -> list[bytes | KeyFailure]:
        answers: list[bytes | KeyFailure] = []
        async with self._opened.lease(Counter(request.secret for request in requests)) as opened:
            for start in range(0, len(requests), _AT_ONCE):
                if start:
                    await asyncio.sleep(0)
                chunk = requests[start : start + _AT_ONCE]
                answers += [_sign(opened[request.secret], request.to_sign) for request in chunk]
        for request, answer in zip(requests, answers, strict=True):
            result = answer.reason if isinstance(answer, KeyFailure) else "ok"
            _counter(request.to_sign.algorithm, request.to_sign.purpose, result).inc()
        return answers

    def opened_wallets(self) -> set[UUID]:
        """Wallets of which a secret is open."""
        return self._opened.wallets()

    async def forget(self, wallet_id: UUID) -> None:
        self._opened.forget(wallet_id)

    async def close(self) -> None:
        await self._opened.close()

    async def _seal(
        self, owner: Owner, material: Material, wants: Sequence[Want], words: Secret | None = None
    ) -> Created:
        opened = Opened(material)
        try:
            public = [_public(opened, want) for want in wants]
            master = None
            if isinstance(material, SeedMaterial):
                master = fingerprint(opened.key(Curve.SECP256K1, "m").public).hex()
            [secret] = await sealing.seal(self._keywrap, [(owner, material)], rng=self._rng)
        except KeyWrapUnavailable as error:
            raise KeyFailure(KeyFailureReason.UNAVAILABLE, error.retry_after) from None
        finally:
            opened.wipe()
            material.wipe()
        return Created(secret, secret.kind, master, public, words)


async def _seed_material(phrase: bip39.Phrase, passphrase: Secret) -> SeedMaterial:
    seed = await asyncio.to_thread(bip39.seed, phrase, passphrase.reveal())
    return SeedMaterial(
        entropy=phrase.entropy, language=phrase.language, passphrase=passphrase.reveal(), seed=bytearray(seed)
    )


def _ton_material(found: ton_mnemonic.TonKey) -> TonMaterial:
    return TonMaterial(words=found.words, password=found.password, key=bytearray(found.key))


def _key_material(material: RawKey) -> KeyMaterial:
    key = raw.parse(material)
    if material.curve is Curve.SECP256K1 and not secp256k1.prvkey_verify(key):
        raise InvalidKey("a secp256k1 private key is between 1 and the order of the curve", field="key")
    return KeyMaterial(curve=material.curve, key=key)


def _public(opened: Opened, want: Want) -> PublicNode:
    indexes = parse_path(want.path)
    path = format_path(indexes)
    public_key = opened.key(want.curve, path).public
    if not want.node:
        return PublicNode(path, public_key, None)
    if want.curve is not Curve.SECP256K1 or opened.single is not None:
        raise KeyFailure(KeyFailureReason.UNSUPPORTED)
    parent = opened.key(want.curve, format_path(indexes[:-1])).public if indexes else None
    with opened.node(want.curve, path) as node:
        chain_code = bytes(node.chain_code.reveal())
    return PublicNode(path, public_key, chain_code, bytes(4) if parent is None else fingerprint(parent))


def _sign(opened: Opened | KeyFailure, item: ToSign) -> bytes | KeyFailure:
    if isinstance(opened, KeyFailure):
        return KeyFailure(opened.reason, opened.retry_after)
    if not _is_supported(item):
        return KeyFailure(KeyFailureReason.UNSUPPORTED)
    try:
        key = opened.key(_CURVE_OF[item.algorithm], item.path)
    except (KeyFailure, InvalidPath, InvalidKey):
        return KeyFailure(KeyFailureReason.UNSUPPORTED)  # a new one: that which was caught remembers frames with keys
    if key.public != item.public_key:
        return KeyFailure(KeyFailureReason.WRONG_PUBLIC_KEY)
    # The chain verifies every signature before it leaves; verify=False only spares doing it twice.
    match item.algorithm:
        case Algorithm.ECDSA:
            signature, recovery_id = recovery.sign(item.payload, key.private.reveal(), verify=False)
            return signature + bytes([recovery_id])
        case Algorithm.SCHNORR:
            with _taproot_key(key, item.taproot_root) as private:
                return ssa.sign(item.payload, private.reveal(), bytes(32), verify=False)
        case Algorithm.ED25519:
            return Ed25519PrivateKey.from_private_bytes(key.private.reveal()).sign(item.payload)


@cache
def _counter(algorithm: Algorithm, purpose: Purpose, result: str) -> PrometheusCounter:
    return SIGNATURES_TOTAL.labels(algorithm, purpose, result)


def _is_supported(item: ToSign) -> bool:
    if item.taproot_root is not None and (
        item.algorithm is not Algorithm.SCHNORR or len(item.taproot_root) not in (0, _DIGEST_SIZE)
    ):
        return False
    return item.algorithm is Algorithm.ED25519 or len(item.payload) == _DIGEST_SIZE


def _taproot_key(key: OpenedKey, root: bytes | None) -> SecretBytes:
    """The key that signs, a copy: tweaked by BIP-341's TapTweak where there is a root (b"" is that of BIP-86)."""
    private = SecretBytes(key.private.reveal())
    if root is not None:
        tweak = tagged_hash("TapTweak", key.public[1:] + root)
        xonly.prvkey_tweak_add(key.private.reveal(), tweak, into=private.reveal())
    return private
