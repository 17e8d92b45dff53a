"""tronpy agrees on keys, addresses and signatures."""

from __future__ import annotations

import random

from strongroom.chains.tron import addresses
from strongroom.codecs import bip32
from strongroom.domain.scheme import Position
from strongroom.keys import bip39, derivation
from tests.oracles import tron as oracle
from tests.unit.chains.tron.tron_cases import MAINNET, TRON, built, our_key, sign

WALLETS = 200


def test_keys_and_addresses_of_two_hundred_wallets_agree() -> None:
    draw = random.Random(200)
    for number in range(WALLETS):
        phrase = bip39.from_entropy(draw.randbytes(draw.choice([16, 20, 24, 28, 32])), "english")
        scheme = TRON.schemes("tron")[("bip44", "tronlink")[number % 2]]
        path = scheme.path(Position(index=draw.randrange(20)))
        with derivation.derive(bytes(bip39.seed(phrase, "")), bip32.parse_path(path)) as node:
            private, public = bytes(node.key.reveal()), derivation.public_key(node)
        assert private == oracle.private_at(phrase.text, path)
        assert TRON.render(MAINNET, scheme, public).address == oracle.address(private)


def test_single_keys_agree_and_other_version_bytes_are_refused() -> None:
    draw = random.Random(41)
    for _ in range(WALLETS):
        private = oracle.private_key(draw)
        address = our_key(private).address
        assert addresses.to_text(address) == oracle.address(private)
        assert oracle.is_address(addresses.to_text(address))


def test_signatures_agree() -> None:
    draw = random.Random(65)
    for _ in range(WALLETS):
        private = oracle.private_key(draw)
        owner = oracle.address(private)
        form = built(sender=owner, to_address=oracle.random_address(draw), amount=draw.randint(1, 2**63 - 1))
        signed = sign(form, private=private)
        made = oracle.sign_digest(bytes.fromhex(str(signed.tx_id)), private)
        assert signed.details["signature"] == (made[:64] + bytes([27 + made[64] % 27])).hex()
