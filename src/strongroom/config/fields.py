"""The types of settings' fields, and the base of all sections."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from strongroom.domain.client_networks import Network, parse_network
from strongroom.domain.rate import Rate as ParsedRate
from strongroom.domain.secret import Secret


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str) and value:
        return Secret(value)
    raise ValueError("must not be empty")


def whole(value: object) -> object:
    """Accepts digits only. Pydantic's own int also accepts `1_000`, ` 12 `, `true` and `1.0`."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value, re.ASCII):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number in decimal digits")


def _rate(value: object) -> object:
    if value == "off":
        return None
    try:
        return ParsedRate.parse(str(value)).text
    except ValueError:
        raise ValueError("must be off or a rate such as 100/second or 5000/10 minute") from None


def _limit(value: object) -> object:
    """A number, or a word: ``off`` and ``allow`` (of `unknown_calls`) mean no limit, ``refuse`` means 0."""
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
    """Split a text at its commas. Other values pass unchanged."""
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _cidr(value: object) -> Network:
    try:
        return parse_network(str(value))
    except ValueError:
        raise ValueError("must be networks such as 10.0.0.0/8, with zero host bits") from None


_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)


def check_hosts(url: str) -> None:
    """Check a URL with one or several hosts: brackets must close, and ports be valid. Raises ValueError."""
    hosts = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    for host in hosts.split(","):
        found = _HOST.fullmatch(host)
        if found is None or not 0 < int(found["port"] or 1) < 65536:
            raise ValueError(
                "url must name hosts such as db.example, 192.0.2.1 or [2001:db8::1], a port from 1 to 65535"
            )


def _listening(host: str) -> str:
    bare = host.removeprefix("[").removesuffix("]")
    if "[" in bare or "]" in bare or host not in (bare, f"[{bare}]") or (bare != host and ":" not in bare):
        raise ValueError("brackets belong around a whole IPv6 address: [::1]")
    return host


ListeningHost = Annotated[str, AfterValidator(_listening)]
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
Cidr = Annotated[Network, BeforeValidator(_cidr)]
"""May cover every address. A field that holds a list of them decides whether to allow that."""
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)
