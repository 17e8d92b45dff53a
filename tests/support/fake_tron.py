"""FAKE: a Tron network of one node, in this process.

It is not java-tron. It only checks transactions by the rules that java-tron applies before a block accepts them
(framework, Manager and TransactionCapsule):

- TAPOS: the reference block is one of the last 65,536;
- expiration: after the head block, and at most 24 hours after it;
- the signatures belong to the account's permission, each key counts once, and their weights reach its threshold;
- an id is accepted once;
- bandwidth: 600 bytes are free, the rest is burned from the balance;
- a transfer has an amount above 0, another receiver, and enough balance.

It reads bytes with Google's protobuf and tronpy's messages, recovers keys with coincurve, and imports nothing from the
service. Responses have the form of java-tron's HTTP interface: zero fields are left out, anything unknown is ``{}``,
and messages are hex.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import base58
from coincurve import PublicKey
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tronpy.keys import keccak256
from tronpy.proto import tron_pb2

TAPOS_BLOCKS = 65_536
LONGEST = 24 * 3600 * 1000
BLOCK_TIME = 3000
FREE_BANDWIDTH = 600
SUN_PER_BYTE = 1000
RESULT_SIZE = 64
MOST_BYTES = 500 * 1024
_OWNER_FIELD = {2: 2}
"""Number of the owner's field by type of contract, if it is not 1."""


class Rejected(Exception):
    """``code`` is one of the protocol's response codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Permission:
    threshold: int
    weights: dict[bytes, int]


@dataclass
class Account:
    balance: int = 0
    bandwidth: int = FREE_BANDWIDTH
    permissions: dict[int, Permission] = field(default_factory=dict)
    """By id. Without an entry for 0, the account's own key is its owner permission."""


class FakeTron:
    """``time`` is that of the head block, in milliseconds since 1970. It advances only with `mine`."""

    def __init__(self, time: int) -> None:
        self.accounts: dict[bytes, Account] = {}
        self.blocks: deque[tuple[int, bytes, int]] = deque(maxlen=TAPOS_BLOCKS)
        """(number, id, time), the newest last."""
        self.pool: dict[str, Any] = {}
        self.mined: dict[str, tuple[int, Any]] = {}
        """Number of the block and the transaction, by id."""
        self._add_block(1_000_000, time)

    @property
    def time(self) -> int:
        return self.blocks[-1][2]

    def account(self, address: str) -> Account:
        """By ``T…``, created if it does not exist."""
        return self._account(base58.b58decode_check(address))

    def mine(self, blocks: int = 1) -> None:
        """The first of the blocks takes the pool."""
        for _ in range(blocks):
            number, _, time = self.blocks[-1]
            self._add_block(number + 1, time + BLOCK_TIME)
            self.mined |= {tx_id: (number + 1, transaction) for tx_id, transaction in self.pool.items()}
            self.pool.clear()

    def reference(self) -> dict[str, Any]:
        """What a caller needs to build its own transaction."""
        _, block_id, time = self.blocks[-1]
        return {"block_id": block_id.hex(), "timestamp": time, "expiration": time + 60_000}

    def create(self, owner: str, to: str, amount: int, *, visible: bool = False) -> dict[str, Any]:
        """The response of /wallet/createtransaction."""
        transfer = tron_pb2.TransferContract(
            owner_address=base58.b58decode_check(owner), to_address=base58.b58decode_check(to), amount=amount
        )
        number, block_id, time = self.blocks[-1]
        raw = tron_pb2.Transaction.raw(
            ref_block_bytes=number.to_bytes(8, "big")[6:],
            ref_block_hash=block_id[8:16],
            expiration=time + 60_000,
            timestamp=time,
        )
        contract = raw.contract.add(type=1)
        contract.parameter.Pack(transfer)
        text = (lambda address: address) if visible else (lambda address: base58.b58decode_check(address).hex())
        value = {"owner_address": text(owner), "to_address": text(to), "amount": amount}
        data = raw.SerializeToString()
        return {
            "visible": visible,
            "txID": sha256(data).hexdigest(),
            "raw_data": {
                "contract": [
                    {"parameter": {"value": value, "type_url": contract.parameter.type_url}, "type": "TransferContract"}
                ],
                "ref_block_bytes": raw.ref_block_bytes.hex(),
                "ref_block_hash": raw.ref_block_hash.hex(),
                "expiration": raw.expiration,
                "timestamp": raw.timestamp,
            },
            "raw_data_hex": data.hex(),
        }

    def broadcast(self, data: bytes) -> dict[str, Any]:
        """The response of /wallet/broadcasthex."""
        try:
            tx_id = self._take(data)
        except Rejected as rejected:
            return {"result": False, "code": rejected.code, "message": str(rejected).encode().hex()}
        return {"result": True, "txid": tx_id}

    def app(self) -> Starlette:
        """The HTTP interface, as far as tests need it."""
        return Starlette(routes=[Route("/wallet/{method}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> JSONResponse:
        body = json.loads(await request.body() or b"{}")
        match request.path_params["method"]:
            case "broadcasthex":
                return JSONResponse(self.broadcast(bytes.fromhex(body["transaction"])))
            case "broadcasttransaction":
                return JSONResponse(self.broadcast(_from_json(body)))
            case "createtransaction":
                visible = body.get("visible", False)
                text = (lambda each: each) if visible else (lambda each: _base58(bytes.fromhex(each)))
                owner, to = text(body["owner_address"]), text(body["to_address"])
                return JSONResponse(self.create(owner, to, body["amount"], visible=visible))
            case "getnowblock":
                number, block_id, time = self.blocks[-1]
                header = {"raw_data": {"number": number, "timestamp": time}}
                return JSONResponse({"blockID": block_id.hex(), "block_header": header})
            case "gettransactioninfobyid":
                found = self.mined.get(body["value"])
                known = {} if found is None else {"id": body["value"], "blockNumber": found[0]}
                return JSONResponse(known)
        return JSONResponse({"Error": "class java.lang.NullPointerException : null"})

    def _take(self, data: bytes) -> str:
        if len(data) > MOST_BYTES:
            raise Rejected("TOO_BIG_TRANSACTION_ERROR", "the transaction is too big")
        try:
            transaction = tron_pb2.Transaction.FromString(data)
        except DecodeError:
            raise Rejected("OTHER_ERROR", "not a transaction") from None
        raw = transaction.raw_data
        if len(raw.contract) != 1:
            raise Rejected("CONTRACT_EXE_ERROR", "contract size should be exactly 1")
        tx_id = sha256(raw.SerializeToString()).hexdigest()
        self._check_tapos(raw)
        self._check_expiration(raw)
        if tx_id in self.pool or tx_id in self.mined:
            raise Rejected("DUP_TRANSACTION_ERROR", "Dup transaction.")
        owner = _owner(raw.contract[0])
        self._check_signatures(transaction, owner, bytes.fromhex(tx_id))
        fee = self._bandwidth_fee(data, owner)
        self._execute(raw.contract[0], owner, fee)
        self.pool[tx_id] = transaction
        return tx_id

    def _check_tapos(self, raw: Any) -> None:
        for number, block_id, _ in self.blocks:
            if number.to_bytes(8, "big")[6:] == raw.ref_block_bytes and block_id[8:16] == raw.ref_block_hash:
                return
        raise Rejected("TAPOS_ERROR", "Tapos check error.")

    def _check_expiration(self, raw: Any) -> None:
        if not self.time < raw.expiration <= self.time + LONGEST:
            raise Rejected("TRANSACTION_EXPIRATION_ERROR", "Transaction expired")

    def _check_signatures(self, transaction: Any, owner: bytes, digest: bytes) -> None:
        number = transaction.raw_data.contract[0].Permission_id
        permission = self._account(owner).permissions.get(number)
        if permission is None and number == 0:
            permission = Permission(1, {owner: 1})
        if permission is None:
            raise Rejected("SIGERROR", "Validate signature error: permission isn't exit")
        if not 0 < len(transaction.signature) <= len(permission.weights):
            raise Rejected("SIGERROR", "Validate signature error: wrong number of signatures")
        signers = [_signer(digest, signature) for signature in transaction.signature]
        if len(set(signers)) != len(signers) or not set(signers) <= permission.weights.keys():
            raise Rejected("SIGERROR", "Validate signature error: a signature is not of the permission")
        if sum(permission.weights[signer] for signer in signers) < permission.threshold:
            raise Rejected("SIGERROR", "Validate signature error: threshold not reached")

    def _bandwidth_fee(self, data: bytes, owner: bytes) -> int:
        account, size = self._account(owner), len(data) + RESULT_SIZE
        if account.bandwidth >= size:
            account.bandwidth -= size
            return 0
        if account.balance < size * SUN_PER_BYTE:
            raise Rejected("BANDWITH_ERROR", "Account resource insufficient error.")
        return size * SUN_PER_BYTE

    def _execute(self, contract: Any, owner: bytes, fee: int) -> None:
        account = self._account(owner)
        if contract.type == 1:
            transfer = tron_pb2.TransferContract()
            contract.parameter.Unpack(transfer)
            if transfer.amount <= 0 or transfer.to_address == owner or len(transfer.to_address) != 21:
                raise Rejected("CONTRACT_VALIDATE_ERROR", "Contract validate error")
            if account.balance < transfer.amount + fee:
                raise Rejected("CONTRACT_VALIDATE_ERROR", "Validate TransferContract error, balance is not sufficient.")
            account.balance -= transfer.amount
            self._account(transfer.to_address).balance += transfer.amount
        account.balance -= fee

    def _account(self, address: bytes) -> Account:
        return self.accounts.setdefault(address, Account())

    def _add_block(self, number: int, time: int) -> None:
        block_id = number.to_bytes(8, "big") + sha256(b"%d" % number).digest()[8:]
        self.blocks.append((number, block_id, time))


def _owner(contract: Any) -> bytes:
    """The owner of any contract, read as a message without fields, so that all its fields are unknown ones."""
    wanted = _OWNER_FIELD.get(contract.type, 1)
    fields: Any = UnknownFieldSet(Empty.FromString(contract.parameter.value))
    for each in fields:
        if each.field_number == wanted and isinstance(each.data, bytes):
            return each.data
    raise Rejected("CONTRACT_VALIDATE_ERROR", "the contract has no owner")


def _signer(digest: bytes, signature: bytes) -> bytes:
    if len(signature) < 65 or signature[64] % 27 > 1:
        raise Rejected("SIGERROR", "Validate signature error: signature size is wrong")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] % 27]), digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve's own class of errors
        raise Rejected("SIGERROR", "Validate signature error: no key made this") from None
    return b"\x41" + keccak256(key.format(compressed=False)[1:])[-20:]


def _from_json(form: dict[str, Any]) -> bytes:
    """java-tron reads ``raw_data``. This fake uses ``raw_data_hex``, and relies on the signer to have compared both."""
    whole = tron_pb2.Transaction(raw_data=tron_pb2.Transaction.raw.FromString(bytes.fromhex(form["raw_data_hex"])))
    whole.signature.extend(bytes.fromhex(signature) for signature in form["signature"])
    return bytes(whole.SerializeToString())


def _base58(address: bytes) -> str:
    return base58.b58encode_check(address).decode()
