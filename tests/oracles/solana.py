"""Random Solana transactions, made and signed by solders: another implementation of formats and signatures."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from random import Random

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageHeader, MessageV0, MessageV1, TransactionConfig, to_bytes_versioned
from solders.pubkey import Pubkey


@dataclass(frozen=True)
class Sample:
    seed: bytes
    """Of the one key that signs."""
    address: str
    unsigned: str
    """Base64, with an empty place for the signature."""
    signed: str
    tx_id: str
    message: bytes


def legacy(random: Random) -> Sample:
    payer = _keypair(random)
    message = Message.new_with_blockhash(_instructions(random, payer), payer.pubkey(), _hash(random))
    return _sample(payer, bytes(message))


def v0(random: Random) -> Sample:
    payer = _keypair(random)
    shared = [_pubkey(random) for _ in range(random.randrange(1, 6))]
    tables = [AddressLookupTableAccount(_pubkey(random), shared)] if random.random() < 0.7 else []
    instructions = _instructions(random, payer, shared)
    message = MessageV0.try_compile(payer.pubkey(), instructions, tables, _hash(random))
    return _sample(payer, to_bytes_versioned(message))


def v1(random: Random) -> Sample:
    payer = _keypair(random)
    keys = [payer.pubkey(), *(_pubkey(random) for _ in range(random.randrange(1, 40)))]
    instructions = [
        CompiledInstruction(
            random.randrange(1, len(keys)), random.randbytes(random.randrange(300)), bytes(_some(random, len(keys)))
        )
        for _ in range(random.randrange(1, 6))
    ]
    config = TransactionConfig(
        priority_fee=random.choice([None, 0, random.randrange(1, 10**6)]),
        compute_unit_limit=random.choice([None, 0, random.randrange(1, 10**6)]),
        loaded_accounts_data_size_limit=random.choice([None, 0, random.randrange(1, 10**6)]),
        heap_size=random.choice([None, 0, 32 * 1024, 256 * 1024]),
    )
    header = MessageHeader(1, 0, random.randrange(len(keys)))
    message = MessageV1(header, config, _hash(random), keys, instructions)
    return _sample(payer, b"\x81" + bytes(message), trailing=True)


def _sample(payer: Keypair, message: bytes, *, trailing: bool = False) -> Sample:
    signature = bytes(payer.sign_message(message))

    def whole(made: bytes) -> str:
        return base64.b64encode(message + made if trailing else b"\1" + made + message).decode()

    return Sample(
        seed=bytes(payer)[:32],
        address=str(payer.pubkey()),
        unsigned=whole(bytes(64)),
        signed=whole(signature),
        tx_id=str(payer.sign_message(message)),
        message=message,
    )


def _instructions(random: Random, payer: Keypair, shared: list[Pubkey] | None = None) -> list[Instruction]:
    pool = [payer.pubkey(), *(_pubkey(random) for _ in range(4)), *(shared or [])]
    return [
        Instruction(
            _pubkey(random),
            random.randbytes(random.randrange(40)),
            [
                AccountMeta(key, key == payer.pubkey() and random.random() < 0.5, random.random() < 0.5)
                for key in random.sample(pool, random.randrange(len(pool)))
            ],
        )
        for _ in range(random.randrange(1, 4))
    ]


def _some(random: Random, count: int) -> list[int]:
    return [random.randrange(count) for _ in range(random.randrange(10))]


def _keypair(random: Random) -> Keypair:
    return Keypair.from_seed(random.randbytes(32))


def _pubkey(random: Random) -> Pubkey:
    return Pubkey(random.randbytes(32))


def _hash(random: Random) -> Hash:
    return Hash(random.randbytes(32))
