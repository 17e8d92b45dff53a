"""A whole deployment on this machine, to try it out: PostgreSQL, OpenBao, and the service with a worker for each core.

``make run-production`` starts it all without Docker, on the ports of `make run`, in a folder that is gone afterwards.
Ctrl-C ends it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from uuid import uuid4

from tests.support import openbao, postgres
from tests.support.server import Server
from tests.support.stack import production

HTTP_PORT, GRPC_PORT = 3000, 3001


def main() -> int:
    if postgres.programs() is None or openbao.program() is None:
        print("There is no PostgreSQL or no OpenBao: `make run-production` installs both on Linux and macOS.")
        return 1
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        _run()
    except KeyboardInterrupt:
        print("\nStopped", flush=True)
    return 0


def _run() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strongroom-production-")))
        print("PostgreSQL and OpenBao are starting", flush=True)
        parts = stack.enter_context(production())
        settings = {"PROFILE": "production", "WORKERS__COUNT": str(os.cpu_count() or 1), **parts}
        server = Server(folder, settings, http_port=HTTP_PORT, grpc_port=GRPC_PORT)
        server.command("migrate").check_returncode()
        stack.enter_context(server)
        made = server.command("api-key", "create", "first", "--all-scopes", "--tenant", str(uuid4()), "--json")
        made.check_returncode()
        _tell(server, json.loads(made.stdout)["api_key"])
        signal.pause()


def _tell(server: Server, key: str) -> None:
    print("\nIts settings:\n")
    for name, value in server.environment.items():
        if name.startswith("STRONGROOM_"):
            print(f"  {name}={'…' if name.endswith(('SECRET_ID', 'ROLE_ID')) else value}")
    print(
        f"""
Strongroom is running: REST on {server.url}, gRPC on {server.target}, its log in {server.log}
With the API key that was just made for a new tenant:

  export KEY={key}
  curl -s {server.url}/api/v1/health -H "X-API-Key: $KEY"
  curl -s {server.url}/api/v1/wallets -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{{"label":"first","networks":["ethereum"]}}'
  curl -s {server.url}/metrics -H "X-API-Key: $KEY"

Ctrl-C ends it and removes everything.""",
        flush=True,
    )


def _as_interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
