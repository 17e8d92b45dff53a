"""Wallets in use that are kept in memory, so that not every call reads them again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from strongroom.domain.wallet import SealedSecret, Wallet

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Keeps the ``size`` most recently used entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()

    def recall(self, key: K) -> V | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> None:
        self._entries[key] = value
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, key: K) -> None:
        self._entries.pop(key, None)


@dataclass(frozen=True, slots=True)
class Usable:
    """A wallet that was active when it was read, with its secret as it was stored then.

    It may be out of date. T1 checks in its own transaction whether both are unchanged (`Journal.intent`).
    """

    wallet: Wallet
    secret: SealedSecret


class WalletMemory:
    """By tenant and wallet. ``known`` serves what never changes about a wallet, so its wallets may be archived
    by now.
    """

    def __init__(self, size: int = 2000) -> None:
        self.usable: Memory[tuple[UUID, UUID], Usable] = Memory(size)
        self.known: Memory[tuple[UUID, UUID], Wallet] = Memory(size)
