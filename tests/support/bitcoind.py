"""A real Bitcoin node on this machine, in regtest. It accepts what its policy allows, and mines when told to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.server import free_port, memory

PATIENCE = 120.0
"""Seconds."""
COIN = 10**8
_MATURITY = 100
_MINER = "miner"
_LOGIN = ("tests", "tests")


class Refused(Exception):
    """The node responded with an error."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def program() -> Path | None:
    """Where `bitcoind.sh` puts it beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent.parent / "bitcoind" / "bitcoind"
    on_path = shutil.which("bitcoind")
    return beside if beside.exists() else None if on_path is None else Path(on_path)


def _like_core(found: Path) -> dict[str, object]:
    """Options that make Bitcoin Knots relay version 3 transactions and ephemeral dust as Bitcoin Core 29 does."""
    told = subprocess.run([found, "-version"], check=True, capture_output=True, text=True).stdout
    return {"mempooltruc": "enforce", "permitephemeral": "anchor,send,dust"} if "Knots" in told else {}


class Bitcoind:
    """A node with a wallet of its own that has mature coins to give away."""

    def __init__(self) -> None:
        self._port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="strongroom-bitcoind-", dir=memory()))
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}", auth=_LOGIN, timeout=60.0, trust_env=False
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """With user and password."""
        return f"http://{':'.join(_LOGIN)}@127.0.0.1:{self._port}/"

    def __enter__(self) -> Self:
        found = program()
        assert found is not None, "there is no bitcoind"
        user, password = _LOGIN
        options = {
            "datadir": self._folder, "rpcport": self._port, "rpcbind": "127.0.0.1", "rpcallowip": "127.0.0.1",
            "rpcuser": user, "rpcpassword": password, "listen": 0, "txindex": 1, "fallbackfee": "0.0001",
            "keypool": 20, **_like_core(found),
        }  # fmt: skip
        self._process = subprocess.Popen(
            [found, "-regtest", *(f"-{name}={value}" for name, value in options.items())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
            self.call("createwallet", _MINER)
            self.mine(_MATURITY + 1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, "bitcoind ended"
            assert time.monotonic() < deadline, "bitcoind does not answer"
            try:
                self.call("getblockcount")
            except (httpx.TransportError, Refused):  # it responds with an error while it warms up
                time.sleep(0.05)
            else:
                return

    def call(self, method: str, *params: object, wallet: str | None = None) -> Any:
        """Amounts are decimals of a coin in both directions. Raises Refused."""
        question = json.dumps({"id": 1, "method": method, "params": params}, default=_plain)
        answer = self._client.post("/" if wallet is None else f"/wallet/{wallet}", content=question)
        told = json.loads(answer.text, parse_float=Decimal)
        if told["error"] is not None:
            raise Refused(told["error"]["message"], told["error"]["code"])
        return told["result"]

    def mine(self, blocks: int = 1) -> None:
        self.call("generatetoaddress", blocks, self.call("getnewaddress", wallet=_MINER))

    def fund(self, *addresses: str, satoshis: int = COIN) -> list[dict[str, Any]]:
        """Mine one output for each address, and return them as inputs of an RPC: ``{txid, vout}``."""
        found = []
        for address in addresses:
            txid = self.call("sendtoaddress", address, Decimal(satoshis) / COIN, wallet=_MINER)
            outputs = self.call("getrawtransaction", txid, True)["vout"]
            [vout] = [each["n"] for each in outputs if each["scriptPubKey"].get("address") == address]
            found.append({"txid": txid, "vout": vout})
        self.mine()
        return found

    def watch(self, name: str, *descriptors: str, private: bool = False, indexes: int = 20) -> None:
        """Create a wallet whose addresses come from the descriptors. ``private`` means that these hold keys."""
        self.call("createwallet", name, not private, True)
        span = [0, indexes - 1]
        asked = [{"desc": each, "timestamp": "now", "active": True, "range": span} for each in descriptors]
        for answer in self.call("importdescriptors", asked, wallet=name):
            assert answer["success"], answer

    def psbt(self, wallet: str, inputs: list[dict[str, Any]], outputs: dict[str, int], **options: Any) -> str:
        """An unsigned PSBT with change, scripts and key origins of a wallet. ``outputs`` are satoshis by address."""
        coins = [{address: Decimal(satoshis) / COIN for address, satoshis in outputs.items()}]
        options = {"add_inputs": False, "fee_rate": 5, **options}
        made = self.call("walletcreatefundedpsbt", inputs, coins, 0, options, True, wallet=wallet)
        return str(made["psbt"])

    def mined(self, raw: str) -> dict[str, Any]:
        """Broadcast and mine, and return the transaction. Raises Refused."""
        txid = self.call("sendrawtransaction", raw)
        self.mine()
        found: dict[str, Any] = self.call("getrawtransaction", txid, True)
        assert found["confirmations"] == 1
        return found


def _plain(value: object) -> object:
    assert isinstance(value, Decimal)
    return float(value)
