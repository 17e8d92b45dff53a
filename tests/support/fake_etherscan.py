"""A fake of the API that Etherscan (v2) and Blockscout share, over anvil. It imports nothing from strongroom.

It enforces what docs.etherscan.io says: at most 1,000 rows per call and 10,000 in all by page number; blocks from
``startblock`` to ``endblock`` inclusive; every value a string; always HTTP 200; ``status`` 0 with an empty list if
nothing was found, and with a text instead of the list for an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from tests.support.anvil import Anvil

CAP: Final = 1000
WINDOW: Final = 10_000
TRANSFER: Final = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
RATE: Final = "Max rate limit reached, please use API Key for higher rate limit"

Row = dict[str, str]


class FakeEtherscan(httpx.AsyncBaseTransport):
    def __init__(self, node: Anvil, *, blockscout: bool = False) -> None:
        self.node = node
        self.blockscout = blockscout
        """Other names in internal transactions, a number for each log, no check of the chain id."""
        self.allowed: int | None = None
        """Calls until the limit is reached."""
        self.calls = 0
        self.says: str | None = None
        """Instead of every response."""
        self.more: dict[str, list[Row]] = {}
        """Rows by action, of kinds that anvil does not make."""
        self._made: dict[tuple[str, str], list[Row]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        return httpx.Response(200, stream=_Body(json.dumps(self._answer(dict(request.url.params))).encode()))

    def _answer(self, query: dict[str, str]) -> dict[str, Any]:
        if self.says is not None:
            return _wrong(self.says)
        if self.allowed is not None and self.calls > self.allowed:
            return _wrong(RATE)
        if not self.blockscout and query.get("chainid") != str(self.node.chain_id):
            return _wrong("Missing or unsupported chainid parameter (required for v2 api)")
        if query["module"] == "proxy":
            block = self.node.call("eth_getBlockByNumber", query["tag"], False)
            return {"jsonrpc": "2.0", "id": 1, "result": block}
        page, offset = int(query["page"]), min(int(query["offset"]), CAP)
        if page * offset > WINDOW:
            return _wrong("Result window is too large, PageNo x Offset size must be less than or equal to 10000")
        low, high = int(query["startblock"]), int(query["endblock"])
        rows = [row for row in self._rows(query) if low <= int(row["blockNumber"]) <= high]
        if query["sort"] == "desc":
            rows.reverse()
        rows = rows[(page - 1) * offset : page * offset]
        if not rows:
            return {"status": "0", "message": "No transactions found", "result": []}
        return {"status": "1", "message": "OK", "result": rows}

    def _rows(self, query: dict[str, str]) -> list[Row]:
        kind = {"txlist": self._transactions, "txlistinternal": self._internal, "tokentx": self._transfers}
        address = query["address"].lower()
        name = (query["action"], self.node.call("eth_getBlockByNumber", "latest", False)["hash"])
        if name not in self._made:
            self._made[name] = [*self.more.get(query["action"], ()), *kind[query["action"]]()]
        return [row for row in self._made[name] if address in (row["from"], row["to"], row.get("made"))]

    def _mined(self) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
        for height in range(int(self.node.call("eth_blockNumber"), 16) + 1):
            block = self.node.call("eth_getBlockByNumber", hex(height), True)
            for transaction in block["transactions"]:
                yield block, transaction, self.node.call("eth_getTransactionReceipt", transaction["hash"])

    def _common(self, block: dict[str, Any], transaction: dict[str, Any]) -> Row:
        return {
            "blockNumber": str(int(block["number"], 16)),
            "timeStamp": str(int(block["timestamp"], 16)),
            "hash": transaction["hash"],
            "transactionIndex": str(int(transaction["transactionIndex"], 16)),
            "blockHash": block["hash"],
        }

    def _transactions(self) -> Iterator[Row]:
        for block, transaction, receipt in self._mined():
            yield self._common(block, transaction) | {
                "from": transaction["from"],
                "to": transaction["to"] or "",
                "made": receipt["contractAddress"] or "",
                "contractAddress": receipt["contractAddress"] or "",
                "value": str(int(transaction["value"], 16)),
                "gasPrice": str(int(receipt["effectiveGasPrice"], 16)),
                "gasUsed": str(int(receipt["gasUsed"], 16)),
                "isError": str(1 - int(receipt["status"], 16)),
                "txreceipt_status": str(int(receipt["status"], 16)),
                "input": transaction["input"],
                "functionName": "",
            }

    def _internal(self) -> Iterator[Row]:
        for block, transaction, _ in self._mined():
            common = self._common(block, transaction)
            del common["blockHash"], common["transactionIndex"]
            if self.blockscout:
                common["transactionHash"] = common.pop("hash")
            trace = self.node.call("debug_traceTransaction", transaction["hash"], {"tracer": "callTracer"})
            for number, made in enumerate(_inside(trace)):
                place = {"index": str(number)} if self.blockscout else {"traceId": str(number)}
                yield (
                    common
                    | place
                    | {
                        "from": made["from"],
                        "to": made["to"],
                        "value": str(int(made["value"], 16)),
                        "contractAddress": "",
                        "type": "call",
                        "isError": "0",
                    }
                )

    def _transfers(self) -> Iterator[Row]:
        for block, transaction, receipt in self._mined():
            for log in receipt["logs"]:
                if log["topics"][0] == TRANSFER and len(log["topics"]) == 3:
                    number = {"logIndex": str(int(log["logIndex"], 16))} if self.blockscout else {}
                    yield (
                        self._common(block, transaction)
                        | number
                        | {
                            "from": "0x" + log["topics"][1][-40:],
                            "to": "0x" + log["topics"][2][-40:],
                            "value": str(int(log["data"], 16)),
                            "contractAddress": log["address"],
                            "tokenSymbol": "FAKE\u202e<b>",
                            "tokenName": "A token",
                            "tokenDecimal": "6",
                        }
                    )


def _inside(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Calls that transfer value, except the transaction's own."""
    for each in call.get("calls", ()):
        if int(each.get("value", "0x0"), 16) and "error" not in each:
            yield each
        yield from _inside(each)


def _wrong(words: str) -> dict[str, Any]:
    return {"status": "0", "message": "NOTOK", "result": words}


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> Any:
        yield self._content
