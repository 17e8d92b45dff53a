"""A worker's memory at 256 connections, and whether it grows with signatures and batches.

    python bench/memory.py --signatures 200000 --batches 1000

Runs on PostgreSQL and OpenBao with two workers. Prints the MiB of the largest worker during the run, and at the end how
much of it was added after the first fifth of each kind of work.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.batch import sign_many
from tests.support.load import UNLIMITED, measure, memory
from tests.support.server import Server
from tests.support.stack import production

_LOOKS = 10


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--signatures", type=int, default=200_000)
    options.add_argument("--batches", type=int, default=1_000)
    options.add_argument("--items", type=int, default=1_000, help="of each batch")
    options.add_argument("--connections", type=int, default=256)
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        patient = {
            f"DATABASE__{name}": "10"
            for name in ("TIMEOUT", "CONNECT_TIMEOUT", "POOL_TIMEOUT", "STATEMENT_TIMEOUT", "LOCK_TIMEOUT")
        }
        settings = {
            **patient, **dict.fromkeys(UNLIMITED, "off"), **stack.enter_context(production()),
            "WORKERS__COUNT": "2", "TIMEOUTS__OPERATION": "300",
        }  # fmt: skip
        server = Server(folder, settings)
        server.command("migrate").check_returncode()
        with server, server.client() as client:
            wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
            asyncio.run(measure(server, "rest", "sign", [wallet], given.connections, 2.0))
            print(f"at the start {_size(server)}", flush=True)

            def some() -> int:
                found = asyncio.run(measure(server, "rest", "sign", [wallet], given.connections, 5.0))
                return found.answers

            def batch() -> int:
                sign_many(server, wallet, given.items)
                return 1

            _grow("signatures", server, given.signatures, some)
            _grow(f"batches of {given.items}", server, given.batches, batch)


def _grow(name: str, server: Server, until: int, work: Callable[[], int]) -> None:
    seen = [memory(server) for _ in _looks(until, work, name, server)]
    first, last = seen[len(seen) // 5], seen[-1]
    print(f"{until} {name}: {last:.0f} MiB a worker, {last - first:+.0f} after the first fifth", flush=True)


def _size(server: Server) -> str:
    """Workers are forked, so a page that none of them has written to is there once for all."""
    return f"{memory(server):.0f} MiB, of which its share is {memory(server, 'Pss'):.0f}"


def _looks(until: int, work: Callable[[], int], name: str, server: Server) -> Iterator[None]:
    done, looked = 0, 0
    while done < until:
        done += work()
        if done * _LOOKS >= (looked + 1) * until or done >= until:
            looked = done * _LOOKS // until
            print(f"{done} {name}: {_size(server)}", flush=True)
            yield


if __name__ == "__main__":
    main()
