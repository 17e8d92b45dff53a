"""The settings. Nothing else reads the environment.

A setting ``section.field`` comes from, the first that has it: the variable ``STRONGROOM_SECTION__FIELD``, the same in a
file ``.env`` of the working directory, the TOML file that ``STRONGROOM_CONFIG`` names, its default. A secret may also
stand in a file that ``STRONGROOM_SECTION__FIELD_FILE`` names. A variable that is empty counts as not set.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from dotenv import dotenv_values
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

PREFIX: Final = "STRONGROOM_"
DOTENV: Final = Path(".env")

_BESIDE: Final = {"STRONGROOM_CONFIG", "STRONGROOM_URL", "STRONGROOM_API_KEY", "STRONGROOM_API_KEY_FILE",
                  "STRONGROOM_TEST_REQUIRE"}  # fmt: skip
"""Variables with our prefix that are no settings of the service: the TOML file, the command line's, the tests'."""
_SERVICE_LINK: Final = re.compile(
    r"STRONGROOM(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)\w*)?)"
)
"""What Kubernetes sets in a pod for a Service that is called strongroom or strongroom-something."""
_IN_DATA_DIR: Final[dict[tuple[str, ...], str]] = {
    ("database", "url"): "sqlite:///{data_dir}/strongroom.db",
    ("keywrap", "key_file"): "{data_dir}/keywrap.key",
    ("audit", "heads"): "file:{data_dir}/audit-heads.jsonl",
}
"""Defaults that depend on another setting."""


def _secret(value: object) -> Secret:
    if isinstance(value, str) and value:
        return Secret(value)
    raise ValueError("must be text that is not empty")


def _whole(value: object) -> object:
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
    return None if value == "off" else _whole(value)


def _listed(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _cidr(value: object) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(str(value))
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, host bits zero") from None
    if network.prefixlen == 0:
        raise ValueError("must not trust every address")
    return network


SecretText = Annotated[Secret, BeforeValidator(_secret)]
MaybeSecret = Annotated[Secret | None, BeforeValidator(_secret)]
Whole = Annotated[int, BeforeValidator(_whole)]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=65535)]
Size = Annotated[int, BeforeValidator(_whole), Field(ge=1024, le=64 * 1024 * 1024)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)]
Pause = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Limit = Annotated[int | None, BeforeValidator(_limit)]
Rate = Annotated[str | None, BeforeValidator(_rate)]
Cidr = Annotated[IPv4Network | IPv6Network, BeforeValidator(_cidr)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)


class HttpSettings(_Section):
    host: str = Field(default="127.0.0.1", description="Address that REST listens on")
    port: Port = Field(default=3000, description="Port of REST")
    body_limit: Size = Field(default=1_048_576, description="Bytes that a request body may have")
    body_timeout: Seconds = Field(default=10.0, description="Seconds in which a body must have arrived")
    metrics_open: bool = Field(default=False, description="Serve /metrics to callers without an API key")


class GrpcSettings(_Section):
    host: str = Field(default="127.0.0.1", description="Address that gRPC listens on")
    port: Port = Field(default=3001, description="Port of gRPC")
    max_message: Size = Field(default=1_048_576, description="Bytes that a message may have")
    max_streams: Whole = Field(default=100, ge=1, le=10_000, description="Calls at once on one connection")


class ProxySettings(_Section):
    trusted: Annotated[tuple[Cidr, ...], BeforeValidator(_listed)] = Field(
        default=(), description="Networks of proxies whose X-Forwarded-For is believed, separated by commas"
    )


class DatabaseSettings(_Section):
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


class KeyWrapSettings(_Section):
    kind: Literal["local"] = Field(default="local", description="What wraps the data keys")
    passphrase: MaybeSecret = Field(default=None, description="local: makes the wrapping key, in place of a key file")
    key_file: Path | None = Field(
        default=None, description="local: file (0600) with the wrapping key; made where it is absent"
    )
    allow_local: bool = Field(default=False, description="Allow the local key wrap in the production profile")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.passphrase is not None and self.key_file is not None:
            raise ValueError("passphrase and key_file are both set; give one")
        return self


class SignerSettings(_Section):
    ttl: Pause = Field(default=60.0, description="Seconds that a seed stays open in memory; 0: not at all")
    max_uses: Whole = Field(default=1000, ge=1, description="Signatures that one opening of a seed serves")
    max_entries: Whole = Field(default=256, ge=1, le=100_000, description="Seeds that are open at once")


class RateSettings(_Section):
    """By the limit classes of `operations.registry`."""

    read: Rate = Field(
        default="500/second", description="Lookups, lists, decoding, verifying: calls an API key, or `off`"
    )
    create: Rate = Field(default="100/second", description="Creating and importing wallets")
    write: Rate = Field(default="100/second", description="Renaming and archiving wallets")
    address: Rate = Field(default="1000/second", description="Deriving addresses")
    sign: Rate = Field(default="1000/second", description="Signing")
    admin: Rate = Field(default="20/second", description="API keys and audit records")

    def by_class(self) -> dict[str, str]:
        return {name: rate for name, rate in self if rate is not None}


class TimeoutSettings(_Section):
    operation: Seconds = Field(default=30.0, description="Seconds that any operation may take")
    drain: Seconds = Field(default=20.0, description="Seconds that requests in flight get when the service stops")


class IdempotencySettings(_Section):
    lease: Seconds = Field(
        default=30.0, description="Seconds after which an operation without an end may be taken over"
    )


class NetworkSettings(_Section):
    """One ``[[networks]]`` of the TOML file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    chain: Literal["evm"]
    chain_id: Annotated[int, BeforeValidator(_whole), Field(ge=1, lt=2**64)]
    symbol: str = Field(pattern=r"^[A-Za-z0-9]{1,16}$")
    decimals: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=77)] = 18
    testnet: bool = False
    aliases: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")], ...] = ()
    limits: dict[str, Limit] = {}


class AuditSettings(_Section):
    heads: str = Field(
        pattern=r"^(log|file:.+)$", description="Where the heads of the audit chains are anchored: `log` or `file:path`"
    )
    interval: Seconds = Field(default=60.0, description="Seconds between two heads")


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    format: Literal["json", "console"] = Field(default="json", description="json or console")


class ApiKeySettings(_Section):
    cache_ttl: Pause = Field(default=2.0, le=5, description="Seconds until a revocation holds in every process")


class HealthSettings(_Section):
    interval: Seconds = Field(default=5.0, description="Seconds between two checks of the components")
    required: Annotated[tuple[Literal["database", "keywrap"], ...], BeforeValidator(_listed)] = Field(
        default=("database", "keywrap"),
        description="Components without which the service is not ready, separated by commas",
    )


class Settings(_Section):
    profile: Literal["embedded", "production"] = Field(
        default="embedded",
        description="`embedded` makes a development API key on its first start; `production` makes none and refuses "
        "the local key wrap",
    )
    data_dir: Path = Field(Path("data"), description="Folder of the database, the key file and the audit heads")
    any_network: bool = Field(default=False, description="Accept CAIP-2 ids (`eip155:N`) that are not configured")
    http: HttpSettings = HttpSettings()
    grpc: GrpcSettings = GrpcSettings()
    proxies: ProxySettings = ProxySettings()
    database: DatabaseSettings
    keywrap: KeyWrapSettings
    signer: SignerSettings = SignerSettings()
    rates: RateSettings = RateSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    chains: dict[str, dict[str, Limit]] = Field(
        default={}, description="Limits of a chain, in place of its own; `off`: none"
    )
    networks: tuple[NetworkSettings, ...] = Field(default=(), description="More networks; in the TOML file only")
    audit: AuditSettings
    log: LogSettings = LogSettings()
    api_keys: ApiKeySettings = ApiKeySettings()
    health: HealthSettings = HealthSettings()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, raw: dict[str, Any]) -> dict[str, Any]:
        filled = {**raw}
        for (section, field), text in _IN_DATA_DIR.items():
            given = filled.get(section, {})
            if isinstance(given, dict) and not (section == "keywrap" and "passphrase" in given):
                filled[section] = {field: text.format(data_dir=raw.get("data_dir", "data")), **given}
        return {"keywrap": {}, **filled}

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.profile == "production" and self.keywrap.kind == "local" and not self.keywrap.allow_local:
            raise ValueError("profile production refuses the local key wrap unless keywrap.allow_local is true")
        return self


class ClientSettings(_Section):
    """What the command line needs to call a running service."""

    url: str = Field(default="http://127.0.0.1:3000", pattern=r"^https?://[^\s/@]+/?$")
    api_key: MaybeSecret = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as documentation and `strongroom config check` show it."""

    path: tuple[str, ...]
    default: str
    description: str
    secret: bool

    @property
    def variable(self) -> str:
        return PREFIX + "__".join(self.path).upper()


@dataclass(frozen=True, slots=True)
class Loaded:
    settings: Settings
    sources: Mapping[tuple[str, ...], str]
    """By path: the variable or file that a setting came from. What is not in it has its default."""


def every_setting() -> Iterator[Setting]:
    """All that a variable can set, chains' limits left out: their names are the chains' own."""
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            for field, inner in section.model_fields.items():
                yield _setting((name, field), inner)
        elif name not in ("chains", "networks"):
            yield _setting((name,), info)


def load(env: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV) -> Settings:
    """Raises ConfigurationError, which names each variable that is at fault and no value."""
    return load_with_sources(env, dotenv=dotenv).settings


def load_with_sources(env: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV) -> Loaded:
    """Raises ConfigurationError."""
    variables = _variables(env, dotenv)
    raw: dict[str, Any] = {}
    sources: dict[tuple[str, ...], str] = {}
    if config := variables.get("STRONGROOM_CONFIG"):
        raw = _toml(Path(config))
        sources = dict.fromkeys(_leaves(raw), config)
    for path, (name, text) in _from_variables(variables).items():
        place = raw
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigurationError(f"{'.'.join(path[:-1])} in {config} must be a table")
        place[path[-1]] = text
        sources[path] = name
    try:
        return Loaded(Settings.model_validate(raw), sources)
    except ValidationError as error:
        faults = [_fault(tuple(found["loc"]), found["type"], found["msg"], sources) for found in error.errors()]
    raise ConfigurationError("; ".join(faults))


def load_client(env: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV) -> ClientSettings:
    """Raises ConfigurationError."""
    variables = _variables(env, dotenv)
    raw = {
        "url": variables.get("STRONGROOM_URL") or None,
        "api_key": _secret_text(variables, "STRONGROOM_API_KEY"),
    }
    try:
        return ClientSettings.model_validate({name: value for name, value in raw.items() if value is not None})
    except ValidationError as error:
        faults = [f"STRONGROOM_{str(found['loc'][0]).upper()}: {_reason(found['msg'])}" for found in error.errors()]
    raise ConfigurationError("; ".join(faults))


def _setting(path: tuple[str, ...], info: FieldInfo) -> Setting:
    secret = Secret in (info.annotation, *get_args(info.annotation))
    default = _IN_DATA_DIR.get(path[:2]) or show(None if info.is_required() else info.default)
    return Setting(path, default, info.description or "", secret)


def show(value: object) -> str:
    """A value as it is written in a variable."""
    if isinstance(value, Secret):
        return "set"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _variables(env: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    beneath = dotenv_values(dotenv, interpolate=False) if dotenv is not None and dotenv.is_file() else {}
    found = {**beneath, **(os.environ if env is None else env)}
    return {name: value for name, value in found.items() if name.startswith(PREFIX) and value is not None}


def _from_variables(variables: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, str]]:
    """By path: the variable and its text."""
    known = {setting.variable: setting for setting in every_setting()}
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    unknown = []
    for name, text in variables.items():
        setting = known.get(name)
        secret = known.get(name.removesuffix("_FILE"))
        if secret is not None and secret.secret:
            value = _secret_text(variables, secret.variable)
            if value is not None:
                found[secret.path] = (name, value)
        elif text == "" or name in _BESIDE or _is_service_link(name, text):
            continue
        elif setting is not None:
            found[setting.path] = (name, text)
        elif re.fullmatch(r"STRONGROOM_CHAINS__[A-Z0-9]+__[A-Z0-9_]+", name):
            found[tuple(name.removeprefix(PREFIX).lower().split("__", 2))] = (name, text)
        else:
            unknown.append(name)
    if unknown:
        raise ConfigurationError(f"no setting is called {', '.join(sorted(unknown))}")
    return found


def _is_service_link(name: str, text: str) -> bool:
    if _SERVICE_LINK.fullmatch(name) is None or "__" in name:
        return False
    return not name.endswith("_PORT") or name.endswith("SERVICE_PORT") or "://" in text


def _secret_text(variables: Mapping[str, str], name: str) -> str | None:
    """The secret from its variable or from the file that ``name``_FILE names, one line feed at its end cut off."""
    text, file = variables.get(name), variables.get(f"{name}_FILE")
    if text and file:
        raise ConfigurationError(f"{name} and {name}_FILE are both set; give one")
    if not file:
        return text or None
    try:
        return Path(file).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"the file that {name}_FILE names cannot be read") from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        raise ConfigurationError("the file that STRONGROOM_CONFIG names is not valid TOML") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the file that STRONGROOM_CONFIG names cannot be read") from None


def _leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name)


def _fault(where: tuple[int | str, ...], kind: str, text: str, sources: Mapping[tuple[str, ...], str]) -> str:
    path = tuple(part for part in where if isinstance(part, str))
    above = (sources.get(path[:size]) for size in range(len(path), 0, -1))
    below = (source for each, source in sources.items() if each[: len(path)] == path and not source.startswith(PREFIX))
    origin = next((source for source in (*above, *below) if source is not None), None) if path else None
    if origin is not None and origin.startswith(PREFIX):
        return f"{origin}: {_reason(text)}"
    name = ".".join(str(part) for part in where) or "settings"
    beside = f" in {origin}" if origin else ""
    return f"{name}{beside}: " + ("no setting has this name" if kind == "extra_forbidden" else _reason(text))


def _reason(text: str) -> str:
    return text.removeprefix("Value error, ").removeprefix("Input ")
