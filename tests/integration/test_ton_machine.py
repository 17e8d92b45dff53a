"""TON's virtual machine executes what the running service signed, and refuses what the service refuses."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytoniq_core import Address, Cell, begin_cell
from ton_core.contrib.contracts.codes import CONTRACT_CODES

from strongroom.chains.ton import addresses, boc, build
from strongroom.chains.ton.chain import Ton
from strongroom.chains.ton.contracts import V3R2, V4R2, Account
from tests.integration.conftest import Service
from tests.support.ton import Machine, Refused

pytestmark = pytest.mark.needs("ton-sandbox")

TON = 10**9
CONTRACTS = ["v3r2", "v4r2", "v5r1"]
TO = "0:" + "35" * 32
CODES = {
    getattr(name, "value", name): base64.b64encode(bytes.fromhex(code)).decode()
    for name, code in CONTRACT_CODES.items()
}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@dataclass
class Wallet:
    """A wallet of the service, and the chain that it is on."""

    service: Service
    machine: Machine
    id: str
    scheme: str
    address: str

    @classmethod
    async def new(cls, service: Service, machine: Machine, contract: str, kind: str = "ton_native") -> Wallet:
        made = await service.ask("wallets.create", kind=kind)
        scheme = f"{'native' if kind == 'ton_native' else 'bip39'}-{contract}"
        found = await service.ask("addresses.derive", wallet_id=made["id"], network="ton", scheme=scheme)
        machine.ask("fund", address=found["forms"]["raw"], amount=str(20 * TON))
        return cls(service, machine, made["id"], scheme, found["forms"]["raw"])

    def form(self, *messages: dict[str, Any], seqno: int, **more: Any) -> dict[str, Any]:
        return {"seqno": seqno, "valid_until": int(time.time()) + 300, "messages": list(messages), **more}

    async def sign(self, unsigned: dict[str, Any], **options: Any) -> dict[str, Any]:
        signed: dict[str, Any] = await self.service.ask("transactions.sign", **self.command(unsigned, **options))
        return signed

    def command(self, unsigned: dict[str, Any], **options: Any) -> dict[str, Any]:
        return {
            "wallet_id": self.id,
            "network": "ton",
            "scheme": self.scheme,
            "unsigned_tx": unsigned,
            **({"options": options} if options else {}),
        }

    async def transfer(self, *messages: dict[str, Any], seqno: int, **more: Any) -> list[dict[str, Any]]:
        """Signs and broadcasts. The wallet's own transaction must have succeeded."""
        signed = await self.sign(self.form(*messages, seqno=seqno, **more))
        done = self.machine.send(signed["signed_tx"])
        assert done[0]["external"]
        assert (done[0]["account"], done[0]["aborted"]) == (self.address, False)
        assert (done[0]["compute"], done[0]["action"]) == (0, 0)
        actions = [action["details"]["to_raw"] for action in signed["summary"]["actions"]]
        assert [sent["to"] for sent in done[0]["sent"]] == actions
        return done

    def seqno(self) -> int:
        found: int = self.machine.ask("seqno", address=self.address)
        return found


def pay(to: str = TO, amount: int = TON // 100, **more: Any) -> dict[str, Any]:
    return {"address": to, "amount": str(amount), "bounce": False, **more}


@pytest.mark.parametrize("kind", ["ton_native", "bip39"])
@pytest.mark.parametrize("contract", CONTRACTS)
async def test_a_new_wallet_is_deployed_by_its_first_transfer_and_goes_on(
    service: Service, machine: Machine, contract: str, kind: str
) -> None:
    wallet = await Wallet.new(service, machine, contract, kind)
    before = int(machine.ask("balance", address=TO))
    done = await wallet.transfer(pay(comment="first"), seqno=0, valid_until=2**32 - 1)
    assert done[0]["sent"][0]["value"] == str(TON // 100)
    assert machine.ask("state", address=wallet.address) == "active"
    assert wallet.seqno() == 1
    await wallet.transfer(pay(), seqno=1)
    assert wallet.seqno() == 2
    assert int(machine.ask("balance", address=TO)) > before


@pytest.mark.parametrize(("contract", "count"), [("v3r2", 4), ("v4r2", 4), ("v5r1", 255)])
async def test_as_many_messages_as_the_contract_takes_go_out_in_their_order(
    service: Service, machine: Machine, contract: str, count: int
) -> None:
    wallet = await Wallet.new(service, machine, contract)
    messages = [pay(f"0:{place:064x}", amount=TON // 1000 + place) for place in range(1, count + 1)]
    done = await wallet.transfer(*messages, seqno=0)
    assert [(sent["to"], sent["value"]) for sent in done[0]["sent"]] == [
        (message["address"], message["amount"]) for message in messages
    ]
    too_many = wallet.form(*messages, pay(), seqno=1)
    assert await service.refusal("transactions.sign", **wallet.command(too_many)) == "invalid_transaction"


def body(cell: Any) -> str:
    return base64.b64encode(cell.end_cell().to_boc()).decode()


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_jettons_are_sent_as_the_summary_says(service: Service, machine: Machine, contract: str) -> None:
    wallet = await Wallet.new(service, machine, contract)
    master = machine.ask(
        "jetton", master=CODES["jetton_master_standard"], wallet=CODES["jetton_wallet_standard"], owner=wallet.address,
        amount="1000",
    )  # fmt: skip
    mine = machine.ask("jettonWallet", master=master, owner=wallet.address)
    somebody = f"0:{secrets.token_hex(32)}"
    assert machine.ask("jettonBalance", wallet=mine) == "1000"
    comment = begin_cell().store_uint(0, 32).store_bytes(b"rent").end_cell()
    transfer = begin_cell().store_uint(0x0F8A7EA5, 32).store_uint(7, 64).store_coins(400)
    transfer.store_address(Address(somebody)).store_address(Address(wallet.address)).store_bit(0).store_coins(1)
    transfer.store_bit(1).store_ref(comment)
    unsigned = wallet.form({"address": mine, "amount": str(TON // 10), "payload": body(transfer)}, seqno=0)
    signed = await wallet.sign(unsigned)
    [action] = signed["summary"]["actions"]
    assert (action["kind"], action["amount"]) == ("jetton_transfer", "400")
    assert (action["details"]["recipient_raw"], action["details"]["comment"]) == (somebody, "rent")
    machine.send(signed["signed_tx"])
    theirs = machine.ask("jettonWallet", master=master, owner=somebody)
    assert machine.ask("jettonBalance", wallet=theirs) == "400"
    assert machine.ask("jettonBalance", wallet=mine) == "600"

    burn = begin_cell().store_uint(0x595F07BC, 32).store_uint(8, 64).store_coins(100)
    burn.store_address(Address(wallet.address)).store_bit(0)
    signed = await wallet.sign(wallet.form({"address": mine, "amount": str(TON // 10), "payload": body(burn)}, seqno=1))
    assert signed["summary"]["actions"][0]["kind"] == "jetton_burn"
    machine.send(signed["signed_tx"])
    assert machine.ask("jettonBalance", wallet=mine) == "500"


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_an_nft_changes_hands_as_the_summary_says(service: Service, machine: Machine, contract: str) -> None:
    wallet = await Wallet.new(service, machine, contract)
    item = machine.ask("nft", code=CODES["nft_item_standard"], owner=wallet.address)
    transfer = begin_cell().store_uint(0x5FCC3D14, 32).store_uint(1, 64).store_address(Address(TO))
    transfer.store_address(Address(wallet.address)).store_bit(0).store_coins(0).store_bit(0)
    signed = await wallet.sign(
        wallet.form({"address": item, "amount": str(TON // 5), "payload": body(transfer)}, seqno=0)
    )
    [action] = signed["summary"]["actions"]
    assert (action["kind"], action["details"]["recipient_raw"]) == ("nft_transfer", TO)
    assert machine.ask("nftOwner", item=item) == wallet.address
    machine.send(signed["signed_tx"])
    assert machine.ask("nftOwner", item=item) == TO


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_what_the_service_refuses_the_contract_refuses_too(
    service: Service, machine: Machine, contract: str
) -> None:
    wallet = await Wallet.new(service, machine, contract)
    first = wallet.form(pay(), seqno=0)
    signed = await wallet.sign(first)
    machine.send(signed["signed_tx"])

    with pytest.raises(Refused):  # the same again
        machine.send(signed["signed_tx"])
    other = wallet.form(pay(amount=1), seqno=0)
    assert await service.refusal("transactions.sign", **wallet.command(other)) == "already_signed"
    again = await wallet.sign(other, allow_resign=True)
    with pytest.raises(Refused):
        machine.send(again["signed_tx"])

    soon = wallet.form(pay(), seqno=1, valid_until=int(time.time()) + 60)
    late = await wallet.sign(soon)
    machine.ask("now", at=int(time.time()) + 61)
    with pytest.raises(Refused):
        machine.send(late["signed_tx"])
    past = wallet.form(pay(), seqno=1, valid_until=int(time.time()))
    assert await service.refusal("transactions.sign", **wallet.command(past)) == "invalid_transaction"
    assert wallet.seqno() == 1


@pytest.mark.parametrize("contract", CONTRACTS)
async def test_one_bit_that_is_flipped_is_refused_by_the_contract(
    service: Service, machine: Machine, contract: str
) -> None:
    wallet = await Wallet.new(service, machine, contract)
    await wallet.transfer(pay(), seqno=0)
    signed = await wallet.sign(wallet.form(pay(), seqno=1))
    root = Cell.one_from_boc(base64.b64decode(signed["signed_tx"]))
    for place in range(2 + 2 + 3 + 8 + 256 + 4 + 1 + 1, len(root.bits), 97):  # of the body
        bits = root.bits[:]
        bits.invert(place)
        changed = begin_cell().store_bits(bits)
        for ref in root.refs:
            changed.store_ref(ref)
        with pytest.raises(Refused):
            machine.send(body(changed))
    machine.send(signed["signed_tx"])
    assert wallet.seqno() == 2


async def test_mode_1_on_v5_is_refused_because_it_uses_the_seqno_up(service: Service, machine: Machine) -> None:
    wallet = await Wallet.new(service, machine, "v5r1")
    unsigned = wallet.form(pay(), seqno=0, send_mode=1)
    assert await service.refusal("transactions.sign", **wallet.command(unsigned)) == "invalid_transaction"


async def test_all_there_is_goes_with_mode_130(service: Service, machine: Machine) -> None:
    wallet = await Wallet.new(service, machine, "v4r2")
    await wallet.transfer(pay(amount=0), seqno=0, send_mode=130)
    assert machine.ask("balance", address=wallet.address) == "0"


async def test_the_wallet_is_gone_after_mode_160_which_an_option_must_name(service: Service, machine: Machine) -> None:
    wallet = await Wallet.new(service, machine, "v4r2")
    unsigned = wallet.form(pay(amount=0), seqno=0, send_mode=160)
    assert await service.refusal("transactions.sign", **wallet.command(unsigned)) == "option_required"
    signed = await wallet.sign(unsigned, allow=["destroy_wallet"])
    assert "destroy_wallet" in [warning["code"] for warning in signed["warnings"]]
    machine.send(signed["signed_tx"])
    assert machine.ask("state", address=wallet.address) != "active"


async def test_subwallets_and_the_masterchain_have_accounts_of_their_own(service: Service, machine: Machine) -> None:
    for contract in ("v4r2-sub7", "v5r1-sub7", "v3r2-master", "v5r1-master"):
        wallet = await Wallet.new(service, machine, contract)
        await wallet.transfer(pay(), seqno=0)
        assert wallet.seqno() == 1


def test_wallets_of_one_id_accept_each_others_transfers(machine: Machine) -> None:
    """docs/ton.md advises against coins in both."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    ton = Ton()
    form = {"seqno": 0, "valid_until": int(time.time()) + 300, "messages": [pay()]}
    own, master, older = Account(V4R2), Account(V4R2, -1, 1), Account(V3R2)
    unsigned = build.unsigned_body(ton.decode(ton.networks[0], form), own, own.address(False, public))
    body = build.signed_body(own, unsigned, key.sign(unsigned.hash))
    sent = {}
    for account in (own, master, older):
        address = account.address(False, public)
        machine.ask("fund", address=addresses.raw(address), amount=str(20 * TON))
        message = build.external(address, body, account.state(False, public))
        sent[account] = [each["to"] for each in machine.send(boc.to_base64(message))[0]["sent"]]
    assert sent == {own: [TO], master: [TO], older: []}


async def test_highload_sends_one_and_many_and_never_twice(service: Service, machine: Machine) -> None:
    wallet = await Wallet.new(service, machine, "highload3")
    form = {"query_id": 0, "created_at": int(time.time()) - 10, "deploy": True, "messages": [pay(comment="one")]}
    signed = await wallet.sign(form)
    done = machine.send(signed["signed_tx"])
    assert [sent["to"] for sent in done[0]["sent"]] == [TO]

    messages = [pay(f"0:{place:064x}", amount=TON // 1000 + place) for place in range(1, 255)]
    many = {"query_id": 1, "created_at": int(time.time()) - 10, "messages": messages}
    signed = await wallet.sign(many)
    done = machine.send(signed["signed_tx"])
    assert [sent["to"] for sent in done[0]["sent"]] == [wallet.address]
    batch = next(each for each in done[1:] if each["account"] == wallet.address)
    assert [(sent["to"], sent["value"]) for sent in batch["sent"]] == [
        (message["address"], message["amount"]) for message in messages
    ]
    with pytest.raises(Refused):
        machine.send(signed["signed_tx"])
    other = many | {"messages": [pay(amount=1)]}
    assert await service.refusal("transactions.sign", **wallet.command(other)) == "already_signed"
    reserved = many | {"query_id": 1023}
    assert await service.refusal("transactions.sign", **wallet.command(reserved)) == "invalid_transaction"
    again = await wallet.sign(other, allow_resign=True)
    with pytest.raises(Refused):
        machine.send(again["signed_tx"])
