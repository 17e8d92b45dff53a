"""A real OpenBao for tests, with its Transit engine, in memory. It has Vault's API."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import free_port

START_SECONDS = 120.0
ROOT_TOKEN = "root"
KEY = "strongroom"


def program() -> str | None:
    """On the PATH, or from the wheel beside this Python."""
    beside = Path(sys.executable).parent / "bao"
    return str(beside) if beside.exists() else shutil.which("bao")


class OpenBao:
    """A server whose root token the tests hold."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self._folder = folder
        self._log = folder / "openbao.log"
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(
            base_url=f"{self.url}/v1/", headers={"X-Vault-Token": ROOT_TOKEN}, trust_env=False, timeout=60
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        found = program()
        assert found is not None
        with self._log.open("wb") as file:
            self._process = subprocess.Popen(
                [
                    found, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", "-dev-no-store-token",
                    f"-dev-listen-address=127.0.0.1:{self.port}",
                ],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                env={"HOME": str(self._folder), "PATH": os.environ["PATH"]},
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"OpenBao did not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            paths = ("sys/health", "sys/mounts")
            return all(self._http.get(path, timeout=5).status_code == 200 for path in paths)
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """As the operator, with the root token."""
        answer = self._http.request(method, path, json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def prepare(self, key: str = KEY) -> None:
        """Set up the Transit engine with a derived key."""
        if "transit/" not in self.ask("GET", "sys/mounts")["data"]:
            self.ask("POST", "sys/mounts/transit", type="transit")
        self.ask("POST", f"transit/keys/{key}", type="aes256-gcm96", derived=True)

    def policy(self, name: str = "strongroom", key: str = KEY, *, empty: bool = False) -> None:
        paths = {f"transit/{verb}/{key}": "update" for verb in ("encrypt", "decrypt", "rewrap")}
        paths[f"transit/keys/{key}"] = "read"
        text = "\n".join(f'path "{path}" {{ capabilities = ["{right}"] }}' for path, right in paths.items())
        self.ask("PUT", f"sys/policies/acl/{name}", policy="# nothing" if empty else text)

    def token(self, **fields: Any) -> str:
        """A token with the policy."""
        made = self.ask("POST", "auth/token/create", policies=["strongroom"], **fields)
        return str(made["auth"]["client_token"])

    def approle(self, **fields: Any) -> tuple[str, str]:
        """Role id and secret id of a role with the policy."""
        if "approle/" not in self.ask("GET", "sys/auth")["data"]:
            self.ask("POST", "sys/auth/approle", type="approle")
        self.ask("POST", "auth/approle/role/strongroom", token_policies=["strongroom"], **fields)
        role = self.ask("GET", "auth/approle/role/strongroom/role-id")["data"]["role_id"]
        secret = self.ask("POST", "auth/approle/role/strongroom/secret-id")["data"]["secret_id"]
        return str(role), str(secret)

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def unseal(self) -> None:
        [line] = [line for line in self._log.read_text().splitlines() if line.startswith("Unseal Key: ")]
        self.ask("PUT", "sys/unseal", key=line.removeprefix("Unseal Key: "))
        while not self._is_ready():
            time.sleep(0.02)

    def freeze(self) -> None:
        """It accepts connections and does not respond."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Everything that it held is lost, because it is in memory."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._http.close()


@contextmanager
def running() -> Iterator[OpenBao]:
    """A server with its Transit engine, key and policy."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-bao-"))
    server = OpenBao(folder)
    try:
        server.start()
        server.prepare()
        server.policy()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
