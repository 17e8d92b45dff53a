"""PSBTs, beyond the vectors of BIP-174 and BIP-371."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from btclib_secp256k1 import keys

from strongroom.chains.bitcoin import psbt
from strongroom.chains.bitcoin.psbt import Origin, Psbt, PsbtInput, PsbtOutput
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.codecs.bitcoin_wire import compact_size, var_bytes

DATA = Path(__file__).parents[3] / "vectors/data"
GOOD = [
    base64.b64decode(vector["input"]["psbt_base64"])
    for name in ("psbt_valid", "signing")
    for vector in json.loads((DATA / f"bitcoin.{name}.json").read_text())["vectors"]
    if "psbt_base64" in vector["input"]
]
KEY = keys.pubkey_from_prvkey(7)
XONLY = KEY[1:]
PREVIOUS = Transaction(2, (TxIn(OutPoint(b"\1" * 32, 0), b"\x51", 0),), (TxOut(5000, b"\x51"), TxOut(6000, b"\x52")), 0)
UNSIGNED = Transaction(2, (TxIn(OutPoint(PREVIOUS.hash, 1), b"", 0xFFFFFFFD),), (TxOut(1, b"\x51"),), 0)
ORIGIN = b"\xde\xad\xbe\xef" + (2**31 + 84).to_bytes(4, "little")

Map = list[tuple[bytes, bytes]]


def written(*maps: Map) -> bytes:
    """A PSBT of these maps, whatever they contain."""
    return psbt.MAGIC + b"".join(
        b"".join(var_bytes(key) + var_bytes(value) for key, value in one) + b"\0" for one in maps
    )


GLOBAL: Map = [(b"\0", UNSIGNED.serialize())]


def one_input(*fields: tuple[bytes, bytes]) -> bytes:
    return written(GLOBAL, list(fields), [])


def one_output(*fields: tuple[bytes, bytes]) -> bytes:
    return written(GLOBAL, [], list(fields))


def test_there_are_samples() -> None:
    assert len(GOOD) > 30


@pytest.mark.parametrize("raw", GOOD)
def test_what_is_read_is_written_as_it_came(raw: bytes) -> None:
    parsed = psbt.parse(raw)
    assert psbt.serialize(parsed) == raw
    assert psbt.parse_text(psbt.to_base64(parsed)) == psbt.parse_text(raw.hex()) == parsed
    assert psbt.parse_text(raw.hex().upper()) == parsed
    assert len(parsed.inputs) == len(parsed.transaction.inputs)
    assert len(parsed.outputs) == len(parsed.transaction.outputs)


@pytest.mark.parametrize("raw", GOOD[:12])
def test_no_part_of_a_psbt_is_one(raw: bytes) -> None:
    for size in range(len(raw)):
        with pytest.raises(ValueError, match=r"PSBT|early|end"):
            psbt.parse(raw[:size])
    with pytest.raises(ValueError, match="follow"):
        psbt.parse(raw + b"\0")


def test_changed_bytes_are_refused_or_come_out_as_they_went_in() -> None:
    rng = random.Random(174)
    accepted = 0
    for number in range(3000):
        raw = bytearray(GOOD[number % len(GOOD)])
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            match rng.randrange(3):
                case 0:
                    raw[at] = rng.randrange(256)
                case 1:
                    del raw[at]
                case _:
                    raw.insert(at, rng.randrange(256))
        try:
            parsed = psbt.parse(bytes(raw))
        except ValueError:
            continue
        accepted += 1
        assert psbt.serialize(parsed) == raw
    assert accepted > 300


def test_fields_stay_in_their_order_and_new_ones_follow() -> None:
    unknown = (b"\xf0key", b"value")
    parsed = psbt.parse(one_input(unknown, (b"\3", bytes([1, 0, 0, 0])), (b"\xfc\1x\0", b"proprietary")))
    [given] = parsed.inputs
    assert given.sighash_type == 1
    assert given.unknown == {b"\xf0key": b"value", b"\xfc\1x\0": b"proprietary"}
    signature = bytes(70)
    changed = replace(parsed, inputs=(replace(given, partial_sigs={KEY: signature}, sighash_type=None),))
    assert psbt.serialize(changed) == one_input(unknown, (b"\xfc\1x\0", b"proprietary"), (b"\2" + KEY, signature))


def test_one_that_was_made_here() -> None:
    made = Psbt(
        transaction=UNSIGNED,
        inputs=(
            PsbtInput(
                non_witness_utxo=PREVIOUS,
                bip32_derivations={KEY: Origin(b"\xde\xad\xbe\xef", (2**31 + 84, 0))},
                final_script_witness=(b"a", b""),
                tap_internal_key=XONLY,
            ),
        ),
        outputs=(PsbtOutput(redeem_script=b"\x51"),),
    )
    again = psbt.parse(psbt.serialize(made))
    assert again.inputs[0].order
    bare = replace(
        again,
        inputs=tuple(replace(one, order=()) for one in again.inputs),
        outputs=tuple(replace(one, order=()) for one in again.outputs),
        order=(),
    )
    assert bare == made


def test_version_0_may_be_written() -> None:
    raw = written([*GLOBAL, (b"\xfb", bytes(4))], [], [])
    parsed = psbt.parse(raw)
    assert (parsed.version, psbt.serialize(parsed)) == (0, raw)


def with_input(**changes: Any) -> Map:
    return [(b"\0", replace(UNSIGNED, inputs=(replace(UNSIGNED.inputs[0], **changes),)).serialize())]


BAD = {
    "version 2": written([*GLOBAL, (b"\xfb", b"\2\0\0\0")], [], []),
    "version 2 without a transaction": written([(b"\xfb", b"\2\0\0\0"), (b"\2", b"\2\0\0\0")]),
    "version of 1 byte": written([*GLOBAL, (b"\xfb", b"\0")], [], []),
    "version with key data": written([*GLOBAL, (b"\xfb\0", bytes(4))], [], []),
    **{f"global field {kind:02x} of version 2": written([*GLOBAL, (bytes([kind]), b"\1")], [], []) for kind in (2, 6)},
    **{f"input field {kind:02x} of version 2": one_input((bytes([kind]), b"\1")) for kind in (0x0E, 0x12)},
    **{f"output field {kind:02x} of version 2": one_output((bytes([kind]), b"\1")) for kind in (3, 4)},
    "no transaction": written([]),
    "magic of a wallet file": b"psbu\xff" + written(GLOBAL, [], [])[5:],
    "a map too few": written(GLOBAL, []),
    "a map too many": written(GLOBAL, [], [], []),
    "the same key twice": one_input((b"\xf0a", b"1"), (b"\xf0a", b"1")),
    "the transaction twice": written([*GLOBAL, *GLOBAL], [], []),
    "a transaction with scriptSig": written(with_input(script_sig=b"\x51"), [], []),
    "a transaction with witness": written(with_input(witness=(b"a",)), [], []),
    "a transaction with key data": written([(b"\0\1", UNSIGNED.serialize())], [], []),
    "an extended key of 77 bytes": written([*GLOBAL, (b"\1" + bytes(77), ORIGIN)], [], []),
    "previous transaction with a byte more": one_input((b"\0", PREVIOUS.serialize() + b"\0")),
    "spent output with a byte more": one_input((b"\1", PREVIOUS.outputs[0].serialize() + b"\0")),
    "partial signature of a key off the curve": one_input((b"\2" + b"\2" + b"\xff" * 32, bytes(70))),
    "partial signature of a hybrid key": one_input((b"\2\6" + bytes(64), bytes(70))),
    "empty partial signature": one_input((b"\2" + KEY, b"")),
    "partial signature of 74 bytes": one_input((b"\2" + KEY, bytes(74))),
    "sighash with and without key data": one_input((b"\3", bytes([1, 0, 0, 0])), (b"\3\0", bytes([1, 0, 0, 0]))),
    "sighash of 1 byte": one_input((b"\3", b"\1")),
    "origin of 3 bytes": one_input((b"\6" + KEY, ORIGIN[:3])),
    "origin of 7 bytes": one_input((b"\6" + KEY, ORIGIN[:7])),
    "witness with a byte more": one_input((b"\x08", b"\1\1a\0")),
    "witness with a length that is too long": one_input((b"\x08", b"\1\xfd\1\0a")),
    "taproot signature of 63 bytes": one_input((b"\x13", bytes(63))),
    "taproot key off the curve": one_input((b"\x17", b"\xff" * 32)),
    "taproot root of 31 bytes": one_input((b"\x18", bytes(31))),
    "control block of 34 bytes": one_input((b"\x15" + bytes(34), b"\x51\xc0")),
    "control block of 129 hashes": one_input((b"\x15" + bytes(33 + 32 * 129), b"\x51\xc0")),
    "leaf without its version": one_input((b"\x15" + bytes(33), b"")),
    "script signature without its leaf": one_input((b"\x14" + XONLY, bytes(64))),
    "taproot origin with a leaf too few": one_input((b"\x16" + XONLY, b"\2" + bytes(32) + ORIGIN)),
    "taproot origin without fingerprint": one_input((b"\x16" + XONLY, b"\0")),
    "tree that is empty": one_output((b"\6", b"")),
    "tree with an odd leaf version": one_output((b"\6", b"\0\xc1\1\x51")),
    "tree that is too deep": one_output((b"\6", b"\x81\xc0\1\x51")),
    "tree that ends early": one_output((b"\6", b"\0\xc0\2\x51")),
    "a length that is too long": psbt.MAGIC + b"\xfd\1\0\0" + written(GLOBAL, [], [])[7:],
    "a count beyond the end": psbt.MAGIC + compact_size(2**40),
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_what_is_no_psbt(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"PSBT|early|follow|shortest"):
        psbt.parse(raw)


def test_version_2_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"must have version 0.*BIP-370"):
        psbt.parse(BAD["version 2 without a transaction"])


def bad_texts() -> list[str]:
    text = base64.b64encode(GOOD[0]).decode()
    return [
        "",
        " ",
        text + "\0",
        text[:40] + "\u00a0" + text[40:],
        text.rstrip("=") if text.endswith("=") else text + "=",
        text.replace("c", "-", 1),
        GOOD[0].hex() + "0",
        GOOD[0].hex()[:20] + "." + GOOD[0].hex()[20:],
        "0x" + GOOD[0].hex(),
        GOOD[0].hex() + "\u0661\u0661",
        "\u00e9" * 10,
    ]


@pytest.mark.parametrize("text", bad_texts())
def test_what_is_neither_base64_nor_hex(text: str) -> None:
    with pytest.raises(ValueError, match=r"PSBT|hex"):
        psbt.parse_text(text)


@pytest.mark.parametrize("text", [GOOD[0].hex(), base64.b64encode(GOOD[0]).decode()], ids=["hex", "base64"])
@pytest.mark.parametrize("broken_by", ["\n", "\r\n", "\r", "\t", " \n"])
def test_space_that_transport_puts_in_changes_nothing(text: str, broken_by: str) -> None:
    lines = [text[at : at + 76] for at in range(0, len(text), 76)]
    for wrapped in (broken_by.join(lines), broken_by.join([*lines, ""]), broken_by.join(["", *lines])):
        assert psbt.parse_text(wrapped) == psbt.parse(GOOD[0])


def test_base64_has_one_form_only() -> None:
    raw = next(raw for raw in GOOD if len(raw) % 3 == 1)
    text = base64.b64encode(raw).decode()
    other = text[:-3] + chr(ord(text[-3]) + 1) + "=="
    assert base64.b64decode(other) == raw
    with pytest.raises(ValueError, match="base64"):
        psbt.parse_text(other)
