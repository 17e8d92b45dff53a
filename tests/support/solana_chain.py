"""A surfpool with accounts and tokens, transactions to it, and sources over it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import httpx
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from strongroom.chains.solana.chain import Solana
from strongroom.domain.asset import Asset, coin_of, token_id
from strongroom.domain.network import Network
from strongroom.domain.secret import Secret
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Holder, Setup
from strongroom.rpc.http import Http
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.solana.verdicts import classify
from tests.support.surfpool import Surfpool

SOL = 10**9
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
PROGRAMS = (TOKEN, TOKEN_2022)
SOLANA = Solana()


def network() -> Network:
    return next(each for each in SOLANA.networks if each.name == "solana")


def token(mint: Pubkey, decimals: int = 6, symbol: str = "T") -> Asset:
    return Asset(token_id(network(), str(mint)), network().caip2, symbol, decimals, str(mint))


def setup(pin: str, *tokens: Asset) -> Setup:
    listed: Mapping[str, Asset] = {each.contract: each for each in tokens if each.contract is not None}
    return Setup(network(), coin_of(network()), listed, pin)


def rpc(url: str, transport: httpx.AsyncBaseTransport | None = None, *, batch: int = 1) -> JsonRpc:
    return JsonRpc(Http(Secret(url), transport=transport), classify, batch=batch)


def holder(key: Pubkey) -> Holder:
    return Holder(bytes(key), str(key))


def associated(owner: Pubkey, mint: Pubkey, program: Pubkey = TOKEN) -> Pubkey:
    return Pubkey.find_program_address([bytes(owner), bytes(program), bytes(mint)], ATA)[0]


def plant(node: Surfpool, key: Pubkey, owner: Pubkey, data: bytes, lamports: int = SOL // 100) -> None:
    """Create an account as if its program had done so."""
    fields = {"lamports": lamports, "owner": str(owner), "data": data.hex(), "executable": False}
    node.call("surfnet_setAccount", str(key), fields)


def plant_mint(node: Surfpool, authority: Pubkey, program: Pubkey = TOKEN, decimals: int = 6) -> Pubkey:
    mint = Keypair().pubkey()
    supply = (10**15).to_bytes(8, "little")
    data = (1).to_bytes(4, "little") + bytes(authority) + supply + bytes((decimals, 1)) + bytes(36)
    plant(node, mint, program, data)
    return mint


def plant_tokens(
    node: Surfpool, at: Pubkey, mint: Pubkey, owner: Pubkey, amount: int, program: Pubkey = TOKEN, state: int = 1
) -> None:
    plant(node, at, program, token_data(mint, owner, amount, state))


def token_data(mint: Pubkey, owner: Pubkey, amount: int, state: int = 1) -> bytes:
    return bytes(mint) + bytes(owner) + amount.to_bytes(8, "little") + bytes(36) + bytes((state,)) + bytes(56)


def signed(
    node: Surfpool, payer: Keypair, *instructions: Instruction, others: Sequence[Keypair] = (), blockhash: str = ""
) -> tuple[str, SignedIds]:
    """A transaction, and the ids in its bytes."""
    recent = Hash.from_string(blockhash or node.blockhash()[0])
    message = Message.new_with_blockhash(instructions, payer.pubkey(), recent)
    raw = base64.b64encode(bytes(Transaction([payer, *others], message, recent))).decode()
    return raw, SOLANA.identify(network(), raw)


def pay(payer: Keypair, to: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))


def pay_tokens(source: Pubkey, to: Pubkey, owner: Pubkey, amount: int, program: Pubkey = TOKEN) -> Instruction:
    accounts = [AccountMeta(source, False, True), AccountMeta(to, False, True), AccountMeta(owner, True, False)]
    return Instruction(program, b"\x03" + amount.to_bytes(8, "little"), accounts)
