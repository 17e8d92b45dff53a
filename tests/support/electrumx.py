"""A real Electrum server on this machine, over `bitcoind`: ElectrumX without cost limits."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from tests.support.bitcoind import Bitcoind
from tests.support.server import free_port

PATIENCE: Final = 120.0
"""Seconds."""

_RUN: Final = """
import asyncio
from electrumx import Controller, Env
from electrumx.server.block_processor import Prefetcher
from electrumx.server.mempool import MemPool

often = property(lambda self: 0.1, lambda self, seconds: None)
Prefetcher.polling_delay = MemPool.refresh_secs = often
asyncio.run(Controller(Env()).run())
"""
"""Otherwise it polls its node every 5 seconds, which no setting of this version changes."""


def is_here() -> bool:
    return find_spec("electrumx") is not None and find_spec("plyvel") is not None


class ElectrumX:
    """Polls its node several times per second. `wait` until it has caught up with the node."""

    def __init__(self, node: Bitcoind) -> None:
        self._node = node
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="strongroom-electrumx-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        settings = {
            "COIN": "Bitcoin", "NET": "regtest", "DB_DIRECTORY": str(self._folder), "DAEMON_URL": self._node.url,
            "SERVICES": f"tcp://127.0.0.1:{self.port}", "COST_SOFT_LIMIT": "0", "COST_HARD_LIMIT": "0",
            "PEER_DISCOVERY": "off", "PEER_ANNOUNCE": "", "ALLOW_ROOT": "1", "CACHE_MB": "50",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _RUN],
            env={"PATH": os.environ["PATH"], **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._until(self._has_tip)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def wait(self, *scripts: str, has: str = "", lacks: str = "") -> None:
        """Wait until its tip is the node's, and the history of each script (hex of its hash) has or lacks an id."""
        self._until(lambda: self._has_tip() and all(self._is(script, has, lacks) for script in scripts))

    def ask(self, method: str, *params: object) -> Any:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            lines = connection.makefile("rwb")
            for number, asked in enumerate((("server.version", ["tests", "1.4"]), (method, list(params)))):
                question = {"jsonrpc": "2.0", "id": number, "method": asked[0], "params": asked[1]}
                lines.write(json.dumps(question).encode() + b"\n")
                lines.flush()
                answer = json.loads(lines.readline())
            return answer["result"]

    def _has_tip(self) -> bool:
        tip = self._node.call("getblockheader", self._node.call("getbestblockhash"), False)
        return bool(self.ask("blockchain.headers.subscribe")["hex"] == tip)

    def _is(self, script_hash: str, has: str, lacks: str) -> bool:
        rows = [row["tx_hash"] for row in self.ask("blockchain.scripthash.get_history", script_hash)]
        return (not has or has in rows) and lacks not in rows

    def _until(self, done: Any) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, "electrumx ended"
            assert time.monotonic() < deadline, "electrumx does not catch up"
            try:
                if done():
                    return
            except (OSError, ValueError, KeyError):  # it listens once it has caught up
                pass
            time.sleep(0.05)
