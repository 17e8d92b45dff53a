"""A Strongroom started as a user would: the real command, in its own process group and folder."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

START_SECONDS = 120.0
ROOT = Path(__file__).resolve().parents[2]


_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = range(10_000, 32_000)[_WORKER % _WORKERS :: _WORKERS]
"""Ports for this worker of xdist only, outside the range from which the system gives ports to clients."""
_turns = itertools.count(secrets.randbelow(len(_PORTS)))  # another run may be on this machine


def free_port() -> int:
    """A different one each time. Until its server listens, no other caller may get it."""
    while True:
        port = _PORTS[next(_turns) % len(_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def memory() -> Path | None:
    """Storage on which a database costs a tenth of what it costs on disk, if there is room."""
    found = Path("/dev/shm")
    return found if found.is_dir() and shutil.disk_usage(found).free > 2 * 1024**3 else None


def is_alive(pid: int) -> bool:
    """Whether it still runs. A zombie does not."""
    if not Path("/proc/self/stat").exists():  # macOS
        asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return asked.stdout.strip()[:1] not in ("", "Z")
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class Server:
    """``settings`` are environment variables without their prefix, such as ``{"LOG__LEVEL": "debug"}``."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    api_key: str = ""
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    trust: ssl.SSLContext | None = None
    """For calls over TLS."""

    def __post_init__(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = self.data_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http{'' if self.trust is None else 's'}://127.0.0.1:{self.http_port}"

    @property
    def verify(self) -> ssl.SSLContext | bool:
        return True if self.trust is None else self.trust

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "DATA_DIR": str(self.data_dir),
            "HTTP__PORT": str(self.http_port),
            "GRPC__PORT": str(self.grpc_port),
            **self.settings,
        }
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(ROOT / "src"),
            **{f"STRONGROOM_{name}": value for name, value in own.items()},
        }

    def spawn(self, stdout: int | None = None) -> None:
        """Start it without waiting for anything. ``stdout`` is a descriptor instead of the log file."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "strongroom", "serve"],
                cwd=self.data_dir,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> Self:
        self.spawn()
        self.wait_until_ready()
        if not self.api_key:
            self._read_first_key()
        return self

    def _read_first_key(self) -> None:
        """One worker may be ready before another has created it."""
        deadline = time.monotonic() + (START_SECONDS if self.settings.get("WORKERS__COUNT", "1") != "1" else 0)
        while (found := re.search(r"export KEY=(sr_[0-9a-f_]+)", self.log.read_text(errors="replace"))) is None:
            if time.monotonic() >= deadline:
                return
            time.sleep(0.1)
        self.api_key = found[1]

    def stop(self, timeout: float = 120.0) -> int:
        """Send SIGTERM, and return the exit code."""
        self.terminate()
        return self.wait(timeout)

    def terminate(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 120.0) -> int:
        """The exit code of a server that was told to stop."""
        assert self._process is not None
        code = self._process.wait(timeout)
        self._process = None
        return code

    def send(self, what: signal.Signals) -> None:
        """Send a signal to the main process."""
        assert self._process is not None
        self._process.send_signal(what)

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def kill_main_process(self) -> None:
        """Send SIGKILL to the main process only, which leaves its workers behind."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def workers(self) -> list[int]:
        """The workers' process ids."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if Path("/proc/self").exists():
            return [int(pid) for pid in children.read_text().split()]
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def client(self, **options: Any) -> httpx.Client:
        shown = {"headers": {"X-API-Key": self.api_key}, "verify": self.verify, **options}
        return httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, **{"timeout": 60.0, **shown})

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        shown = {"headers": {"X-API-Key": self.api_key}, "verify": self.verify, **options}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=60.0, trust_env=False, **shown)

    def command(self, *arguments: str, timeout: float = 300, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the `strongroom` command for this server."""
        return subprocess.run(
            [sys.executable, "-m", "strongroom", *arguments],
            cwd=self.data_dir,
            env={**self.environment, "STRONGROOM_URL": self.url, "STRONGROOM_API_KEY": self.api_key},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **options,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    def wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                answer = httpx.get(f"{self.url}/health/ready", timeout=10.0, trust_env=False, verify=self.verify)
                if answer.status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.log.read_text(errors='replace')[-4000:]}")


class ReadingServer(Server):
    """A server that reads Ethereum from a fake."""

    @property
    def environment(self) -> dict[str, str]:
        path = (ROOT / "tests/support/fake_sources", ROOT / "src", ROOT)
        return {**super().environment, "PYTHONPATH": os.pathsep.join(map(str, path))}
