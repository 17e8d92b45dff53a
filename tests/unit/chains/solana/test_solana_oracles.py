"""Comparison with solders and @solana/web3.js on random transactions, messages, addresses and wallets."""

from __future__ import annotations

import base64
from random import Random

import pytest
from bip_utils import Bip32Slip10Ed25519
from mnemonic import Mnemonic as Words
from solders.compute_budget import request_heap_frame, set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV1, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import Transaction

from strongroom.chains.solana import addresses, decoding, message
from strongroom.chains.solana.programs import memo
from strongroom.chains.solana.schemes import SCHEMES
from strongroom.codecs import base58, solana
from strongroom.codecs.ed25519 import is_on_curve
from strongroom.domain.scheme import Curve, Position
from strongroom.domain.secret import Secret
from strongroom.domain.wallet import PublicNode, SealedSecret
from strongroom.keys.base import Mnemonic, Want
from strongroom.keys.seeded import SeededSigner
from tests.oracles import solana as oracle
from tests.support import node
from tests.vectors.direct_solana import NETWORK, PERMISSIVE, sign_with, with_key

SAMPLES = [make(Random(number)) for number in range(150) for make in (oracle.legacy, oracle.v0)]
V1_SAMPLES = [oracle.v1(Random(number)) for number in range(100)]


def test_300_random_transactions_are_signed_as_solders_signs_them() -> None:
    for sample in [*SAMPLES, *V1_SAMPLES]:
        signed = sign_with([sample.seed.hex()], sample.unsigned, PERMISSIVE)
        assert (signed.raw, signed.tx_id, signed.complete) == (sample.signed, sample.tx_id, True)


@pytest.mark.needs("web3.js")
def test_300_random_transactions_are_signed_and_read_as_web3_js_does() -> None:
    jobs = [{"job": "sign", "key": each.seed.hex(), "unsigned": each.unsigned} for each in SAMPLES]
    jobs += [{"job": "message", "message": base64.b64encode(each.message).decode()} for each in SAMPLES]
    answers = node.run("solana.cjs", jobs)
    assert answers[: len(SAMPLES)] == [each.signed for each in SAMPLES]
    for sample, theirs in zip(SAMPLES, answers[len(SAMPLES) :], strict=True):
        ours = message.parse(sample.message)
        assert theirs == {
            "version": "legacy" if ours.version == message.LEGACY else ours.version,
            "keys": [base58.encode(key) for key in ours.keys],
            "signers": ours.header.signers,
            "blockhash": base58.encode(ours.blockhash),
            "instructions": [
                {"program": each.program, "accounts": list(each.accounts), "data": each.data.hex()}
                for each in ours.instructions
            ],
        }


def test_rights_of_accounts_are_those_that_solders_sees() -> None:
    for sample in [*SAMPLES, *V1_SAMPLES]:
        ours = message.parse(sample.message)
        theirs = (
            MessageV1.from_bytes(sample.message[1:])
            if ours.version == message.V1
            else from_bytes_versioned(sample.message)
        )
        for index in range(len(ours.keys)):
            assert theirs.is_signer(index) == (index < ours.header.signers)
        assert ours.serialize() == sample.message
        assert [bytes(key) for key in theirs.account_keys] == list(ours.keys)


PRICE, HEAP = set_compute_unit_price(10**10), request_heap_frame(64 * 1024)
MEMO = Instruction(Pubkey(memo.PROGRAM), b"hello", [])


@pytest.mark.parametrize(
    "instructions", [[PRICE], [PRICE, HEAP], [PRICE, MEMO], [PRICE, HEAP, MEMO], [set_compute_unit_limit(9000), PRICE]]
)
def test_the_fee_is_what_a_validator_takes(instructions: list[Instruction]) -> None:
    """The requests to the compute budget count as well."""
    machine, payer = LiteSVM(), Keypair()
    machine.airdrop(payer.pubkey(), 10**12)
    sent = Message.new_with_blockhash(instructions, payer.pubkey(), machine.latest_blockhash())
    machine.send_transaction(Transaction([payer], sent, machine.latest_blockhash()))
    decoded = decoding.decode(NETWORK, {"message": base64.b64encode(bytes(sent)).decode()})
    assert decoded.fee == 10**12 - (machine.get_balance(payer.pubkey()) or 0)


@pytest.mark.needs("web3.js")
def test_which_bytes_are_on_the_curve() -> None:
    random = Random(7)
    keys = [random.randbytes(32) for _ in range(300)] + [bytes(32), b"\xff" * 32, bytes(31) + b"\x80"]
    keys += [number.to_bytes(32, "little") for number in range(2**255 - 20, 2**255 + 2)]
    theirs = node.run("solana.cjs", [{"job": "isOnCurve", "address": base58.encode(key)} for key in keys])
    for key, answer in zip(keys, theirs, strict=True):
        assert is_on_curve(key) == Pubkey(key).is_on_curve(), key.hex()
        assert is_on_curve(key) or not answer, key.hex()
    assert list(map(is_on_curve, keys[:300])) == theirs[:300]  # only web3.js refuses other encodings of a point


@pytest.mark.needs("web3.js")
def test_associated_accounts() -> None:
    random = Random(8)
    programs = ["TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"]
    jobs = [
        {
            "job": "associated",
            "owner": base58.encode(random.randbytes(32)),
            "mint": base58.encode(random.randbytes(32)),
            "program": random.choice(programs),
        }
        for _ in range(50)
    ]
    for job, theirs in zip(jobs, node.run("solana.cjs", jobs), strict=True):
        parts = [solana.from_text(job[name]) for name in ("owner", "mint", "program")]
        assert base58.encode(solana.associated_address(*parts)) == theirs


@pytest.mark.needs("web3.js")
def test_200_wallets_in_each_scheme() -> None:
    """bip_utils derives the keys, and solders and web3.js make the addresses."""
    random = Random(9)
    paths = {name: SCHEMES[name].path(Position(index=3 if name in ("phantom", "trust") else 0)) for name in
             ("phantom", "trust", "legacy", "seed")}  # fmt: skip
    found, keys = [], []
    for _ in range(200):
        phrase = Words("english").to_mnemonic(random.randbytes(16))
        seed = Words.to_seed(phrase)
        theirs = {
            name: seed[:32]
            if path == "m"
            else Bip32Slip10Ed25519.FromSeed(seed).DerivePath(path).PrivateKey().Raw().ToBytes()
            for name, path in paths.items()
        }
        ours = _addresses(phrase, list(paths.values()))
        assert ours == [str(Keypair.from_seed(key).pubkey()) for key in theirs.values()]
        found += ours
        keys += [key.hex() for key in theirs.values()]
    assert node.run("solana.cjs", [{"job": "address", "key": key} for key in keys]) == found


def _addresses(phrase: str, paths: list[str]) -> list[str]:
    async def use(signer: SeededSigner, secret: SealedSecret, _: PublicNode) -> list[str]:
        nodes = await signer.public(secret, [Want(path, Curve.ED25519) for path in paths])
        return [addresses.show(each.public_key).address for each in nodes]

    found: list[str] = with_key(Mnemonic(Secret(phrase), Secret("")), "m", use)
    return found
