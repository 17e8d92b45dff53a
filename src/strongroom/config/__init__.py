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
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from strongroom.config.chains import NodeSettings, SourceSettings
from strongroom.config.sections import (
    ApiKeySettings,
    AuditSettings,
    BoundSettings,
    CacheSettings,
    DatabaseSettings,
    GrpcSettings,
    HealthSettings,
    HttpSettings,
    IdempotencySettings,
    KeyWrapSettings,
    Limit,
    LogSettings,
    MaybeSecret,
    NetworkSettings,
    ProxySettings,
    RateSettings,
    RedisSettings,
    Section,
    SignerSettings,
    Symbol,
    TaskSettings,
    TimeoutSettings,
    VaultSettings,
    WorkerSettings,
    listed,
)
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


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


class Settings(Section):
    profile: Literal["embedded", "production"] = Field(
        default="embedded",
        description="`embedded` makes a development API key on its first start; `production` makes none and refuses "
        "the local key wrap",
    )
    data_dir: Path = Field(Path("data"), description="Folder of the database, the key file and the audit heads")
    any_network: bool = Field(default=False, description="Accept CAIP-2 ids (`eip155:N`) that are not configured")
    http: HttpSettings = HttpSettings()
    grpc: GrpcSettings = GrpcSettings()
    bounds: BoundSettings = BoundSettings()
    proxies: ProxySettings = ProxySettings()
    database: DatabaseSettings
    keywrap: KeyWrapSettings
    vault: VaultSettings = VaultSettings()
    redis: RedisSettings = RedisSettings()
    cache: CacheSettings = CacheSettings()
    signer: SignerSettings = SignerSettings()
    workers: WorkerSettings = WorkerSettings()
    rates: RateSettings = RateSettings()
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
        default=(), description="Files of listed tokens, besides those that come along; separated by commas"
    )
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
    def _several_workers_need_a_server(self) -> Self:
        if self.workers.count > 1 and self.database.url.reveal().startswith("sqlite"):
            raise ValueError("workers.count above 1 needs PostgreSQL: SQLite serves one process")
        return self

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.profile == "production" and self.keywrap.kind == "local" and not self.keywrap.allow_local:
            raise ValueError("profile production refuses the local key wrap unless keywrap.allow_local is true")
        return self

    @model_validator(mode="after")
    def _vault_is_whole(self) -> Self:
        if "vault" in self.keywrap.kinds and self.vault.missing:
            names = ", ".join(_variable(("vault", name)) for name in self.vault.missing)
            raise ValueError(f"the key wrap is vault, with login by {self.vault.auth}, and these are not set: {names}")
        return self


class ClientSettings(Section):
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
        return _variable(self.path)


@dataclass(frozen=True, slots=True)
class Loaded:
    settings: Settings
    sources: Mapping[tuple[str, ...], str]
    """By path: the variable or file that a setting came from. What is not in it has its default."""


def every_setting() -> Iterator[Setting]:
    """All that a variable can set, but not chains' limits and networks' symbols, whose names are their own."""
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if isinstance(section, type) and issubclass(section, Section):
            for field, inner in section.model_fields.items():
                yield _setting((name, field), inner)
        elif name not in ("chains", "symbols", "networks", "sources"):
            yield _setting((name,), info)


def pass_on(variable: str, value: str) -> None:
    """Sets what the command line said, for this process and the workers that it starts."""
    os.environ[PREFIX + variable] = value


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


def load_client(env: Mapping[str, str] | None = None) -> ClientSettings:
    """From the environment alone: a ``.env`` of the current folder could send the API key to another server.

    Raises ConfigurationError.
    """
    variables = _variables(env, None)
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
        elif re.fullmatch(r"STRONGROOM_SYMBOLS__[A-Z0-9]+(_[A-Z0-9]+)*", name):
            found["symbols", name.removeprefix(PREFIX + "SYMBOLS__").lower().replace("_", "-")] = (name, text)
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
    where = tuple(part for part in where if "[" not in str(part))  # which of several types it might have been
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
