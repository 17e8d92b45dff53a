"""Makes the material of new wallets in threads, on all cores.

PBKDF2 releases the interpreter's lock. The threads run at a lower priority than the event loop, so that signatures do
not wait while wallets are made.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final

from strongroom.codecs.bip32 import fingerprint, format_path, parse_path
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import Secret
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidField
from strongroom.keys import bip39, ton_mnemonic
from strongroom.keys.base import KeyFailure, KeyFailureReason, NewSeed, NewTonWords, Want
from strongroom.keys.opened import Opened
from strongroom.keys.sealing import Material, Rng, SeedMaterial, TonMaterial

_CHUNKS_PER_CORE: Final = 4
_NICENESS: Final = 4

Ask = tuple[NewSeed | NewTonWords, Sequence[Want]]


@dataclass(frozen=True, slots=True)
class Made:
    """A new secret that is not sealed yet. Its holder wipes ``material``."""

    material: Material
    public: list[PublicNode]
    master_fingerprint: str | None
    words: Secret | None = None


class Makers:
    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._cores, "making", _step_back)

    async def make(self, asks: Sequence[Ask]) -> list[Made | Exception]:
        """One result per item, in order: Made, or a KeyFailure, InvalidField, InvalidPath or InvalidMnemonic."""
        size = -(-len(asks) // (self._cores * _CHUNKS_PER_CORE))
        loop = asyncio.get_running_loop()
        chunks = [asks[start : start + size] for start in range(0, len(asks), max(1, size))]
        made = await asyncio.gather(*[loop.run_in_executor(self._pool, self._make_all, each) for each in chunks])
        return list(chain.from_iterable(made))

    async def run(self, work: Callable[[], Material]) -> Material:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make_all(self, asks: Sequence[Ask]) -> list[Made | Exception]:
        return list(self._each(asks))

    def _each(self, asks: Sequence[Ask]) -> Iterator[Made | Exception]:
        for spec, wants in asks:
            try:
                yield _make(spec, wants, self._rng)
            except Exception as error:  # noqa: BLE001 - the other items go on
                yield error.with_traceback(None)  # the frames hold keys


def _make(spec: NewSeed | NewTonWords, wants: Sequence[Want], rng: Rng) -> Made:
    if isinstance(spec, NewTonWords):
        made = ton_mnemonic.generate(spec.password.reveal(), rng)
        return with_public(ton_material(made), wants, Secret(made.words) if spec.reveal_words else None)
    if spec.words not in bip39.WORD_COUNTS:
        raise InvalidField("a mnemonic must have 12, 15, 18, 21 or 24 words", field="words")
    phrase = bip39.from_entropy(rng(spec.words * 4 // 3), spec.language)
    material = seed_material(phrase, spec.passphrase)
    return with_public(material, wants, Secret(phrase.text) if spec.reveal_words else None)


def with_public(material: Material, wants: Sequence[Want], words: Secret | None = None) -> Made:
    """Derive the wanted public keys. Raises KeyFailure, InvalidPath, and then has wiped ``material``."""
    opened = Opened(material)
    try:
        public = [public_node(opened, want) for want in wants]
        master = None
        if isinstance(material, SeedMaterial):
            master = fingerprint(opened.key(Curve.SECP256K1, "m").public).hex()
    except BaseException:
        material.wipe()
        raise
    finally:
        opened.wipe()
    return Made(material, public, master, words)


def seed_material(phrase: bip39.Phrase, passphrase: Secret) -> SeedMaterial:
    """About a millisecond of work. Raises InvalidMnemonic if the passphrase is not Unicode text."""
    seed = bip39.seed(phrase, passphrase.reveal())
    return SeedMaterial(
        entropy=phrase.entropy, language=phrase.language, passphrase=passphrase.reveal(), seed=bytearray(seed)
    )


def ton_material(found: ton_mnemonic.TonKey) -> TonMaterial:
    return TonMaterial(words=found.words, password=found.password, key=bytearray(found.key))


def public_node(opened: Opened, want: Want) -> PublicNode:
    """Raises KeyFailure, InvalidPath."""
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


def _step_back() -> None:
    """Lower the priority of the calling thread. Only Linux has a niceness per thread."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
