"""Bitcoin's own script engine accepts the signatures, and a second wallet derives the same addresses."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from strongroom.chains.bitcoin.chain import Bitcoin
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import Position, Scheme
from strongroom.domain.signing import OurKey, Policy
from strongroom.domain.wallet import PublicNode
from strongroom.keys import bip39, derivation
from tests.oracles import bitcoin as oracle

TRANSACTIONS = 1_000
WALLETS = 200

BITCOIN = Bitcoin()
NETWORKS = {network.name: network for network in BITCOIN.networks}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.needs("libbitcoinkernel")
def test_each_transaction_of_ours_is_spent_and_with_one_bit_changed_it_is_not() -> None:
    draw = random.Random(341)
    maker = oracle.Maker(draw, fingerprint=draw.randbytes(4))
    inputs = 0
    for _ in range(TRANSACTIONS):
        unsigned = maker.unsigned()
        inputs += len(unsigned.coins)
        raw, signatures = _sign(unsigned)
        assert oracle.are_spent(raw, unsigned.spent)
        changed = oracle.one_bit_changed(draw, raw, signatures)
        assert not oracle.are_spent(changed, unsigned.spent)
    assert inputs > 2 * TRANSACTIONS


def _sign(unsigned: oracle.Unsigned) -> tuple[bytes, list[bytes]]:
    """The serialised transaction, and all signatures made, which for multisig are more than needed."""
    network, keys = NETWORKS["bitcoin"], unsigned.keys
    ours = {
        public: OurKey(public, bip32.format_path(key.path), "", b"" if len(coin.keys) > 1 else coin.script)
        for public, (coin, key) in keys.items()
    }
    decoded = BITCOIN.decode(network, unsigned.psbt)
    BITCOIN.check(decoded, ours, Policy(BITCOIN.limits), NOW)
    prepared = BITCOIN.prepare(decoded, ours)
    held = [(keys[item.public_key], item.payload) for item in prepared.to_sign]
    signatures = [coin.sign(key, digest) for (coin, key), digest in held]
    assert prepared.summary.fee is not None
    assert prepared.summary.fee.amount == str(unsigned.fee)
    signed = BITCOIN.assemble(prepared, signatures)
    assert signed.complete
    assert unsigned.txid in (None, signed.tx_id)
    return bytes.fromhex(signed.raw), signatures


@pytest.mark.needs("bdkpython")
def test_a_second_wallet_has_our_addresses_and_takes_our_descriptors() -> None:
    from tests.oracles import bdk

    draw = random.Random(86)
    for number in range(WALLETS):
        network = NETWORKS[list(bdk.NETWORKS)[number % len(bdk.NETWORKS)]]
        entropy, passphrase = draw.randbytes(draw.choice((16, 20, 24, 28, 32))), draw.choice(("", "pass wörd"))
        theirs = bdk.Wallet(entropy, passphrase, network.name)
        seed = bip39.seed(bip39.parse(theirs.words), passphrase)
        for name in bdk.SCHEMES:
            scheme = BITCOIN.schemes(network.keyspace)[name]
            change, indexes = draw.randrange(2), [0, draw.randrange(1000), draw.randrange(2**31)]
            account, fingerprint = _account(seed, scheme)
            ours = [_address(network, scheme, account, Position(0, change, index)) for index in indexes]
            assert ours == theirs.addresses(name, change, indexes)
            descriptor = BITCOIN.account_keys(network, scheme, account, fingerprint).descriptor
            assert descriptor is not None
            assert ours == theirs.addresses_of(descriptor, change, indexes)


def _account(seed: bytes, scheme: Scheme) -> tuple[PublicNode, str]:
    """The public node of the first account, and the master's fingerprint."""
    path = scheme.account_path(0)
    assert path is not None
    indexes = bip32.parse_path(path)
    with derivation.derive(seed, ()) as master, derivation.derive(seed, indexes[:-1]) as parent:
        fingerprint = bip32.fingerprint(derivation.public_key(master)).hex()
        parent_fingerprint = bip32.fingerprint(derivation.public_key(parent))
    with derivation.derive(seed, indexes) as node:
        code = bytes(node.chain_code.reveal())
        return PublicNode(path, derivation.public_key(node), code, parent_fingerprint), fingerprint


def _address(network: Network, scheme: Scheme, account: PublicNode, at: Position) -> str:
    return BITCOIN.render(network, scheme, bip32.derive_public(account, scheme.path(at)).public_key).address
