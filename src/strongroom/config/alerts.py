"""The settings of alerts."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from strongroom.config.fields import MaybeSecret, Seconds, Section, Wait, Whole
from strongroom.domain.alert import RULES

_TIME = r"([01]\d|2[0-3]):[0-5]\d"


def _hours(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(rf"{_TIME}-{_TIME}", value, re.ASCII):
        return value
    if value is None:
        return None
    raise ValueError("must be hours such as 22:00-07:00")


class AlertSettings(Section):
    urls: MaybeSecret = Field(
        default=None,
        description=(
            "Apprise URLs that receive alerts (`slack://`, `tgram://`, `json://`, `jsons://`, `mailto://`, "
            "`mailtos://`), separated by spaces or newlines"
        ),
    )
    heartbeat_url: MaybeSecret = Field(
        default=None,
        description=(
            "`https://` URL that receives a POST as long as the service and its background work are alive. Use a "
            "service elsewhere that notifies you if none arrives"
        ),
    )
    heartbeat_interval: Seconds = Field(default=60.0, description="Seconds between heartbeats")
    quiet_hours: Annotated[str | None, BeforeValidator(_hours)] = Field(
        default=None, description="Hours (UTC) during which only critical alerts are sent, such as `22:00-07:00`"
    )
    operator: UUID | None = Field(
        default=None,
        description=(
            "Tenant whose `admin` keys may silence the service's own alerts and see their facts. Default: any tenant"
        ),
    )
    interval: Wait = Field(default=5.0, description="Seconds between checks of the conditions of alerts")
    queue_age: Seconds = Field(
        default=600.0, description="Seconds after which a task that has not started counts as late"
    )
    expiry_days: Whole = Field(
        default=14,
        ge=1,
        le=365,
        description="Days before the expiry of a certificate, token or API key at which an alert is sent",
    )
    check_interval: Seconds = Field(
        default=600.0, description="Seconds between checks of balances, certificates and key versions"
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        url = self.heartbeat_url
        if url is not None and re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url.reveal()) is None:
            raise ValueError("heartbeat_url must begin with https:// or http:// and have no user")
        return self

    @property
    def quiet(self) -> tuple[time, time] | None:
        if self.quiet_hours is None:
            return None
        begin, end = map(time.fromisoformat, self.quiet_hours.split("-"))
        return begin, end


class ChannelSettings(Section):
    """One ``[[alert_channels]]`` in the TOML file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    url: MaybeSecret = None
    url_file: Path | None = None
    tenant: UUID | None = None
    """The tenant whose alerts go here, and no others. Without it, the channel gets the service's own."""
    severity: Literal["info", "warning", "critical"] = "info"
    """The least severity that is sent here."""

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give url or url_file")
        return self


class RuleSettings(Section):
    """One ``[alert_rules.NAME]`` in the TOML file: what differs from the built-in rule."""

    enabled: bool = True
    severity: Literal["info", "warning", "critical"] | None = None
    hold: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None
    cool_down: Annotated[float, Field(ge=1, le=604_800, allow_inf_nan=False)] | None = None
    clear: Annotated[float, Field(ge=1, le=604_800, allow_inf_nan=False)] | None = None


class BalanceSettings(Section):
    """One ``[[alert_balances]]`` in the TOML file: a wallet whose coins pay for fees."""

    tenant: UUID
    wallet: UUID
    network: str = Field(min_length=1, max_length=64)
    least: str = Field(pattern=r"^[0-9]{1,78}$")
    """In base units of the network's coin, as amounts are in the API."""


def known_rules(rules: dict[str, RuleSettings]) -> dict[str, RuleSettings]:
    """Raises ValueError for a rule that does not exist."""
    if unknown := rules.keys() - RULES.keys():
        raise ValueError(f"there is no rule {', '.join(sorted(unknown))}: choose from {', '.join(RULES)}")
    return rules
