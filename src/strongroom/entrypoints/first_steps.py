"""What the person who started a new service is shown, once."""

from __future__ import annotations

import contextlib

from strongroom.config import Settings
from strongroom.domain.secret import Secret


def show(settings: Settings, key: Secret) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads; `strongroom api-key create` makes another key
        print(_text(settings, key), flush=True)  # noqa: T201 - for the person who started it


def _text(settings: Settings, key: Secret) -> str:
    url = f"http://{settings.http.host}:{settings.http.port}/api/v1"
    tx = (
        '{"network":"ethereum","unsigned_tx":{"type":"0x2","chainId":"0x1","nonce":"0x0","gas":"0x5208",'
        '"maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",'
        '"to":"0x3535353535353535353535353535353535353535","value":"0xde0b6b3a7640000"}}'
    )
    return f"""
Strongroom is starting with a development API key. It is shown this once:

  export KEY={key.reveal()}

Make a wallet, read its Ethereum address, sign a transfer:

  export WALLET=$(curl -s {url}/wallets -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{{"label":"first","networks":["ethereum"]}}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
  curl -s "{url}/wallets/$WALLET/address/ethereum" -H "X-API-Key: $KEY"
  curl -s {url}/wallets/$WALLET/sign -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{tx}'

The interactive reference is at http://{settings.http.host}:{settings.http.port}/docs
"""
