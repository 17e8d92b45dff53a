"""What a deployment runs on, for real and on this machine: PostgreSQL and OpenBao."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import openbao, postgres


@contextmanager
def production() -> Iterator[dict[str, str]]:
    """The settings of a service on a fresh PostgreSQL and a fresh OpenBao, as `tests.support.server` takes them."""
    with postgres.running("fsync=on") as database, openbao.running() as vault:
        role, secret = vault.approle(token_ttl="1h")
        yield {
            "DATABASE__URL": database.url(),
            "KEYWRAP__KIND": "vault",
            "VAULT__URL": vault.url,
            "VAULT__AUTH": "approle",
            "VAULT__ROLE_ID": role,
            "VAULT__SECRET_ID": secret,
        }
