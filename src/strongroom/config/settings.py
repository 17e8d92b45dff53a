"""The settings of the service.

The value of a setting ``section.field`` comes from the first of these that has it: the variable
``STRONGROOM_SECTION__FIELD``, the same variable in a file ``.env`` in the working directory, the TOML file that
``STRONGROOM_CONFIG`` names, and the default. A secret can also be in a file that ``STRONGROOM_SECTION__FIELD_FILE``
names. An empty variable counts as not set.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from strongroom.config.access import AccessSettings, ApiKeySettings, ProxySettings, RateSettings, WalletRateSettings
from strongroom.config.alerts import AlertSettings, BalanceSettings, ChannelSettings, RuleSettings, known_rules
from strongroom.config.chains import NodeSettings, SourceSettings
from strongroom.config.environment import PREFIX, secret_text, variables_of
from strongroom.config.fields import Limit, Section, Symbol, listed
from strongroom.config.sections import (
    AuditSettings,
    BoundSettings,
    CacheSettings,
    DatabaseSettings,
    GrpcSettings,
    HealthSettings,
    HttpSettings,
    IdempotencySettings,
    KeyWrapSettings,
    LogSettings,
    NetworkSettings,
    RedisSettings,
    SignerSettings,
    TaskSettings,
    TimeoutSettings,
    VaultSettings,
    WorkerSettings,
)
from strongroom.config.tls import TlsSettings, is_loopback
from strongroom.config.watching import TracingSettings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

DOTENV: Final = Path(".env")

_BESIDE: Final = {"STRONGROOM_CONFIG", "STRONGROOM_URL", "STRONGROOM_API_KEY", "STRONGROOM_API_KEY_FILE",
                  "STRONGROOM_CA_FILE", "STRONGROOM_CLIENT_CERTIFICATE", "STRONGROOM_CLIENT_KEY",
                  "STRONGROOM_TEST_REQUIRE"}  # fmt: skip
"""Variables with our prefix that are not settings of the service but of the command line and the tests."""
_SERVICE_LINK: Final = re.compile(
    r"STRONGROOM(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)\w*)?)"
)
"""Variables that Kubernetes sets in a pod for a Service called strongroom or strongroom-something."""
_IN_TOML: Final = {"chains", "symbols", "networks", "sources", "alert_channels", "alert_rules", "alert_balances"}
"""Settings with a structure that no single variable can hold."""
_IN_DATA_DIR: Final[dict[tuple[str, ...], str]] = {
    ("database", "url"): "sqlite:///{data_dir}/strongroom.db",
    ("keywrap", "key_file"): "{data_dir}/keywrap.key",
    ("audit", "heads"): "file:{data_dir}/audit-heads.jsonl",
}
"""Defaults that depend on another setting."""
_TABLES: Final = {("access", "certificates"), ("access", "jwt")}
"""Arrays of tables, which no variable can set."""


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


class Settings(Section):
    profile: Literal["embedded", "production"] = Field(
        default="embedded",
        description=(
            "`embedded` creates a development API key at the first start. `production` creates none, and refuses "
            "the local key wrap"
        ),
    )
    data_dir: Path = Field(Path("data"), description="Folder for the database, the key file and the audit heads")
    any_network: bool = Field(default=False, description="Accept CAIP-2 ids (`eip155:N`) that are not configured")
    http: HttpSettings = HttpSettings()
    grpc: GrpcSettings = GrpcSettings()
    tls: TlsSettings = TlsSettings()
    bounds: BoundSettings = BoundSettings()
    proxies: ProxySettings = ProxySettings()
    access: AccessSettings = AccessSettings()
    database: DatabaseSettings
    keywrap: KeyWrapSettings
    vault: VaultSettings = VaultSettings()
    redis: RedisSettings = RedisSettings()
    cache: CacheSettings = CacheSettings()
    signer: SignerSettings = SignerSettings()
    workers: WorkerSettings = WorkerSettings()
    rates: RateSettings = RateSettings()
    wallet_rates: WalletRateSettings = WalletRateSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    tasks: TaskSettings = TaskSettings()
    chains: dict[str, dict[str, Limit]] = Field(
        default={}, description="Limits of a chain, in place of its own; `off`: none"
    )
    symbols: dict[str, Symbol] = Field(
        default={}, description="Text that a built-in network shows for its coin, in place of its own"
    )
    networks: tuple[NetworkSettings, ...] = Field(default=(), description="More networks; in the TOML file only")
    sources: tuple[SourceSettings, ...] = Field(
        default=(), description="Endpoints that chains are read from; in the TOML file only"
    )
    nodes: NodeSettings = NodeSettings()
    tokens: Annotated[tuple[Path, ...], BeforeValidator(listed)] = Field(
        default=(), description="Files of listed tokens, in addition to those included; separated by commas"
    )
    alerts: AlertSettings = AlertSettings()
    alert_channels: tuple[ChannelSettings, ...] = Field(
        default=(), description="More channels of alerts; in the TOML file only"
    )
    alert_rules: Annotated[dict[str, RuleSettings], AfterValidator(known_rules)] = Field(
        default={}, description="Rules of alerts that are to be different; in the TOML file only"
    )
    alert_balances: tuple[BalanceSettings, ...] = Field(
        default=(), description="Wallets that need coins for fees; in the TOML file only"
    )
    audit: AuditSettings
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
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
    def _several_workers_need_a_server(self) -> Self:
        if self.workers.count > 1 and self.database.url.reveal().startswith("sqlite"):
            raise ValueError("workers.count above 1 needs PostgreSQL: SQLite serves one process")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.profile == "production" and self.keywrap.kind == "local" and not self.keywrap.allow_local:
            raise ValueError(
                "the production profile refuses the local key wrap: set keywrap.kind=vault, or "
                "keywrap.allow_local=true to use it all the same"
            )
        return self

    @model_validator(mode="after")
    def _certificates_can_be_shown(self) -> Self:
        if self.access.certificates and self.tls.client_ca is None:
            raise ValueError("access.certificates needs tls.client_ca: without it no client is asked for a certificate")
        return self

    @property
    def exposes_plaintext(self) -> bool:
        """Whether the production profile would serve other machines without TLS although nothing allows that."""
        if self.profile != "production" or self.tls.certificate is not None or self.tls.allow_plaintext:
            return False
        return not (is_loopback(self.http.host) and is_loopback(self.grpc.host))

    @model_validator(mode="after")
    def _vault_is_whole(self) -> Self:
        if "vault" in self.keywrap.kinds and self.vault.missing:
            names = ", ".join(_variable(("vault", name)) for name in self.vault.missing)
            raise ValueError(
                f"keywrap.kind is vault with login by {self.vault.auth}, but these settings are missing: {names}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as the documentation and `strongroom config check` show it."""

    path: tuple[str, ...]
    default: str
    description: str
    secret: bool

    @property
    def variable(self) -> str:
        return _variable(self.path)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where they came from."""

    settings: Settings
    sources: Mapping[tuple[str, ...], str]
    """By path: the variable or file that a setting came from. A setting that is missing here has its default."""


def every_setting() -> Iterator[Setting]:
    """Yield every setting with a fixed variable. Limits of chains and symbols of networks have no fixed names."""
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for field, inner in section.model_fields.items():
                if (name, field) not in _TABLES:
                    yield _setting((name, field), inner)
        elif name not in _IN_TOML:
            yield _setting((name,), info)


def load(env: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV) -> Settings:
    """Raises ConfigurationError, which names each variable that is wrong and no value."""
    return load_with_sources(env, dotenv=dotenv).settings


def load_with_sources(env: Mapping[str, str] | None = None, *, dotenv: Path | None = DOTENV) -> Loaded:
    """Load the settings and where each one came from. Raises ConfigurationError."""
    variables = variables_of(env, dotenv)
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


def _setting(path: tuple[str, ...], info: FieldInfo) -> Setting:
    secret = Secret in (info.annotation, *get_args(info.annotation))
    default = _IN_DATA_DIR.get(path[:2]) or show(None if info.is_required() else info.default)
    return Setting(path, default, info.description or "", secret)


def show(value: object) -> str:
    """A value in the form in which a variable holds it. A secret is shown as "set"."""
    if isinstance(value, Secret):
        return "set"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _from_variables(variables: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, str | Secret]]:
    """By path: the variable and its text."""
    known = {setting.variable: setting for setting in every_setting()}
    found: dict[tuple[str, ...], tuple[str, str | Secret]] = {}
    unknown = []
    for name, text in variables.items():
        setting = known.get(name)
        secret = known.get(name.removesuffix("_FILE"))
        if secret is not None and secret.secret:
            value = secret_text(variables, secret.variable)
            if value is not None:
                found[secret.path] = (name, value)
        elif text == "" or name in _BESIDE or _is_service_link(name, text):
            continue
        elif setting is not None:
            found[setting.path] = (name, text)
        elif re.fullmatch(r"STRONGROOM_CHAINS__[A-Z0-9]+__[A-Z0-9_]+", name):
            found[tuple(name.removeprefix(PREFIX).lower().split("__", 2))] = (name, text)
        elif re.fullmatch(r"STRONGROOM_SYMBOLS__[A-Z0-9]+(_[A-Z0-9]+)*", name):
            found["symbols", name.removeprefix(PREFIX + "SYMBOLS__").lower().replace("_", "-")] = (name, text)
        else:
            unknown.append(name)
    if unknown:
        raise ConfigurationError(f"no such setting: {', '.join(sorted(unknown))}")
    return found


def _is_service_link(name: str, text: str) -> bool:
    if _SERVICE_LINK.fullmatch(name) is None or "__" in name:
        return False
    return not name.endswith("_PORT") or name.endswith("SERVICE_PORT") or "://" in text


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        raise ConfigurationError("the file in STRONGROOM_CONFIG is not valid TOML") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the file in STRONGROOM_CONFIG cannot be read") from None


def _leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name)


def _fault(where: tuple[int | str, ...], kind: str, text: str, sources: Mapping[tuple[str, ...], str]) -> str:
    where = tuple(part for part in where if "[" not in str(part))  # pydantic adds the alternatives of a union
    path = tuple(part for part in where if isinstance(part, str))
    above = (sources.get(path[:size]) for size in range(len(path), 0, -1))
    below = (source for each, source in sources.items() if each[: len(path)] == path and not source.startswith(PREFIX))
    origin = next((source for source in (*above, *below) if source is not None), None) if path else None
    if origin is not None and origin.startswith(PREFIX):
        return f"{origin}: {_reason(text)}"
    name = ".".join(str(part) for part in where) or "settings"
    beside = f" in {origin}" if origin else ""
    return f"{name}{beside}: " + ("there is no setting with this name" if kind == "extra_forbidden" else _reason(text))


def _reason(text: str) -> str:
    return text.removeprefix("Value error, ").removeprefix("Input ")
