"""A real OpenBao with storage on disk, as in production: initialised, unsealed, and ready for snapshots."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.openbao import START_SECONDS, program
from tests.support.server import free_port

CONFIG = """
storage "raft" {{ path = "{folder}/data" node_id = "one" }}
listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster}"
"""


class RaftOpenBao:
    """One node with one unseal key. After the restore of another's snapshot, `unseal` takes that one's key."""

    def __init__(self, port: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="strongroom-raft-"))
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = self.unseal_key = ""
        (self.folder / "data").mkdir()
        config = CONFIG.format(folder=self.folder, port=self.port, cluster=free_port())
        (self.folder / "config.hcl").write_text(config)

    def start(self) -> None:
        found = program()
        assert found is not None
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [found, "server", f"-config={self.folder / 'config.hcl'}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={"HOME": str(self.folder), "PATH": os.environ["PATH"]},
            )  # fmt: skip
        self._until({200, 429, 501, 503})
        made = self.ask("PUT", "sys/init", secret_shares=1, secret_threshold=1)
        self.token, self.unseal_key = made["root_token"], made["keys_base64"][0]
        self.unseal(self.unseal_key)

    def unseal(self, key: str) -> None:
        self.ask("PUT", "sys/unseal", key=key)
        self._until({200})

    def until_sealed(self) -> None:
        self._until({503})

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(
            method, f"{self.url}/v1/{path}", json=body or None, headers={"X-Vault-Token": self.token},
            trust_env=False, timeout=20,
        )  # fmt: skip
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _until(self, statuses: set[int]) -> None:
        """Statuses of sys/health: 200 active, 429 standby, 501 not initialised, 503 sealed."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/v1/sys/health", trust_env=False, timeout=2).status_code in statuses:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"OpenBao did not come to be {statuses}: {(self.folder / 'log').read_text()[-2000:]}")


@contextmanager
def running(port: int = 0) -> Iterator[RaftOpenBao]:
    server = RaftOpenBao(port)
    try:
        server.start()
        yield server
    finally:
        server.close()
