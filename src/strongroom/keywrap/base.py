"""The key wrap encrypts data keys with a key that never leaves it. It never sees a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Wrapped:
    kek: str
    """Name of the wrapping key."""
    version: int
    ciphertext: bytes


class WrapFailureReason(StrEnum):
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    """This item cannot be unwrapped, because its context, its key or its bytes are not what was wrapped."""


class WrapFailure(Exception):
    """Why one item failed. It is returned in a list of results, not raised."""

    def __init__(self, reason: WrapFailureReason, retry_after: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds to wait before a retry makes sense."""


@dataclass(frozen=True, slots=True)
class KeyWrapStatus:
    ok: bool
    state: str
    """``ok`` or a key of `CAUSES`."""
    latency_ms: float
    circuit_state: str | None = None
    """``closed``, ``half_open`` or ``open``, or None without a circuit breaker."""
    token_ends_in: int | None = None
    """Seconds until the login ends. None if it does not end, or if this process can renew or repeat it."""


CAUSES: Final = {
    "denied": "Vault denies access: check the login, the token and the policy",
    "sealed": "Vault is sealed or not initialised",
    "rejected": "Vault has no such mount or key: check vault.mount, vault.key and vault.namespace",
    "unreachable": "nothing responds at vault.url: check the host, the port and the certificates",
    "slow": "Vault does not respond in time",
    "standby": "the Vault node is a standby that does not forward requests: use the active node",
    "failing": "Vault responds with server errors: check its log",
    "bad_answer": "the server at vault.url is not Vault or OpenBao",
}
"""What each `KeyWrapStatus.state` means, in one sentence for operators."""


class KeyWrap(Protocol):
    """Takes batches of any length. Every item carries its context and opens only under that context."""

    @property
    def name(self) -> str:
        """Name of the wrapping key, as `Wrapped.kek` has it."""

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        """Wrap pairs of a plaintext key and its context, in order. Raises KeyWrapUnavailable."""

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        """The plaintext keys, in order. An item that fails does not affect the others. May raise KeyWrapUnavailable."""

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        """Move items to the newest version of the wrapping key, if possible without decrypting them here."""

    async def newest_version(self) -> int:
        """The version that `wrap` uses now. Raises KeyWrapUnavailable."""

    async def check(self) -> KeyWrapStatus:
        """The state of the key wrap. Encrypts nothing."""

    async def close(self) -> None: ...
