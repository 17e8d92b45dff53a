"""FAKE: TronGrid's ``/v1`` over `FakeTronNode`, whose transactions it lists.

Its rules (tronprotocol/documentation-en, docs/clients/tron-grid.md; shapes as in the fixtures of LedgerHQ/ledger-live,
libs/coin-modules/coin-tron): at most 200 rows, and at least 20 if there are pages; a ``fingerprint`` belongs to its
query; confirmed means solid; ``max_timestamp`` is inclusive; approvals are listed among the transfers; calls inside
transactions are listed among the transactions, with other fields; lists of transfers and calls have no heights.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import base58
from tronpy.proto import tron_pb2

from tests.support.fake_tron_node import FakeTronNode

MOST, LEAST = 200, 20
_TRANSFER, _APPROVE = bytes.fromhex("a9059cbb"), bytes.fromhex("095ea7b3")
_TYPES = {1: "TransferContract", 31: "TriggerSmartContract", 2: "TransferAssetContract"}


class FakeTronGrid:
    def __init__(self, node: FakeTronNode) -> None:
        self.node = node
        self.inside: list[dict[str, Any]] = []
        """Calls inside transactions: tx_id, sender, to, amount, rejected."""
        self.info: dict[str, dict[str, Any]] = {}
        """What a token says about itself, by address."""
        self.held: dict[str, dict[str, str]] = {}
        """TRC-20 balances by account."""

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        where, _, query = path.partition("?")
        if not where.startswith("/v1/accounts/") or self.node.suspended:
            return await self.node.answer(method, path, body)
        self.node.calls[where.removeprefix("/v1/accounts/")[35:] or "account"] += 1
        address, _, name = where.removeprefix("/v1/accounts/").partition("/")
        asked = dict(parse_qsl(query))
        try:
            raw = base58.b58decode_check(address)
        except ValueError:
            failure = {"success": False, "error": "Invalid address provided", "statusCode": 400}
            return 400, json.dumps(failure).encode()
        if not name:
            held = [{contract: amount} for contract, amount in self.held.get(address, {}).items()]
            data = [{"address": raw.hex(), "balance": 1, "trc20": held}] if held else []
            return 200, json.dumps({"data": data, "success": True, "meta": {"at": 1, "page_size": len(data)}}).encode()
        rows = self._transfers(address) if name.endswith("trc20") else self._transactions(raw)
        return 200, json.dumps(self._page(rows, asked)).encode()

    def _page(self, rows: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
        assert asked["order_by"] == "block_timestamp,desc"
        assert asked["only_confirmed"] == "true"
        solid = next(time for number, _, time in self.node.blocks if number == self.node.solid_number())
        top = min(int(asked.get("max_timestamp", solid)), solid)
        rows = [row for row in rows if row["block_timestamp"] <= top]
        rows.sort(key=lambda row: row["block_timestamp"], reverse=True)
        print_, limit = asked.pop("fingerprint", ""), max(LEAST, min(int(asked["limit"]), MOST))
        mark = sha256(json.dumps(asked).encode()).hexdigest()[:8]
        start = 0
        if print_:
            assert print_.startswith(mark), "the fingerprint of another query"
            start = int(print_[8:])
        page = rows[start : start + limit]
        meta: dict[str, Any] = {"at": 1, "page_size": len(page)}
        if len(page) == limit:
            meta["fingerprint"] = f"{mark}{start + limit}"
            meta["links"] = {"next": "http://127.0.0.1:1/trap"}
        return {"data": page, "success": True, "meta": meta}

    def _transactions(self, address: bytes) -> list[dict[str, Any]]:
        found = []
        for tx_id, (number, transaction) in reversed(self.node.mined.items()):
            [contract] = transaction.raw_data.contract
            value = _value(contract)
            if address.hex() not in (value.get("owner_address"), value.get("to_address")):
                continue
            info = self.node._info(False, tx_id)
            row = {
                "ret": [
                    {"contractRet": "REVERT" if tx_id in self.node.failed else "SUCCESS", "fee": info.get("fee", 0)}
                ],
                "txID": tx_id,
                "blockNumber": number,
                "block_timestamp": info["blockTimeStamp"],
                "raw_data": {"contract": [{"parameter": {"value": value}, "type": _TYPES[contract.type]}]},
                "internal_transactions": [],
            }
            found.append(row)
        ours = base58.b58encode_check(address).decode()
        return found + [self._inside(each) for each in self.inside if ours in (each["sender"], each["to"])]

    def _inside(self, each: dict[str, Any]) -> dict[str, Any]:
        return {
            "internal_tx_id": sha256(json.dumps(each).encode()).hexdigest(),
            "data": {"note": "63616c6c", "rejected": each["rejected"], "call_value": {"_": each["amount"]}},
            "block_timestamp": self.node._info(False, each["tx_id"])["blockTimeStamp"],
            "to_address": base58.b58decode_check(each["to"]).hex(),
            "tx_id": each["tx_id"],
            "from_address": base58.b58decode_check(each["sender"]).hex(),
        }

    def _transfers(self, address: str) -> list[dict[str, Any]]:
        found = []
        for tx_id, (_, transaction) in reversed(self.node.mined.items()):
            [contract] = transaction.raw_data.contract
            if contract.type != 31 or tx_id in self.node.failed:
                continue
            call = tron_pb2.TriggerSmartContract()
            contract.parameter.Unpack(call)
            to = base58.b58encode_check(b"\x41" + call.data[16:36]).decode()
            token = base58.b58encode_check(call.contract_address).decode()
            sender = base58.b58encode_check(call.owner_address).decode()
            if call.data[:4] not in (_TRANSFER, _APPROVE) or address not in (sender, to):
                continue
            found.append(
                {
                    "transaction_id": tx_id,
                    "token_info": {"address": token, **self.info.get(token, {})},
                    "block_timestamp": self.node._info(False, tx_id)["blockTimeStamp"],
                    "from": sender,
                    "to": to,
                    "type": "Transfer" if call.data[:4] == _TRANSFER else "Approval",
                    "value": str(int.from_bytes(call.data[36:68], "big")),
                }
            )
        return found


def _value(contract: Any) -> dict[str, Any]:
    match contract.type:
        case 1:
            message = tron_pb2.TransferContract()
        case 31:
            message = tron_pb2.TriggerSmartContract()
        case _:
            message = tron_pb2.TransferAssetContract()
    contract.parameter.Unpack(message)
    return {
        field.name: value.hex() if isinstance(value, bytes) else value
        for field, value in message.ListFields()
        if isinstance(value, bytes | int)
    }
