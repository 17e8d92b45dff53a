"""FAKE: the reading half of java-tron's HTTP interface over `FakeTron`, which checks broadcast transactions.

Like java-tron: two interfaces, of which ``/walletsolidity`` is 19 blocks behind; the newest state includes the pool;
POST with JSON; zero fields are left out; anything unknown is ``{}``; a bad request is ``Error`` with status 200; a
revert says ``FAILED`` only in the simulated transaction; a call of no contract is CONTRACT_VALIDATE_ERROR; a lite node
refuses old data in plain text. Like TronGrid: 403 and a suspension.

It imports nothing from the service. Contracts are read with eth_abi, the rest with tronpy's messages.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import base58
import eth_abi
from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from tests.support.fake_tron import FREE_BANDWIDTH, RESULT_SIZE, FakeTron

CONFIRMATIONS = 19
GENESIS = {
    "tron": "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc",
    "tron-nile": "0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc",
}
"""Ids of the first blocks, as explorers show them."""
MULTICALL = "TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED"
PARAMETERS = {
    "getMaintenanceTimeInterval": 21600000,
    "getCreateNewAccountFeeInSystemContract": 1000000,
    "getTransactionFee": 1000,
    "getEnergyFee": 100,
    "getMultiSignFee": 1000000,
    "getMemoFee": 1000000,
    "getAllowUpdateAccountName": 0,
}
_OLD = {"getblock", "gettransactionbyid", "gettransactioninfobyid"}


@dataclass
class Token:
    decimals: int = 6
    balances: dict[bytes, int] = field(default_factory=dict)
    """By the holder's 20 bytes."""
    way: str = ""
    """``reverts`` (with a word that looks like an amount), ``short`` or ``hungry`` (burns all energy)."""


@dataclass
class State:
    balances: dict[bytes, int]
    tokens: dict[bytes, Token]
    more: dict[bytes, dict[str, Any]]


class FakeTronNode(FakeTron):
    def __init__(self, time: int, network: str = "tron-nile", *, multicall: bool = False) -> None:
        self.states: dict[int, State] = {}
        self.tokens: dict[bytes, Token] = {}
        self.more: dict[bytes, dict[str, Any]] = {}
        """Further fields of an account, as JSON, by address."""
        self.failed: set[str] = set()
        """Ids of transactions that revert."""
        self.genesis: str | None = GENESIS[network]
        self.multicall = base58.b58decode_check(MULTICALL)[1:] if multicall else None
        self.most_calls = 500
        """In one constant call, before it takes too long."""
        self.lite = False
        self.suspended = 0
        """Seconds for which it does not respond."""
        self.code = ""
        """The code with which it refuses broadcasts."""
        self.calls: Counter[str] = Counter()
        super().__init__(time)
        self.mine(2 * CONFIRMATIONS)

    def fund(self, address: str, balance: int, **more: Any) -> None:
        self.account(address).balance = balance
        if more:
            self.more[base58.b58decode_check(address)] = more

    def settle(self) -> None:
        """Make the current state solid."""
        self.mine(CONFIRMATIONS + 1)

    def token(
        self, address: str, balances: Mapping[str, int] | None = None, *, decimals: int = 6, way: str = ""
    ) -> Token:
        """``balances`` are by ``T…``."""
        holders = {base58.b58decode_check(each)[1:]: amount for each, amount in (balances or {}).items()}
        made = Token(decimals, holders, way)
        self.tokens[base58.b58decode_check(address)[1:]] = made
        return made

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """For `liar.lying_http`."""
        face, _, name = path.partition("?")[0].strip("/").partition("/")
        self.calls[f"{face}/{name}"] += 1
        if self.suspended:
            words = f"The key exceeds the frequency limit(15), and the query server is suspended for {self.suspended} s"
            return 403, json.dumps({"Error": words}).encode()
        if self.lite and name in _OLD:
            return 200, b"this API is closed because this node is a lite fullnode"
        try:
            asked = json.loads(body or b"{}")
            found = self._face(face == "walletsolidity", name, asked)
        except (KeyError, TypeError):
            found = {"Error": "class java.lang.NullPointerException : null"}
        except ValueError:
            found = {"Error": "class org.bouncycastle.util.encoders.DecoderException : invalid characters"}
        return (404, b"") if found is None else (200, json.dumps(found).encode())

    def _face(self, solid: bool, name: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        match name:
            case "getblock":
                return self._block(solid, asked)
            case "getaccount":
                return self._shown(solid, bytes.fromhex(asked["address"]))
            case "triggerconstantcontract":
                return self._constant(solid, asked)
            case "gettransactioninfobyid":
                return self._info(solid, asked["value"])
            case "gettransactionbyid":
                return self._transaction(solid, asked["value"])
            case "gettransactionfrompending" if not solid:
                return {"txID": asked["value"]} if asked["value"] in self.pool else {}
            case "getchainparameters" if not solid:
                return {"chainParameter": [_nonzero(key=key, value=value) for key, value in PARAMETERS.items()]}
            case "broadcasthex" if not solid:
                return self._broadcast(bytes.fromhex(asked["transaction"]))
        return None

    def solid_number(self) -> int:
        return self.blocks[-1][0] - CONFIRMATIONS

    def _block(self, solid: bool, asked: dict[str, Any]) -> dict[str, Any]:
        number = int(asked.get("id_or_num", self.solid_number() if solid else self.blocks[-1][0]))
        if number == 0 and self.genesis is not None:
            return {"blockID": self.genesis, "block_header": {"raw_data": {"txTrieRoot": "00" * 32}}}
        for height, block_id, time in self.blocks:
            if height == number and not (solid and number > self.solid_number()):
                return {"blockID": block_id.hex(), "block_header": {"raw_data": {"number": height, "timestamp": time}}}
        return {}

    def _state(self, solid: bool) -> State:
        return self.states[max(self.solid_number(), min(self.states))] if solid else self._now()

    def _now(self) -> State:
        balances = {address: account.balance for address, account in self.accounts.items()}
        return copy.deepcopy(State(balances, self.tokens, self.more))

    def _shown(self, solid: bool, address: bytes) -> dict[str, Any]:
        state = self._state(solid)
        if address not in state.balances:
            return {}
        return _nonzero(address=address.hex(), balance=state.balances[address]) | state.more.get(address, {})

    def _info(self, solid: bool, tx_id: str) -> dict[str, Any]:
        number, transaction = self.mined.get(tx_id, (0, None))
        if transaction is None or (solid and number > self.solid_number()):
            return {}
        failed = tx_id in self.failed
        time = next(time for height, _, time in self.blocks if height == number)
        size = len(transaction.SerializeToString()) + RESULT_SIZE
        fee = 0 if size <= FREE_BANDWIDTH else size * 1000
        contract = {"result": "REVERT" if failed else "SUCCESS"} if transaction.raw_data.contract[0].type == 31 else {}
        receipt = _nonzero(net_usage=0 if fee else size, net_fee=fee) | contract
        found = _nonzero(id=tx_id, fee=fee, blockNumber=number, blockTimeStamp=time, contractResult=[""])
        return found | {"receipt": receipt} | ({"result": "FAILED", "resMessage": "52455645525420"} if failed else {})

    def _transaction(self, solid: bool, tx_id: str) -> dict[str, Any]:
        number, transaction = self.mined.get(tx_id, (0, None))
        if transaction is None and not solid:
            transaction = self.pool.get(tx_id)
        if transaction is None or (solid and number > self.solid_number()):
            return {}
        raw = transaction.raw_data.SerializeToString()
        return {"txID": tx_id, "raw_data_hex": raw.hex(), "ret": [{"contractRet": "SUCCESS"}] if number else []}

    def _broadcast(self, data: bytes) -> dict[str, Any]:
        try:
            raw = tron_pb2.Transaction.FromString(data).raw_data.SerializeToString()
        except DecodeError:
            return {"Error": "class com.google.protobuf.InvalidProtocolBufferException : invalid tag"}
        tx_id = sha256(raw).hexdigest()
        if self.code:
            return {"result": False, "code": self.code, "message": b"no".hex(), "txid": tx_id}
        return {"code": "SUCCESS", "message": ""} | self.broadcast(data) | {"txid": tx_id}

    def _constant(self, solid: bool, asked: dict[str, Any]) -> dict[str, Any]:
        contract = bytes.fromhex(asked["contract_address"])[1:]
        state, data = self._state(solid), bytes.fromhex(asked["parameter"])
        if contract == self.multicall:
            if asked["function_selector"] == "getEthBalance(address)":
                return _constant_result(state.balances.get(b"\x41" + data[12:], 0).to_bytes(32, "big"))
            return self._aggregate(state, data)
        if contract not in state.tokens:
            message = b"Smart contract is not exist.".hex()
            return {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": message}}
        token = state.tokens[contract]
        given = _run(token, asked["function_selector"], data)
        if given is None:
            message = b"REVERT opcode executed".hex()
            found = _constant_result((6).to_bytes(32, "big")) | {"transaction": {"ret": [{"ret": "FAILED"}]}}
            return found | {"result": {"result": True, "message": message}}
        return _constant_result(given)

    def _aggregate(self, state: State, data: bytes) -> dict[str, Any]:
        [calls] = eth_abi.decode(["(address,bool,bytes)[]"], data)
        if len(calls) > self.most_calls:
            message = b"class org.tron.core.vm.program.Program$OutOfTimeException : CPU timeout".hex()
            return {"result": {"code": "OTHER_ERROR", "message": message}}
        results, spent = [], False
        for target, _, call in calls:
            contract = bytes.fromhex(target[2:])
            given: bytes | None = b""
            if call[:4].hex() == "4d2301cc":
                given = state.balances.get(b"\x41" + call[16:], 0).to_bytes(32, "big")
            elif contract in state.tokens:
                token = state.tokens[contract]
                selector = {"70a08231": "balanceOf(address)", "313ce567": "decimals()"}[call[:4].hex()]
                given = None if spent else _run(token, selector, call[4:])
                spent = spent or token.way == "hungry"
            results.append((given is not None, given or b""))
        return _constant_result(eth_abi.encode(["(bool,bytes)[]"], [results]))

    def _add_block(self, number: int, time: int) -> None:
        super()._add_block(number, time)
        self.states[number] = self._now()


def _run(token: Token, selector: str, data: bytes) -> bytes | None:
    if token.way in ("reverts", "hungry"):
        return None
    if token.way == "short":
        return bytes(31)
    value = token.decimals if selector == "decimals()" else token.balances.get(data[12:32], 0)
    return value.to_bytes(32, "big")


def _constant_result(data: bytes) -> dict[str, Any]:
    return {
        "result": {"result": True},
        "energy_used": 935,
        "constant_result": [data.hex()],
        "transaction": {"ret": [{}]},
    }


def _nonzero(**fields: Any) -> dict[str, Any]:
    """Leave out default values, as protobuf's JSON does."""
    return {name: value for name, value in fields.items() if value}
