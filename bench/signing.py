"""Signatures over REST and gRPC on the checkout in the working folder, as lines of JSON. `bench/compare.py` runs it.

It uses that checkout's own load and server, so that an older one is measured with what it has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from tests.support.load import FACES, UNLIMITED, bare_signatures, measure
from tests.support.server import Server
from tests.support.stack import production

_WARM_UP = 2.0
_WALLETS = 16


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--kind", default="sign", help="keyed: with an idempotency key, as the clients send it")
    options.add_argument("--production", action="store_true", help="PostgreSQL, OpenBao and 2 workers")
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = stack.enter_context(production()) if given.production else {}
        workers = "2" if given.production else "1"
        server = Server(folder, {**dict.fromkeys(UNLIMITED, "off"), **parts, "WORKERS__COUNT": workers})
        if given.production:
            server.command("migrate").check_returncode()
        with server:
            with server.client() as client:
                made = [client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"] for _ in range(_WALLETS)]
            for face in FACES:
                for connections in (4, given.connections):
                    asyncio.run(measure(server, face, given.kind, made, connections, _WARM_UP))
                bare = bare_signatures(0.5)
                found = asyncio.run(measure(server, face, given.kind, made, given.connections, given.seconds))
                print(
                    json.dumps(
                        {"face": face, "rate": found.rate, "cpu": found.cpu, "p99": found.p99,
                         "memory": found.memory, "bare": bare}
                    ), flush=True
                )  # fmt: skip


if __name__ == "__main__":
    main()
