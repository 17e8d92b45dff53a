"""The signer that opens seeds in this process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Final
from uuid import UUID

from btclib_secp256k1 import keys as secp256k1
from btclib_secp256k1 import recovery, ssa, xonly
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import Counter

from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import SecretBytes
from strongroom.domain.signing import Algorithm, Purpose, SignRequest, ToSign
from strongroom.domain.wallet import Owner, PublicNode, SealedSecret
from strongroom.errors import InvalidKey, InvalidPath, KeyWrapUnavailable
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
from strongroom.keys.making import Made, Makers, public_node, seed_material, ton_material, with_public
from strongroom.keys.opened import Opened, OpenedKey, OpenedSecrets
from strongroom.keys.sealing import KeyMaterial, Material
from strongroom.keywrap.base import KeyWrap
from strongroom.telemetry import tracing
from strongroom.telemetry.metrics import SIGNATURES_TOTAL

_CURVE_OF: Final = {
    Algorithm.ECDSA: Curve.SECP256K1,
    Algorithm.SCHNORR: Curve.SECP256K1,
    Algorithm.ED25519: Curve.ED25519,
}
_DIGEST_SIZE: Final = 32
_AT_ONCE: Final = 64
"""Signatures made before the event loop gets a turn, about 2 ms of work."""


class SeededSigner:
    """Implements `Signer`. Keeps opened secrets within three bounds, and none if a bound is 0.

    ``ttl`` is in seconds from opening, however often the secret is used. ``max_uses`` is the number of signatures per
    opening. ``max_entries`` is the number of secrets held, derived keys included.
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
        self._makers = Makers(rng)
        self._opened = OpenedSecrets(keywrap, ttl=ttl, max_uses=max_uses, max_entries=max_entries, clock=clock)

    async def create(self, owner: Owner, spec: NewSeed | NewTonWords, wants: Sequence[Want]) -> Created:
        """Raises KeyFailure, InvalidField, InvalidPath, InvalidMnemonic (the passphrase)."""
        [created] = await self.create_all([(owner, spec, wants)])
        if isinstance(created, Exception):
            raise created
        return created

    async def create_all(
        self, asks: Sequence[tuple[Owner, NewSeed | NewTonWords, Sequence[Want]]]
    ) -> list[Created | Exception]:
        made = await self._makers.make([(spec, wants) for _, spec, wants in asks])
        good = [(owner, each) for (owner, _, _), each in zip(asks, made, strict=True) if isinstance(each, Made)]
        sealed = iter(await self._seal(good))
        return [each if isinstance(each, Exception) else next(sealed) for each in made]

    async def restore(self, owner: Owner, material: Mnemonic | TonWords | RawKey, wants: Sequence[Want]) -> Created:
        """Raises KeyFailure, InvalidMnemonic, InvalidKey, InvalidField, InvalidPath."""
        if isinstance(material, RawKey):
            made = with_public(_key_material(material), wants)
        else:
            made = with_public(await self._makers.run(partial(_restored, material)), wants)
        [created] = await self._seal([(owner, made)])
        if isinstance(created, Exception):
            raise created
        return created

    async def public(self, secret: SealedSecret, wants: Sequence[Want]) -> list[PublicNode]:
        """Raises KeyFailure, InvalidPath."""
        async with self._opened.lease({secret: 1}) as opened:
            found = opened[secret]
            if isinstance(found, KeyFailure):
                raise KeyFailure(found.reason, found.retry_after)
            return [public_node(found, want) for want in wants]

    @tracing.traced("sign")
    async def sign(self, requests: Sequence[SignRequest]) -> list[bytes | KeyFailure]:
        answers: list[bytes | KeyFailure] = []
        uses: dict[SealedSecret, int] = {}
        for request in requests:
            uses[request.secret] = uses.get(request.secret, 0) + 1
        async with self._opened.lease(uses) as opened:
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
        """Wallets with an open secret."""
        return self._opened.wallets()

    async def forget(self, wallet_id: UUID) -> None:
        self._opened.forget(wallet_id)

    async def close(self) -> None:
        await self._opened.close()
        self._makers.close()

    async def _seal(self, made: Sequence[tuple[Owner, Made]]) -> Sequence[Created | Exception]:
        """Seal and wipe what was made. Every item is a KeyFailure if the key wrap is unavailable."""
        try:
            items = [(owner, each.material) for owner, each in made]
            sealed = await sealing.seal(self._keywrap, items, rng=self._rng) if items else []
        except KeyWrapUnavailable as error:
            return [KeyFailure(KeyFailureReason.UNAVAILABLE, error.retry_after) for _ in made]
        finally:
            for _, each in made:
                each.material.wipe()
        return [
            Created(secret, secret.kind, each.master_fingerprint, each.public, each.words)
            for secret, (_, each) in zip(sealed, made, strict=True)
        ]


def _restored(material: Mnemonic | TonWords) -> Material:
    if isinstance(material, TonWords):
        return ton_material(ton_mnemonic.parse(material.words.reveal(), material.password.reveal()))
    return seed_material(bip39.parse(material.words.reveal(), material.language), material.passphrase)


def _key_material(material: RawKey) -> KeyMaterial:
    key = raw.parse(material)
    if material.curve is Curve.SECP256K1 and not secp256k1.prvkey_verify(key):
        raise InvalidKey("a secp256k1 private key must be at least 1 and below the order of the curve", field="key")
    return KeyMaterial(curve=material.curve, key=key)


def _sign(opened: Opened | KeyFailure, item: ToSign) -> bytes | KeyFailure:
    if isinstance(opened, KeyFailure):
        return KeyFailure(opened.reason, opened.retry_after)
    if not _is_supported(item):
        return KeyFailure(KeyFailureReason.UNSUPPORTED)
    try:
        key = opened.key(_CURVE_OF[item.algorithm], item.path)
    except (KeyFailure, InvalidPath, InvalidKey):
        return KeyFailure(KeyFailureReason.UNSUPPORTED)  # a new error, for the caught one holds frames with keys
    if key.public != item.public_key:
        return KeyFailure(KeyFailureReason.WRONG_PUBLIC_KEY)
    # The chain verifies every signature before it is returned. verify=False only avoids doing that twice.
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
def _counter(algorithm: Algorithm, purpose: Purpose, result: str) -> Counter:
    return SIGNATURES_TOTAL.labels(algorithm, purpose, result)


def _is_supported(item: ToSign) -> bool:
    if item.taproot_root is not None and (
        item.algorithm is not Algorithm.SCHNORR or len(item.taproot_root) not in (0, _DIGEST_SIZE)
    ):
        return False
    return item.algorithm is Algorithm.ED25519 or len(item.payload) == _DIGEST_SIZE


def _taproot_key(key: OpenedKey, root: bytes | None) -> SecretBytes:
    """A copy of the key, tweaked by BIP-341's TapTweak if there is a root. b"" is the root that BIP-86 uses."""
    private = SecretBytes(key.private.reveal())
    if root is not None:
        tweak = tagged_hash("TapTweak", key.public[1:] + root)
        xonly.prvkey_tweak_add(key.private.reveal(), tweak, into=private.reveal())
    return private
