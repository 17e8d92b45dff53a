"""Data keys under the newest wrapping key: after a rotation of it, or when another key wrap has taken over.

Beside running servers on PostgreSQL: a row changes only while it is still what was read, and opens before and after.
Whoever is stopped begins again and finds what is left.
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
"""One batch of Vault's."""


@dataclass(frozen=True, slots=True)
class Status:
    kek: str
    version: int
    """What wraps now."""
    secrets: list[KekCount]
    service_kek: str
    service_version: int

    @property
    def behind(self) -> int:
        """Secrets, that of the service included, that something else has wrapped."""
        others = sum(each.secrets for each in self.secrets if (each.kek, each.version) != (self.kek, self.version))
        return others + ((self.service_kek, self.service_version) != (self.kek, self.version))


@dataclass(slots=True)
class Report:
    total: int
    moved: int = 0
    refused: list[UUID] = field(default_factory=list)
    """Wallets whose data key does not open: changed rows, or wrapped by what is no longer there."""


async def status(storage: Storage, keywrap: KeyWrap) -> Status:
    """Raises KeyWrapUnavailable, StorageUnavailable."""
    service = await storage.service_secret()
    assert service is not None
    counts = await storage.secrets_by_kek()
    return Status(keywrap.name, await keywrap.newest_version(), counts, service.kek, service.kek_version)


async def rewrap(
    storage: Storage, keywrap: KeyWrap, progress: Callable[[Report], None], *, page_size: int = _PAGE
) -> Report:
    """Raises KeyWrapUnavailable, StorageUnavailable; what was done until then stays done.

    The service secret goes last: a service without the previous key wrap does not start before everything is moved.
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
        raise KeyWrapUnavailable("the key wrap does not answer; begin again later", retry_after=away.retry_after)


async def _move_service_secret(storage: Storage, keywrap: KeyWrap, found: Status) -> bool:
    old = await storage.service_secret()
    assert old is not None
    if (old.kek, old.kek_version) == (found.kek, found.version):
        return False
    [answer] = await keywrap.rewrap([(Wrapped(old.kek, old.kek_version, old.wrapped), SERVICE_CONTEXT)])
    if isinstance(answer, WrapFailure):
        if answer.reason is WrapFailureReason.REFUSED:
            raise IntegrityError("the service secret does not open under this key wrap")
        raise KeyWrapUnavailable("the key wrap does not answer; begin again later", retry_after=answer.retry_after)
    new = replace(old, kek=answer.kek, kek_version=answer.version, wrapped=answer.ciphertext)
    return await storage.rewrap_service_secret(old, new)


def _wrapped(secret: SealedSecret) -> Wrapped:
    return Wrapped(secret.kek, secret.kek_version, secret.wrapped_dek)
