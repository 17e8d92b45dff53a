"""Transactions, scripts, addresses, networks and schemes, beyond the vectors."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from bip_utils import P2PKHAddrEncoder, P2SHAddrEncoder, P2TRAddrEncoder, P2WPKHAddrEncoder

from strongroom.chains.base import Chain
from strongroom.chains.bitcoin import address, schemes, script
from strongroom.chains.bitcoin.networks import MAIN, NETWORKS, TEST
from strongroom.chains.bitcoin.script import Multisig, ScriptKind
from strongroom.chains.registry import CHAINS
from strongroom.codecs import base58, bip144
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.codecs.bitcoin_wire import Reader, compact_size
from strongroom.codecs.hash160 import hash160
from strongroom.domain.scheme import Position
from strongroom.domain.wallet import WalletKind
from strongroom.errors import InvalidAddress, UnknownScheme

MAINNET, REGTEST = NETWORKS[0], NETWORKS[-1]
# BIP-143, "Native P2WPKH": the signed transaction
SIGNED = (
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb"
    "62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed"
    "01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9"
    "148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac00"
    "0247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f5"
    "1928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000"
)
INPUT = TxIn(OutPoint(bytes(range(32)), 1), b"", 0xFFFFFFFD)
PLAIN = Transaction(2, (INPUT,), (TxOut(1, b"\x51"),), 0)
# BIP-67, third vector's first three keys
KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "021f2f6e1e50cb6a953935c3601284925decd3fd21bc445712576873fb8c6ebc18",
        "022df8750480ad5b26950b25c7ba79d3e37d75f640f8e5d9bcd5b150a0f85014da",
        "03e3818b65bcc73a7d64064106a859cc1a5a728c4345ff0b641209fba0d90de6e9",
    )
)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "00"),
        (0xFC, "fc"),
        (0xFD, "fdfd00"),
        (0xFFFF, "fdffff"),
        (0x10000, "fe00000100"),
        (2**32 - 1, "feffffffff"),
        (2**32, "ff0000000001000000"),
        (2**64 - 1, "ffffffffffffffffff"),
    ],
)
def test_compact_size(number: int, written: str) -> None:
    assert compact_size(number).hex() == written
    reader = Reader(bytes.fromhex(written))
    assert reader.compact_size() == number
    reader.end()


@pytest.mark.parametrize("written", ["fdfc00", "fd0000", "feffff0000", "ffffffffff00000000"])
def test_a_compact_size_that_is_too_long(written: str) -> None:
    with pytest.raises(ValueError, match="shortest"):
        Reader(bytes.fromhex(written)).compact_size()


@pytest.mark.parametrize("written", ["", "fd", "fdff", "fe000001", "02aa", "ffffffffffffffffff"])
def test_data_that_ends_too_early(written: str) -> None:
    with pytest.raises(ValueError, match="early"):
        Reader(bytes.fromhex(written)).var_bytes()


def test_a_count_that_cannot_follow_is_refused_before_anything_is_made_of_it() -> None:
    with pytest.raises(ValueError, match="early"):
        Reader(compact_size(2**40) + bytes(1000)).count(1)


def test_a_published_transaction() -> None:
    raw = bytes.fromhex(SIGNED)
    found = bip144.parse(raw)
    assert found.serialize() == raw
    assert found.txid == "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609"
    assert (found.version, found.lock_time, len(found.inputs), len(found.outputs)) == (1, 17, 2, 2)
    assert [len(txin.witness) for txin in found.inputs] == [0, 2]
    assert str(found.inputs[1].outpoint) == "8ac60eb9575db5b2d987e29f301b5b819ea83a5c6579d282d189cc04b8e151ef:1"
    assert [txout.value for txout in found.outputs] == [112340000, 223450000]
    assert bip144.parse(found.serialize(witness=False)).txid == found.txid != found.wtxid
    assert found.weight == 3 * len(found.serialize(witness=False)) + len(raw)
    assert found.vsize == -(-found.weight // 4)


def test_txid_and_wtxid_are_one_without_witnesses() -> None:
    assert PLAIN.txid == PLAIN.wtxid
    assert PLAIN.serialize() == PLAIN.serialize(witness=False)
    assert PLAIN.weight == 4 * PLAIN.vsize == 4 * len(PLAIN.serialize())


WITH_WITNESS = replace(PLAIN, inputs=(replace(INPUT, witness=(b"a", b"")),)).serialize()
BAD_TRANSACTIONS = {
    "empty": b"",
    "trailing byte": PLAIN.serialize() + b"\0",
    "trailing byte, witnesses": WITH_WITNESS + b"\0",
    "no inputs": replace(PLAIN, inputs=()).serialize(),
    "no inputs, marker": bytes.fromhex("02000000" + "0001" + "00" + "00" + "00000000"),
    "another flag": WITH_WITNESS[:5] + b"\2" + WITH_WITNESS[6:],
    "marker but no witness": PLAIN.serialize()[:4] + b"\0\1" + PLAIN.serialize()[4:-4] + b"\0" + bytes(4),
    "a count of inputs that is too long": PLAIN.serialize()[:4] + b"\xfd\1\0" + PLAIN.serialize()[5:],
}


@pytest.mark.parametrize("raw", BAD_TRANSACTIONS.values(), ids=BAD_TRANSACTIONS.keys())
def test_what_is_no_transaction(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"early|end|input|witnesses|shortest"):
        bip144.parse(raw)


def test_no_part_of_a_transaction_is_one() -> None:
    for raw in (bytes.fromhex(SIGNED), PLAIN.serialize(), WITH_WITNESS):
        assert bip144.parse(raw).serialize() == raw
        for size in range(len(raw)):
            with pytest.raises(ValueError, match=r"early|inputs"):
                bip144.parse(raw[:size])


def test_changed_bytes_are_refused_or_come_out_as_they_went_in() -> None:
    rng = random.Random(144)
    accepted = 0
    for _ in range(2000):
        raw = bytearray(bytes.fromhex(SIGNED))
        for _ in range(rng.randrange(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            found = bip144.parse(bytes(raw))
        except ValueError:
            continue
        accepted += 1
        assert found.serialize() == raw
    assert accepted > 100


HASH, WIDE = bytes(range(20)), bytes(range(32))


@pytest.mark.parametrize(
    ("made", "kind", "program", "version"),
    [
        (script.p2pkh(HASH), ScriptKind.P2PKH, HASH, None),
        (script.p2sh(HASH), ScriptKind.P2SH, HASH, None),
        (script.p2wpkh(HASH), ScriptKind.P2WPKH, HASH, 0),
        (script.p2wsh(WIDE), ScriptKind.P2WSH, WIDE, 0),
        (script.p2tr(WIDE), ScriptKind.P2TR, WIDE, 1),
        (script.witness(1, HASH), ScriptKind.OTHER, HASH, 1),
        (script.witness(16, b"ab"), ScriptKind.OTHER, b"ab", 16),
        (script.witness(0, b"ab"), ScriptKind.OTHER, b"ab", 0),
        (b"\x6a" + script.push(b"memo"), ScriptKind.OP_RETURN, b"\4memo", None),
        (b"\x6a", ScriptKind.OP_RETURN, b"", None),
        (script.multisig(2, KEYS), ScriptKind.MULTISIG, b"", None),
        (b"", ScriptKind.OTHER, b"", None),
        (script.push(KEYS[0]) + b"\xac", ScriptKind.OTHER, b"", None),
        (script.p2pkh(HASH) + b"\x61", ScriptKind.OTHER, b"", None),
        (b"\x51\x29" + bytes(41), ScriptKind.OTHER, b"", None),
        (b"\x51\x01a", ScriptKind.OTHER, b"", None),
        (b"\x50\x02ab", ScriptKind.OTHER, b"", None),
        (b"\x51\x03ab", ScriptKind.OTHER, b"", None),
        (b"\x00\x4c\x14" + HASH, ScriptKind.OTHER, b"", None),
    ],
)
def test_classify(made: bytes, kind: ScriptKind, program: bytes, version: int | None) -> None:
    assert script.classify(made) == (kind, program)
    assert script.witness_version(made) == version


@pytest.mark.parametrize(("threshold", "total"), [(1, 1), (2, 3), (3, 3), (16, 16)])
def test_multisig(threshold: int, total: int) -> None:
    keys = (KEYS * 6)[:total]
    assert script.parse_multisig(script.multisig(threshold, keys)) == Multisig(threshold, keys)


GOOD_MULTISIG = script.multisig(2, KEYS)
BAD_MULTISIGS = {
    "empty": b"",
    "the opcode alone": b"\xae",
    "threshold 0": b"\x00" + GOOD_MULTISIG[1:],
    "threshold above the keys": b"\x54" + GOOD_MULTISIG[1:],
    "another number of keys": GOOD_MULTISIG[:-2] + b"\x52\xae",
    "no keys": b"\x51\x50\xae",
    "17 keys": b"\x51" + script.push(KEYS[0]) * 17 + b"\x61\xae",
    "a key of 32 bytes": b"\x51" + script.push(KEYS[0][:-1]) + b"\x51\xae",
    "a hybrid key": b"\x51" + script.push(b"\6" + bytes(64)) + b"\x51\xae",
    "a longer push": b"\x51\x4c\x21" + KEYS[0] + b"\x51\xae",
    "a key that ends beyond": b"\x51\x21" + KEYS[0][:-2] + b"\x51\xae",
    "CHECKMULTISIGVERIFY": GOOD_MULTISIG[:-1] + b"\xaf",
}


@pytest.mark.parametrize("written", BAD_MULTISIGS.values(), ids=BAD_MULTISIGS.keys())
def test_what_is_no_multisig(written: bytes) -> None:
    assert script.parse_multisig(written) is None


@pytest.mark.parametrize(
    ("size", "prefix"),
    [(0, "00"), (1, "01"), (75, "4b"), (76, "4c4c"), (255, "4cff"), (256, "4d0001"), (520, "4d0802")],
)
def test_push(size: int, prefix: str) -> None:
    assert script.push(bytes(size)).hex() == prefix + "00" * size


def test_networks_are_told_apart() -> None:
    names = [name for network in NETWORKS for name in (network.name, *network.aliases, network.caip2)]
    assert len(names) == len(set(names))
    assert {(network.chain, network.decimals, network.chain_id) for network in NETWORKS} == {("bitcoin", 8, None)}
    assert [network.keyspace for network in NETWORKS] == [MAIN, TEST, TEST, TEST, TEST]
    assert [network.testnet for network in NETWORKS] == [False, True, True, True, True]
    assert all(len(network.caip2) == len("bip122:") + 32 for network in NETWORKS)


@pytest.mark.parametrize(
    ("name", "main", "test"),
    [
        ("bip84", "m/84'/0'/3'/1/5", "m/84'/1'/3'/1/5"),
        ("bip86", "m/86'/0'/3'/1/5", "m/86'/1'/3'/1/5"),
        ("bip49", "m/49'/0'/3'/1/5", "m/49'/1'/3'/1/5"),
        ("bip44", "m/44'/0'/3'/1/5", "m/44'/1'/3'/1/5"),
        ("bip48", "m/48'/0'/3'/2'/1/5", "m/48'/1'/3'/2'/1/5"),
    ],
)
def test_schemes(name: str, main: str, test: str) -> None:
    for keyspace, path in ((MAIN, main), (TEST, test)):
        found = schemes.SCHEMES[keyspace][name]
        assert found.path(Position(3, 1, 5)) == path
        assert found.match(path) == Position(3, 1, 5)
        assert found.account_path(3) == path.removesuffix("/1/5")
        assert found.shared is (name == "bip48")


def test_the_schemes_of_both_keyspaces_are_the_same_but_for_the_coin() -> None:
    assert schemes.SCHEMES[MAIN].keys() == schemes.SCHEMES[TEST].keys()
    for scheme in schemes.SCHEMES[MAIN].values():
        twin = schemes.SCHEMES[TEST][scheme.name]
        assert (scheme.kinds, scheme.description) == (twin.kinds, twin.description)
        assert scheme.kinds == {WalletKind.RAW_KEY if scheme.name.startswith("raw-") else WalletKind.BIP39}


def test_a_cosigners_key_has_no_address() -> None:
    with pytest.raises(UnknownScheme):
        schemes.script_of(schemes.SCHEMES[MAIN]["bip48"], KEYS[0])


def test_addresses_against_a_second_implementation() -> None:
    chain: Chain = CHAINS["bitcoin"]
    for key in KEYS:
        expected = {
            "p2pkh": P2PKHAddrEncoder.EncodeKey(key, net_ver=b"\0"),
            "p2wpkh": P2WPKHAddrEncoder.EncodeKey(key, hrp="bc"),
            "p2sh-p2wpkh": P2SHAddrEncoder.EncodeKey(key, net_ver=b"\5"),
            "p2tr": P2TRAddrEncoder.EncodeKey(key, hrp="bc"),
        }
        for name, text in expected.items():
            shown = chain.render(MAINNET, schemes.SCHEMES[MAIN][f"raw-{name}"], key)
            assert shown.address == text
            assert chain.parse_address(MAINNET, text) == shown
            assert shown.forms == {"address": text, "script_pubkey": shown.canonical.hex()}
            assert shown.kind == name.split("-")[0]


def test_regtest_alone_has_a_prefix_of_its_own() -> None:
    made = script.p2wpkh(HASH)
    prefixes = [(address.encode(address.params(network), made) or "").split("1")[0] for network in NETWORKS]
    assert prefixes == ["bc", "tb", "tb", "tb", "bcrt"]
    text = address.encode(address.params(REGTEST), made)
    assert text is not None
    for network in NETWORKS[:-1]:
        with pytest.raises(InvalidAddress):
            address.parse(network, text)
    legacy = address.encode(address.params(REGTEST), script.p2pkh(HASH))
    assert legacy is not None
    assert {address.parse(network, legacy).canonical for network in NETWORKS[1:]} == {script.p2pkh(HASH)}


@pytest.mark.parametrize(
    "made", [b"", b"\x6a\x01a", script.multisig(2, KEYS), script.witness(0, b"ab"), script.push(KEYS[0]) + b"\xac"]
)
def test_a_script_without_an_address(made: bytes) -> None:
    assert address.encode(address.params(MAINNET), made) is None
    assert address.show(MAINNET, made) is None


@pytest.mark.parametrize(
    "text",
    [
        base58.encode_check(b"\0" + HASH[:-1]),
        base58.encode_check(b"\0" + HASH + b"\0"),
        base58.encode_check(b"\x30" + HASH),
        base58.encode_check(b"\x80" + WIDE),
        "bc1",
        "BC1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "\u00df" * 5000,
    ],
)
def test_what_is_no_address(text: str) -> None:
    for network in NETWORKS:
        with pytest.raises(InvalidAddress) as refusal:
            address.parse(network, text)
        assert text not in refusal.value.message


def test_an_output_key_is_the_same_for_either_form_of_the_internal_key() -> None:
    for key in KEYS:
        assert schemes.output_key(key) == schemes.output_key(key[1:]) != schemes.output_key(key, WIDE)
    with pytest.raises(ValueError, match="invalid public key"):
        schemes.output_key(bytes(32))


def test_hash160_of_a_script_makes_its_p2sh() -> None:
    assert schemes.p2sh_p2wpkh(KEYS[0]) == script.p2sh(hash160(script.p2wpkh(hash160(KEYS[0]))))
