"""A real Ethereum node on this machine: Foundry's anvil, which mines whatever it accepts at once."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from tests.support.node import FOLDER
from tests.support.server import free_port

T = TypeVar("T")

BUILT_IN_CHAIN_ID = 31337
PATIENCE = 120.0
"""Seconds."""


class Refused(Exception):
    """The node responded with an error."""


def program() -> Path | None:
    for found in sorted(FOLDER.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")):
        return found
    on_path = shutil.which("anvil")
    return None if on_path is None else Path(on_path)


class Anvil:
    def __init__(self, chain_id: int = BUILT_IN_CHAIN_ID, hardfork: str = "prague") -> None:
        self.chain_id = chain_id
        self.port = free_port()
        self._hardfork = hardfork
        self._client = httpx.Client(base_url=self.url, timeout=120.0, trust_env=False)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        anvil = program()
        assert anvil is not None, "there is no anvil"
        options = {"host": "127.0.0.1", "port": self.port, "chain-id": self.chain_id, "hardfork": self._hardfork}
        self._process = subprocess.Popen(
            [anvil, "--silent", *(part for name, value in options.items() for part in (f"--{name}", str(value)))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _wait_for(self._answers, "anvil does not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, method: str, *params: object) -> Any:
        """Raises Refused."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._client.post("/", json=question).json()
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]

    def fund(self, address: str, wei: int = 100 * 10**18) -> None:
        self.call("anvil_setBalance", address, hex(wei))

    def balance(self, address: str) -> int:
        return int(self.call("eth_getBalance", address, "latest"), 16)

    def nonce(self, address: str) -> int:
        return int(self.call("eth_getTransactionCount", address, "pending"), 16)

    def broadcast(self, signed_tx: str) -> str:
        """Return the hash, once it is mined if blocks are made at once. Raises Refused."""
        tx_id = str(self.call("eth_sendRawTransaction", signed_tx))
        if self.call("anvil_getAutomine"):
            self.mined(tx_id)
        return tx_id

    def receipt(self, tx_id: str) -> dict[str, Any] | None:
        """None if it is not mined."""
        found: dict[str, Any] | None = self.call("eth_getTransactionReceipt", tx_id)
        return found

    def mined(self, tx_id: str) -> dict[str, Any]:
        """Wait for the receipt."""
        return _wait_for(lambda: self.receipt(tx_id), "not mined")


def _wait_for(look: Callable[[], T | None], complaint: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, complaint
        time.sleep(0.005)
    return found
