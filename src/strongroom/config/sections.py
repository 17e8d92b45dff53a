"""The other sections of the settings."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from strongroom.config.fields import (
    Limit,
    ListeningHost,
    MaybeSecret,
    Mount,
    Name,
    Pause,
    Port,
    Retention,
    Seconds,
    SecretText,
    Section,
    Size,
    Symbol,
    TimeOfDay,
    Wait,
    Whole,
    check_hosts,
    listed,
    whole,
)


class HttpSettings(Section):
    host: ListeningHost = Field(default="127.0.0.1", description="Address that REST listens on")
    port: Port = Field(default=3000, description="Port of REST")
    body_limit: Size = Field(default=1_048_576, description="Maximum size of a request body, in bytes")
    body_timeout: Seconds = Field(default=10.0, description="Seconds within which a request body must arrive")
    errors_url: Annotated[str, Field(pattern=r"^(https?://|/)[^\s#\"<>]*$")] = Field(
        default="/docs/errors",
        description="Where the `type` of an error points, with `#` and the code added. Set it if a proxy puts a prefix "
        "before the paths of the service, or to a page of your own",
    )
    metrics_open: bool = Field(default=False, description="Serve /metrics to callers without an API key")


class GrpcSettings(Section):
    host: ListeningHost = Field(
        default="127.0.0.1",
        description="Address that gRPC listens on. gRPC takes `0.0.0.0` for every address of this machine, IPv6 too",
    )
    port: Port = Field(default=3001, description="Port of gRPC")
    max_message: Size = Field(default=1_048_576, description="Maximum size of a message, in bytes")
    max_streams: Whole = Field(default=100, ge=1, le=10_000, description="Maximum concurrent calls per connection")


class BoundSettings(Section):
    """How much work a single request may cause."""

    json_values: Whole = Field(
        default=50_000, ge=100, le=1_000_000, description="Maximum number of values, including keys, in a JSON document"
    )
    batch_size: Size = Field(
        default=8_388_608,
        description=(
            "Maximum size of the body or message of a batch, in bytes. A batch may have 4 times as many JSON values"
        ),
    )
    large: Size = Field(
        default=16_384,
        description=(
            "Size in bytes from which a transaction or document is decoded and checked in a thread instead of the "
            "event loop"
        ),
    )
    large_at_once: Whole = Field(
        default=1, ge=1, le=16, description="Threads per worker that decode large transactions and documents"
    )
    large_waiting: Whole = Field(
        default=32,
        ge=1,
        le=10_000,
        description="Large transactions and documents that may wait for such a thread. Further ones get 429",
    )


class DatabaseSettings(Section):
    url: SecretText = Field(
        description="`sqlite:///path` or `postgresql://user:password@host/name?sslmode=verify-full&sslrootcert=path`"
    )
    migrate_url: MaybeSecret = Field(
        default=None, description="URL for `strongroom migrate`, with the PostgreSQL role that owns the tables"
    )
    pool_size: Whole = Field(
        default=10, ge=1, le=200, description="PostgreSQL: connections per process. One more is for group commits"
    )
    timeout: Wait = Field(
        default=1.5,
        description="PostgreSQL: seconds until a caller is told that it does not respond. A commit may take a fifth "
        "more",
    )
    pool_timeout: Wait = Field(default=1.0, description="PostgreSQL: how many of these to wait for a free connection")
    connect_timeout: Wait = Field(default=1.0, description="PostgreSQL: how many of these to wait for a new connection")
    statement_timeout: Wait = Field(
        default=1.2, description="PostgreSQL: maximum seconds per statement, enforced by the server"
    )
    lock_timeout: Wait = Field(default=1.0, description="PostgreSQL: maximum seconds that a statement waits for a lock")
    idle_in_transaction_timeout: Wait = Field(
        default=10.0, description="PostgreSQL: seconds after which the server ends an idle transaction"
    )

    @model_validator(mode="after")
    def _hosts(self) -> Self:
        for url in (self.url, self.migrate_url):
            if url is not None and url.reveal().startswith("postgresql"):
                check_hosts(url.reveal())
        return self


class KeyWrapSettings(Section):
    kind: Literal["local", "vault"] = Field(default="local", description="What wraps the data keys: local or vault")
    previous: Literal["local", "vault"] | None = Field(
        default=None,
        description=(
            "The key wrap used before. It still opens data keys, until `strongroom keys rewrap` has moved them all"
        ),
    )
    passphrase: MaybeSecret = Field(
        default=None, description="local: passphrase that the wrapping key is derived from, instead of a key file"
    )
    key_file: Path | None = Field(
        default=None, description="local: file (0600) with the wrapping key. It is created if it does not exist"
    )
    allow_local: bool = Field(default=False, description="Allow the local key wrap in the production profile")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.passphrase is not None and self.key_file is not None:
            raise ValueError("passphrase and key_file are both set: keep one")
        if self.previous == self.kind:
            raise ValueError("previous is the same as kind: leave it out")
        return self

    @property
    def kinds(self) -> set[str | None]:
        return {self.kind, self.previous}


class VaultSettings(Section):
    """HashiCorp Vault or OpenBao. Used if ``keywrap.kind`` or ``keywrap.previous`` is vault."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+/?$")] | None = Field(
        default=None, description="URL, such as `https://vault:8200`"
    )
    allow_http: bool = Field(
        default=False,
        description="Allow `http://` to another machine. Set it if something else encrypts the connection",
    )
    ca_file: Path | None = Field(
        default=None, description="Certificate authorities to trust instead of the system's, PEM"
    )
    namespace: Mount | None = Field(default=None, description="Namespace, if you use namespaces")
    mount: Mount = Field(default="transit", description="Mount path of the Transit engine")
    key: Name = Field(default="strongroom", description="Name of the transit key")
    auth: Literal["approle", "kubernetes", "token"] = Field(
        default="approle", description="How to log in: approle, kubernetes or token"
    )
    auth_mount: Mount | None = Field(
        default=None, description="Mount path of the auth method, if it differs from its name"
    )
    role_id: MaybeSecret = Field(default=None, description="approle: role id")
    secret_id: MaybeSecret = Field(default=None, description="approle: secret id")
    role: Name | None = Field(default=None, description="kubernetes: role")
    jwt_file: Path = Field(
        default=Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        description="kubernetes: file with the token of the pod's service account",
    )
    token: MaybeSecret = Field(default=None, description="token: a token for the service")
    timeout: Wait = Field(default=1.0, description="Maximum seconds per request")
    deadline: Wait = Field(default=3.0, description="Maximum seconds per call, including retries")
    breaker_failures: Whole = Field(default=5, ge=1, le=1000, description="Consecutive failures that open the circuit")
    breaker_interval: Wait = Field(default=5.0, description="Seconds between probes while the circuit is open")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url is not None:
            check_hosts(self.url)
        if self.url is not None and self.url.startswith("http://") and not self.allow_http:
            host = self.url.removeprefix("http://").rstrip("/").rsplit(":", 1)[0]
            if host not in ("127.0.0.1", "localhost", "[::1]"):
                raise ValueError(
                    "url must be https://, unless it is on this machine: over http:// data keys could be read on the "
                    "way. Set allow_http if something else encrypts the connection"
                )
        return self

    @property
    def missing(self) -> list[str]:
        """Required settings that are not set."""
        needed = {"approle": ("role_id", "secret_id"), "kubernetes": ("role",), "token": ("token",)}[self.auth]
        return [name for name in ("url", *needed) if getattr(self, name) is None]


_REDIS_URL: Final = re.compile(
    r"rediss?://(?:[^\s/?#@]*@)?[^\s/?#@,]+(?:/[0-9]{1,5})?"
    r"|rediss?\+sentinel://(?:[^\s/?#@]*@)?[^\s/?#@]+/[A-Za-z0-9._-]{1,128}(?:/[0-9]{1,5})?"
)


class RedisSettings(Section):
    url: MaybeSecret = Field(
        default=None,
        description=(
            "`redis://host:6379/0`, or `rediss://` for TLS. All processes share its cache and rate limits. "
            "Without it each process has its own. With Sentinel: "
            "`redis+sentinel://host:26379,other:26379/primary/0`. Redis Cluster is not supported"
        ),
    )
    enabled: bool = Field(default=True, description="Use Redis if there is a URL")
    username: str | None = Field(default=None, min_length=1, description="Username, if the URL has none")
    password: MaybeSecret = Field(default=None, description="Password, if the URL has none")
    ca_file: Path | None = Field(
        default=None, description="Certificate authorities to trust instead of the system's, PEM"
    )
    pool_size: Whole = Field(default=16, ge=1, le=1000, description="Connections per process")
    timeout: Annotated[float, Field(ge=0.001, le=1, allow_inf_nan=False)] = Field(
        default=0.05, description="Maximum seconds per call. A slower call opens the circuit"
    )
    breaker_interval: Wait = Field(default=5.0, description="Seconds between probes while the circuit is open")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.url is None:
            return self
        if _REDIS_URL.fullmatch(self.url.reveal()) is None:
            raise ValueError(
                "url must be redis:// or rediss:// with one host, and optionally a port and a database number. For "
                "Sentinel it must be redis+sentinel:// or rediss+sentinel:// with the Sentinels separated by commas, "
                "and the name of the primary"
            )
        check_hosts(self.url.reveal())
        if "@" in self.url.reveal() and not (self.username is None and self.password is None):
            raise ValueError("the URL has a login, and username or password is set too: keep one")
        return self


class CacheSettings(Section):
    """Lifetimes by the kinds of `cache.base`."""

    memory: Size = Field(default=8_388_608, description="Size of the cache in each process's memory, in bytes")
    address: Pause = Field(
        default=3600.0,
        description="Maximum seconds that an address is cached. 0 turns caching off, here and for the other kinds",
    )
    balance: Pause = Field(default=10.0, description="Seconds that a balance is cached")
    history: Pause = Field(default=30.0, description="Seconds that a page of transactions is cached")
    head: Pause = Field(
        default=15.0, description="Seconds that the head of a chain is cached, and half of its usual block time at most"
    )
    fees: Pause = Field(
        default=60.0, description="Seconds that a fee suggestion is cached. At most 10 on chains with fast blocks"
    )
    transaction: Pause = Field(
        default=3600.0, description="Seconds that the state of a transaction is cached once it is final"
    )
    stale: Pause = Field(
        default=600.0,
        description="Seconds for which the last known balance is shown, marked as stale, while no source responds",
    )
    health: Pause = Field(default=30.0, description="Seconds that the health of a process stays in Redis")


class SignerSettings(Section):
    ttl: Pause = Field(
        default=60.0, description="Seconds that a seed stays open in memory. 0 opens it for every signature"
    )
    max_uses: Whole = Field(default=1000, ge=1, description="Signatures after which an open seed is dropped")
    max_entries: Whole = Field(default=256, ge=1, le=100_000, description="Seeds that can be open at the same time")


class TimeoutSettings(Section):
    operation: Seconds = Field(default=30.0, description="Maximum seconds per operation")
    linger: Pause = Field(
        default=0.0,
        description=(
            "Seconds after SIGTERM in which the service reports that it is not ready but still serves requests. "
            "Load balancers need this time to stop sending them"
        ),
    )
    drain: Seconds = Field(default=20.0, description="Seconds that requests in flight then have to finish")


class WorkerSettings(Section):
    count: Whole = Field(
        default=1, ge=1, le=64, description="Serving processes. Use one per core. More than 1 needs PostgreSQL"
    )
    max_memory: Limit = Field(
        default=None, description="MiB of memory above which a worker is replaced by a new one, or `off`"
    )


class IdempotencySettings(Section):
    lease: Seconds = Field(
        default=30.0, description="Seconds after which another process may take over an unfinished operation"
    )
    retention: Retention = Field(
        default=604_800.0,
        description=(
            "Seconds that the response to an idempotency key is kept, at least a day, counted from the first request "
            "with the key. After that the key can be used again"
        ),
    )


class TaskSettings(Section):
    """Background work."""

    role: Literal["all", "none", "only"] = Field(
        default="all",
        description=(
            "What this process does: all, none (serves and runs no tasks) or only (runs tasks and refuses operations)"
        ),
    )
    poll: Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)] = Field(
        default=1.0, description="Seconds between checks for tasks from other processes, plus or minus half"
    )
    purge_interval: Seconds = Field(default=3600.0, description="Seconds between purges")
    verify_at: TimeOfDay = Field(
        default=time(3, 0), description="Time of the daily verification of stored state: hours and minutes, UTC"
    )
    verify_rate: Whole = Field(default=2000, ge=10, le=1_000_000, description="Maximum rows per second that it reads")
    metrics_interval: Wait = Field(default=15.0, description="Seconds between updates of the metrics of tasks")


class NetworkSettings(Section):
    """One ``[[networks]]`` in the TOML file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    chain: Literal["evm"]
    chain_id: Annotated[int, BeforeValidator(whole), Field(ge=1, lt=2**64)]
    symbol: Symbol
    decimals: Annotated[int, BeforeValidator(whole), Field(ge=0, le=77)] = 18
    testnet: bool = False
    aliases: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")], ...] = ()
    limits: dict[str, Limit] = Field(default_factory=dict)


class AuditSettings(Section):
    heads: str = Field(
        pattern=r"^(log|file:.+)$", description="Where the heads of the audit chains are anchored: `log` or `file:path`"
    )
    interval: Seconds = Field(default=60.0, description="Seconds between heads")
    known_heads: Path | None = Field(
        default=None,
        description=(
            "With `heads=log`: a file of heads extracted from the log. Every start and the nightly verification "
            "compare the database with it"
        ),
    )
    require_anchor: bool = Field(
        default=False, description="Refuse to sign while the heads of the audit cannot be written"
    )

    @property
    def heads_file(self) -> Path | None:
        """None if the heads go to the log."""
        return None if self.heads == "log" else Path(self.heads.removeprefix("file:"))


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="json, console, or auto, which is console if standard output is a terminal and otherwise json",
    )


class HealthSettings(Section):
    interval: Seconds = Field(default=5.0, description="Seconds between two checks of the components")
    required: Annotated[tuple[Literal["database", "vault", "redis"], ...], BeforeValidator(listed)] = Field(
        default=("database", "vault", "redis"),
        description=(
            "Components that readiness depends on, separated by commas. Components that are not configured are ignored"
        ),
    )
    anonymous: Literal["full", "minimal"] = Field(
        default="full",
        description="What /health shows without an API key: full, or minimal, which is only the overall status",
    )
