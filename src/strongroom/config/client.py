"""The settings that the command line needs to call a running service. They do without pydantic, which loads slowly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from strongroom.config.environment import secret_text, variables_of
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

_URL: Final = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")
_DEFAULT_URL: Final = "http://127.0.0.1:3000"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    url: str
    api_key: Secret | None
    ca_file: Path | None
    """Authorities to trust instead of the system's."""
    certificate: Path | None
    """A certificate to present to a server that asks for one, and its key."""
    key: Path | None


def load_client(env: Mapping[str, str] | None = None) -> ClientSettings:
    """Read the environment only. A ``.env`` in the current folder could send the API key to another server.

    Raises ConfigurationError.
    """
    variables = variables_of(env, None)
    url = variables.get("STRONGROOM_URL") or _DEFAULT_URL
    if _URL.fullmatch(url) is None or not _has_valid_port(url):
        raise ConfigurationError(
            "STRONGROOM_URL must be http:// or https:// with a host, and may have a port and a path, but nothing else"
        )
    key = secret_text(variables, "STRONGROOM_API_KEY") or None
    certificate, certificate_key = (_path(variables, f"STRONGROOM_CLIENT_{name}") for name in ("CERTIFICATE", "KEY"))
    if (certificate is None) != (certificate_key is None):
        raise ConfigurationError("set both STRONGROOM_CLIENT_CERTIFICATE and STRONGROOM_CLIENT_KEY, or neither")
    return ClientSettings(
        url,
        Secret(key) if isinstance(key, str) else key,
        _path(variables, "STRONGROOM_CA_FILE"),
        certificate,
        certificate_key,
    )


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:  # also for brackets that do not match
        return False


def _path(variables: Mapping[str, str], name: str) -> Path | None:
    return Path(text) if (text := variables.get(name)) else None
