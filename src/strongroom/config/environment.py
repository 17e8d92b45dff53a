"""The variables of the environment that are ours, and secrets in variables or in files that variables name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from strongroom.config.secret_files import FileSecret
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

PREFIX: Final = "STRONGROOM_"


def variables_of(env: Mapping[str, str] | None, dotenv: Path | None) -> dict[str, str]:
    """Those with our prefix in ``env``, by default the process's, and beneath them those of the file ``dotenv``."""
    found = {**_of_file(dotenv), **(os.environ if env is None else env)}
    return {name: value for name, value in found.items() if name.startswith(PREFIX) and value is not None}


def _of_file(dotenv: Path | None) -> Mapping[str, str | None]:
    if dotenv is None or not dotenv.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - the command line does without

    return dotenv_values(dotenv, interpolate=False)


def secret_text(variables: Mapping[str, str], name: str) -> str | Secret | None:
    """The secret from its variable or from the file that ``name``_FILE names, which is read again when it changes.

    Raises ConfigurationError.
    """
    text, file = variables.get(name), variables.get(f"{name}_FILE")
    if text and file:
        raise ConfigurationError(f"{name} and {name}_FILE are both set: keep one")
    if not file:
        return text or None
    try:
        found = FileSecret(Path(file))
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"the file in {name}_FILE cannot be read") from None
    return found if len(found) else ""


def pass_on(variable: str, value: str) -> None:
    """Set what the command line said, for this process and the workers that it starts."""
    os.environ[PREFIX + variable] = value
