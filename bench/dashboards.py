"""Draws the Grafana dashboards by running their queries on a real Prometheus that scrapes a loaded service.

    python bench/dashboards.py --seconds 420

The service has its own PostgreSQL, OpenBao and Redis, two workers, a node, and a source that does not respond. It is
called over REST and gRPC, correctly and not. Then its Redis dies, and somebody edits a row. Fails if Prometheus refuses
a query, or if a panel is empty that must not be. Writes docs/dashboard-*.svg. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import grpc
import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import anvil, fake_chats, multicall3, otlp, postgres, prometheus, redis
from tests.support.debian import debian_program
from tests.support.load import FACES, UNLIMITED
from tests.support.prometheus import DASHBOARDS, Prometheus
from tests.support.redis import RedisServer
from tests.support.server import Server, free_port
from tests.support.stack import production

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
POINTS: Final = 60
CALLS: Final = ("sign", "sign", "sign", "address", "create", "balance", "fresh")
EMPTY: Final = {"Time until certificates of TLS expire"}
"""Panels that have nothing to show for this service."""
CONFIG: Final = """
[[sources]]
network = "ethereum"
name = "own"
kind = "evm"
url = "http://127.0.0.1:{node}"
[[sources]]
network = "sepolia"
name = "away"
kind = "evm"
url = "http://127.0.0.1:{nobody}"
"""


@dataclass
class Scene:
    server: Server
    redis: RedisServer
    database: str
    """Its URL, with the role that owns the tables."""
    prometheus: Prometheus


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=420.0)
    options.add_argument("--pause", type=float, default=0.2, help="seconds between two requests of one caller")
    given = options.parse_args()
    if debian_program("prometheus") is None:
        print("There is no prometheus: `make test` gets it on Debian")
        return
    with scene() as played:
        began = time.time()
        asyncio.run(play(played, given.seconds, given.pause))
        drawn = {file.stem: draw(played.prometheus, file, began, time.time()) for file in DASHBOARDS}
    for name, text in drawn.items():
        picture = DOCS / f"dashboard-{name.removeprefix('strongroom-')}.svg"
        picture.write_text(text, encoding="utf-8")
        print(f"{picture.name}: {len(text) // 1024} KiB")


@contextmanager
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = stack.enter_context(production())
        cache, node = stack.enter_context(redis.running()), stack.enter_context(anvil.Anvil(chain_id=1))
        multicall3.deploy(node)
        chats = stack.enter_context(fake_chats.running(folder / "chats"))
        receiver = stack.enter_context(otlp.over_grpc())
        receiver.answer = receiver.forget
        config = folder / "strongroom.toml"
        config.write_text(CONFIG.format(node=node.port, nobody=free_port()))
        settings = {
            **dict.fromkeys((*UNLIMITED, "RATES__CHAIN", "RATES__FRESH"), "off"),
            **parts,
            "CONFIG": str(config),
            "REDIS__URL": cache.url,
            "WORKERS__COUNT": "2",
            "HTTP__METRICS_OPEN": "true",
            "TASKS__METRICS_INTERVAL": "5",
            "ALERTS__URLS": chats.webhook_url,
            "RATES__FAILED_AUTHENTICATION": "20/minute",
            "TRACING__ENABLED": "true",
            "TRACING__SAMPLE": "0.1",
            "TRACING__ENDPOINT": receiver.endpoint,
        }
        server = Server(folder / "data", settings)
        server.command("migrate").check_returncode()
        stack.enter_context(server)
        asked = stack.enter_context(prometheus.running(f"127.0.0.1:{server.http_port}", folder, interval="2s"))
        yield Scene(server, cache, parts["DATABASE__MIGRATE_URL"], asked)


async def play(played: Scene, seconds: float, pause: float) -> None:
    """Clients call for so many seconds. Redis dies after a third of them, and a row is edited after half."""
    server = played.server
    async with server.async_client() as client:
        made = [(await client.post("/wallets", json={"networks": ["ethereum"]})).json()["id"] for _ in range(20)]
        for key in ("audit", "state"):
            await client.post("/tasks/retry", json={"kind": "verify", "key": key})
        until = time.monotonic() + seconds

        async def keep_calling(face: str, kind: str) -> None:
            """A client whose request fails reconnects, since the machine is busy and the pictures show it."""
            while time.monotonic() < until:
                with suppress(AssertionError, EOFError, OSError, grpc.aio.AioRpcError):
                    async with AsyncExitStack() as stack:
                        call = await FACES[face](stack, server, kind, itertools.cycle(made[:-1]))
                        while time.monotonic() < until:
                            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
                            await call()

        async def keep_erring(number: int) -> None:
            while time.monotonic() < until:
                await asyncio.sleep(random.uniform(1, 2))
                with suppress(httpx.TransportError):
                    await mistake(client, made[0], number)

        async def befall() -> None:
            await asyncio.sleep(seconds / 3)
            played.redis.kill()
            await asyncio.sleep(seconds / 6)
            edit = f"UPDATE wallets SET label = 'ours' WHERE id = '{made[-1]}'"
            await asyncio.to_thread(postgres.rows, played.database, edit)
            await client.get(f"/wallets/{made[-1]}")
            await client.post("/tasks/retry", json={"kind": "verify", "key": "state"})

        callers = [keep_calling(face, kind) for face in FACES for kind in CALLS]
        await asyncio.gather(befall(), *callers, *map(keep_erring, range(5)))


async def mistake(client: httpx.AsyncClient, wallet: str, number: int) -> None:
    """Requests that are refused, each for another reason."""
    transaction = {"chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": hex(10**15), "value": "0x1",
                   "maxPriorityFeePerGas": "0x1", "to": "0x" + "35" * 20}  # fmt: skip
    match number:
        case 0:
            await client.get("/wallets/nonsense")
        case 1:
            await client.get("/wallets/0198f3a2-6c1e-7d40-9b55-2f6f1c0a7e31")
        case 2:
            await client.post(f"/wallets/{wallet}/sign", json={"network": "ethereum", "unsigned_tx": transaction})
        case 3:
            await client.get("/wallets", headers={"X-API-Key": "sr_" + "0" * 32 + "_" + "0" * 64})
        case _:
            await client.get("/networks/sepolia/head")


def draw(asked: Prometheus, file: Path, start: float, end: float) -> str:
    """Draw a dashboard as SVG. Raises AssertionError if a panel is empty that must not be."""
    board = json.loads(file.read_text())
    parts, empty = [], []
    for panel in board["panels"]:
        series = [
            (label(target["legendFormat"], found["metric"]), [(at, float(value)) for at, value in found["values"]])
            for target in panel["targets"]
            for found in asked.between(target["expr"], start, end, POINTS)
        ]
        series = [(name, kept) for name, found in series if (kept := [each for each in found if each[1] == each[1]])]
        dots = [
            (float(each["timestamp"]), float(each["value"]))
            for target in panel["targets"]
            if target.get("exemplar")
            for each in asked.exemplars(target["expr"], start, end)
        ]
        if not series or (not dots and any("exemplar" in target for target in panel["targets"])):
            empty.append(panel["title"])
        parts.append(Panel(panel, series, dots, start, end).picture())
    assert set(empty) <= EMPTY, f"{file.stem}: nothing is in {empty}"
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) * _UNIT_HEIGHT + _HEAD
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * _UNIT_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="100%" height="100%" fill="#f4f5f7"/>\n'
        f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(board["title"])}</text>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def label(pattern: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        pattern = pattern.replace("{{" + name + "}}", value)
    return pattern


_UNIT_WIDTH, _UNIT_HEIGHT, _HEAD = 44, 28, 34
"""Units of the grid in which panels are placed."""
_LEFT, _RIGHT, _TOP, _BELOW = 62, 14, 30, 64
_COLOURS = ("#3b6ea8", "#c07a2c", "#5b8f5b", "#8a6bb1", "#b0484f", "#2a9d9d", "#8c7a3d", "#555555")
_MOST_NAMES = 8


@dataclass
class Panel:
    model: dict[str, Any]
    series: list[tuple[str, list[tuple[float, float]]]]
    dots: list[tuple[float, float]]
    start: float
    end: float

    def picture(self) -> str:
        place = self.model["gridPos"]
        self._width, self._height = place["w"] * _UNIT_WIDTH - 8, place["h"] * _UNIT_HEIGHT - 8
        self._bottom = self._height - _BELOW
        values = [value for _, found in self.series for _, value in found]
        greatest = max([*values, *(value for _, value in self.dots)], default=0.0)
        in_minutes = self.model["fieldConfig"]["defaults"]["unit"] == "s" and greatest > 120
        self._top = 60 * nice(greatest / 60) if in_minutes else nice(greatest)
        x, y = place["x"] * _UNIT_WIDTH + 4, place["y"] * _UNIT_HEIGHT + _HEAD + 4
        self.series.sort(key=lambda each: -max(value for _, value in each[1]))
        return "\n".join(
            [f'<g transform="translate({x} {y})">', *self._frame(), *self._lines(), *self._names(), "</g>"]
        )

    def _at(self, moment: float, value: float) -> str:
        x = _LEFT + (moment - self.start) / (self.end - self.start) * (self._width - _LEFT - _RIGHT)
        return f"{x:.0f},{self._bottom - value / self._top * (self._bottom - _TOP):.0f}"

    def _frame(self) -> Iterator[str]:
        yield f'<rect width="{self._width}" height="{self._height}" rx="3" fill="#ffffff" stroke="#d8dade"/>'
        yield f'<text x="10" y="18" font-weight="bold">{escape(self.model["title"])}</text>'
        for part in (0, 1, 2):
            y = self._bottom - part / 2 * (self._bottom - _TOP)
            text = written(self._top * part / 2, self.model["fieldConfig"]["defaults"]["unit"])
            yield f'<path d="M{_LEFT} {y:.0f}H{self._width - _RIGHT}" stroke="#e3e5e8"/>'
            yield f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" fill="#666">{text}</text>'
        minutes = int((self.end - self.start) // 60)
        for minute in range(0, minutes + 1, max(1, minutes // 6)):
            x = self._at(self.start + 60 * minute, 0).split(",")[0]
            yield f'<text x="{x}" y="{self._bottom + 14}" text-anchor="middle" fill="#666">{minute} min</text>'

    def _lines(self) -> Iterator[str]:
        for number, (_, found) in enumerate(self.series):
            colour = _COLOURS[number % len(_COLOURS)]
            points = " ".join(self._at(*each) for each in found)
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        for moment, value in self.dots[-40:]:
            x, y = self._at(moment, value).split(",")
            yield f'<circle cx="{x}" cy="{y}" r="2.5" fill="#d0a000"/>'

    def _names(self) -> Iterator[str]:
        names = [name for name, _ in self.series[:_MOST_NAMES]]
        if len(self.series) > _MOST_NAMES:
            names[-1] = f"and {len(self.series) - _MOST_NAMES + 1} more"
        x, y = 10.0, self._bottom + 30
        for number, name in enumerate(names):
            wide = 26 + 6.6 * len(name)
            if x + wide > self._width:
                x, y = 10.0, y + 15
            yield f'<rect x="{x:.0f}" y="{y - 7}" width="10" height="4" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
            yield f'<text x="{x + 14:.0f}" y="{y}" fill="#333">{escape(name)}</text>'
            x += wide
        if not names:
            yield f'<text x="{self._width / 2}" y="{(self._bottom + _TOP) / 2}" text-anchor="middle">no data</text>'


def nice(greatest: float) -> float:
    """The end of an axis: 1, 2 or 5 times a power of ten."""
    ends = (factor * 10.0**power for power in range(-6, 12) for factor in (1, 2, 5))
    return next((end for end in ends if end >= greatest > 0), 1.0)


def written(value: float, unit: str) -> str:
    """In the form in which Grafana shows the units that we use."""
    if unit == "percentunit":
        return f"{100 * value:g} %"
    if unit == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms")):
            if value >= size:
                return f"{value / size:.3g} {name}"
        return f"{value * 1e6:.3g} µs" if value else "0"
    return f"{value:g}{'/s' if unit == 'ops' and value else ''}"


if __name__ == "__main__":
    main()
