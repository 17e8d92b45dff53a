"""@ton/core, @ton/ton, @ton/crypto and pytoniq-core give the same addresses, transfers and words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from bip_utils import Bip32Slip10Ed25519, Bip39SeedGenerator
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytoniq_core import Address

from strongroom.chains.ton import addresses, boc, schemes
from strongroom.chains.ton.cell import Builder
from strongroom.domain.scheme import Curve
from strongroom.domain.signing import OurKey
from strongroom.keys import bip39, ton_mnemonic
from strongroom.keys.opened import Opened
from strongroom.keys.sealing import SeedMaterial
from tests.support.ton import Machine
from tests.unit.chains.ton.ton_cases import MAINNET, NOW, OFF, TESTNET, TON

pytestmark = pytest.mark.needs("ton-sandbox")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


def test_three_hundred_addresses_of_keys_and_all_their_forms(machine: Machine) -> None:
    rng = random.Random(7)
    for _ in range(100):
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key().public_bytes_raw()
        for contract in ("v3r2", "v4r2", "v5r1"):
            network = rng.choice((MAINNET, TESTNET))
            found = TON.render(network, TON.schemes(network.keyspace)[f"raw-{contract}"], key)
            theirs = machine.ask("address", publicKey=key.hex(), contract=contract, testnet=network.testnet)
            assert found.forms["raw"] == theirs
            forms = machine.ask("forms", raw=theirs)
            assert {name: found.forms[name] for name in forms} == forms
            for form in forms.values():
                address = Address(form)
                ours = addresses.read(TESTNET, form)
                assert address.to_str(is_user_friendly=False) == addresses.raw(ours.canonical)
                assert (address.is_bounceable, address.is_test_only) == (ours.bounceable, ours.test_only)


def some_message(rng: random.Random) -> dict[str, Any]:
    message: dict[str, Any] = {
        "address": f"0:{rng.randbytes(32).hex()}",
        "amount": str(rng.getrandbits(rng.randrange(1, 120))),
        "bounce": rng.random() < 0.5,
    }
    what = rng.randrange(3)
    if what == 1:
        message["comment"] = "".join(rng.choice("aé✓🐢 ") for _ in range(rng.randrange(200)))
    if what == 2:
        inner = Builder().uint(rng.getrandbits(rng.choice((1, 64, 1000))), 1000).cell()
        message["payload"] = boc.to_base64(Builder().uint(rng.getrandbits(96), 100).ref(inner).cell())
    return message


def test_three_hundred_transfers_are_those_of_ton_ton(machine: Machine) -> None:
    rng = random.Random(8)
    for number in range(300):
        contract = ("v3r2", "v4r2", "v5r1")[number % 3]
        network = rng.choice((MAINNET, TESTNET))
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        public = key.public_key().public_bytes_raw()
        scheme = f"raw-{contract}"
        address = schemes.account(scheme).address(network.testnet, public)
        # @ton/ton takes 0xffffffff for seqno 0 whatever is asked of it
        seqno = rng.choice((0, 1, rng.getrandbits(32)))
        valid_until = 2**32 - 1 if seqno == 0 else rng.getrandbits(32)
        messages = [some_message(rng) for _ in range(rng.choice((1, 2, 4, 40 if contract == "v5r1" else 3)))]
        form = {"seqno": seqno, "valid_until": valid_until, "messages": messages, "send_mode": rng.choice((2, 3))}
        theirs = machine.ask(
            "transfer", secret=key.private_bytes_raw().hex(), publicKey=public.hex(), contract=contract,
            testnet=network.testnet, seqno=seqno, validUntil=valid_until, mode=form["send_mode"], messages=messages,
        )  # fmt: skip
        ours = {public: OurKey(public, "m", scheme, address)}
        decoded = TON.decode(network, form)
        TON.check(decoded, ours, OFF, NOW)
        prepared = TON.prepare(decoded, ours)
        signed = TON.assemble(prepared, [key.sign(item.payload) for item in prepared.to_sign])
        assert signed.details["message_hash"] == theirs["hash"]
        assert signed.details["body_hash"] == theirs["body"]
        assert signed.raw == theirs["boc"]


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.campaign)])
def test_native_mnemonics_of_ours_and_theirs_give_the_keys_of_ton_crypto(machine: Machine, count: int) -> None:
    """A hundred of each in the campaign. One in fifty has a password, for which finding words takes a second."""
    rng = random.Random(9)
    passwords = ["пароль 1" if number % 50 == 0 else "" for number in range(count)]
    found = [ton_mnemonic.generate(password, rng.randbytes) for password in passwords]
    found += [ton_mnemonic.parse(machine.ask("newMnemonic", password=each), each) for each in passwords]
    assert len(found) == 2 * count
    for each in found:
        answer = machine.ask("mnemonic", words=each.words, password=each.password)
        assert answer["valid"]
        assert answer["secret"] == each.key.hex()


def test_two_hundred_bip39_mnemonics_give_the_keys_and_addresses_of_others(machine: Machine) -> None:
    rng = random.Random(10)
    for number in range(200):
        phrase = bip39.from_entropy(rng.randbytes(rng.choice((16, 20, 24, 28, 32))))
        passphrase, index = rng.choice(("", "TREZOR")), rng.randrange(100)
        seed = bip39.seed(phrase, passphrase)
        scheme = TON.schemes("ton")[rng.choice(("bip39-v5r1", "bip39-v4r2", "ledger-v4r2"))]
        path = scheme.template.format(index=index)
        material = SeedMaterial(entropy=phrase.entropy, language="english", passphrase=passphrase, seed=bytearray(seed))
        public = Opened(material).key(Curve.ED25519, path).public
        theirs = Bip32Slip10Ed25519.FromSeedAndPath(Bip39SeedGenerator(phrase.text).Generate(passphrase), path)
        assert public == theirs.PublicKey().RawCompressed().ToBytes()[1:]
        if number % 4 == 0:
            contract = scheme.name.partition("-")[2]
            raw = machine.ask("address", publicKey=public.hex(), contract=contract, testnet=False)
            assert TON.render(MAINNET, scheme, public).forms["raw"] == raw
