"""Transaction ids in the forms that people paste."""

from __future__ import annotations

import base64

import pytest

from strongroom.chains.registry import CHAINS
from strongroom.codecs import base58
from strongroom.errors import InvalidField

HASH = "Fb" * 32
HEX = HASH.lower()
SIGNATURE = base58.encode(bytes(range(64)))
BASE64 = base64.b64encode(bytes.fromhex(HASH)).decode()
URL = base64.urlsafe_b64encode(bytes.fromhex(HASH)).decode()


@pytest.mark.parametrize(
    ("chain", "pasted", "written"),
    [
        ("bitcoin", HASH, HEX),
        ("evm", f"0x{HASH}", f"0x{HEX}"),
        ("evm", HASH, f"0x{HEX}"),
        ("tron", HASH, HEX),
        ("tron", f"0x{HASH}", HEX),
        ("solana", SIGNATURE, SIGNATURE),
        ("ton", HASH, HEX),
        ("ton", BASE64, HEX),
        ("ton", URL, HEX),
        ("ton", URL.rstrip("="), HEX),
    ],
)
def test_forms(chain: str, pasted: str, written: str) -> None:
    assert CHAINS[chain].tx_id(pasted) == written


@pytest.mark.parametrize("chain", sorted(CHAINS))
@pytest.mark.parametrize("pasted", ["0x", "0x1234", HEX[1:], HEX + "0", "g" * 64, "1" * 63, "0x" + SIGNATURE, "=" * 44])
def test_what_is_no_id(chain: str, pasted: str) -> None:
    with pytest.raises(InvalidField) as caught:
        CHAINS[chain].tx_id(pasted)
    assert caught.value.field == "tx_id"
