"""Opens the key wrap that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strongroom.breaker import CircuitBreaker
from strongroom.config.sections import VaultSettings
from strongroom.config.settings import Settings
from strongroom.errors import ConfigurationError
from strongroom.keywrap.base import KeyWrap
from strongroom.keywrap.gathered import GatheredKeyWrap
from strongroom.keywrap.local import LocalKeyWrap
from strongroom.keywrap.moving import MovingKeyWrap

if TYPE_CHECKING:
    from strongroom.keywrap.vault.client import VaultClient
    from strongroom.keywrap.vault.login import Session


def open_keywrap(settings: Settings, *, create: bool) -> KeyWrap:
    """``create`` is True only for a new database. Beside an existing database, a new key could open nothing."""
    present = _vault(settings.vault) if settings.keywrap.kind == "vault" else _local(settings, create=create)
    if settings.keywrap.previous is None:
        return present
    previous = _vault(settings.vault) if settings.keywrap.previous == "vault" else _local(settings, create=False)
    return MovingKeyWrap(present, previous)


def _local(settings: Settings, *, create: bool) -> LocalKeyWrap:
    if settings.keywrap.passphrase is not None:
        file = settings.data_dir / "keywrap.json"
        return LocalKeyWrap.from_passphrase(settings.keywrap.passphrase, file, create=create)
    if settings.keywrap.key_file is None:
        raise ConfigurationError("the local key wrap needs a passphrase or a key file", field="keywrap.key_file")
    return LocalKeyWrap.from_key_file(settings.keywrap.key_file, create=create)


def _vault(settings: VaultSettings) -> KeyWrap:
    from strongroom.keywrap.vault.transit import VaultKeyWrap  # noqa: PLC0415 - imports httpx, which most processes do without

    client, session = vault_session(settings)
    breaker = CircuitBreaker("vault", threshold=settings.breaker_failures, interval=settings.breaker_interval)
    return GatheredKeyWrap(
        VaultKeyWrap(client, session, breaker, mount=settings.mount, key=settings.key, deadline=settings.deadline)
    )


def vault_session(settings: VaultSettings) -> tuple[VaultClient, Session]:
    """Does no I/O yet. Raises ConfigurationError."""
    from strongroom.keywrap.vault import login  # noqa: PLC0415 - as above
    from strongroom.keywrap.vault.client import VaultClient  # noqa: PLC0415

    assert settings.url is not None
    client = VaultClient(settings.url, namespace=settings.namespace, ca_file=settings.ca_file, timeout=settings.timeout)
    mount = settings.auth_mount or settings.auth
    method: login.Method
    if settings.token is not None and settings.auth == "token":
        method = login.TokenMethod(settings.token)
    elif settings.role is not None and settings.auth == "kubernetes":
        method = login.KubernetesMethod(mount, settings.role, settings.jwt_file)
    else:
        assert settings.role_id is not None
        assert settings.secret_id is not None
        method = login.AppRoleMethod(mount, settings.role_id, settings.secret_id)
    return client, login.Session(client, method)
