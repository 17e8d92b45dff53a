"""API keys of the form ``sr_<id>_<256 bits>_<crc>``. They are found by id; only an HMAC of the secret is stored.

The checksum detects mistyped keys, and lets a scanner recognise a key in a repository.
"""

from __future__ import annotations

import binascii
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from strongroom.access.client_address import UNKNOWN
from strongroom.access.failures import FailureLimit
from strongroom.access.recent import Recent
from strongroom.access.refusals import refuse
from strongroom.access.shared import SharedReads
from strongroom.domain.ids import new_id
from strongroom.domain.principal import ApiKey, Principal
from strongroom.domain.restriction import NONE, Restriction
from strongroom.domain.secret import Secret
from strongroom.errors import IntegrityError
from strongroom.storage.base import Storage

_FORM: Final = re.compile(r"sr_([0-9a-f]{32})_([0-9a-f]{64})_([0-9a-f]{8})")

MAX_GENERATIONS: Final = 8
"""An API key may create API keys, which may create more. This is the longest such chain."""

_OF_A_SUBJECT: Final = 5
"""UUID version of the ids of token subjects (`access.principals`). Ids of API keys have another version."""

SubjectsRevoked = Callable[[UUID, Sequence[UUID]], Awaitable[set[UUID]]]
"""Returns those of the given subjects of a tenant that are revoked."""

SecretMac = Callable[[bytes], bytes]
"""HMAC of an API key's secret part under the service secret."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new API key: its text for the caller, and the row to store."""

    text: Secret
    """The whole key, for the caller. It is not stored anywhere."""
    row: ApiKey


def new_key(
    tenant_id: UUID,
    name: str,
    scopes: tuple[str, ...],
    expires_at: datetime | None,
    secret_mac: SecretMac,
    now: datetime,
    made_by: UUID | None = None,
    restriction: Restriction = NONE,
) -> NewKey:
    """Make an API key with random id and secret. The row holds only an HMAC of the secret."""
    key_id, secret = new_id(), secrets.token_bytes(32)
    body = f"sr_{key_id.hex}_{secret.hex()}"
    row = ApiKey(tenant_id, key_id, name, secret_mac(secret), scopes, now, expires_at, None, made_by, restriction)
    return NewKey(Secret(f"{body}_{_crc(body)}"), row)


def parse_key(text: str) -> tuple[UUID, bytes] | None:
    """Return id and secret, or None if the text is not an API key of this service."""
    found = _FORM.fullmatch(text)
    if found is None or _crc(text[: found.end(2)]) != found[3]:
        return None
    return UUID(found[1]), bytes.fromhex(found[2])


def _crc(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"


def _principal(row: ApiKey) -> Principal:
    return Principal(
        row.id,
        row.tenant_id,
        row.name,
        frozenset(row.scopes),
        row.expires_at,
        client_networks=row.restriction.clients,
        restriction=row.restriction,
    )


class _Authenticated(NamedTuple):
    until: float
    expires_at: datetime | None
    principal: Principal


class Authenticator:
    """Turns an API key into a principal. Rows are cached for ``ttl`` seconds, after which a revocation takes effect.

    A key is refused once the key that created it is revoked, expired or gone. Unless a key is already known to be
    good, the caller's address is checked against ``failures`` before the database is queried.
    """

    def __init__(
        self,
        storage: Storage,
        secret_mac: SecretMac,
        *,
        ttl: float = 2.0,
        size: int = 10_000,
        failures: FailureLimit | None = None,
        subjects_revoked: SubjectsRevoked | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self.secret_mac = secret_mac
        self._ttl = ttl
        self._failures = failures or FailureLimit(None)
        self._subjects_revoked = subjects_revoked
        self._clock = clock
        self._rows: Recent[UUID, tuple[float, ApiKey]] = Recent(size)
        self._reads: SharedReads[UUID, ApiKey | None] = SharedReads()
        self._unknown: Recent[UUID, float] = Recent(size)
        """Ids without a row, and until when that is trusted. Ids are random, so no new key will get one of them."""
        self._good: Recent[UUID, bytes] = Recent(size)
        """MACs of correct secrets by id. A caller with one of them is not held up by failures from the same address."""
        self._recent: Recent[bytes, _Authenticated] = Recent(size)
        """Results by a hash of the whole text, kept as long as the rows behind them are trusted."""
        self._salt = secrets.token_bytes(16)

    async def authenticate(self, text: str | None, now: datetime | None = None, client: str = UNKNOWN) -> Principal:
        """Raises Unauthenticated, always with the same text, and RateLimited if the address failed too often."""
        now = now or datetime.now(UTC)
        digest = blake2b((text or "").encode(errors="replace"), key=self._salt, digest_size=16).digest()
        recent = self._recent.get(digest)
        if (
            recent is not None
            and recent.until > self._clock()
            and (recent.expires_at is None or recent.expires_at > now)
        ):
            return recent.principal
        parsed = parse_key(text) if text is not None else None
        if parsed is None:
            refuse("not an API key of this service")
        key_id, secret = parsed
        mac = self.secret_mac(secret)
        if not hmac.compare_digest(mac, self._good.get(key_id) or b""):
            self._failures.check(client)
        row = await self._row(key_id)
        if row is None or not hmac.compare_digest(mac, row.secret_mac):
            self._failures.count(client)
            refuse("unknown API key")
        principal = _principal(row)
        lapse = await self._lapse(row, now)
        if lapse is not None:
            self._failures.count(client)
            refuse(lapse, principal)
        self._good.keep(key_id, mac)
        self._recent.keep(digest, self._authenticated(row, principal))
        return principal

    def forget(self, key_id: UUID) -> None:
        """Make a revocation take effect in this process at once."""
        self._rows.drop(key_id)
        self._good.drop(key_id)
        self._reads.forget(key_id)
        self._recent.clear()  # keys that it created depend on it

    def _authenticated(self, row: ApiKey, principal: Principal) -> _Authenticated:
        """The result is valid as long as the key and every key above it are trusted and have not expired."""
        until, expires_at = self._clock() + self._ttl, None
        each: ApiKey | None = row
        while each is not None:
            known = self._rows.get(each.id)
            until = min(until, 0.0 if known is None else known[0])
            if each.expires_at is not None and (expires_at is None or each.expires_at < expires_at):
                expires_at = each.expires_at
            if each.made_by is not None and each.made_by.version == _OF_A_SUBJECT:
                until = 0.0  # a subject's revocation takes effect at once, so it is checked on every call
            maker = None if each.made_by is None else self._rows.get(each.made_by)
            each = None if maker is None else maker[1]
        return _Authenticated(until, expires_at, principal)

    async def _lapse(self, row: ApiKey, now: datetime) -> str | None:
        """Why the key is no longer valid: it or a key above it is revoked, expired or gone. None if it is valid."""
        whose = "API key"
        for _ in range(MAX_GENERATIONS):
            if row.revoked_at is not None:
                return f"{whose} revoked"
            if row.expires_at is not None and row.expires_at <= now:
                return f"{whose} expired"
            if row.made_by is None:
                return None
            if row.made_by.version == _OF_A_SUBJECT and self._subjects_revoked is not None:
                revoked = await self._subjects_revoked(row.tenant_id, [row.made_by])
                return "the API key's maker was revoked" if revoked else None
            maker = await self._row(row.made_by)
            if maker is None or maker.tenant_id != row.tenant_id:
                return "the API key's maker no longer exists"
            whose, row = "the API key's maker", maker
        return "too many generations of API keys above it"

    async def _row(self, key_id: UUID) -> ApiKey | None:
        known = self._rows.get(key_id)
        if known is not None and known[0] > self._clock():
            return known[1]
        if (self._unknown.get(key_id) or 0.0) > self._clock():
            return None
        return await self._reads.get(key_id, lambda: self._read(key_id))

    async def _read(self, key_id: UUID) -> ApiKey | None:
        try:
            row = await self._storage.api_key(key_id)
        except IntegrityError:  # the alarm was raised when the row was read
            return None
        until = self._clock() + self._ttl
        if row is None:
            self._unknown.keep(key_id, until)
        else:
            self._rows.keep(key_id, (until, row))
        return row
