"""Opened secrets, cached briefly so that not every signature needs a call to the key wrap."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from strongroom.codecs.bip32 import parse_path
from strongroom.domain.scheme import Curve
from strongroom.domain.secret import SecretBytes
from strongroom.domain.wallet import SealedSecret
from strongroom.errors import InvalidPath
from strongroom.keys import derivation, sealing, slip10
from strongroom.keys.base import KeyFailure, KeyFailureReason
from strongroom.keys.derivation import PrivateNode
from strongroom.keys.sealing import KeyMaterial, Material, SeedMaterial, TonMaterial
from strongroom.keywrap.base import KeyWrap
from strongroom.telemetry.metrics import OPENED_KEYS

_DERIVE: Final = {Curve.SECP256K1: derivation.derive, Curve.ED25519: slip10.derive}
_PUBLIC_KEY: Final = {Curve.SECP256K1: derivation.public_key, Curve.ED25519: slip10.public_key}
_MAX_DERIVED: Final = 16
"""Derived keys that one opened secret keeps between calls. Most wallets sign with only a few."""


class OpenedKey:
    """One private key and its public key."""

    __slots__ = ("private", "public")

    def __init__(self, private: SecretBytes, public: bytes) -> None:
        self.private = private
        self.public = public


class Opened:
    """One opened secret, a seed or a single key, with the keys derived from it so far."""

    def __init__(self, material: Material) -> None:
        self.single = _curve(material)
        """The curve of a single key, or None for a seed."""
        self._secret = SecretBytes(material.seed if isinstance(material, SeedMaterial) else material.key)
        self._derived: dict[tuple[Curve, str], OpenedKey] = {}

    def __len__(self) -> int:
        """The number of secrets held, derived keys included."""
        return 1 + len(self._derived)

    def node(self, curve: Curve, path: str) -> PrivateNode:
        """A copy of the node, which the caller wipes. Raises InvalidPath, InvalidKey, KeyFailure (unsupported)."""
        indexes = parse_path(path)
        if self.single is None:
            if curve is Curve.ED25519 and not indexes:  # as solana-keygen without a path; not SLIP-0010's master key
                return PrivateNode(SecretBytes(self._secret.reveal()[:32]), SecretBytes(b""))
            return _DERIVE[curve](self._secret.reveal(), indexes)
        if indexes:
            raise InvalidPath("a wallet with a single key has only the path m", field="path")
        if curve is not self.single:
            raise KeyFailure(KeyFailureReason.UNSUPPORTED)
        return PrivateNode(SecretBytes(self._secret.reveal()), SecretBytes(b""))

    def key(self, curve: Curve, path: str) -> OpenedKey:
        """The key at ``path``, derived at most once. Raises what `node` raises."""
        known = self._derived.get((curve, path))
        if known is None:
            node = self.node(curve, path)
            known = self._derived[curve, path] = OpenedKey(node.key, _PUBLIC_KEY[curve](node))
        return known

    def trim(self) -> None:
        """Drop the oldest derived keys until at most `_MAX_DERIVED` are left."""
        while len(self._derived) > _MAX_DERIVED:
            self._derived.pop(next(iter(self._derived))).private.wipe()

    def wipe(self) -> None:
        self._secret.wipe()
        for key in self._derived.values():
            key.private.wipe()
        self._derived.clear()


def _curve(material: Material) -> Curve | None:
    if isinstance(material, TonMaterial):
        return Curve.ED25519
    return material.curve if isinstance(material, KeyMaterial) else None


class _Slot:
    """A secret that is open or being opened, with its users. Wiped once it is retired and the last user has left."""

    __slots__ = ("expires", "held", "leases", "opened", "opening", "position", "retired", "secret", "timer", "uses")

    opening: asyncio.Task[list[Material | KeyFailure]]
    position: int

    def __init__(self, secret: SealedSecret) -> None:
        self.secret = secret
        self.opened: Opened | KeyFailure | None = None
        self.expires = float("inf")
        self.timer: asyncio.TimerHandle | None = None
        self.uses = 0
        self.leases = 0
        self.held = 0
        self.retired = False


class OpenedSecrets:
    """A cache bounded by age, by uses of each secret and by the number of secrets, seeds and derived keys together.

    With a bound of 0 it keeps nothing, and every call asks the key wrap. Entries are found by the whole sealed secret,
    so a row that was changed in the database never gets what was opened before the change.
    """

    def __init__(
        self, keywrap: KeyWrap, *, ttl: float, max_uses: int, max_entries: int, clock: Callable[[], float]
    ) -> None:
        self._keywrap = keywrap
        self._ttl = ttl
        self._max_uses = max_uses
        self._max_entries = max_entries
        self._clock = clock
        self._off = not (ttl > 0 and max_uses > 0 and max_entries > 0)
        self._slots: OrderedDict[SealedSecret, _Slot] = OrderedDict()
        self._held = self._told = 0
        self._openings: set[asyncio.Task[list[Material | KeyFailure]]] = set()

    @asynccontextmanager
    async def lease(self, uses: Mapping[SealedSecret, int]) -> AsyncIterator[dict[SealedSecret, Opened | KeyFailure]]:
        """Each secret, opened or with the reason why not. The result is valid inside the block.

        ``uses`` says how many signatures each secret is wanted for. Missing secrets are unwrapped in one batch, and
        concurrent calls for the same secret share one unwrap.
        """
        slots = self._take(uses)
        try:
            pending = {slot.opening for slot in slots if not slot.opening.done()}
            if pending:
                await asyncio.wait(pending)  # unlike `await`, does not cancel what other callers wait for
            yield {slot.secret: self._settle(slot) for slot in slots}
        finally:
            self._release(slots)

    def wallets(self) -> set[UUID]:
        """Wallets with an open secret."""
        return {secret.wallet_id for secret in self._slots}

    def forget(self, wallet_id: UUID) -> None:
        for slot in [slot for slot in self._slots.values() if slot.secret.wallet_id == wallet_id]:
            self._retire(slot)

    async def close(self) -> None:
        for slot in list(self._slots.values()):
            self._retire(slot)
        if self._openings:
            await asyncio.wait(self._openings)

    def _take(self, uses: Mapping[SealedSecret, int]) -> list[_Slot]:
        now = self._clock()
        slots, missing = [], []
        for secret, count in uses.items():
            slot = self._slots.get(secret)
            if slot is not None and (slot.expires <= now or slot.uses + count > self._max_uses):
                self._retire(slot)
                slot = None
            if slot is None:
                slot = self._slots[secret] = _Slot(secret)
                missing.append(slot)
            self._slots.move_to_end(secret)
            slot.leases += 1
            slot.uses += count
            slots.append(slot)
        if missing:
            self._open(missing)
        return slots

    def _open(self, slots: list[_Slot]) -> None:
        task = asyncio.create_task(sealing.unseal(self._keywrap, [slot.secret for slot in slots]))
        self._openings.add(task)
        for position, slot in enumerate(slots):
            slot.opening, slot.position = task, position
            slot.leases += 1  # held until the secret arrives, so that it is wiped even if every caller has gone

        def arrived(done: asyncio.Task[list[Material | KeyFailure]]) -> None:
            self._openings.discard(done)
            for slot in slots:
                if done.cancelled() or done.exception() is not None:
                    self._retire(slot)
                else:
                    self._settle(slot)
            self._release(slots)

        task.add_done_callback(arrived)

    def _settle(self, slot: _Slot) -> Opened | KeyFailure:
        """The opened secret, or the failure. The first call after the unwrap stores it."""
        if slot.opened is None:
            material = slot.opening.result()[slot.position]
            if isinstance(material, KeyFailure):
                slot.opened = material
                self._retire(slot)
            else:
                slot.opened = Opened(material)
                material.wipe()
                slot.expires = self._clock() + self._ttl
                if not (slot.retired or self._off):
                    slot.timer = asyncio.get_running_loop().call_later(self._ttl, self._retire, slot)
        return slot.opened

    def _release(self, slots: list[_Slot]) -> None:
        for slot in slots:
            slot.leases -= 1
            if slot.leases:
                continue
            if self._off or slot.retired:
                self._retire(slot)
            elif isinstance(slot.opened, Opened):
                slot.opened.trim()
                self._held += len(slot.opened) - slot.held
                slot.held = len(slot.opened)
        while self._held > self._max_entries:
            self._retire(next(slot for slot in self._slots.values() if slot.held))
        self._tell()

    def _tell(self) -> None:
        if self._held != self._told:
            self._told = self._held
            OPENED_KEYS.set(self._held)

    def _retire(self, slot: _Slot) -> None:
        """Take the slot out of the cache. It is wiped now, or when its last user leaves."""
        if not slot.retired:
            slot.retired = True
            self._held -= slot.held
            slot.held = 0
            self._tell()
            if self._slots.get(slot.secret) is slot:
                del self._slots[slot.secret]
            if slot.timer is not None:
                slot.timer.cancel()
        if not slot.leases and isinstance(slot.opened, Opened):
            slot.opened.wipe()
