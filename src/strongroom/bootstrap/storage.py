"""The database, and the service secret that authenticates its rows."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import fields

from strongroom.bootstrap.keywrap import open_keywrap
from strongroom.config import Settings
from strongroom.config.sections import DatabaseSettings
from strongroom.domain.record import ServiceSecret
from strongroom.errors import ConfigurationError, IntegrityError, KeyWrapUnavailable
from strongroom.keys.sealing import SERVICE_CONTEXT
from strongroom.keywrap.base import KeyWrap, WrapFailure, WrapFailureReason, Wrapped
from strongroom.storage import migrate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage


async def open_state(stack: AsyncExitStack, settings: Settings) -> tuple[KeyWrap, SqlStorage, Authenticity]:
    """The database, and the key wrap that its service secret opens under; whoever starts first makes the secret."""
    database = open_database(settings.database.url.reveal(), _limits(settings.database))
    stack.push_async_callback(database.close)
    if await migrate.version(database) != migrate.HEAD:
        raise ConfigurationError("the database is not at the version of this program: run `strongroom migrate`")
    blind = Authenticity(bytes(32))
    blind.strict = False  # the MAC of the service secret's row can only be checked with the secret itself
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
            raise KeyWrapUnavailable("the key wrap does not answer", retry_after=opened.retry_after)
        raise IntegrityError("the service secret does not open under this key wrap: is it the one of this database?")
    authenticity = Authenticity(opened)
    return keywrap, SqlStorage(database, authenticity), authenticity


def _limits(settings: DatabaseSettings) -> Limits:
    return Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})
