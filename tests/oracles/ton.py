"""TON by pytoniq-core and PyNaCl: what a signed message sends, and the texts that TON Connect signs."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

from nacl.signing import VerifyKey
from pytoniq_core import Cell, MessageAny

_SIGNED = 0x7369676E
_SEND = 0x0EC3C86D


def semantics(root: Cell, version: str) -> dict[str, Any]:
    """Who gets what, by the body of an external message to a wallet of ``version`` (v3R2, v4R2, v5R1)."""
    body = MessageAny.deserialize(root.begin_parse()).body.begin_parse()
    if version == "v5R1":
        assert body.load_uint(32) == _SIGNED
        body.skip_bits(96)
        assert body.load_bit() == 1
        sent, modes = _actions(body.load_ref()), None
        found = [_message(cell) for _, cell in sent]
        modes = [mode for mode, _ in sent]
    else:
        body.skip_bits(512 + 96 + (8 if version == "v4R2" else 0))
        modes, found = [], []
        while body.remaining_refs:
            modes.append(body.load_uint(8))
            found.append(_message(body.load_ref()))
    assert len(set(modes)) == 1
    return {"messages": found, "mode": modes[0]}


def _actions(cell: Cell) -> list[tuple[int, Cell]]:
    """In the order in which they are carried out: the innermost first."""
    found = []
    while cell.bits:
        inside = cell.begin_parse()
        cell = inside.load_ref()
        assert inside.load_uint(32) == _SEND
        mode = inside.load_uint(8)
        found.append((mode, inside.load_ref()))
    return found[::-1]


def _message(cell: Cell) -> dict[str, Any]:
    """Field by field: pytoniq-core's own reader of internal messages wants a source, which the contract fills in."""
    inside = cell.begin_parse()
    assert inside.load_uint(1) == 0
    inside.skip_bits(1)
    bounce = bool(inside.load_bit())
    inside.skip_bits(1 + 2)
    to = inside.load_address()
    value = inside.load_coins()
    assert inside.load_bit() == 0
    assert (inside.load_coins(), inside.load_coins()) == (0, 0)
    inside.skip_bits(64 + 32)
    if inside.load_bit():
        if inside.load_bit():
            inside.load_ref()
        else:
            assert inside.load_uint(2) == 0
            for _ in range(3):
                if inside.load_bit():
                    inside.load_ref()
    body = inside.load_ref() if inside.load_bit() else inside.to_cell()
    return {
        "dest_raw": to.to_str(is_user_friendly=False),
        "value": str(value),
        "bounce": bounce,
        "body_hash": body.hash.hex(),
    }


def proof_hash(raw: str, domain: str, timestamp: int, payload: str) -> bytes:
    """ton_proof, written from its specification (docs.ton.org, TON Connect, verification)."""
    workchain, _, account = raw.partition(":")
    message = b"ton-proof-item-v2/" + int(workchain).to_bytes(4, "big", signed=True) + bytes.fromhex(account)
    message += len(domain.encode()).to_bytes(4, "little") + domain.encode()
    message += timestamp.to_bytes(8, "little") + payload.encode()
    return sha256(b"\xff\xff" + b"ton-connect" + sha256(message).digest()).digest()


def check_signature(public_key: str, text: bytes, signature: str) -> None:
    """Raises nacl.exceptions.BadSignatureError."""
    VerifyKey(bytes.fromhex(public_key)).verify(text, base64.b64decode(signature))
