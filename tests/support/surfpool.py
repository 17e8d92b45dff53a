"""A real Solana runtime on this machine: surfpool, which runs whatever it accepts at once."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from typing import Any, Final, Self

import httpx

from tests.support.node import FOLDER, has

PACKAGE: Final = "@solana/surfpool-linux-x64-gnu"
PATIENCE: Final = 120.0
"""Seconds."""


class Refused(Exception):
    """The node responded with an error, or the transaction failed."""


def is_here() -> bool:
    return has(PACKAGE) and shutil.which("node") is not None


class Surfpool:
    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", FOLDER / "surfnet.cjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        try:
            url = json.loads(self._process.stdout.readline())["url"]
        except BaseException:
            self._end()
            raise
        self.url: str = url
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._end()

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)

    def call(self, method: str, *params: object) -> Any:
        """Raises Refused."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._client.post("/", json=question).json()
        if "error" in answer:
            raise Refused(json.dumps(answer["error"]))
        return answer["result"]

    def blockhash(self) -> tuple[str, int]:
        """A recent one, and the last block height at which it is valid."""
        value = self.call("getLatestBlockhash")["value"]
        return value["blockhash"], value["lastValidBlockHeight"]

    def fund(self, address: str, lamports: int = 10 * 10**9) -> None:
        before = self.balance(address)
        self.call("requestAirdrop", address, lamports)
        self._wait(lambda: self.balance(address) > before, "the airdrop does not arrive")

    def balance(self, address: str) -> int:
        return int(self.call("getBalance", address)["value"])

    def account(self, address: str) -> bytes | None:
        """The data of an account."""
        value = self.call("getAccountInfo", address, {"encoding": "base64"})["value"]
        return None if value is None else base64.b64decode(value["data"][0])

    def token_balance(self, address: str) -> int:
        """The balance of a token account, which follows mint and owner in its data."""
        data = self.account(address)
        return 0 if data is None else int.from_bytes(data[64:72], "little")

    def send(self, signed: str) -> str:
        """Run a transaction and return its id. Raises Refused if it is not accepted or fails."""
        tx_id: str = self.call("sendTransaction", signed, {"encoding": "base64", "preflightCommitment": "confirmed"})
        return self.ran(tx_id)

    def ran(self, tx_id: str) -> str:
        """Wait until it has run, and return its id. Raises Refused if it failed."""
        status: dict[str, Any] = {}

        def is_known() -> bool:
            [found] = self.call("getSignatureStatuses", [tx_id])["value"]
            status.update(found or {})
            return found is not None

        self._wait(is_known, "the transaction is not run")
        if status.get("err") is not None:
            raise Refused(json.dumps(status["err"]))
        return tx_id

    def _wait(self, holds: Any, otherwise: str) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, otherwise
            time.sleep(0.02)
