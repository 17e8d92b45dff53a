"""A deployment's components, real and on this machine: PostgreSQL and OpenBao."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import openbao, postgres
from tests.support.openbao import OpenBao
from tests.support.postgres import SERVICE, Postgres

PATIENT = {
    "VAULT__TIMEOUT": "30",
    "VAULT__DEADLINE": "60",
    "DATABASE__TIMEOUT": "30",
    **{f"DATABASE__{each}_TIMEOUT": "25" for each in ("POOL", "CONNECT", "STATEMENT", "LOCK")},
}
"""For services in the process of the tests, which shares the machine with others. A slow component is no failure."""


@contextmanager
def production() -> Iterator[dict[str, str]]:
    """The settings of a service on a fresh PostgreSQL and a fresh OpenBao, for `tests.support.server`."""
    with postgres.running(durable=True) as database, openbao.running() as vault:
        yield {**settings(database, "postgres", vault), "DATABASE__MIGRATE_URL": database.url()}


def settings(database: Postgres, name: str, vault: OpenBao) -> dict[str, str]:
    """With the role of a service, which owns nothing and cannot migrate."""
    role, secret = vault.approle(token_ttl="1h")
    return {
        "DATABASE__URL": database.url(name, SERVICE),
        "KEYWRAP__KIND": "vault",
        "VAULT__URL": vault.url,
        "VAULT__AUTH": "approle",
        "VAULT__ROLE_ID": role,
        "VAULT__SECRET_ID": secret,
    }
