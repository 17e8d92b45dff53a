"""FakeEsplora: Esplora's REST interface over a real node, with its pages, texts and statuses.

It is not Esplora, and reads the whole chain again after each block. It follows Blockstream/electrs, src/rest.rs: pages
of 50 from the mempool and 25 from the chain with the last id as cursor; unknown transactions are 404, but their status
is 200 and "not confirmed"; errors are text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from tests.support.bitcoind import COIN, Bitcoind, Refused

MEMPOOL_PAGE: Final = 50
CHAIN_PAGE: Final = 25


class _Failure(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class FakeEsplora:
    """``estimates`` is the JSON text of /fee-estimates."""

    def __init__(self, node: Bitcoind) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._blocks: dict[str, list[dict[str, Any]]] = {}
        self._before: dict[str, str | None] = {}
        self.estimates = "{}"
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._answer(self, "GET", "")

            def do_POST(self) -> None:
                fake._answer(self, "POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api"

    def _answer(self, to: BaseHTTPRequestHandler, method: str, body: str) -> None:
        self.requests.append(f"{method} {to.path}")
        try:
            with self._lock:
                found = self._route(method, to.path.removeprefix("/api/").split("/"), body)
            status, text = 200, found if isinstance(found, str) else json.dumps(found)
        except _Failure as failure:
            status, text = failure.status, str(failure)
        raw = text.encode()
        to.send_response(status)
        to.send_header("Content-Length", str(len(raw)))
        to.end_headers()
        to.wfile.write(raw)

    def _route(self, method: str, path: list[str], body: str) -> Any:
        match method, path:
            case "GET", ["block-height", height]:
                return str(self._node.call("getblockhash", int(height)))
            case "GET", ["blocks", "tip", "hash"]:
                return str(self._node.call("getbestblockhash"))
            case "GET", ["blocks", "tip", "height"]:
                return str(self._node.call("getblockcount"))
            case "GET", ["block", block_hash]:
                found = self._node.call("getblockheader", block_hash)
                return {"id": found["hash"], "height": found["height"], "timestamp": found["time"]}
            case "GET", ["fee-estimates"]:
                return self.estimates
            case "POST", ["tx"]:
                return self._broadcast(body)
            case "GET", ["tx", tx_id, *rest]:
                return self._transaction(tx_id, rest)
            case "GET", ["scripthash", script_hash, *rest]:
                return self._script(script_hash, rest)
        raise _Failure(404, "endpoint does not exist")

    def _broadcast(self, raw: str) -> str:
        try:
            return str(self._node.call("sendrawtransaction", raw))
        except Refused as refused:
            error = json.dumps({"code": refused.code, "message": str(refused)})
            raise _Failure(400, f"sendrawtransaction RPC error: {error}") from None

    def _transaction(self, tx_id: str, rest: list[str]) -> Any:
        found = next((each for each in self._all() if each["txid"] == tx_id), None)
        match rest:
            case ["status"]:
                return found["status"] if found else {"confirmed": False}
            case ["outspend", vout]:
                return self._spender(tx_id, int(vout))
        if found is None:
            raise _Failure(404, "Transaction not found")
        return found["hex"] if rest == ["hex"] else _shown(found)

    def _spender(self, tx_id: str, vout: int) -> Any:
        for each in self._all():
            for index, spent in enumerate(each["vin"]):
                if (spent["txid"], spent["vout"]) == (tx_id, vout):
                    return {"spent": True, "txid": each["txid"], "vin": index, "status": each["status"]}
        return {"spent": False}

    def _script(self, script_hash: str, rest: list[str]) -> Any:
        ours = [each for each in self._all() if _touches(each, script_hash)]
        pending = [_shown(each) for each in ours if not each["status"]["confirmed"]][:MEMPOOL_PAGE]
        mined = [_shown(each) for each in ours if each["status"]["confirmed"]]
        match rest:
            case []:
                return {
                    "scripthash": script_hash,
                    "chain_stats": {"tx_count": len(mined)},
                    "mempool_stats": {"tx_count": len(pending)},
                }
            case ["utxo"]:
                return list(self._unspent(ours, script_hash))
            case ["txs"]:
                return pending + mined[:CHAIN_PAGE]
            case ["txs", "mempool"]:
                return pending
            case ["txs", "chain", last]:
                after = next((at + 1 for at, each in enumerate(mined) if each["txid"] == last), len(mined))
                return mined[after : after + CHAIN_PAGE]
        raise _Failure(404, "endpoint does not exist")

    def _unspent(self, ours: list[dict[str, Any]], script_hash: str) -> Iterator[dict[str, Any]]:
        gone = {(spent["txid"], spent["vout"]) for each in ours for spent in each["vin"]}
        for each in ours:
            for vout, output in enumerate(each["vout"]):
                if _hash(output) == script_hash and (each["txid"], vout) not in gone:
                    yield {"txid": each["txid"], "vout": vout, "value": output["value"], "status": each["status"]}

    def _all(self) -> list[dict[str, Any]]:
        """Newest first: the mempool, then the best chain."""
        mined: list[dict[str, Any]] = []
        block_hash = self._node.call("getbestblockhash")
        while block_hash is not None:
            if block_hash not in self._blocks:
                self._blocks[block_hash] = self._block(block_hash)
            mined += self._blocks[block_hash]
            block_hash = self._before[block_hash]
        outputs = {(each["txid"], vout): output for each in mined for vout, output in enumerate(each["vout"])}
        pending = [self._node.call("getrawtransaction", tx_id, 1) for tx_id in self._node.call("getrawmempool")]
        made = [_made(each, {"confirmed": False}) for each in pending]
        outputs |= {(each["txid"], vout): output for each in made for vout, output in enumerate(each["vout"])}
        for each in made:
            for spent in each["vin"]:
                spent["prevout"] = outputs[spent["txid"], spent["vout"]]
        return made + mined

    def _block(self, block_hash: str) -> list[dict[str, Any]]:
        found = self._node.call("getblock", block_hash, 3)
        self._before[block_hash] = found.get("previousblockhash")
        status = {
            "confirmed": True, "block_height": found["height"], "block_hash": block_hash, "block_time": found["time"],
        }  # fmt: skip
        return [_made(each, status) for each in reversed(found["tx"])]


def _made(told: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    return {
        "txid": told["txid"],
        "hex": told["hex"],
        "vin": [_spent(each) for each in told["vin"]],
        "vout": [_output(each) for each in told["vout"]],
        "status": status,
    }


def _spent(told: dict[str, Any]) -> dict[str, Any]:
    if "coinbase" in told:
        return {"txid": "00" * 32, "vout": 2**32 - 1, "prevout": None, "is_coinbase": True}
    prevout = _output(told["prevout"]) if "prevout" in told else None
    return {"txid": told["txid"], "vout": told["vout"], "prevout": prevout, "is_coinbase": False}


def _output(told: dict[str, Any]) -> dict[str, Any]:
    script = told["scriptPubKey"]
    shown = {"scriptpubkey": script["hex"], "value": int(Decimal(told["value"]) * COIN)}
    return shown | ({"scriptpubkey_address": script["address"]} if "address" in script else {})


def _shown(made: dict[str, Any]) -> dict[str, Any]:
    spent = [each["prevout"]["value"] for each in made["vin"] if each["prevout"] is not None]
    fee = sum(spent) - sum(each["value"] for each in made["vout"]) if spent else 0
    return {name: value for name, value in made.items() if name != "hex"} | {"fee": fee}


def _hash(output: dict[str, Any]) -> str:
    return sha256(bytes.fromhex(output["scriptpubkey"])).hexdigest()


def _touches(made: dict[str, Any], script_hash: str) -> bool:
    outputs = [*made["vout"], *(each["prevout"] for each in made["vin"] if each["prevout"] is not None)]
    return any(_hash(each) == script_hash for each in outputs)
