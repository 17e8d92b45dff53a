"""Bitcoin addresses. The canonical bytes of an address are its output script.

The test networks share their prefixes, so an address does not tell which of them it belongs to. Only regtest has its
own prefix, for segwit (Bitcoin Core, src/kernel/chainparams.cpp).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.chains.base import ParsedAddress
from strongroom.chains.bitcoin import script
from strongroom.chains.bitcoin.networks import MAIN, REGTEST
from strongroom.chains.bitcoin.script import ScriptKind
from strongroom.codecs import base58, bech32
from strongroom.domain.network import Network
from strongroom.errors import InvalidAddress

_PAYLOAD: Final = 21
"""Bytes of a version and a hash."""


@dataclass(frozen=True, slots=True)
class Params:
    """The prefixes of a network's addresses."""

    hrp: str
    p2pkh: int
    p2sh: int


_MAIN: Final = Params("bc", 0x00, 0x05)
_TEST: Final = Params("tb", 0x6F, 0xC4)
_REGTEST: Final = Params("bcrt", 0x6F, 0xC4)


def params(network: Network) -> Params:
    if network.keyspace == MAIN:
        return _MAIN
    return _REGTEST if network.name == REGTEST else _TEST


def encode(params: Params, script_pubkey: bytes) -> str | None:
    """The address of an output script, or None if it has none."""
    kind, program = script.classify(script_pubkey)
    version = script.witness_version(script_pubkey)
    if version is not None:
        try:
            return bech32.encode(params.hrp, version, program)
        except ValueError:  # version 0 with a program of a length that nobody can spend
            return None
    prefix = {ScriptKind.P2PKH: params.p2pkh, ScriptKind.P2SH: params.p2sh}.get(kind)
    return None if prefix is None else base58.encode_check(bytes((prefix,)) + program)


def decode(params: Params, text: str) -> bytes:
    """The output script of an address. Raises InvalidAddress."""
    try:
        if text.lower().startswith(f"{params.hrp}1"):
            return script.witness(*bech32.decode(params.hrp, text))
        return _from_base58(params, text)
    except ValueError as error:
        raise InvalidAddress(str(error), field="address") from None


def show(network: Network, script_pubkey: bytes) -> ParsedAddress | None:
    """The address of a script, or None if it has none."""
    text = encode(params(network), script_pubkey)
    if text is None:
        return None
    kind, _ = script.classify(script_pubkey)
    return ParsedAddress(script_pubkey, text, {"address": text, "script_pubkey": script_pubkey.hex()}, kind)


def parse(network: Network, text: str) -> ParsedAddress:
    """Raises InvalidAddress."""
    parsed = show(network, decode(params(network), text))
    assert parsed is not None, "an address that was parsed has a text"
    return parsed


def _from_base58(params: Params, text: str) -> bytes:
    payload = base58.decode_check(text)
    if len(payload) != _PAYLOAD:
        raise ValueError("a Base58Check address must have a version and 20 bytes")
    if payload[0] == params.p2pkh:
        return script.p2pkh(payload[1:])
    if payload[0] == params.p2sh:
        return script.p2sh(payload[1:])
    raise ValueError("the address belongs to another network or chain")
