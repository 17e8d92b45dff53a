"""Creates, addresses and signatures over REST and gRPC, as ratios to bare libsecp256k1 signing in the same run.

    python bench/service.py --connections 64 --seconds 5

Prints requests per second, p50 and p99 in milliseconds, the service's processor time per request, and its memory. The
load comes from this process, on the same cores. gRPC's Python client takes more of them than REST over raw sockets, so
compare REST and gRPC by processor time. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.load import FACES, KINDS, UNLIMITED, bare_signatures, measure
from tests.support.server import Server
from tests.support.stack import production


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--production", action="store_true", help="on PostgreSQL and OpenBao instead of SQLite")
    options.add_argument("--workers", type=int, default=1)
    given = options.parse_args()
    bare = bare_signatures()
    print(f"bare libsecp256k1 {bare:.0f} signatures/s on one core")
    rates = dict.fromkeys(UNLIMITED, "off")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = stack.enter_context(production()) if given.production else {}
        server = Server(folder, {**rates, **parts, "WORKERS__COUNT": str(given.workers)})
        if given.production:
            server.command("migrate").check_returncode()
        began = time.perf_counter()
        with server:
            print(f"first start to first answer {time.perf_counter() - began:.2f} s")
            with server.client() as client:
                wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
            for face in FACES:
                for kind in KINDS:
                    found = asyncio.run(measure(server, face, kind, [wallet], given.connections, given.seconds))
                    print(
                        f"{face} {kind:8} {found.rate:6.0f}/s  1/{bare / found.rate:.0f} of bare  "
                        f"p50 {found.p50:6.1f} ms  p99 {found.p99:6.1f} ms  "
                        f"{found.cpu:5.0f} us CPU  {found.memory:4.0f} MiB"
                    )


if __name__ == "__main__":
    main()
