"""The API key that the `embedded` profile creates on its first start, once per data directory."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from strongroom.access.api_keys import new_key
from strongroom.access.scopes import SCOPES
from strongroom.config.settings import Settings
from strongroom.domain.principal import DEVELOPMENT_TENANT
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.journal import facts
from strongroom.journal.committer import Committer
from strongroom.journal.local import local_entry
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage, Unit


async def wants_development_key(settings: Settings, storage: Storage) -> bool:
    """Whether to create it. If there is any key already, the data directory is marked and stays so."""
    if settings.profile != "embedded" or _mark(settings).exists():
        return False
    if await storage.api_keys(DEVELOPMENT_TENANT, None, 1):
        _take_mark(settings)
        _finish_mark(settings)
        return False
    return True


async def development_key(
    settings: Settings, storage: Storage, authenticity: Authenticity, committer: Committer
) -> Secret | None:
    """Return the key if this call created it.

    The data directory is marked first. So only one of several processes creates a key, and nobody can have another key
    with every scope printed by deleting rows from the database.
    """
    if not await wants_development_key(settings, storage) or not _take_mark(settings):
        return None
    made = new_key(
        DEVELOPMENT_TENANT, "development", tuple(sorted(SCOPES)), None, authenticity.api_key_mac, datetime.now(UTC)
    )
    unit = Unit(rows=[made.row])
    details = {"key_id": str(made.row.id), "name": "development", "wrote": facts.of(unit)}
    entry = local_entry("api_keys.create", details, tenant_id=DEVELOPMENT_TENANT, request_id="first-start")
    try:
        await committer.commit(unit, [entry])
    except BaseException:
        _mark(settings).unlink(missing_ok=True)
        raise
    _finish_mark(settings)
    return made.text


def forget_unfinished(settings: Settings) -> None:
    """Remove the mark of a start that died before it created the key. Only the main process may do so, while alone."""
    mark = _mark(settings)
    if mark.is_file() and mark.stat().st_size == 0:
        mark.unlink(missing_ok=True)


def _mark(settings: Settings) -> Path:
    return settings.data_dir / "development-key"


def _take_mark(settings: Settings) -> bool:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(_mark(settings), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    except FileExistsError:
        return False
    except OSError:
        raise ConfigurationError("data_dir is not writable", field="data_dir") from None
    return True


def _finish_mark(settings: Settings) -> None:
    _mark(settings).write_text("made\n", encoding="ascii")
