"""Whether the key wrap can be used: the login, the transit key, and what the policy allows on it."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from strongroom.bootstrap.connecting.database import file_of
from strongroom.bootstrap.connecting.reaching import Fault, Target, reach, trust
from strongroom.bootstrap.keywrap import open_keywrap, vault_session
from strongroom.config.sections import VaultSettings
from strongroom.config.settings import Settings
from strongroom.domain.secret import Secret
from strongroom.errors import StrongroomError, Unavailable
from strongroom.keys.sealing import SERVICE_CONTEXT
from strongroom.keywrap.base import CAUSES, WrapFailure, Wrapped
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage

if TYPE_CHECKING:
    from strongroom.keywrap.vault.client import VaultClient

_CAUSES: Final = {"denied": "auth", "rejected": "configuration"}
_SIZE: Final = 32


def check_local(settings: Settings) -> str:
    """Raises Fault."""
    kept = settings.keywrap.key_file if settings.keywrap.passphrase is None else settings.data_dir / "keywrap.json"
    if kept is not None and not kept.exists():
        return "its file will be created when the service starts on a new database"
    try:
        open_keywrap(settings, create=False)
    except StrongroomError as error:
        raise Fault("file", error.message) from None
    return ""


async def check_vault(settings: VaultSettings) -> str:
    """Log in, read the key, and encrypt and decrypt 32 random bytes. Raises Fault."""
    assert settings.url is not None
    parts = urlsplit(settings.url)
    tls = trust(settings.ca_file, "vault.ca_file") if parts.scheme == "https" else None
    await reach(Target("vault.url", parts.hostname or "", parts.port or (443 if tls else 80), tls, "vault.ca_file"))
    from strongroom.keywrap.vault.client import Trouble, VaultError  # noqa: PLC0415 - imports httpx

    client, session = vault_session(settings)
    try:
        try:
            lease = await session.lease()
        except VaultError as error:
            if error.trouble is Trouble.DENIED:
                raise Fault("auth", _LOGINS[settings.auth]) from None
            raise
        try:
            await _check_key(settings, client, lease.token)
            left = session.ends_in
            return "" if left is None else f"the token cannot be renewed and expires in {left} seconds"
        finally:
            await session.close()
    except VaultError as error:
        raise Fault(_CAUSES.get(error.trouble, str(error.trouble)), CAUSES[error.trouble]) from None
    finally:
        await client.close()


_LOGINS: Final = {
    "token": "Vault denies the token in vault.token: it is wrong, revoked, expired or belongs to another namespace",
    "approle": "Vault denies the AppRole login: check vault.role_id, vault.secret_id (it may be used up or "
    "expired), vault.auth_mount and vault.namespace",
    "kubernetes": "Vault denies the Kubernetes login: check vault.role, the service account and audience that it is "
    "bound to, vault.auth_mount, and that vault.jwt_file exists",
}


async def _check_key(settings: VaultSettings, client: VaultClient, token: Secret) -> None:
    """Raises Fault, VaultError."""
    from strongroom.keywrap.vault.client import Trouble, VaultError  # noqa: PLC0415
    from strongroom.keywrap.vault.transit import ReadKey, SingleResult  # noqa: PLC0415

    async def ask(method: str, verb: str, of: type, **body: str) -> object:
        path = f"{settings.mount}/{verb}/{settings.key}"
        try:
            return await client.ask(method, path, of, body=body or None, token=token)
        except VaultError as error:
            if error.trouble is not Trouble.DENIED:
                raise
            right = "read" if method == "GET" else "update"
            raise Fault("rights", f"the policy does not allow {right} on {path}: see deploy/vault/setup.sh") from None

    found = await ask("GET", "keys", ReadKey)
    assert isinstance(found, ReadKey)
    if not found.data.derived:
        raise Fault("configuration", "the transit key is not derived: create it with `derived=true`")
    secret, context = secrets.token_bytes(_SIZE), b64encode(secrets.token_bytes(_SIZE)).decode()
    wrapped = await ask("POST", "encrypt", SingleResult, plaintext=b64encode(secret).decode(), context=context)
    assert isinstance(wrapped, SingleResult)
    again = await ask("POST", "rewrap", SingleResult, ciphertext=wrapped.data.ciphertext, context=context)
    assert isinstance(again, SingleResult)
    opened = await ask("POST", "decrypt", SingleResult, ciphertext=again.data.ciphertext, context=context)
    assert isinstance(opened, SingleResult)
    if b64decode(opened.data.plaintext) != secret:
        raise Fault("bad_answer", "decryption does not return what was encrypted")


async def check_service_secret(settings: Settings) -> str:
    """Whether the key wrap opens this database's service secret. They may not belong together. Raises Fault."""
    try:
        opened = await _open_service_secret(settings)
    except StrongroomError as error:
        said = error.cause if isinstance(error, Unavailable) and error.cause else error.message
        raise Fault("unavailable", f"it cannot be checked: {said}") from None
    if isinstance(opened, WrapFailure):
        raise Fault("wrong_key", "the key wrap cannot open it: this database was created with another key")
    return "" if opened else "it will be created when the service starts"


async def _open_service_secret(settings: Settings) -> bytes | WrapFailure | None:
    """None if there is no secret yet."""
    url = settings.database.url
    if url.reveal().startswith("sqlite") and not file_of(url).exists():
        return None
    database = open_database(url)
    try:
        if await migrate.version(database) != migrate.HEAD:
            return None
        blind = Authenticity(bytes(_SIZE))
        blind.strict = False
        stored = await SqlStorage(database, blind).service_secret()
    finally:
        await database.close()
    if stored is None:
        return None
    keywrap = open_keywrap(settings, create=False)
    try:
        wrapped = Wrapped(stored.kek, stored.kek_version, stored.wrapped)
        [opened] = await keywrap.unwrap([(wrapped, SERVICE_CONTEXT)])
    finally:
        await keywrap.close()
    return opened
