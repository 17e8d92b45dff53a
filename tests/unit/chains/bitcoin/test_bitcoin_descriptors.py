"""Exports of an account for other wallets, beyond the vectors."""

from __future__ import annotations

import pytest
from bip_utils import Bip32KeyNetVersions, Bip32Slip10Secp256k1

from strongroom.chains.bitcoin import descriptor, schemes
from strongroom.chains.bitcoin.networks import MAIN, NETWORKS, TEST
from strongroom.codecs import bip32
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidKey

SEED = bytes(range(64))
NETWORK = {MAIN: NETWORKS[0], TEST: NETWORKS[1]}
# SLIP-0132, "Registered HD version bytes"
VERSIONS = {
    (MAIN, "bip44"): ("xpub", None),
    (MAIN, "bip49"): ("xpub", "ypub"),
    (MAIN, "bip84"): ("xpub", "zpub"),
    (MAIN, "bip86"): ("xpub", None),
    (MAIN, "bip48"): ("xpub", "Zpub"),
    (TEST, "bip44"): ("tpub", None),
    (TEST, "bip49"): ("tpub", "upub"),
    (TEST, "bip84"): ("tpub", "vpub"),
    (TEST, "bip86"): ("tpub", None),
    (TEST, "bip48"): ("tpub", "Vpub"),
}


def account(path: str) -> PublicNode:
    node = Bip32Slip10Secp256k1.FromSeedAndPath(SEED, path)
    return PublicNode(
        path,
        node.PublicKey().RawCompressed().ToBytes(),
        node.ChainCode().ToBytes(),
        node.ParentFingerPrint().ToBytes(),
    )


@pytest.mark.parametrize(("keyspace", "name"), VERSIONS)
def test_extended_keys(keyspace: str, name: str) -> None:
    scheme = schemes.SCHEMES[keyspace][name]
    path = scheme.account_path(4)
    assert path is not None
    keys = descriptor.account_keys(NETWORK[keyspace], scheme, account(path), "deadbeef")
    expected, slip132 = VERSIONS[keyspace, name]
    assert keys.extended_public_key.startswith(expected)
    version = Bip32KeyNetVersions(bip32.TPUB.to_bytes(4, "big"), bip32.TPRV.to_bytes(4, "big"))
    oracle = Bip32Slip10Secp256k1.FromSeedAndPath(SEED, path, *([version] if keyspace == TEST else []))
    assert keys.extended_public_key == oracle.PublicKey().ToExtended()
    assert (keys.slip132 or "")[:4] == (slip132 or "")
    if name == "bip48":
        assert keys.descriptor is None
    else:
        assert keys.descriptor is not None
        assert f"[deadbeef{path[1:]}]".replace("'", "h") in keys.descriptor


def test_without_the_fingerprint_there_is_no_descriptor() -> None:
    scheme = schemes.SCHEMES[MAIN]["bip84"]
    assert descriptor.account_keys(NETWORKS[0], scheme, account("m/84'/0'/0'"), None).descriptor is None


def test_without_the_chain_code_there_is_nothing() -> None:
    node = account("m/84'/0'/0'")
    with pytest.raises(InvalidKey):
        descriptor.account_keys(
            NETWORKS[0], schemes.SCHEMES[MAIN]["bip84"], PublicNode(node.path, node.public_key, None), "deadbeef"
        )


def test_checksums() -> None:
    # BIP-380, "Test Vectors"
    assert descriptor.with_checksum("raw(deadbeef)") == "raw(deadbeef)#89f8spxm"
    assert descriptor.checksum("raw(deedbeef)") != "89f8spxm"
    with pytest.raises(ValueError, match="substring"):
        descriptor.checksum("raw(\u00dc)")


@pytest.mark.parametrize("size", range(7))
def test_a_checksum_depends_on_every_character(size: int) -> None:
    text = "wpkh()"[:size]
    changed = {text[:at] + "x" + text[at + 1 :] for at in range(size)}
    assert descriptor.checksum(text) not in {descriptor.checksum(one) for one in changed}
    assert len({descriptor.checksum(one) for one in changed}) == len(changed)
