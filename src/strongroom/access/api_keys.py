"""API keys: ``sr_<id>_<256 bits>_<crc>``. Looked up by id; the secret is kept as an HMAC only.

The check digits tell a mistyped key, and a scanner that found one in a repository, apart from noise.
"""

from __future__ import annotations

import binascii
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from strongroom.access.client_address import UNKNOWN
from strongroom.access.failures import FailureLimit, Recent
from strongroom.domain.ids import new_id
from strongroom.domain.principal import ApiKey, Principal
from strongroom.domain.secret import Secret
from strongroom.errors import IntegrityError, Unauthenticated
from strongroom.storage.base import Storage

_FORM: Final = re.compile(r"sr_([0-9a-f]{32})_([0-9a-f]{64})_([0-9a-f]{8})")
_REFUSAL: Final = "no valid API key was sent: use X-API-Key or Authorization: Bearer"

MAX_GENERATIONS: Final = 8
"""A key may make keys, which may make keys: so many in a row."""

SecretMac = Callable[[bytes], bytes]
"""HMAC of an API key's secret part under the service secret."""


@dataclass(frozen=True, slots=True)
class NewKey:
    text: Secret
    """What the caller keeps. It is not stored anywhere."""
    row: ApiKey


def new_key(
    tenant_id: UUID,
    name: str,
    scopes: tuple[str, ...],
    expires_at: datetime | None,
    secret_mac: SecretMac,
    now: datetime,
    made_by: UUID | None = None,
) -> NewKey:
    key_id, secret = new_id(), secrets.token_bytes(32)
    body = f"sr_{key_id.hex}_{secret.hex()}"
    row = ApiKey(tenant_id, key_id, name, secret_mac(secret), scopes, now, expires_at, None, made_by)
    return NewKey(Secret(f"{body}_{_crc(body)}"), row)


def parse_key(text: str) -> tuple[UUID, bytes] | None:
    """Id and secret, or None where the text is no API key of ours."""
    found = _FORM.fullmatch(text)
    if found is None or _crc(text[: found.end(2)]) != found[3]:
        return None
    return UUID(found[1]), bytes.fromhex(found[2])


def _crc(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"


class Authenticator:
    """Turns an API key into a principal. A row is remembered for ``ttl`` seconds: a revocation holds after that.

    A key is worth no more than the key that made it: once its maker is revoked, or not there any more, it is refused.
    Before the database is asked for a key that was never seen to be good, the failures of the caller's address are
    counted against ``failures``.
    """

    def __init__(
        self,
        storage: Storage,
        secret_mac: SecretMac,
        *,
        ttl: float = 2.0,
        size: int = 10_000,
        failures: FailureLimit | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self.secret_mac = secret_mac
        self._ttl = ttl
        self._failures = failures or FailureLimit(None)
        self._clock = clock
        self._rows: Recent[UUID, tuple[float, ApiKey]] = Recent(size)
        self._unknown: Recent[UUID, float] = Recent(size)
        """Ids without a row, and until when that is believed. They are random: no new key gets one of them."""
        self._good: Recent[UUID, bytes] = Recent(size)
        """By id, the MAC of secrets that were right: their callers do not stand behind others of the same address."""

    async def authenticate(self, text: str | None, now: datetime | None = None, client: str = UNKNOWN) -> Principal:
        """Raises Unauthenticated, always with the same words, and RateLimited for an address that failed too often."""
        parsed = parse_key(text) if text is not None else None
        if parsed is None:
            raise Unauthenticated(_REFUSAL)
        key_id, secret = parsed
        mac = self.secret_mac(secret)
        if not hmac.compare_digest(mac, self._good.get(key_id) or b""):
            self._failures.check(client)
        now = now or datetime.now(UTC)
        row = await self._row(key_id)
        if row is None or not hmac.compare_digest(mac, row.secret_mac) or not await self._holds(row, now):
            self._failures.count(client)
            raise Unauthenticated(_REFUSAL)
        self._good.keep(key_id, mac)
        return Principal(row.id, row.tenant_id, row.name, frozenset(row.scopes), row.expires_at)

    def forget(self, key_id: UUID) -> None:
        """A key that was revoked here is refused here at once."""
        self._rows.drop(key_id)
        self._good.drop(key_id)

    async def _holds(self, row: ApiKey, now: datetime) -> bool:
        """Neither it nor a key above it is revoked, expired or gone."""
        for _ in range(MAX_GENERATIONS):
            if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
                return False
            if row.made_by is None:
                return True
            maker = await self._row(row.made_by)
            if maker is None or maker.tenant_id != row.tenant_id:
                return False
            row = maker
        return False

    async def _row(self, key_id: UUID) -> ApiKey | None:
        known = self._rows.get(key_id)
        if known is not None and known[0] > self._clock():
            return known[1]
        if (self._unknown.get(key_id) or 0.0) > self._clock():
            return None
        try:
            row = await self._storage.api_key(key_id)
        except IntegrityError:  # the alarm was given where the row was read
            return None
        until = self._clock() + self._ttl
        if row is None:
            self._unknown.keep(key_id, until)
        else:
            self._rows.keep(key_id, (until, row))
        return row
