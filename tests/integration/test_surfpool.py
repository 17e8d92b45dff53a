"""A real Solana runtime runs what the running service signed, and refuses it with one bit changed."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any

import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    InitializeNonceAccountParams,
    TransferParams,
    create_account,
    initialize_nonce_account,
    transfer,
)
from solders.transaction import Transaction

from tests.integration.conftest import Service
from tests.support.surfpool import Refused, Surfpool

pytestmark = pytest.mark.needs("surfpool")

NETWORK = "solana-devnet"
SOL = 10**9
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
LOOKUP = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
SYSTEM = Pubkey.default()


@pytest.fixture(scope="module")
def node() -> Iterator[Surfpool]:
    with Surfpool() as running:
        yield running


class Account:
    """A wallet of the service with an address and coins."""

    def __init__(self, service: Service, node: Surfpool, wallet_id: str, address: str) -> None:
        self.service = service
        self.node = node
        self.wallet_id = wallet_id
        self.address = address
        self.key = Pubkey.from_string(address)

    @classmethod
    async def new(cls, service: Service, node: Surfpool) -> Account:
        made = await service.ask("wallets.create", networks=[NETWORK])
        address = made["addresses"][0]["address"]
        node.fund(address)
        return cls(service, node, made["id"], address)

    async def sign(self, unsigned: Any) -> dict[str, Any]:
        signed: dict[str, Any] = await self.service.ask(
            "transactions.sign", wallet_id=self.wallet_id, network=NETWORK, unsigned_tx=unsigned
        )
        return signed

    async def run(self, unsigned: Any) -> dict[str, Any]:
        """Signs it, checks that it is refused with a bit changed, has it run, and checks the id."""
        signed = await self.sign(unsigned)
        assert signed["complete"]
        with pytest.raises(Refused):
            self.node.send(changed(signed["signed_tx"]))
        assert self.node.send(signed["signed_tx"]) == signed["tx_id"]
        return signed

    def form(self, **fields: Any) -> dict[str, Any]:
        return {"fee_payer": self.address, "recent_blockhash": self.node.blockhash()[0], **fields}


@pytest.fixture
async def account(service: Service, node: Surfpool) -> Account:
    return await Account.new(service, node)


def changed(signed: str) -> str:
    """With one bit of the first signature changed."""
    raw = bytearray(base64.b64decode(signed))
    bit = random.randrange(512)
    raw[1 + bit // 8] ^= 1 << bit % 8
    return base64.b64encode(raw).decode()


def unsigned(message: Message | MessageV0, signers: int = 1) -> str:
    raw = bytes(message) if isinstance(message, Message) else b"\x80" + bytes(message)
    return base64.b64encode(bytes((signers,)) + bytes(64 * signers) + raw).decode()


def by_key(node: Surfpool, payer: Keypair, *instructions: Instruction, others: tuple[Keypair, ...] = ()) -> None:
    """What prepares a test, signed by keys of the test."""
    blockhash = Hash.from_string(node.blockhash()[0])
    message = Message.new_with_blockhash(instructions, payer.pubkey(), blockhash)
    node.send(base64.b64encode(bytes(Transaction([payer, *others], message, blockhash))).decode())


def associated(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(owner), bytes(program), bytes(mint)], ATA)[0]


def make_mint(node: Surfpool, program: Pubkey, to: Pubkey, amount: int) -> tuple[Keypair, Pubkey]:
    """A token with 6 decimals, ``amount`` of it in the associated account of ``to``."""
    payer, mint = Keypair(), Keypair()
    node.fund(str(payer.pubkey()))
    made = create_account(
        CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=mint.pubkey(), lamports=SOL // 100, space=82, owner=program
        )
    )
    initialize = Instruction(program, bytes((20, 6)) + bytes(payer.pubkey()) + b"\0", [writes(mint.pubkey())])
    account = associated(to, mint.pubkey(), program)
    create = Instruction(
        ATA,
        b"",
        [AccountMeta(payer.pubkey(), True, True), writes(account), *map(reads, (to, mint.pubkey(), SYSTEM, program))],
    )
    mint_to = Instruction(
        program,
        bytes((7,)) + amount.to_bytes(8, "little"),
        [writes(mint.pubkey()), writes(account), AccountMeta(payer.pubkey(), True, False)],
    )
    by_key(node, payer, made, initialize, create, mint_to, others=(mint,))
    return payer, mint.pubkey()


def writes(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, False, True)


def reads(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, False, False)


async def test_transfer_of_coins(account: Account, node: Surfpool) -> None:
    to = str(Keypair().pubkey())
    form = account.form(transfers=[{"to": to, "amount": str(SOL)}], memo="invoice 7", compute_unit_price=1000)
    signed = await account.run(form)
    assert node.balance(to) == SOL
    spent = 10 * SOL - SOL - node.balance(account.address)
    assert 0 < spent <= int(signed["summary"]["fee"]["amount"])
    assert signed["summary"]["actions"][0]["amount"] == str(SOL)
    assert signed["summary"]["details"]["memo"] == "invoice 7"


@pytest.mark.parametrize(("name", "program"), [("spl-token", TOKEN), ("token-2022", TOKEN_2022)])
async def test_transfer_of_tokens_makes_the_account(
    account: Account, node: Surfpool, name: str, program: Pubkey
) -> None:
    _, mint = make_mint(node, program, account.key, 5_000_000)
    owner = Keypair().pubkey()
    transfer_ = {"to": str(owner), "mint": str(mint), "amount": "2500000", "decimals": 6, "token_program": name}
    signed = await account.run(account.form(transfers=[transfer_]))
    target = associated(owner, mint, program)
    assert node.token_balance(str(target)) == 2_500_000
    [creation, moved] = signed["summary"]["actions"]
    assert (creation["kind"], creation["details"]["owner"]) == ("token_account_creation", str(owner))
    assert (moved["to"], moved["amount"], moved["asset"]) == (str(target), "2500000", str(mint))
    assert moved["details"]["destination_owner"] == str(owner)


async def test_lookup_table(account: Account, node: Surfpool) -> None:
    payer, to = Keypair(), Keypair().pubkey()
    node.fund(str(payer.pubkey()))
    slot = node.call("getSlot")
    table, bump = Pubkey.find_program_address([bytes(payer.pubkey()), slot.to_bytes(8, "little")], LOOKUP)
    authority = [AccountMeta(payer.pubkey(), True, False), AccountMeta(payer.pubkey(), True, True), reads(SYSTEM)]
    create = Instruction(LOOKUP, bytes(4) + slot.to_bytes(8, "little") + bytes((bump,)), [writes(table), *authority])
    extend = Instruction(
        LOOKUP, (2).to_bytes(4, "little") + (1).to_bytes(8, "little") + bytes(to), [writes(table), *authority]
    )
    by_key(node, payer, create, extend)
    by_key(node, payer, transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=SOL // 100)))
    blockhash = Hash.from_string(node.blockhash()[0])
    message = MessageV0.try_compile(
        account.key,
        [transfer(TransferParams(from_pubkey=account.key, to_pubkey=to, lamports=SOL))],
        [AddressLookupTableAccount(table, [to])],
        blockhash,
    )
    assert message.address_table_lookups
    before = node.balance(str(to))
    signed = await account.run(unsigned(message))
    assert node.balance(str(to)) - before == SOL
    assert signed["summary"]["actions"][0]["to"] == f"{table}[0]"
    assert "lookup_accounts" in {warning["code"] for warning in signed["warnings"]}


async def test_durable_nonce(account: Account, node: Surfpool) -> None:
    payer, nonce = Keypair(), Keypair()
    node.fund(str(payer.pubkey()))
    create = create_account(
        CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=nonce.pubkey(), lamports=SOL // 100, space=80, owner=SYSTEM
        )
    )
    initialize = initialize_nonce_account(
        InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=account.key)
    )
    by_key(node, payer, create, initialize, others=(nonce,))
    data = node.account(str(nonce.pubkey()))
    assert data is not None
    value = str(Hash(data[40:72]))
    to = str(Keypair().pubkey())
    form = {
        "fee_payer": account.address,
        "durable_nonce": {"account": str(nonce.pubkey()), "authority": account.address, "value": value},
        "transfers": [{"to": to, "amount": str(SOL)}],
    }
    signed = await account.run(form)
    assert node.balance(to) == SOL
    assert signed["summary"]["details"]["durable_nonce"] == {"account": str(nonce.pubkey()), "value": value}
    other = {**form, "transfers": [{"to": to, "amount": "1"}]}
    refused = await account.service.refusal(
        "transactions.sign", wallet_id=account.wallet_id, network=NETWORK, unsigned_tx=other
    )
    assert refused == "already_signed"


async def test_two_signers_and_an_external_fee_payer(service: Service, account: Account, node: Surfpool) -> None:
    payer = await Account.new(service, node)
    to = Keypair().pubkey()
    message = Message.new_with_blockhash(
        [transfer(TransferParams(from_pubkey=account.key, to_pubkey=to, lamports=SOL))],
        payer.key,
        Hash.from_string(node.blockhash()[0]),
    )
    first = await account.sign(unsigned(message, signers=2))
    assert not first["complete"]
    assert first.get("tx_id") is None
    with pytest.raises(Refused):
        node.send(first["signed_tx"])
    await payer.run(first["signed_tx"])
    assert node.balance(str(to)) == SOL
