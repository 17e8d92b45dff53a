"""What the person who starts a service sees on the terminal."""

from __future__ import annotations

import contextlib
import sys

from strongroom.config.settings import Settings
from strongroom.domain.principal import DEVELOPMENT_TENANT
from strongroom.domain.secret import Secret
from strongroom.entrypoints.listening import authority


def show(settings: Settings, key: Secret) -> None:
    """Print the development key, this one time, and how to use it."""
    _print(_text(settings, key))


def remind(settings: Settings) -> None:
    """Print where the service is, at every later start, if on a terminal. Files and collectors get log lines only."""
    if sys.stdout is not None and sys.stdout.isatty():
        _print(_reminder(settings))


def _print(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # it is closed; `strongroom api-key create` makes another key
        print(text, flush=True)  # noqa: T201 - for the person who started it


def _root(settings: Settings) -> str:
    scheme = "http" if settings.tls.certificate is None else "https"
    return f"{scheme}://{authority(settings.http.host, settings.http.port)}"


def _reminder(settings: Settings) -> str:
    url = _root(settings)
    return f"""
Strongroom is starting: REST on {url}/api/v1, gRPC on {authority(settings.grpc.host, settings.grpc.port)}.
The interactive reference is at {url}/docs

  export STRONGROOM_URL={url}  STRONGROOM_API_KEY=...   # for the command line: .venv/bin/strongroom
  strongroom api-key create NAME --all-scopes --tenant TENANT   # creates another key in the database

The tenant of the development key is {DEVELOPMENT_TENANT}.
"""


def _text(settings: Settings, key: Secret) -> str:
    root = _root(settings)
    url = f"{root}/api/v1"
    tx = (
        '{"network":"ethereum","unsigned_tx":{"type":"0x2","chainId":"0x1","nonce":"0x0","gas":"0x5208",'
        '"maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",'
        '"to":"0x3535353535353535353535353535353535353535","value":"0xde0b6b3a7640000"}}'
    )
    return f"""
Strongroom is starting with a development API key. It is shown only once:

  export KEY={key.reveal()}

For the command line, which is .venv/bin/strongroom after `make run`:

  export STRONGROOM_API_KEY=$KEY STRONGROOM_URL={url.removesuffix("/api/v1")}

If you lose it, `strongroom api-key create NAME --all-scopes --tenant {DEVELOPMENT_TENANT}` creates another.

Create a wallet, read its Ethereum address, sign a transfer:

  export WALLET=$(curl -s {url}/wallets -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{{"label":"first","networks":["ethereum"]}}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
  curl -s "{url}/wallets/$WALLET/address/ethereum" -H "X-API-Key: $KEY"
  curl -s {url}/wallets/$WALLET/sign -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{tx}'

The interactive reference is at {root}/docs
"""
