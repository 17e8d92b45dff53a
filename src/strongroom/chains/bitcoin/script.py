"""Makes and recognises the standard output scripts and multisig (Bitcoin Core, src/script/solver.cpp)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OP_0: Final = 0x00
OP_PUSHDATA1: Final = 0x4C
OP_1: Final = 0x51
OP_RETURN: Final = 0x6A
OP_CHECKMULTISIG: Final = 0xAE

MAX_KEYS: Final = 16
"""Keys of a multisig. Their number is a single opcode, and more are not standard."""

MAX_PUSH: Final = 520
"""Bytes of one stack item outside of Taproot. A longer redeem script can never be spent (BIP-16)."""

_P2PKH: Final = (b"\x76\xa9\x14", b"\x88\xac")
_P2SH: Final = (b"\xa9\x14", b"\x87")
_WITNESS_PROGRAM: Final = range(2, 41)
_KEY_SIZES: Final = {2: 33, 3: 33, 4: 65}
"""The length of a public key by its first byte."""


class ScriptKind(StrEnum):
    P2PKH = "p2pkh"
    P2SH = "p2sh"
    P2WPKH = "p2wpkh"
    P2WSH = "p2wsh"
    P2TR = "p2tr"
    ANCHOR = "anchor"
    """Pay to anchor, which anyone can spend without a signature (Bitcoin Core, src/script/script.h)."""
    MULTISIG = "multisig"
    OP_RETURN = "op_return"
    OTHER = "other"


_WITNESS_KINDS: Final = {
    (0, 20): ScriptKind.P2WPKH,
    (0, 32): ScriptKind.P2WSH,
    (1, 32): ScriptKind.P2TR,
}
_ANCHOR: Final = bytes.fromhex("51024e73")


@dataclass(frozen=True, slots=True)
class Multisig:
    threshold: int
    keys: tuple[bytes, ...]


def p2pkh(hash160: bytes) -> bytes:
    return _P2PKH[0] + hash160 + _P2PKH[1]


def p2sh(hash160: bytes) -> bytes:
    return _P2SH[0] + hash160 + _P2SH[1]


def p2wpkh(hash160: bytes) -> bytes:
    return witness(0, hash160)


def p2wsh(sha256: bytes) -> bytes:
    return witness(0, sha256)


def p2tr(xonly: bytes) -> bytes:
    """``xonly`` is the output key, which is already tweaked."""
    return witness(1, xonly)


def witness(version: int, program: bytes) -> bytes:
    return bytes((_small(version), len(program))) + program


def multisig(threshold: int, keys: Sequence[bytes]) -> bytes:
    """The multisig script with the keys in the given order. BIP-67 sorts them first, and some wallets do not."""
    pushes = b"".join(map(push, keys))
    return bytes((_small(threshold),)) + pushes + bytes((_small(len(keys)), OP_CHECKMULTISIG))


def push(data: bytes) -> bytes:
    """The shortest push of up to 65,535 bytes of ``data``, without the opcodes for small numbers."""
    size = len(data)
    if size < OP_PUSHDATA1:
        return bytes((size,)) + data
    width = 1 if size < 0x100 else 2
    return bytes((OP_PUSHDATA1 + width - 1,)) + size.to_bytes(width, "little") + data


def witness_version(script: bytes) -> int | None:
    """0 to 16 if the script is a witness program (BIP-141), or None."""
    if len(script) - 2 not in _WITNESS_PROGRAM or script[1] != len(script) - 2:
        return None
    return _number(script[0])


def classify(script: bytes) -> tuple[ScriptKind, bytes]:
    """The kind of a script with its payload.

    The payload is the hash, the witness program or what follows OP_RETURN. It is empty for other kinds.
    """
    version = witness_version(script)
    if script == _ANCHOR:
        return ScriptKind.ANCHOR, script[2:]
    if version is not None:
        kind = _WITNESS_KINDS.get((version, len(script) - 2), ScriptKind.OTHER)
        return kind, script[2:]
    if len(script) == 25 and (script[:3], script[-2:]) == _P2PKH:
        return ScriptKind.P2PKH, script[3:-2]
    if len(script) == 23 and (script[:2], script[-1:]) == _P2SH:
        return ScriptKind.P2SH, script[2:-1]
    if script[:1] == bytes((OP_RETURN,)):
        return ScriptKind.OP_RETURN, script[1:]
    return (ScriptKind.OTHER if parse_multisig(script) is None else ScriptKind.MULTISIG), b""


def parse_multisig(script: bytes) -> Multisig | None:
    """The parts of ``m <key> … n OP_CHECKMULTISIG`` with 1 <= m <= n <= 16, or None for another script."""
    if len(script) < 3 or script[-1] != OP_CHECKMULTISIG:
        return None
    threshold, total = _number(script[0]), _number(script[-2])
    keys, at, end = [], 1, len(script) - 2
    while at < end:
        size = script[at]
        key = script[at + 1 : at + 1 + size]
        if len(key) != size or at + 1 + size > end or _KEY_SIZES.get(key[0] if key else 0) != size:
            return None
        keys.append(key)
        at += 1 + size
    if threshold is None or total != len(keys) or not 1 <= threshold <= total:
        return None
    return Multisig(threshold, tuple(keys))


def _small(number: int) -> int:
    """The opcode that pushes 0 to 16."""
    return OP_1 - 1 + number if number else OP_0


def _number(opcode: int) -> int | None:
    if opcode == OP_0:
        return 0
    return opcode - OP_1 + 1 if OP_1 <= opcode < OP_1 + MAX_KEYS else None
