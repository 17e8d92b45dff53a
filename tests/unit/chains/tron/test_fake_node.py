"""A FAKE Tron node (tests/support/fake_tron.py) accepts what the service signed, and refuses what nodes must refuse."""

from __future__ import annotations

import time
from typing import Any

import base58
import httpx
import pytest

from tests.support.fake_tron import LONGEST, FakeTron, Permission
from tests.support.service import RunningService

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
OTHER_WORDS = "test test test test test test test test test test test junk"
PAYEE = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
OTHER = "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"
TRX = 1_000_000


@pytest.fixture
def node() -> FakeTron:
    return FakeTron(int(time.time()) * 1000)


class Wallet:
    def __init__(self, service: RunningService, made: dict[str, Any]) -> None:
        self.service = service
        self.id = made["id"]
        self.address: str = made["addresses"][0]["address"]

    async def sign(self, unsigned: Any, face: int = 0, **more: Any) -> dict[str, Any]:
        command = {"wallet_id": self.id, "network": "tron-nile", "unsigned_tx": unsigned, **more}
        outcome = await self.service.faces[face].call("transactions.sign", command, key=self.service.key)
        assert outcome.code == "ok", outcome
        signed: dict[str, Any] = outcome.result
        return signed


async def wallet(service: RunningService, words: str = WORDS) -> Wallet:
    command = {"kind": "bip39", "mnemonic": words, "networks": ["tron-nile"]}
    made = await service.http.call("wallets.import", command, key=service.key)
    return Wallet(service, made.result)


def broadcast(node: FakeTron, signed: dict[str, Any]) -> dict[str, Any]:
    return node.broadcast(bytes.fromhex(signed["signed_tx"]))


async def test_a_transfer_that_the_node_made_is_taken_once(service: RunningService, node: FakeTron) -> None:
    ours = await wallet(service)
    node.account(ours.address).balance = 10 * TRX
    async with httpx.AsyncClient(transport=httpx.ASGITransport(node.app()), base_url="http://fake") as client:
        for number, visible in enumerate((False, True)):
            owner, to = ours.address, PAYEE
            if not visible:
                owner, to = (base58.b58decode_check(each).hex() for each in (owner, to))
            asked = {"owner_address": owner, "to_address": to, "amount": (number + 1) * TRX, "visible": visible}
            unsigned = (await client.post("/wallet/createtransaction", json=asked)).json()
            signed = await ours.sign(unsigned, number)
            details = signed["details"]
            path, body = (
                ("broadcasttransaction", details["transaction"])
                if visible
                else ("broadcasthex", {"transaction": signed["signed_tx"]})
            )
            answer = (await client.post(f"/wallet/{path}", json=body)).json()
            assert answer == {"result": True, "txid": signed["tx_id"]}
            again = (await client.post(f"/wallet/{path}", json=body)).json()
            assert again["code"] == "DUP_TRANSACTION_ERROR"
            info = {"value": signed["tx_id"]}
            assert (await client.post("/wallet/gettransactioninfobyid", json=info)).json() == {}
            node.mine()
            assert (await client.post("/wallet/gettransactioninfobyid", json=info)).json()["id"] == signed["tx_id"]
    assert node.account(PAYEE).balance == 3 * TRX


@pytest.mark.parametrize(
    "contract",
    [
        {"type": "TransferContract", "to_address": PAYEE, "amount": TRX},
        {"type": "TransferAssetContract", "asset_name": "1002000", "to_address": PAYEE, "amount": 1},
        {"type": "VoteWitnessContract", "votes": [{"vote_address": PAYEE, "vote_count": 1}]},
        {"type": "FreezeBalanceV2Contract", "frozen_balance": TRX, "resource": "ENERGY"},
        {"type": "DelegateResourceContract", "balance": TRX, "receiver_address": PAYEE},
        {"type": "WithdrawBalanceContract"},
        {
            "type": "TriggerSmartContract",
            "contract_address": PAYEE,
            "function_selector": "transfer(address,uint256)",
            "arguments": [OTHER, "1"],
        },
    ],
    ids=lambda contract: contract["type"],
)
async def test_what_is_built_here_is_taken(service: RunningService, node: FakeTron, contract: dict[str, Any]) -> None:
    ours = await wallet(service)
    node.account(ours.address).balance = 10 * TRX
    unsigned = {"contract": {**contract, "owner_address": ours.address}, **node.reference()}
    if contract["type"] == "TriggerSmartContract":
        unsigned["fee_limit"] = 100 * TRX
    signed = await ours.sign(unsigned)
    before = node.account(ours.address).bandwidth
    assert broadcast(node, signed) == {"result": True, "txid": signed["tx_id"]}
    assert before - node.account(ours.address).bandwidth == signed["summary"]["details"]["bandwidth"]


async def test_what_a_node_must_refuse_is_refused(service: RunningService, node: FakeTron) -> None:
    ours = await wallet(service)
    node.account(ours.address).balance = 10 * TRX

    async def signed(**changes: Any) -> dict[str, Any]:
        transfer = {"type": "TransferContract", "owner_address": ours.address, "to_address": PAYEE, "amount": TRX}
        return await ours.sign({"contract": transfer, **node.reference(), **changes})

    assert broadcast(node, await signed(block_id="00" * 32))["code"] == "TAPOS_ERROR"
    late = await signed()
    node.mine(30)
    assert broadcast(node, late)["code"] == "TRANSACTION_EXPIRATION_ERROR"
    raw = bytearray.fromhex((await signed())["signed_tx"])
    raw[-40] ^= 1
    assert node.broadcast(bytes(raw))["code"] == "SIGERROR"
    transfer = {"type": "TransferContract", "owner_address": ours.address, "to_address": PAYEE, "amount": 11 * TRX}
    rich = await ours.sign({"contract": transfer, **node.reference()})
    assert broadcast(node, rich)["code"] == "CONTRACT_VALIDATE_ERROR"
    node.account(ours.address).bandwidth = node.account(ours.address).balance = 0
    assert broadcast(node, await signed())["code"] == "BANDWITH_ERROR"
    assert node.time < int(late["details"]["expiration"]) + LONGEST


@pytest.mark.parametrize("number", [0, 2])
async def test_two_keys_of_a_permission_sign_one_after_the_other(
    service: RunningService, node: FakeTron, number: int
) -> None:
    first, second = await wallet(service), await wallet(service, OTHER_WORDS)
    weights = {base58.b58decode_check(each.address): 1 for each in (first, second)}
    account = node.account(first.address)
    account.balance, account.permissions[number] = 10 * TRX, Permission(2, weights)
    transfer = {"type": "TransferContract", "owner_address": first.address, "to_address": PAYEE, "amount": TRX}
    if number:
        transfer["Permission_id"] = number
    one = await first.sign({"contract": transfer, **node.reference()})
    assert broadcast(node, one)["code"] == "SIGERROR"
    allowed = {} if number else {"index": 0, "options": {"allow": ["owner_cosigning"]}}
    two = await second.sign(one["signed_tx"], 1, **allowed)
    assert two["complete"] is not True
    assert two["details"]["signed_by"] == [first.address, second.address]
    assert broadcast(node, two) == {"result": True, "txid": one["tx_id"]}
