"""The key wrap over a real OpenBao, assembled for tests."""

from __future__ import annotations

from typing import Any

from strongroom.breaker import CircuitBreaker
from strongroom.domain.secret import Secret
from strongroom.keywrap.vault.client import VaultClient
from strongroom.keywrap.vault.login import AppRoleMethod, Method, Session, TokenMethod
from strongroom.keywrap.vault.transit import VaultKeyWrap
from tests.support.openbao import ROOT_TOKEN


def keywrap(
    url: str,
    method: Method | None = None,
    *,
    token: str = ROOT_TOKEN,
    timeout: float = 1.0,
    breaker: CircuitBreaker | None = None,
    pause: float = 5.0,
    **options: Any,
) -> VaultKeyWrap:
    client = VaultClient(url, timeout=timeout)
    session = Session(client, method or TokenMethod(Secret(token)), pause=pause)
    return VaultKeyWrap(client, session, breaker or CircuitBreaker("vault"), **options)


def approle(role_id: str, secret_id: str) -> AppRoleMethod:
    return AppRoleMethod("approle", Secret(role_id), Secret(secret_id))
