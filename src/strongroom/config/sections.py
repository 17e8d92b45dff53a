"""The sections of the settings, and what may stand in each."""

from __future__ import annotations

import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from strongroom.domain.secret import Secret


def _secret(value: object) -> Secret:
    if isinstance(value, str) and value:
        return Secret(value)
    raise ValueError("must be text that is not empty")


def whole(value: object) -> object:
    """Digits only; pydantic's own int takes `1_000`, ` 12 `, `true` and `1.0` as well."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value, re.ASCII):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number in decimal digits")


def _rate(value: object) -> object:
    if value == "off":
        return None
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]*/([1-9][0-9]* )?(second|minute|hour|day)", value, re.ASCII):
        return value
    raise ValueError("must be off or a rate such as 100/second or 5000/10 minute")


def _limit(value: object) -> object:
    """A number, or a word for one: ``off`` and ``allow`` (of `unknown_calls`) are no limit, ``refuse`` is 0."""
    if value == "refuse":
        return 0
    return None if value in ("off", "allow") else whole(value)


def _time_of_day(value: object) -> object:
    if isinstance(value, time) or (
        isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII)
    ):
        return value
    raise ValueError("must be a time of day such as 03:00")


def listed(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _cidr(value: object) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(str(value))
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, host bits zero") from None
    if network.prefixlen == 0:
        raise ValueError("must not trust every address")
    return network


_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)


def _check_hosts(url: str) -> None:
    """Of a URL that names one host or several: brackets that close, ports that are ports. Raises ValueError."""
    hosts = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    for host in hosts.split(","):
        found = _HOST.fullmatch(host)
        if found is None or not 0 < int(found["port"] or 1) < 65536:
            raise ValueError(
                "url must name hosts such as db.example, 192.0.2.1 or [2001:db8::1], a port from 1 to 65535"
            )


SecretText = Annotated[Secret, BeforeValidator(_secret)]
MaybeSecret = Annotated[Secret | None, BeforeValidator(_secret)]
Whole = Annotated[int, BeforeValidator(whole)]
Port = Annotated[int, BeforeValidator(whole), Field(ge=1, le=65535)]
Size = Annotated[int, BeforeValidator(whole), Field(ge=1024, le=64 * 1024 * 1024)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)]
Pause = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Retention = Annotated[float, Field(ge=86_400, le=315_360_000, allow_inf_nan=False)]
Limit = Annotated[int | None, BeforeValidator(_limit)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=128)]
Mount = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$", max_length=256)]
Rate = Annotated[str | None, BeforeValidator(_rate)]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}$")]
Cidr = Annotated[IPv4Network | IPv6Network, BeforeValidator(_cidr)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)


class HttpSettings(Section):
    host: str = Field(default="127.0.0.1", description="Address that REST listens on")
    port: Port = Field(default=3000, description="Port of REST")
    body_limit: Size = Field(default=1_048_576, description="Bytes that a request body may have")
    body_timeout: Seconds = Field(default=10.0, description="Seconds in which a body must have arrived")
    metrics_open: bool = Field(default=False, description="Serve /metrics to callers without an API key")


class GrpcSettings(Section):
    host: str = Field(default="127.0.0.1", description="Address that gRPC listens on")
    port: Port = Field(default=3001, description="Port of gRPC")
    max_message: Size = Field(default=1_048_576, description="Bytes that a message may have")
    max_streams: Whole = Field(default=100, ge=1, le=10_000, description="Calls at once on one connection")


class BoundSettings(Section):
    """How much work one request may be."""

    json_values: Whole = Field(
        default=50_000, ge=100, le=1_000_000, description="Values (keys too) that a JSON document may have"
    )
    large: Size = Field(
        default=16_384,
        description="Bytes from which a transaction or a document is decoded and checked in a thread, not on the event "
        "loop",
    )
    large_at_once: Whole = Field(
        default=1, ge=1, le=16, description="Threads of a worker in which large transactions and documents are decoded"
    )
    large_waiting: Whole = Field(
        default=32, ge=1, le=10_000, description="Large ones that may wait for a thread; more are told to come again"
    )


class ProxySettings(Section):
    trusted: Annotated[tuple[Cidr, ...], BeforeValidator(listed)] = Field(
        default=(), description="Networks of proxies whose X-Forwarded-For is believed, separated by commas"
    )


class DatabaseSettings(Section):
    url: SecretText = Field(
        description="`sqlite:///path` or `postgresql://user:password@host/name?sslmode=verify-full&sslrootcert=path`"
    )
    migrate_url: MaybeSecret = Field(
        default=None, description="What `strongroom migrate` uses instead: PostgreSQL's role that owns the tables"
    )
    pool_size: Whole = Field(default=10, ge=1, le=200, description="PostgreSQL: connections a process")
    timeout: Wait = Field(
        default=1.5, description="PostgreSQL: seconds after which a caller is told that it does not answer"
    )
    pool_timeout: Wait = Field(default=1.0, description="PostgreSQL: of these, for a free connection")
    connect_timeout: Wait = Field(default=1.0, description="PostgreSQL: of these, for a new connection")
    statement_timeout: Wait = Field(default=1.2, description="PostgreSQL: seconds of one statement, kept by the server")
    lock_timeout: Wait = Field(default=1.0, description="PostgreSQL: seconds that a statement waits for a lock")
    idle_in_transaction_timeout: Wait = Field(
        default=10.0, description="PostgreSQL: seconds after which the server ends a transaction that does nothing"
    )

    @model_validator(mode="after")
    def _hosts(self) -> Self:
        for url in (self.url, self.migrate_url):
            if url is not None and url.reveal().startswith("postgresql"):
                _check_hosts(url.reveal())
        return self


class KeyWrapSettings(Section):
    kind: Literal["local", "vault"] = Field(default="local", description="What wraps the data keys: local or vault")
    previous: Literal["local", "vault"] | None = Field(
        default=None,
        description="What wrapped them before: it still opens them, until `strongroom keys rewrap` has moved them all",
    )
    passphrase: MaybeSecret = Field(default=None, description="local: makes the wrapping key, in place of a key file")
    key_file: Path | None = Field(
        default=None, description="local: file (0600) with the wrapping key; made where it is absent"
    )
    allow_local: bool = Field(default=False, description="Allow the local key wrap in the production profile")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.passphrase is not None and self.key_file is not None:
            raise ValueError("passphrase and key_file are both set; give one")
        if self.previous == self.kind:
            raise ValueError("previous is what kind is; leave it out")
        return self

    @property
    def kinds(self) -> set[str | None]:
        return {self.kind, self.previous}


class VaultSettings(Section):
    """HashiCorp Vault or OpenBao; read where ``keywrap.kind`` or ``keywrap.previous`` is vault."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+/?$")] | None = Field(
        default=None, description="Such as `https://vault:8200`"
    )
    allow_http: bool = Field(
        default=False, description="Allow `http://` to another machine: where something else encrypts the way there"
    )
    ca_file: Path | None = Field(default=None, description="Certificates to trust in place of the system's, PEM")
    namespace: Mount | None = Field(default=None, description="Namespace, where there are any")
    mount: Mount = Field(default="transit", description="Where the Transit engine is mounted")
    key: Name = Field(default="strongroom", description="Name of the transit key")
    auth: Literal["approle", "kubernetes", "token"] = Field(
        default="approle", description="How to log in: approle, kubernetes or token"
    )
    auth_mount: Mount | None = Field(default=None, description="Where that is mounted, if not under its own name")
    role_id: MaybeSecret = Field(default=None, description="approle: the role")
    secret_id: MaybeSecret = Field(default=None, description="approle: its secret")
    role: Name | None = Field(default=None, description="kubernetes: the role")
    jwt_file: Path = Field(
        default=Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        description="kubernetes: the token of the pod's service account",
    )
    token: MaybeSecret = Field(default=None, description="token: one that was made for the service")
    timeout: Wait = Field(default=1.0, description="Seconds for one request")
    deadline: Wait = Field(default=3.0, description="Seconds for what the service asks, retries included")
    breaker_failures: Whole = Field(
        default=5, ge=1, le=1000, description="Failures in a row after which it is not asked for a while"
    )
    breaker_interval: Wait = Field(default=5.0, description="Seconds until one request finds out whether it is back")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url is not None:
            _check_hosts(self.url)
        if self.url is not None and self.url.startswith("http://") and not self.allow_http:
            host = self.url.removeprefix("http://").rstrip("/").rsplit(":", 1)[0]
            if host not in ("127.0.0.1", "localhost", "[::1]"):
                raise ValueError("url is http:// to another machine: data keys would be readable on the way there")
        return self

    @property
    def missing(self) -> list[str]:
        """What must be set and is not."""
        needed = {"approle": ("role_id", "secret_id"), "kubernetes": ("role",), "token": ("token",)}[self.auth]
        return [name for name in ("url", *needed) if getattr(self, name) is None]


class RedisSettings(Section):
    url: MaybeSecret = Field(
        default=None,
        description="`redis://host:6379/0`, or `rediss://` for TLS, where all processes cache; without it each caches "
        "alone",
    )
    enabled: bool = Field(default=True, description="Use it, where there is a URL")
    username: str | None = Field(default=None, min_length=1, description="Where the URL names none")
    password: MaybeSecret = Field(default=None, description="Where the URL has none")
    ca_file: Path | None = Field(default=None, description="Certificates to trust in place of the system's, PEM")
    pool_size: Whole = Field(default=16, ge=1, le=1000, description="Connections a process")
    timeout: Annotated[float, Field(ge=0.001, le=1, allow_inf_nan=False)] = Field(
        default=0.05, description="Seconds that one call may take; after one that takes longer it is left alone"
    )
    breaker_interval: Wait = Field(default=5.0, description="Seconds until one call finds out whether it is back")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.url is None:
            return self
        if re.fullmatch(r"rediss?://[^\s/?#]+(/[0-9]{1,5})?", self.url.reveal()) is None:
            raise ValueError("url must be redis:// or rediss://, a host and perhaps a port and a database's number")
        _check_hosts(self.url.reveal())
        if "@" in self.url.reveal() and not (self.username is None and self.password is None):
            raise ValueError("the URL has a login, and username or password is set; give one")
        return self


class CacheSettings(Section):
    """By the kinds of `cache.base`."""

    memory: Size = Field(default=8_388_608, description="Bytes of a process's own memory in which it caches")
    address: Pause = Field(
        default=3600.0, description="Seconds that an address is cached, at most; 0: not at all, so for each kind"
    )
    balance: Pause = Field(default=10.0, description="Seconds that a balance is cached")
    history: Pause = Field(default=30.0, description="Seconds that a page of transactions is cached")
    head: Pause = Field(
        default=15.0, description="Seconds that the head of a chain is cached, at most: half of its usual block time"
    )
    fees: Pause = Field(
        default=60.0, description="Seconds that a fee suggestion is cached; where blocks come faster, 10 at most"
    )
    transaction: Pause = Field(
        default=3600.0, description="Seconds that the state of a transaction is cached once nothing changes it"
    )
    stale: Pause = Field(
        default=600.0, description="Seconds for which a balance is shown, marked as stale, while no source answers"
    )
    health: Pause = Field(default=30.0, description="Seconds that the health of a process is shown in Redis")


class SignerSettings(Section):
    ttl: Pause = Field(default=60.0, description="Seconds that a seed stays open in memory; 0: not at all")
    max_uses: Whole = Field(default=1000, ge=1, description="Signatures that one opening of a seed serves")
    max_entries: Whole = Field(default=256, ge=1, le=100_000, description="Seeds that are open at once")


class RateSettings(Section):
    """By the limit classes of `operations.registry`."""

    read: Rate = Field(
        default="500/second", description="Lookups, lists, decoding, verifying: calls an API key, or `off`"
    )
    create: Rate = Field(default="100/second", description="Creating and importing wallets")
    write: Rate = Field(default="100/second", description="Renaming and archiving wallets")
    address: Rate = Field(default="1000/second", description="Deriving addresses")
    sign: Rate = Field(default="1000/second", description="Signing")
    admin: Rate = Field(default="20/second", description="API keys and audit records")
    chain: Rate = Field(default="100/second", description="Reading chains: balances, history, fees, state")
    fresh: Rate = Field(default="5/second", description="Reading balances past the cache")
    broadcast: Rate = Field(default="10/second", description="Broadcasting transactions")
    failed_authentication: Rate = Field(
        default="600/minute",
        description="API keys that are not valid: tries of one client address (IPv6: of one /64), or `off`",
    )

    def by_class(self) -> dict[str, str]:
        return {name: rate for name, rate in self if rate is not None and name != "failed_authentication"}


class TimeoutSettings(Section):
    operation: Seconds = Field(default=30.0, description="Seconds that any operation may take")
    linger: Pause = Field(
        default=0.0,
        description="Seconds after SIGTERM in which the service says that it is not ready and still answers: what "
        "load balancers need to turn away from it",
    )
    drain: Seconds = Field(default=20.0, description="Seconds that requests in flight get after that")


class WorkerSettings(Section):
    count: Whole = Field(
        default=1, ge=1, le=64, description="Processes that answer, one a core; more than 1 need PostgreSQL"
    )
    max_memory: Limit = Field(
        default=None, description="MiB of a worker's memory over which it is replaced by a new one, or `off`"
    )


class IdempotencySettings(Section):
    lease: Seconds = Field(
        default=30.0, description="Seconds after which an operation without an end may be taken over"
    )
    retention: Retention = Field(
        default=604_800.0,
        description="Seconds that the answer to an idempotency key is kept, a day at least; after that the key is free",
    )


class TaskSettings(Section):
    """Background work."""

    role: Literal["all", "none", "only"] = Field(
        default="all",
        description="What this process does: all, none (it serves, and runs no tasks) or only (it runs tasks, and "
        "refuses operations)",
    )
    poll: Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)] = Field(
        default=1.0, description="Seconds between two looks for tasks that other processes woke, half of it up or down"
    )
    purge_interval: Seconds = Field(default=3600.0, description="Seconds between two rounds of clearing away")
    verify_at: Annotated[time, BeforeValidator(_time_of_day)] = Field(
        default=time(3, 0), description="When stored state is verified, each day: hours and minutes, UTC"
    )
    verify_rate: Whole = Field(
        default=2000, ge=10, le=1_000_000, description="Rows a second that this looks at, at most"
    )
    metrics_interval: Wait = Field(default=15.0, description="Seconds between two looks at how much is due")


class NetworkSettings(Section):
    """One ``[[networks]]`` of the TOML file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    chain: Literal["evm"]
    chain_id: Annotated[int, BeforeValidator(whole), Field(ge=1, lt=2**64)]
    symbol: Symbol
    decimals: Annotated[int, BeforeValidator(whole), Field(ge=0, le=77)] = 18
    testnet: bool = False
    aliases: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")], ...] = ()
    limits: dict[str, Limit] = {}


class AuditSettings(Section):
    heads: str = Field(
        pattern=r"^(log|file:.+)$", description="Where the heads of the audit chains are anchored: `log` or `file:path`"
    )
    interval: Seconds = Field(default=60.0, description="Seconds between two heads")
    known_heads: Path | None = Field(
        default=None,
        description="With `heads=log`: a file of heads taken out of the log. A start and the nightly "
        "verification compare the database with it",
    )
    require_anchor: bool = Field(
        default=False, description="Refuse to sign while the heads of the audit cannot be kept outside the database"
    )

    @property
    def heads_file(self) -> Path | None:
        """None: they go to the log."""
        return None if self.heads == "log" else Path(self.heads.removeprefix("file:"))


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["json", "console"] = Field(default="json", description="json or console")


class ApiKeySettings(Section):
    cache_ttl: Pause = Field(default=2.0, le=5, description="Seconds until a revocation holds in every process")


class HealthSettings(Section):
    interval: Seconds = Field(default=5.0, description="Seconds between two checks of the components")
    required: Annotated[tuple[Literal["database", "vault", "redis"], ...], BeforeValidator(listed)] = Field(
        default=("database", "vault", "redis"),
        description="Components without which the service is not ready, of those that are configured; separated by "
        "commas",
    )
    anonymous: Literal["full", "minimal"] = Field(
        default="full",
        description="What /health tells without an API key: full, or minimal, which is the overall status alone",
    )
