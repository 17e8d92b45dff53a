from __future__ import annotations

import pytest
from bip_utils import CoinsConf, WifDecoder, WifEncoder, WifPubKeyModes

from strongroom.codecs import base58, wif

KEY = bytes(range(1, 33))


@pytest.mark.parametrize(
    ("testnet", "version"),
    [(False, CoinsConf.BitcoinMainNet.ParamByKey("wif_net_ver")), (True, b"\xef")],
)
@pytest.mark.parametrize("mode", WifPubKeyModes)
def test_against_a_second_implementation(testnet: bool, version: bytes, mode: WifPubKeyModes) -> None:
    text = WifEncoder.Encode(KEY, version, mode)
    found = wif.decode(text)
    assert (found.key.reveal(), found.testnet, found.compressed) == (KEY, testnet, mode is WifPubKeyModes.COMPRESSED)
    assert WifDecoder.Decode(text, version) == (KEY, mode)
    assert KEY.hex() not in repr(found)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x80", b"\x80" + KEY[:-1], b"\x80" + KEY + b"\2", b"\x80" + KEY + b"\1\1", b"\x00" + KEY, b"\xb0" + KEY],
    ids=["nothing", "no key", "31 bytes", "another mark", "34 bytes", "an address", "of Litecoin"],
)
def test_what_is_no_wif_key(payload: bytes) -> None:
    with pytest.raises(ValueError, match="WIF"):
        wif.decode(base58.encode_check(payload))
    with pytest.raises(ValueError, match="checksum"):
        wif.decode(base58.encode(payload + b"abcd"))
