"""Moves data keys to the newest wrapping key, after a rotation or when another key wrap has taken over.

On PostgreSQL servers may keep running meanwhile. A row is changed only if it is still what was read, and it opens
before and after. A run that was stopped can be repeated and moves what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from strongroom.domain.wallet import SealedSecret
from strongroom.errors import IntegrityError, KeyWrapUnavailable
from strongroom.keys.sealing import SERVICE_CONTEXT, wrap_context
from strongroom.keywrap.base import KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.storage.base import KekCount, Storage

_PAGE: Final = 200
"""The size of one Vault batch."""


@dataclass(frozen=True, slots=True)
class Status:
    kek: str
    """Name of the current wrapping key."""
    version: int
    """The version of it that wraps now."""
    secrets: list[KekCount]
    service_kek: str
    service_version: int

    @property
    def behind(self) -> int:
        """How many secrets, the service secret included, are wrapped by another key or version."""
        others = sum(each.secrets for each in self.secrets if (each.kek, each.version) != (self.kek, self.version))
        return others + ((self.service_kek, self.service_version) != (self.kek, self.version))


@dataclass(slots=True)
class Report:
    total: int
    moved: int = 0
    refused: list[UUID] = field(default_factory=list)
    """Wallets whose data key does not open, because the row was changed or its wrapping key no longer exists."""


async def status(storage: Storage, keywrap: KeyWrap) -> Status:
    """Raises KeyWrapUnavailable, StorageUnavailable."""
    service = await storage.service_secret()
    assert service is not None
    counts = await storage.secrets_by_kek()
    return Status(keywrap.name, await keywrap.newest_version(), counts, service.kek, service.kek_version)


async def rewrap(
    storage: Storage, keywrap: KeyWrap, progress: Callable[[Report], None], *, page_size: int = _PAGE
) -> Report:
    """Raises KeyWrapUnavailable, StorageUnavailable, IntegrityError. What was moved before an error stays moved.

    The service secret goes last, so that a service without the previous key wrap cannot start before everything has
    been moved.
    """
    found = await status(storage, keywrap)
    report = Report(found.behind)
    after: tuple[UUID, int] | None = None
    while page := await storage.secrets_not_under(found.kek, found.version, after, page_size):
        await _move(storage, keywrap, page, report)
        after = (page[-1].wallet_id, page[-1].version)
        progress(report)
    if not report.refused:
        report.moved += await _move_service_secret(storage, keywrap, found)
        progress(report)
    return report


async def _move(storage: Storage, keywrap: KeyWrap, page: list[SealedSecret], report: Report) -> None:
    answers = await keywrap.rewrap([(_wrapped(secret), wrap_context(secret.owner, secret.kind)) for secret in page])
    pairs, away = [], None
    for secret, answer in zip(page, answers, strict=True):
        if isinstance(answer, Wrapped):
            new = replace(secret, kek=answer.kek, kek_version=answer.version, wrapped_dek=answer.ciphertext)
            pairs.append((secret, new))
        elif answer.reason is WrapFailureReason.REFUSED:
            report.refused.append(secret.wallet_id)
        else:
            away = answer
    report.moved += await storage.rewrap_secrets(pairs)
    if away is not None:
        raise KeyWrapUnavailable(
            "the key wrap does not respond: run the command again later", retry_after=away.retry_after
        )


async def _move_service_secret(storage: Storage, keywrap: KeyWrap, found: Status) -> bool:
    old = await storage.service_secret()
    assert old is not None
    if (old.kek, old.kek_version) == (found.kek, found.version):
        return False
    [answer] = await keywrap.rewrap([(Wrapped(old.kek, old.kek_version, old.wrapped), SERVICE_CONTEXT)])
    if isinstance(answer, WrapFailure):
        if answer.reason is WrapFailureReason.REFUSED:
            raise IntegrityError("this key wrap cannot open the service secret")
        raise KeyWrapUnavailable(
            "the key wrap does not respond: run the command again later", retry_after=answer.retry_after
        )
    new = replace(old, kek=answer.kek, kek_version=answer.version, wrapped=answer.ciphertext)
    return await storage.rewrap_service_secret(old, new)


def _wrapped(secret: SealedSecret) -> Wrapped:
    return Wrapped(secret.kek, secret.kek_version, secret.wrapped_dek)
