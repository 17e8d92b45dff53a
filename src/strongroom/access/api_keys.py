"""API keys: ``sr_<id>_<256 bits>_<crc>``. Looked up by id; the secret is kept as an HMAC only.

The check digits tell a mistyped key, and a scanner that found one in a repository, apart from noise.
"""

from __future__ import annotations

import binascii
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from strongroom.domain.ids import new_id
from strongroom.domain.principal import ApiKey, Principal
from strongroom.domain.secret import Secret
from strongroom.errors import IntegrityError, Unauthenticated
from strongroom.storage.base import Storage

_FORM: Final = re.compile(r"sr_([0-9a-f]{32})_([0-9a-f]{64})_([0-9a-f]{8})")
_REFUSAL: Final = "no valid API key was sent: use X-API-Key or Authorization: Bearer"

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
) -> NewKey:
    key_id, secret = new_id(), secrets.token_bytes(32)
    body = f"sr_{key_id.hex}_{secret.hex()}"
    row = ApiKey(tenant_id, key_id, name, secret_mac(secret), scopes, now, expires_at, None)
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
    """Turns an API key into a principal. A row is remembered for ``ttl`` seconds: a revocation holds after that."""

    def __init__(
        self,
        storage: Storage,
        secret_mac: SecretMac,
        *,
        ttl: float = 2.0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self.secret_mac = secret_mac
        self._ttl = ttl
        self._size = size
        self._clock = clock
        self._rows: OrderedDict[UUID, tuple[float, ApiKey]] = OrderedDict()

    async def authenticate(self, text: str | None, now: datetime | None = None) -> Principal:
        """Raises Unauthenticated, always with the same words."""
        parsed = parse_key(text) if text is not None else None
        if parsed is None:
            raise Unauthenticated(_REFUSAL)
        key_id, secret = parsed
        row = await self._row(key_id)
        mac = self.secret_mac(secret)
        if row is None or not hmac.compare_digest(mac, row.secret_mac):
            raise Unauthenticated(_REFUSAL)
        now = now or datetime.now(UTC)
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
            raise Unauthenticated(_REFUSAL)
        return Principal(row.id, row.tenant_id, row.name, frozenset(row.scopes))

    def forget(self, key_id: UUID) -> None:
        """A key that was revoked here is refused here at once."""
        self._rows.pop(key_id, None)

    async def _row(self, key_id: UUID) -> ApiKey | None:
        known = self._rows.get(key_id)
        if known is not None and known[0] > self._clock():
            return known[1]
        try:
            row = await self._storage.api_key(key_id)
        except IntegrityError:  # the alarm was given where the row was read
            return None
        if row is not None:
            self._rows[key_id] = (self._clock() + self._ttl, row)
            self._rows.move_to_end(key_id)
            if len(self._rows) > self._size:
                self._rows.popitem(last=False)
        return row
