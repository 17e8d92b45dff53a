"""How the service gets a Vault token and keeps it valid."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from strongroom.domain.secret import Secret
from strongroom.keywrap.vault.client import Nothing, Trouble, VaultAnswer, VaultClient, VaultError

_log = structlog.get_logger(__name__)

_RENEW_AT: Final = (0.6, 0.7)
"""Share of its lifetime after which a token is renewed, drawn from this range so that replicas do not coincide."""
_AGAIN: Final = (0.2, 0.4)
"""Share of the remaining lifetime after which a failed renewal is retried."""
_OVERDUE: Final = 0.2
"""A lease with less than this share of its lifetime left has missed its renewal for a while."""
_LEAST_PAUSE: Final = 0.2
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A token and its lifetime."""

    token: Secret
    ttl: float
    """Seconds, or 0 if the token does not expire."""
    renewable: bool


class _Auth(VaultAnswer, frozen=True):
    client_token: str
    lease_duration: int
    renewable: bool


class _Login(VaultAnswer, frozen=True):
    auth: _Auth


class _Token(VaultAnswer, frozen=True):
    ttl: int
    renewable: bool = False  # a batch token leaves this out


class _LookUp(VaultAnswer, frozen=True):
    data: _Token


class Method(Protocol):
    """One way to log in."""

    name: str
    owns: bool
    """Whether this process creates the tokens, and so revokes them in the end."""

    @property
    def repeats(self) -> bool:
        """Whether logging in again gives another token."""

    async def log_in(self, client: VaultClient) -> Lease:
        """Raises VaultError."""


class TokenMethod:
    """A token that somebody else made for the service."""

    name = "token"
    owns = False

    def __init__(self, token: Secret) -> None:
        """``token`` may come from a file that is replaced while the service runs."""
        self._token = token
        self._last: Secret | None = None

    @property
    def repeats(self) -> bool:
        return self._last is not None and self._token.reveal() != self._last.reveal()

    async def log_in(self, client: VaultClient) -> Lease:
        token = self._last = Secret(self._token.reveal())
        found = await client.ask("GET", "auth/token/lookup-self", _LookUp, token=token)
        if found.data.ttl and not found.data.renewable:
            _log.warning("keywrap.token_ends", seconds=found.data.ttl)
        return Lease(token, found.data.ttl, found.data.renewable)


class AppRoleMethod:
    name = "approle"
    repeats = True
    owns = True

    def __init__(self, mount: str, role_id: Secret, secret_id: Secret) -> None:
        self._path = f"auth/{mount}/login"
        self._role_id = role_id
        self._secret_id = secret_id

    async def log_in(self, client: VaultClient) -> Lease:
        return await _login(
            client, self._path, {"role_id": self._role_id.reveal(), "secret_id": self._secret_id.reveal()}
        )


class KubernetesMethod:
    """Logs in with the pod's own token. The file is read each time because the kubelet replaces it."""

    name = "kubernetes"
    repeats = True
    owns = True

    def __init__(self, mount: str, role: str, jwt_file: Path) -> None:
        self._path = f"auth/{mount}/login"
        self._role = role
        self._jwt_file = jwt_file

    async def log_in(self, client: VaultClient) -> Lease:
        try:
            jwt = self._jwt_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            _log.error("keywrap.no_service_account_token")
            raise VaultError(Trouble.DENIED) from None
        return await _login(client, self._path, {"role": self._role, "jwt": jwt})


async def _login(client: VaultClient, path: str, body: dict[str, str]) -> Lease:
    try:
        answer = await client.ask("POST", path, _Login, body=body)
    except VaultError as error:
        if error.trouble is Trouble.REJECTED:  # Vault responds to a wrong secret id with 400
            raise VaultError(Trouble.DENIED) from None
        raise
    return Lease(Secret(answer.auth.client_token), answer.auth.lease_duration, answer.auth.renewable)


class Session:
    """Holds the token that calls use, renews it before it expires and replaces it if it is revoked.

    ``pause`` is the least number of seconds between two logins caused by a denial. Without it, a policy that denies
    would cause a login per call.
    """

    def __init__(
        self,
        client: VaultClient,
        method: Method,
        *,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._method = method
        self._pause = pause
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._lease: Lease | None = None
        self._ends = 0.0
        self._no_login_before = clock()
        self._turn = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None

    async def lease(self) -> Lease:
        """The lease to use now, after a login if there is none. Raises VaultError."""
        return self._living() or await self._log_in()

    async def replace(self, denied: Lease) -> Lease:
        """Another lease, because this one was denied. Raises VaultError (denied) if a login would change nothing."""
        async with self._turn:
            present = self._lease
            if present is not None and present.token is not denied.token:
                return present
            if not self._method.repeats or self._clock() < self._no_login_before:
                raise VaultError(Trouble.DENIED)
            self._no_login_before = self._clock() + self._pause
            return await self._take_new()

    @property
    def ends_in(self) -> int | None:
        """Seconds until the token expires, if it cannot be replaced. None while it can, or while renewal is on time."""
        lease = self._lease
        if lease is None or not lease.ttl or self._method.repeats:
            return None
        left = self._ends - self._clock()
        return None if lease.renewable and left > lease.ttl * _OVERDUE else max(0, int(left))

    async def close(self) -> None:
        """Revoke the token if this process made it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        lease = self._living()
        if lease is not None and self._method.owns:
            with suppress(VaultError):
                await self._client.ask("POST", "auth/token/revoke-self", Nothing, token=lease.token)

    def _living(self) -> Lease | None:
        lease = self._lease
        return None if lease is not None and lease.ttl and self._clock() >= self._ends else lease

    async def _log_in(self) -> Lease:
        async with self._turn:
            return self._living() or await self._take_new()

    async def _take_new(self) -> Lease:
        """Log in. The caller holds `_turn`."""
        asked = self._clock()
        try:
            lease = await self._method.log_in(self._client)
        except VaultError as error:
            _log.warning("keywrap.login_failed", method=self._method.name, trouble=error.trouble)
            raise
        _log.info("keywrap.logged_in", method=self._method.name, seconds=lease.ttl)
        self._take(lease, asked)
        if lease.ttl and (lease.renewable or self._method.repeats) and (self._keeper is None or self._keeper.done()):
            self._keeper = asyncio.create_task(self._keep(), name="vault-token")
        return lease

    def _take(self, lease: Lease, asked: float) -> None:
        self._lease, self._ends = lease, asked + lease.ttl

    async def _keep(self) -> None:
        """Renew each lease in time. Ends when a lease expires without renewal, and then the next call logs in."""
        pause = self._time_to_renewal()
        while pause > 0:
            await self._sleep(pause)
            lease = self._lease
            async with self._turn:
                if self._lease is not lease:
                    pause = self._time_to_renewal()
                    continue
                try:
                    await self._renew()
                    pause = self._time_to_renewal()
                except VaultError as error:
                    _log.warning("keywrap.renewal_failed", trouble=error.trouble)
                    left = self._ends - self._clock()
                    pause = max(left * self._uniform(*_AGAIN), _LEAST_PAUSE) if left > 0 else 0

    def _time_to_renewal(self) -> float:
        lease = self._lease
        if lease is None or not lease.ttl:
            return 0
        return max(self._ends - self._clock() - lease.ttl * (1 - self._uniform(*_RENEW_AT)), _LEAST_PAUSE)

    async def _renew(self) -> None:
        """Renew the lease, or log in. The caller holds `_turn`.

        A renewal that returns less than half the lifetime means that the token nears its maximum lifetime.
        """
        lease = self._lease
        assert lease is not None
        if lease.renewable:
            asked = self._clock()
            try:
                answer = await self._client.ask("POST", "auth/token/renew-self", _Login, token=lease.token)
            except VaultError as error:
                if error.trouble.is_outage or not self._method.repeats:
                    raise
            else:
                renewed = Lease(lease.token, answer.auth.lease_duration, answer.auth.renewable)
                if 2 * renewed.ttl > lease.ttl or not self._method.repeats:
                    self._take(renewed, asked)
                    return
        await self._take_new()
