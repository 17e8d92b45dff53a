"""Whether Redis can be used: each Sentinel, the primary, the login, and a write."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from strongroom.bootstrap.cache import open_client
from strongroom.bootstrap.connecting.reaching import Fault, Target, reach, trust
from strongroom.config.sections import RedisSettings
from strongroom.errors import ConfigurationError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_KEY: Final = "strongroom:check"
_MILLISECONDS: Final = 1000


async def check_redis_server(settings: RedisSettings) -> str:
    """Write one key that lives for a second. Raises Fault."""
    from strongroom.redis_link import disconnect  # noqa: PLC0415 - imports redis-py

    assert settings.url is not None
    targets = _targets(settings, settings.url.reveal())
    faults = [fault for target in targets if (fault := await _fault(target)) is not None]
    if len(faults) == len(targets):
        raise faults[0]
    try:
        client = open_client(settings)
    except ConfigurationError as error:
        raise Fault("configuration", error.message) from None
    assert client is not None
    try:
        await _use(client)
    finally:
        await disconnect(client)
    return "" if not faults else f"{len(faults)} of {len(targets)} Sentinels fail: {faults[0].message}"


def _targets(settings: RedisSettings, url: str) -> list[Target]:
    parts = urlsplit(url)
    tls: ssl.SSLContext | None = None
    if parts.scheme.startswith("rediss"):
        tls = trust(settings.ca_file, "redis.ca_file")
    usual = _SENTINEL_PORT if parts.scheme.endswith("+sentinel") else _PORT
    found = []
    for each in parts.netloc.rpartition("@")[2].split(","):
        host = urlsplit(f"//{each}")
        found.append(Target("redis.url", host.hostname or "localhost", host.port or usual, tls, "redis.ca_file"))
    return found


async def _fault(target: Target) -> Fault | None:
    try:
        await reach(target)
    except Fault as fault:
        return fault
    return None


async def _use(client: Redis) -> None:
    from redis.asyncio.sentinel import MasterNotFoundError, SlaveNotFoundError  # noqa: PLC0415 - imports redis-py
    from redis.exceptions import (  # noqa: PLC0415
        AskError,
        AuthenticationError,
        AuthorizationError,
        ClusterError,
        NoPermissionError,
        ReadOnlyError,
        RedisError,
        ResponseError,
    )
    from redis.exceptions import TimeoutError as SlowError  # noqa: PLC0415

    try:
        await client.set(_KEY, "1", px=_MILLISECONDS)
        await client.eval("return redis.call('GET', KEYS[1])", 1, _KEY)
    except (MasterNotFoundError, SlaveNotFoundError):
        raise Fault("wrong_name", "no Sentinel knows a running primary with the name in redis.url") from None
    except NoPermissionError:
        raise Fault("rights", "the Redis user lacks rights: it needs ~strongroom:* and +@all -@dangerous") from None
    except (AuthenticationError, AuthorizationError):
        raise Fault("auth", "Redis refuses the login: check redis.username, redis.password and redis.url") from None
    except ReadOnlyError:
        raise Fault("read_only", "it is a replica, or read-only: configure the primary, or its Sentinels") from None
    except (AskError, ClusterError):
        raise Fault("cluster", "it is a node of a Redis Cluster, which is not supported") from None
    except ResponseError as error:
        raise _refusal(str(error)) from None
    except (SlowError, TimeoutError):
        raise Fault(
            "timeout", "it accepts connections but does not respond: check that it is Redis, and its log"
        ) from None
    except (RedisError, OSError):
        raise Fault("bad_answer", "the server does not respond like Redis, or hangs up: check the port") from None


def _refusal(said: str) -> Fault:
    """Redis has no codes for these errors. Their text is not repeated."""
    if "NOAUTH" in said or "without any password" in said:
        return Fault("auth", "Redis refuses the login: check redis.username, redis.password and redis.url")
    if "DB index" in said or "invalid DB" in said:
        return Fault("wrong_database", "the database number at the end of redis.url does not exist")
    if said.startswith(("OOM", "MISCONF", "LOADING", "MASTERDOWN")):
        return Fault("unavailable", f"Redis accepts no writes at present ({said.split(maxsplit=1)[0]}): check its log")
    return Fault(
        "refused", "Redis refuses a command of the service: check its version, and whether commands are renamed"
    )
