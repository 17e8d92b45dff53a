"""`strongroom serve`: the main process. It holds the locks and starts the workers, which answer.

A worker that dies is started anew. SIGTERM goes to each: it turns readiness off and drains gRPC at once, then the HTTP
server drains. What is in flight on either is finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
from typing import Final

from strongroom import bootstrap
from strongroom.config import Settings
from strongroom.domain.secret import Secret
from strongroom.entrypoints.locks import only_instance, only_on_port
from strongroom.telemetry import logging
from strongroom.telemetry.hardening import harden

_KILL_MARGIN: Final = 5


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigurationError where it cannot start."""
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415 - workers do without
    from granian.server import Server  # noqa: PLC0415

    logging.configure(settings.log.level, settings.log.format)
    harden()
    with contextlib.ExitStack() as locks:
        locks.enter_context(only_instance(settings.data_dir))
        for host, port in ((settings.http.host, settings.http.port), (settings.grpc.host, settings.grpc.port)):
            locks.enter_context(only_on_port(host, port))
        first_key = asyncio.run(bootstrap.prepare(settings))
        if first_key is not None:
            print(_first_steps(settings, first_key), flush=True)  # noqa: T201 - for the person who started it
        Server(
            "strongroom.entrypoints.worker:Worker",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.http.host,
            port=settings.http.port,
            workers=settings.workers.count,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            respawn_failed_workers=True,
            workers_max_rss=settings.workers.max_memory,
            workers_kill_timeout=math.ceil(settings.timeouts.linger + settings.timeouts.drain) + _KILL_MARGIN,
        ).serve()
        # Python puts signals back to their default while it ends: a second SIGTERM would turn a clean stop into a kill.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _first_steps(settings: Settings, key: Secret) -> str:
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
