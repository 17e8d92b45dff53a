"""The cost of tracing: the same signatures with it off, at 1 %, with every trace recorded, and with a broken receiver.

    python bench/tracing.py --rounds 15 --seconds 2 [--face grpc] [--production]

The rounds alternate within one run. Prints the median ratio of processor time and rate to `without` in the same round,
which is this source without the marks of the steps. Then single requests go to each in turn, and it prints by how much
the median and the 99th percentile are later. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import otlp
from tests.support.load import FACES, UNLIMITED, Measured, measure
from tests.support.server import ROOT, Server, free_port
from tests.support.stack import production

MARKS = """

def traced(name, kind=INTERNAL):
    return lambda function: function
"""


class Without(Server):
    """Runs a copy of the source in which `traced` does nothing, and the tracer returns at once."""

    @property
    def environment(self) -> dict[str, str]:
        source = self.data_dir.parent / "without"
        if not source.exists():
            shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
            module = source / "strongroom/telemetry/tracing.py"
            module.write_text(module.read_text() + MARKS)
        return {**super().environment, "PYTHONPATH": str(source)}


def receive(port: int, hangs: bool) -> None:
    """In a process of its own, because the cost of receiving is not the service's."""
    with otlp.over_grpc(port) as receiver:
        receiver.answer = threading.Event().wait if hangs else receiver.forget
        threading.Event().wait()


@contextmanager
def receiving(hangs: bool = False) -> Iterator[str]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=receive, args=(port, hangs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()


def tracing(endpoint: str, sample: str) -> dict[str, str]:
    return {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": endpoint, "TRACING__SAMPLE": sample}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--requests", type=int, default=2000, help="of each way, one after the other")
    options.add_argument("--face", choices=("rest", "grpc"), default="rest")
    options.add_argument("--production", action="store_true", help="on PostgreSQL and OpenBao instead of SQLite")
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        good, hanging = stack.enter_context(receiving()), stack.enter_context(receiving(hangs=True))
        ways: dict[str, Mapping[str, str]] = {
            "without": {},
            "off": {},
            "1 %": tracing(good, "0.01"),
            "all": tracing(good, "1"),
            "all, receiver away": tracing(f"http://127.0.0.1:{free_port()}", "1"),
            "all, receiver hangs": tracing(hanging, "1"),
        }
        servers: dict[str, tuple[Server, str]] = {}
        for way, settings in ways.items():
            parts = stack.enter_context(production()) if given.production else {}
            kind = Without if way == "without" else Server
            server = kind(folder / f"data-{len(servers)}", {**dict.fromkeys(UNLIMITED, "off"), **parts, **settings})
            if given.production:
                server.command("migrate").check_returncode()
            stack.enter_context(server)
            with server.client() as client:
                servers[way] = server, client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        compare(servers, given)


def compare(servers: Mapping[str, tuple[Server, str]], given: argparse.Namespace) -> None:
    found: dict[str, list[Measured]] = defaultdict(list)
    order = list(servers)
    for _ in range(given.rounds):
        order = [*order[1:], order[0]]
        for way in order:
            server, wallet = servers[way]
            found[way].append(
                asyncio.run(measure(server, given.face, "sign", [wallet], given.connections, given.seconds))
            )
    took = asyncio.run(in_turns(servers, given.face, given.requests))
    base = sorted(took["without"])
    for way, rounds in found.items():
        cpu = median(one.cpu / other.cpu for one, other in zip(rounds, found["without"], strict=True))
        rate = median(one.rate / other.rate for one, other in zip(rounds, found["without"], strict=True))
        paired = median(one - other for one, other in zip(took[way], took["without"], strict=True))
        slow = sorted(took[way])[len(base) * 99 // 100] - base[len(base) * 99 // 100]
        print(
            f"{way:20} {median(one.cpu for one in rounds):5.0f} us CPU, x {cpu:.3f}  rate x {rate:.3f}  "
            f"later by {paired:+.2f} ms, of the slowest {slow:+.2f} ms",
            flush=True,
        )


async def in_turns(servers: Mapping[str, tuple[Server, str]], face: str, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by server."""
    took: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        senders = {
            way: await FACES[face](stack, server, "sign", itertools.repeat(wallet))
            for way, (server, wallet) in servers.items()
        }
        order = list(senders)
        for _ in range(requests):
            random.shuffle(order)
            for way in order:
                began = time.perf_counter()
                await senders[way]()
                took[way].append((time.perf_counter() - began) * 1000)
    return took


if __name__ == "__main__":
    main()
