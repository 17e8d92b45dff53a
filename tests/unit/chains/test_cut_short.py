"""Input that ends early or is missing is refused with the usual exception."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from strongroom.chains.bitcoin import psbt
from strongroom.chains.evm import transaction as evm
from strongroom.chains.solana import transaction as solana
from strongroom.chains.ton import boc
from strongroom.chains.ton.cell import Builder
from strongroom.chains.tron import transaction as tron
from strongroom.codecs import base58, bech32, wif
from strongroom.codecs import bip144 as bitcoin
from strongroom.codecs.bip32 import parse_extended_key
from strongroom.errors import InvalidKey
from tests.vectors import run
from tests.vectors.folder import Vector, read

FIRST: Final[dict[str, Vector]] = {vector["group"]: vector for vector in reversed(read(run.OWN).vectors)}


def _of(group: str, part: str, name: str) -> str:
    text: str = FIRST[group][part][name]
    return text.removeprefix("0x")


READERS: Final[dict[str, tuple[Callable[[bytes], Any], bytes]]] = {
    "a PSBT": (psbt.parse, b64decode(_of("btc.sign.psbt", "input", "psbt_base64"))),
    "a transaction of Bitcoin": (bitcoin.parse, bytes.fromhex(_of("btc.sign.psbt", "expected", "raw_tx_hex"))),
    "a legacy transaction": (evm.parse, bytes.fromhex(_of("eth.sign.legacy", "expected", "raw_tx"))),
    "a typed transaction": (evm.parse, bytes.fromhex(_of("eth.sign.eip1559", "expected", "raw_tx"))),
    "raw_data": (tron.parse, bytes.fromhex(_of("tron.sign.TransferContract", "expected", "raw_data_hex"))),
    "a transaction of Solana": (solana.parse, b64decode(_of("sol.sign.legacy", "input", "unsigned_tx_base64"))),
    "a bag of cells": (boc.read, boc.write(Builder().uint(5, 3).ref(Builder().uint(1, 8).cell()).cell())),
}


@pytest.mark.parametrize("kind", READERS)
def test_every_beginning(kind: str) -> None:
    parse, whole = READERS[kind]
    parse(whole)
    for size in range(len(whole)):
        with suppress(ValueError):
            parse(whole[:size])
            assert kind == "raw_data", "its last fields may be left out"


@pytest.mark.parametrize("kind", READERS)
def test_every_byte_that_may_be_a_length(kind: str) -> None:
    """A length field is set to zero, to the maximum and to one more. No other exception may be raised."""
    parse, whole = READERS[kind]
    for at in range(len(whole)):
        for value in {0, 0xFF, (whole[at] + 1) % 256}:
            with suppress(ValueError):
                parse(whole[:at] + bytes((value,)) + whole[at + 1 :])


@pytest.mark.parametrize("size", range(6))
def test_texts_with_a_checksum_and_hardly_anything_else(size: int) -> None:
    text = base58.encode_check(bytes(size))
    with pytest.raises(ValueError, match="WIF"):
        wif.decode(text)
    with pytest.raises(InvalidKey):
        parse_extended_key(text)
    with pytest.raises(ValueError, match="segwit address"):
        bech32.decode("bc", "bc1" + "q" * size)
