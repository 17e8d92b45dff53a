"""Opens the database, and the service secret that authenticates its rows."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import fields

from strongroom.bootstrap.keywrap import open_keywrap
from strongroom.config.sections import DatabaseSettings
from strongroom.config.settings import Settings
from strongroom.domain.record import ServiceSecret
from strongroom.errors import ConfigurationError, IntegrityError, KeyWrapUnavailable
from strongroom.keys.sealing import SERVICE_CONTEXT
from strongroom.keywrap.base import CAUSES, KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database, require_own_connections
from strongroom.storage.sql import SqlStorage


async def open_state(stack: AsyncExitStack, settings: Settings) -> tuple[KeyWrap, SqlStorage, Authenticity]:
    """Open the database and its key wrap. The first process to start creates the service secret.

    Raises ConfigurationError, StorageUnavailable, KeyWrapUnavailable, IntegrityError.
    """
    database = open_database(settings.database.url, _limits(settings.database))
    stack.push_async_callback(database.close)
    await require_own_connections(database)
    if await migrate.version(database) != migrate.HEAD:
        raise ConfigurationError(
            "the schema of the database does not match this version of Strongroom: run `strongroom migrate`"
        )
    blind = Authenticity(bytes(32))
    blind.strict = False  # the row's own MAC can only be checked with the secret in it
    unlocked = SqlStorage(database, blind)
    stored = await unlocked.service_secret()
    keywrap = open_keywrap(settings, create=stored is None)
    stack.push_async_callback(keywrap.close)
    if stored is None:
        made = secrets.token_bytes(32)
        [wrapped] = await keywrap.wrap([(made, SERVICE_CONTEXT)])
        row = ServiceSecret(1, wrapped.kek, wrapped.version, wrapped.ciphertext)
        await SqlStorage(database, Authenticity(made)).apply([Unit(rows=[row])])
        stored = await unlocked.service_secret()
        assert stored is not None
    wrapped = Wrapped(stored.kek, stored.kek_version, stored.wrapped)
    [opened] = await keywrap.unwrap([(wrapped, SERVICE_CONTEXT)])
    if isinstance(opened, WrapFailure):
        if opened.reason is WrapFailureReason.UNAVAILABLE:
            refusal = KeyWrapUnavailable("the key wrap does not respond", retry_after=opened.retry_after)
            refusal.cause = CAUSES.get((await keywrap.check()).state)
            raise refusal
        raise IntegrityError("this key wrap cannot open the service secret: check that it belongs to this database")
    authenticity = Authenticity(opened)
    return keywrap, SqlStorage(database, authenticity), authenticity


def _limits(settings: DatabaseSettings) -> Limits:
    return Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})
