"""T28: five processes at ten times the limit, over REST and gRPC, with Redis killed half-way.

One stream of calls uses one API key. The other uses one wallet, with several keys that have no limit of their own. Run
it as

    python -m tests.campaign.rates --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx

from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from tests.campaign.ending import ended
from tests.support import redis
from tests.support.grpc_calls import unary
from tests.support.redis import RedisServer
from tests.support.replicas import replicas
from tests.support.server import Server

PROCESSES = 5
OVERLOAD = 10
_CATCH_UP = 10
"""Seconds of calls by which a busy machine may be late."""
SERVICE = "/strongroom.v1.WalletService/"
_ITEM = re.compile(r'"(?P<name>[a-z-]+)";r=(?P<left>\d+);t=(?P<after>\d+)')
_POLICY = re.compile(r'"(?P<name>[a-z-]+)";q=(?P<quota>\d+);w=(?P<window>\d+)')


@dataclass
class Stream:
    """Calls against one limit. ``accepted`` and ``refused`` are counted by phase."""

    name: str
    policy: str
    rate: int
    """Per second."""
    keys: Sequence[str]
    wallet: str | None
    accepted: list[int] = field(default_factory=lambda: [0, 0])
    refused: list[int] = field(default_factory=lambda: [0, 0])
    wrong: list[str] = field(default_factory=list)

    def check(self, told: dict[str, str], *, ok: bool) -> None:
        states = {each["name"]: int(each["left"]) for each in _ITEM.finditer(told.get("ratelimit", ""))}
        policies = {each["name"]: int(each["quota"]) for each in _POLICY.finditer(told.get("ratelimit-policy", ""))}
        if policies.get(self.policy) != self.rate or not 0 <= states.get(self.policy, -1) <= self.rate:
            self.wrong.append(f"{self.name}: told {told}")
        elif not ok and states[self.policy] != 0:
            self.wrong.append(f"{self.name}: refused with {told}")


@dataclass
class Report:
    streams: list[Stream]
    seconds: list[float]

    def failures(self, *, overload: float) -> list[str]:
        found = [fault for stream in self.streams for fault in stream.wrong[:3]]
        for stream, (phase, most) in itertools.product(self.streams, enumerate((1.05, 1.5))):
            limit = stream.rate * self.seconds[phase]
            # A bucket that was full gives a second's worth more. Within a minute that is less than the five percent.
            allowed = max(most * limit, limit + stream.rate)
            if stream.accepted[phase] > allowed:
                found.append(f"{stream.name}, phase {phase}: {stream.accepted[phase]} accepted, limit {limit:.0f}")
            offered = stream.accepted[phase] + stream.refused[phase]
            if offered < overload * limit:
                found.append(f"{stream.name}, phase {phase}: only {offered} calls, this was no overload")
        return found

    def __str__(self) -> str:
        lines = [f"  {'stream':<10}{'Redis':>8}{'offered':>10}{'accepted':>10}{'limit':>8}{'ratio':>8}"]
        for stream, (phase, name) in itertools.product(self.streams, enumerate(("there", "killed"))):
            limit = stream.rate * self.seconds[phase]
            accepted, offered = stream.accepted[phase], stream.accepted[phase] + stream.refused[phase]
            lines.append(
                f"  {stream.name:<10}{name:>8}{offered:>10}{accepted:>10}{limit:>8.0f}{accepted / limit:>8.3f}"
            )
        return "\n".join(lines)


class Campaign:
    def __init__(self, servers: Sequence[Server], store: RedisServer, streams: Sequence[Stream]) -> None:
        self._servers = servers
        self._redis = store
        self._streams = streams
        self._phase = 0

    async def run(self, seconds: float) -> Report:
        """Half of ``seconds`` with Redis, half without."""
        lasted = []
        for phase in (0, 1):
            self._phase = phase
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for stream in self._streams:
                    for server in self._servers:
                        group.create_task(self._offer(stream, server, began + seconds / 2))
            lasted.append(time.monotonic() - began)
            if phase == 0:
                self._redis.kill()
        return Report(list(self._streams), lasted)

    async def _offer(self, stream: Stream, server: Server, until: float) -> None:
        """Ten times the limit over all servers together, each call at its time."""
        pause = len(self._servers) / (stream.rate * OVERLOAD)
        keys = itertools.cycle(stream.keys)
        due = time.monotonic()
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60) as http,
            grpc.aio.insecure_channel(server.target) as channel,
            asyncio.TaskGroup() as group,
        ):
            for face in itertools.cycle((self._by_http(stream, http), self._by_grpc(stream, channel))):
                if (now := time.monotonic()) >= until:
                    return
                group.create_task(face(next(keys)))
                due = max(due + pause, now - _CATCH_UP)
                await asyncio.sleep(max(0.0, due - now))

    def _by_http(self, stream: Stream, http: httpx.AsyncClient) -> Any:
        path = "/api/v1/networks" if stream.wallet is None else f"/api/v1/wallets/{stream.wallet}"

        async def call(key: str) -> None:
            answer = await http.get(path, headers={"X-API-Key": key})
            if answer.status_code not in (200, 429):
                stream.wrong.append(f"{stream.name}: {answer.status_code} {answer.text[:200]}")
                return
            if answer.status_code == 429 and int(answer.headers.get("retry-after", "0")) < 1:
                stream.wrong.append(f"{stream.name}: no Retry-After")
            self._count(stream, dict(answer.headers), ok=answer.status_code == 200)

        return call

    def _by_grpc(self, stream: Stream, channel: grpc.aio.Channel) -> Any:
        rpc = "ListNetworks" if stream.wallet is None else "GetWallet"
        raw = b"" if stream.wallet is None else pb.GetWalletRequest(wallet_id=stream.wallet).SerializeToString()
        method = unary(channel, SERVICE + rpc)

        async def call(key: str) -> None:
            asked = method(raw, metadata=(("x-api-key", key),), timeout=60)
            code = await asked.code()
            trailers = {name: str(value) for name, value in await asked.trailing_metadata() or ()}
            if code not in (grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED):
                stream.wrong.append(f"{stream.name}: {code} {await asked.details()}")
                return
            self._count(stream, trailers, ok=code is grpc.StatusCode.OK)

        return call

    def _count(self, stream: Stream, told: dict[str, str], *, ok: bool) -> None:
        stream.check(told, ok=ok)
        (stream.accepted if ok else stream.refused)[self._phase] += 1


def run(folder: Path, seconds: float, rate: int, **settings: str) -> Report:
    with services(folder, rate, **settings) as (servers, store):
        return asyncio.run(Campaign(servers, store, _streams(servers[0], rate)).run(seconds))


@contextmanager
def services(folder: Path, rate: int, **settings: str) -> Iterator[tuple[list[Server], RedisServer]]:
    with ExitStack() as stack:
        store = stack.enter_context(redis.running())
        parts = {
            "REDIS__URL": store.url,
            "RATES__READ": f"{rate}/second",
            "RATES__REPLICAS": str(PROCESSES),
            "WALLET_RATES__READ": f"{rate}/second",
            "HEALTH__REQUIRED": "database",
            "LOG__LEVEL": "warning",
            **settings,
        }
        yield stack.enter_context(replicas(folder, PROCESSES, **parts)), store


def _streams(server: Server, rate: int) -> list[Stream]:
    def make(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{server.url}/api/v1{path}", json=body, headers={"X-API-Key": server.api_key}, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    free = {"name": "many", "scopes": ["wallets:read"], "restriction": {"rates": {"read": "off"}}}
    many = [make("/api-keys", free)["api_key"] for _ in range(3)]
    one = make("/api-keys", {"name": "one", "scopes": ["networks:read"]})["api_key"]
    wallet = make("/wallets", {})["id"]
    return [Stream("principal", "read", rate, [one], None), Stream("wallet", "wallet-read", rate, many, wallet)]


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=int, default=20, help="a second; ten times as much is offered, twice")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), given.seconds, given.rate)
    return ended(report, report.failures(overload=OVERLOAD * 0.9))


if __name__ == "__main__":
    sys.exit(main())
