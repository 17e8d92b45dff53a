"""How the service gets a token of Vault, and keeps one."""

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
"""Share of its life at which a token is renewed: two thirds, not all replicas at once."""
_AGAIN: Final = (0.2, 0.4)
"""Share of what is left of its life after which a renewal that failed is tried again."""
_LEAST_PAUSE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Lease:
    """A token, and how long it lives."""

    token: Secret
    ttl: float
    """Seconds; 0: for ever."""
    renewable: bool


class _Auth(VaultAnswer, frozen=True):
    client_token: str
    lease_duration: int
    renewable: bool


class _Login(VaultAnswer, frozen=True):
    auth: _Auth


class _Token(VaultAnswer, frozen=True):
    ttl: int
    renewable: bool = False  # left out of a batch token


class _LookUp(VaultAnswer, frozen=True):
    data: _Token


class Method(Protocol):
    """One way to log in."""

    name: str
    repeats: bool
    """Logging in again gives another token."""

    async def log_in(self, client: VaultClient) -> Lease:
        """Raises VaultError."""


class TokenMethod:
    """A token that was made for the service by somebody else."""

    name = "token"
    repeats = False

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def log_in(self, client: VaultClient) -> Lease:
        found = await client.ask("GET", "auth/token/lookup-self", _LookUp, token=self._token)
        if found.data.ttl and not found.data.renewable:
            _log.warning("keywrap.token_ends", seconds=found.data.ttl)
        return Lease(self._token, found.data.ttl, found.data.renewable)


class AppRoleMethod:
    name = "approle"
    repeats = True

    def __init__(self, mount: str, role_id: Secret, secret_id: Secret) -> None:
        self._path = f"auth/{mount}/login"
        self._role_id = role_id
        self._secret_id = secret_id

    async def log_in(self, client: VaultClient) -> Lease:
        return await _login(
            client, self._path, {"role_id": self._role_id.reveal(), "secret_id": self._secret_id.reveal()}
        )


class KubernetesMethod:
    """By the pod's own token, read again each time: the kubelet replaces it."""

    name = "kubernetes"
    repeats = True

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
        if error.trouble is Trouble.REJECTED:  # a wrong secret id is a 400
            raise VaultError(Trouble.DENIED) from None
        raise
    return Lease(Secret(answer.auth.client_token), answer.auth.lease_duration, answer.auth.renewable)


class Session:
    """The token that calls go out with: renewed before it ends, replaced where it is lost.

    ``pause``: seconds between two logins that a denial asked for; a policy that denies must not become a login a call.
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
        """What to go out with now. Raises VaultError."""
        return self._living() or await self._log_in()

    async def replace(self, denied: Lease) -> Lease:
        """Another one, because this one was denied. Raises VaultError (denied) where that would change nothing."""
        async with self._turn:
            present = self._lease
            if present is not None and present.token is not denied.token:
                return present
            if not self._method.repeats or self._clock() < self._no_login_before:
                raise VaultError(Trouble.DENIED)
            self._no_login_before = self._clock() + self._pause
            return await self._take_new()

    async def close(self) -> None:
        """Gives the token back, where it is one of our own making."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        lease = self._living()
        if lease is not None and self._method.repeats:
            with suppress(VaultError):
                await self._client.ask("POST", "auth/token/revoke-self", Nothing, token=lease.token)

    def _living(self) -> Lease | None:
        lease = self._lease
        return None if lease is not None and lease.ttl and self._clock() >= self._ends else lease

    async def _log_in(self) -> Lease:
        async with self._turn:
            return self._living() or await self._take_new()

    async def _take_new(self) -> Lease:
        """The turn is ours."""
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
        """Renews each lease in time. Ends with one that could not be: then the next call logs in."""
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
        """The turn is ours. Logs in where the lease is not prolonged, or by less and less: its longest life is near."""
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
