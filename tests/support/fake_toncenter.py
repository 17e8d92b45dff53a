"""FakeToncenter: both of toncenter's APIs, over a TON chain in memory (@ton/sandbox).

It is not toncenter. Its transactions are real ones of TON's virtual machine. Around them it follows
toncenter/ton-indexer (ton-index-go) and toncenter/ton-http-api: accounts that do not exist are left out; the order is
the database's; 1,000 rows at most; a message that is not accepted is HTTP 500 with the node's text; 429 has no
Retry-After. Requests with ``offset``, or with more addresses than a URL can hold, fail.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.ton import Machine, Refused

Query = dict[str, list[str]]

MOST_URL: Final = 8_000
ZERO_STATES: Final = {
    -239: "F6OpKZKqvqeFp6CQmFomXNMfMj2EnaUSOXN+Mh+wVWk=",
    -3: "gj+B8wb/AmlPk1z1AhVI484rhrUpgSr2oSFIh56VoSg=",
}


class _Failure(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def raw_of(text: str) -> str:
    """From any form to the index's."""
    if ":" in text:
        return text.upper()
    found = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
    return f"{-1 if found[1] else 0}:{found[2:34].hex().upper()}"


def base64_of(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode() if len(text) == 64 else text


class FakeToncenter:
    def __init__(self, machine: Machine, *, global_id: int = -239) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        self._rows: list[dict[str, Any]] = []
        self.global_id = global_id
        self.requests: list[str] = []
        self.busy: set[str] = set()
        """Methods that respond with 429."""
        self.hidden: set[str] = set()
        """Hashes of transactions that are not in the index yet."""
        self.node = True
        """Whether there is a v2 behind v3."""
        self.lag = 0
        """Seconds that the shards are behind the masterchain."""
        self.says_finality = True
        self.masters: dict[str, dict[str, Any]] = {}
        """Content of jetton masters, by address."""
        self.claims: list[dict[str, Any]] = []
        """Jetton wallets that no master confirms."""

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._answer(self, b"")

            def do_POST(self) -> None:
                fake._answer(self, self.rfile.read(int(self.headers["Content-Length"])))

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
        return f"http://127.0.0.1:{self._server.server_port}"

    def ask(self, what: str, **question: Any) -> Any:
        """Ask the chain itself. Its process handles one request at a time."""
        with self._lock:
            return self._machine.ask(what, **question)

    def _answer(self, to: BaseHTTPRequestHandler, body: bytes) -> None:
        url = urlsplit(to.path)
        self.requests.append(url.path)
        version, method = url.path.removeprefix("/api/").split("/", 1)
        try:
            if method in self.busy:
                raise _Failure(429, "Ratelimit exceed")
            if len(to.path) > MOST_URL:
                raise _Failure(414, "Request-URI Too Large")
            query = parse_qs(url.query)
            assert "offset" not in query, "pages move while the chain grows"
            asked = json.loads(body) if body else {}
            found = self._v3(method, query, asked) if version == "v3" else self._v2(method, query, asked)
            status, told = 200, found if version == "v3" else {"ok": True, "result": found}
        except _Failure as failure:
            status = failure.status
            told = {"error": str(failure)} | ({"ok": False, "code": status} if version == "v2" else {})
        raw = json.dumps(told).encode()
        to.send_response(status)
        to.send_header("Content-Length", str(len(raw)))
        to.end_headers()
        to.wfile.write(raw)

    # v3

    def _v3(self, method: str, query: Query, asked: dict[str, Any]) -> Any:
        answers: dict[str, Callable[[], Any]] = {
            "masterchainInfo": lambda: {"first": self._block(1), "last": self._block()},
            "masterchainBlockShardState": lambda: {"blocks": self._shards(int(query["seqno"][0]))},
            "accountStates": lambda: {"accounts": self._accounts(query)},
            "walletStates": lambda: {"wallets": self._wallets(query)},
            "transactions": lambda: {"transactions": self._transactions(query)},
            "transactionsByMessage": lambda: {"transactions": self._transactions(query)},
            "messages": lambda: {"messages": self._messages(query)},
            "jetton/masters": lambda: {"jetton_masters": self._jetton_masters(query)},
            "jetton/wallets": lambda: {"jetton_wallets": self._jetton_wallets(query), "metadata": self._metadata()},
            "jetton/transfers": lambda: {"jetton_transfers": self._transfers(query), "metadata": self._metadata()},
            "message": lambda: self._send(asked["boc"]),
            "runGetMethod": lambda: self._get_method(asked),
        }
        if method not in answers:
            raise _Failure(404, "Cannot GET")
        return answers[method]()

    def _block(self, seqno: int | None = None) -> dict[str, Any]:
        head = self.ask("head")
        seqno = seqno or head["height"]
        return {
            "workchain": -1, "shard": "8000000000000000", "seqno": seqno, "root_hash": _root(seqno),
            "file_hash": _root(-seqno), "global_id": self.global_id, "gen_utime": str(head["now"]),
        }  # fmt: skip

    def _shards(self, seqno: int) -> list[dict[str, Any]]:
        at = int(self._block()["gen_utime"])
        quick, slow = str(at - 1), str(at - 1 - self.lag)
        shard = {"workchain": 0, "seqno": seqno, "root_hash": _root(seqno), "global_id": self.global_id}
        return [shard | {"shard": "4000000000000000", "gen_utime": quick},
                shard | {"shard": "C000000000000000", "gen_utime": slow}]  # fmt: skip

    def _accounts(self, query: Query) -> list[dict[str, Any]]:
        found = []
        for address in sorted(map(raw_of, query["address"])):
            state = self.ask("state", address=address)
            balance = self.ask("balance", address=address)
            if state != "uninit" or balance != "0":
                found.append({"address": address, "balance": balance, "status": state, "account_state_hash": _root(1)})
        return found

    def _wallets(self, query: Query) -> list[dict[str, Any]]:
        found = []
        for each in self._accounts(query):
            last = [row for row in self._all(whole=True) if row["account"] == each["address"]]
            wallet = {**each, "is_wallet": True, "last_transaction_lt": last[-1]["lt"] if last else None}
            if each["status"] == "active":
                wallet["seqno"] = self.ask("seqno", address=each["address"])
            found.append(wallet)
        return found

    def _all(self, *, whole: bool = False) -> list[dict[str, Any]]:
        """In the order of their logical times."""
        self._rows += self.ask("ledger", since=len(self._rows))
        says = {"emulated": False, "finality": "finalized"} if self.says_finality else {}
        return [{**row, **says} for row in self._rows if whole or row["hash"] not in self.hidden]

    def _transactions(self, query: Query) -> list[dict[str, Any]]:
        found = self._all()
        if hashes := {base64_of(each) for each in query.get("hash", [])}:
            found = [row for row in found if row["hash"] in hashes]
        if accounts := set(map(raw_of, query.get("account", []))):
            found = [row for row in found if row["account"] in accounts]
        if messages := {base64_of(each) for each in query.get("msg_hash", [])}:
            assert query["direction"] == ["in"]
            found = [row for row in found if messages & {row["in_msg"]["hash"], row["in_msg"].get("hash_norm")}]
        return _page(found, query, "lt")

    def _messages(self, query: Query) -> list[dict[str, Any]]:
        return [{**row["in_msg"], "in_msg_tx_hash": row["hash"]} for row in self._transactions(query)]

    def _send(self, boc: str) -> dict[str, str]:
        done = self._sent(boc)
        return {"message_hash": done["in_msg"]["hash"], "message_hash_norm": done["in_msg"]["hash_norm"]}

    def _sent(self, boc: str) -> dict[str, Any]:
        """Raises _Failure with a node's text."""
        before = len(self._all(whole=True))
        try:
            self.ask("send", boc=boc)
        except Refused as refused:
            words = str(refused)
            code = re.search(r"Exit code: (-?\d+)", words)
            why = "before smart-contract execution" if code is None else f"\nexitcode={code[1]}, steps=24, gas_used=0\n"
            raise _Failure(
                500,
                "LITE_SERVER_UNKNOWN: cannot apply external message to current state : External message was not "
                f"accepted\nCannot run message on account: inbound external message rejected by account {why}",
            ) from None
        return self._all(whole=True)[before]

    # jettons

    def _metadata(self) -> dict[str, Any]:
        return {
            master: {"is_indexed": True, "token_info": [{"type": "jetton_masters", "symbol": content.get("symbol"),
                     "extra": {"decimals": content.get("decimals")}}]}
            for master, content in self.masters.items()
        }  # fmt: skip

    def _jetton_masters(self, query: Query) -> list[dict[str, Any]]:
        asked = set(map(raw_of, query["address"]))
        return [{"address": each, "jetton_content": self.masters[each]} for each in self.masters if each in asked]

    def _wallet(self, master: str, owner: str) -> str:
        return str(self.ask("jettonWallet", master=master, owner=owner)).upper()

    def _jetton_wallets(self, query: Query) -> list[dict[str, Any]]:
        assert query["exclude_zero_balance"] == ["true"]
        owners, masters = (set(map(raw_of, query.get(name, []))) for name in ("owner_address", "jetton_address"))
        found = [row for row in self.claims if row["owner"] in owners and (not masters or row["jetton"] in masters)]
        for master in (masters or set(self.masters)) & self.masters.keys():
            for owner in owners:
                address = self._wallet(master, owner)
                if self.ask("state", address=address) == "active":
                    balance = self.ask("jettonBalance", wallet=address)
                    found.append({"address": address, "balance": balance, "owner": owner, "jetton": master})
        return [row for row in found if row["balance"] != "0"][: int(query["limit"][0])]

    def _transfers(self, query: Query) -> list[dict[str, Any]]:
        [owner] = map(raw_of, query["owner_address"])
        found = []
        for row in self._all():
            told, source = row["transfer"], row["in_msg"]["source"]
            if told is None or owner not in (source, told["destination"]) or row["description"]["aborted"]:
                continue
            found += [
                {
                    **told, "source": source, "source_wallet": row["account"], "jetton_master": master,
                    "transaction_hash": row["hash"], "transaction_lt": row["lt"], "transaction_now": row["now"],
                    "transaction_aborted": False,
                }
                for master in self.masters
                if self._wallet(master, source) == row["account"]
            ]  # fmt: skip
        return _page(found, query, "transaction_lt")

    def _get_method(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not self.node:
            raise _Failure(500, "ton-http-api endpoint is not specified")
        [argument] = asked["stack"]
        assert (asked["method"], argument["type"]) == ("get_wallet_address", "slice")
        try:
            found = self.ask(
                "address_cell", method=asked["method"], address=raw_of(asked["address"]), argument=argument["value"]
            )
        except Refused:
            return {"gas_used": 0, "exit_code": -13, "stack": []}
        return {"gas_used": 549, "exit_code": 0, "stack": [{"type": "cell", "value": found}]}

    # v2

    def _v2(self, method: str, query: Query, asked: dict[str, Any]) -> Any:
        match method:
            case "getMasterchainInfo":
                init = {"workchain": -1, "shard": "0", "seqno": 0, "root_hash": ZERO_STATES.get(self.global_id, "")}
                return {"@type": "blocks.masterchainInfo", "last": self._id(self._block()), "init": init}
            case "getBlockHeader":
                assert query["shard"] == ["-9223372036854775808"]
                block = self._block(int(query["seqno"][0]))
                at = int(block["gen_utime"])
                return {"id": self._id(block), "global_id": self.global_id, "gen_utime": at, "is_key_block": False}
            case "getAddressInformation":
                address = raw_of(query["address"][0])
                states = {"active": "active", "frozen": "frozen"}
                balance = self.ask("balance", address=address)
                return {
                    "balance": balance if balance != "0" else 0,
                    "state": states.get(self.ask("state", address=address), "uninitialized"),
                    "block_id": self._id(self._block()),
                }
            case "getTransactions":
                rows = _page(
                    [row for row in self._all() if row["account"] == raw_of(query["address"][0])],
                    {**query, "sort": ["desc"]}, "lt",
                )  # fmt: skip
                return [{"in_msg": _old(row["in_msg"]), "out_msgs": list(map(_old, row["out_msgs"]))} for row in rows]
            case "sendBocReturnHash":
                done = self._sent(asked["boc"])
                return {"@type": "raw.extMessageInfo", "hash": done["in_msg"]["hash"]}
            case "runGetMethod":
                address = raw_of(asked["address"])
                if self.ask("state", address=address) != "active":
                    return {"exit_code": -13, "stack": [], "gas_used": 0}
                number = self.ask("seqno", address=address)
                return {"exit_code": 0, "stack": [["num", hex(number)]], "gas_used": 549}
        raise _Failure(404, "Not Found")

    @staticmethod
    def _id(block: dict[str, Any]) -> dict[str, Any]:
        return {**block, "@type": "ton.blockIdExt", "shard": "-9223372036854775808"}


def _old(message: dict[str, Any]) -> dict[str, Any]:
    """Absent addresses are empty texts."""
    return {"hash": message["hash"], "source": message["source"] or "", "destination": message["destination"] or ""}


def _root(seqno: int) -> str:
    return base64.b64encode(hashlib.sha256(str(seqno).encode()).digest()).decode()


def _page(found: list[dict[str, Any]], query: Query, time: str) -> list[dict[str, Any]]:
    """``end_lt`` is inclusive."""
    limit = int(query.get("limit", ["10"])[0])
    if not 1 <= limit <= 1000:
        raise _Failure(422, f"limit is not allowed: {limit} > 1000")
    if "end_lt" in query:
        found = [row for row in found if int(row[time]) <= int(query["end_lt"][0])]
    found = sorted(found, key=lambda row: int(row[time]), reverse=query.get("sort", ["desc"]) == ["desc"])
    return [{name: value for name, value in row.items() if name != "transfer"} for row in found[:limit]]
