"""What a caller can make the service read, each at its size limit and at its worst: milliseconds on one core.

    python bench/parsers.py

``where`` is what happens with such input in the service: on the event loop (at most 50 ms are good there), or in a
thread, as everything is that is larger than `bounds.large`. The exit code is 1 if something on the loop takes longer
than --most milliseconds, which is a lot more than 50 where the machine is shared.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from strongroom.chains.registry import CHAINS
from strongroom.codecs import abi, base58, bech32, bip32, eip712, rlp
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.signing import Message, SignOptions
from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.caller import presented_key, request_id
from strongroom.entrypoints.grpc.convert import read
from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from strongroom.entrypoints.json_tree import read_json
from strongroom.errors import StrongroomError
from strongroom.keys import bip39
from strongroom.operations.administration import CreateApiKey
from strongroom.operations.fields import clean_text, decode_cursor
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.telemetry.scrubbing import looks_like_secret, scrub, scrub_text

MIB = 1 << 20
ROUNDS = 3
Case = tuple[str, str, Callable[[], object], object]
"""What reads, what it is given, the call, and the document that decides whether it runs in a thread."""


def json_cases() -> Iterator[Case]:
    inputs = {
        "one string of escaped quotes": b"{" * 33 + b'"' + b'\\"' * (MIB // 2 - 20),
        "strings without an end": b'"' * MIB,
        "backslashes": b'["' + b"\\" * (MIB - 4) + b'"]',
        "empty objects": b"[" + b"{}," * (MIB // 3 - 2) + b"{}]",
        "as many objects as may be": b"[" + b"{}," * 24_990 + b"{}]",
        "as many keys as may be": json.dumps({f"{n:012}": n for n in range(24_000)}).encode(),
        "as many integers as may be": b"[" + b",".join([b"9" * 19] * 49_000) + b"]",
        "brackets": b"[" * MIB,
        "pairs of brackets": b"[]" * (MIB // 2),
        "long integers": b"[" + b",".join([b"9" * 4300] * (MIB // 4301)) + b"]",
        "surrogates": b'["' + b"\\ud83d\\ude00" * (MIB // 12 - 2) + b'"]',
        "a long key twice": b'{"' + b"a" * (MIB // 2 - 10) + b'":1,"' + b"a" * (MIB // 2 - 10) + b'":1}',
    }
    for name, raw in inputs.items():
        yield "JSON", name, lambda raw=raw: read_json(raw), None
    scopes = {"name": "x", "scopes": ["a"] * 49_000}
    yield "JSON to a command", "49,000 scopes", lambda: bind(scopes, CreateApiKey), None


def protobuf_cases() -> Iterator[Case]:
    unknown = b"\xf8\x7f\x01" * (MIB // 3)
    scopes = pb.CreateApiKeyRequest(name="x", scopes=["a"] * (MIB // 3)).SerializeToString()
    document = pb.SignTypedDataRequest()
    document.typed_data.json = "[" + "{}," * 24_990 + "{}]"
    yield "protobuf", "unknown fields", lambda: read(unknown, pb.CreateApiKeyRequest), None
    yield "protobuf", "a list of 349,000", lambda: bind(read(scopes, pb.CreateApiKeyRequest), CreateApiKey), None
    raw = document.SerializeToString()
    yield "protobuf", "JSON inside", lambda: read(raw, pb.SignTypedDataRequest), None


def text_cases() -> Iterator[Case]:
    yield "request id", "8 KiB", lambda: request_id(["a" * 8192] * 8), None
    yield "API key", "8 KiB", lambda: presented_key(["sr_" + "0" * 8192], []), None
    yield "label", "512 bytes", lambda: clean_text("\u0301" * 128, "label"), None
    yield "cursor", "256", lambda: decode_cursor(base64.urlsafe_b64encode(b"," * 192).decode(), 3), None
    words = "act " * (64 * 256)
    yield "looks_like_secret", "64 KiB of words", lambda: looks_like_secret(words), None
    yield "looks_like_secret", "64 KiB of gaps", lambda: looks_like_secret("a      " * 9362), None
    yield "looks_like_secret", "64 KiB of prv", lambda: looks_like_secret("xprv" * 16384), None
    for name, text in {
        "1 MiB of words": "act " * (MIB // 4),
        "letters, digits and signs": "a" * 2000 + "0123+" + "B1c2" * 300,
        "URLs": "a://" * 1000,
        "bearers": "bearer \t" * 500,
        "bytes": "b'" * 2000,
        "digits": "1, " * 1300,
    }.items():
        yield "log scrubbing", name, lambda text=text: scrub_text(text), None
    yield "log scrubbing", "a list of long texts", lambda: scrub(["act " * MIB] * 100), None


def codec_cases() -> Iterator[Case]:
    yield "path", "1,024", lambda: bip32.parse_path("m" + "/0'" * 340), None
    yield "extended key", "128", lambda: bip32.parse_extended_key("xpub" + "z" * 124), None
    yield "base58", "128", lambda: base58.decode_check("z" * 128), None
    yield "bech32", "128", lambda: bech32.decode("bc", "bc1" + "q" * 125), None
    phrase = " ".join(["あいこくしん"] * 400)
    yield "BIP-39", "4,096 letters", lambda: bip39.parse(phrase[:4096]), None
    deep = b"\xc0" * MIB
    yield "RLP", "empty lists", lambda: rlp.decode(rlp_list(deep)), b"x" * MIB
    offsets = (b"\0" * 31 + b"\x20") * (MIB // 32)
    yield "ABI", "offsets", lambda: abi.decode(("bytes[]",), offsets), b"x" * MIB


def rlp_list(payload: bytes) -> bytes:
    size = len(payload).to_bytes(4, "big").lstrip(b"\0")
    return bytes([0xF7 + len(size)]) + size + payload


def typed_data(types: int, references: int) -> dict[str, Any]:
    names = [f"T{n}" for n in range(types)]
    fields = {
        name: [{"name": f"f{m}", "type": f"{names[(n + m) % types]}[]"} for m in range(references)]
        for n, name in enumerate(names)
    }
    return {"types": {"EIP712Domain": [], **fields}, "primaryType": "T0", "domain": {}, "message": {
        f"f{m}": [] for m in range(references)}}  # fmt: skip


def chain_cases() -> Iterator[Case]:
    networks = Networks(CHAINS, [network for chain in CHAINS.values() for network in chain.networks], limits={},
                        any_network=False)  # fmt: skip
    everything = SignOptions(allow_pre155=True, allow=frozenset(HAZARDS))

    def decode(name: str, document: Any) -> Callable[[], object]:
        network, chain = networks.resolve(name)

        def work() -> object:
            decoded = chain.decode(network, document)
            chain.check(decoded, None, networks.policy(network, everything), datetime.now(UTC))
            return to_tree(chain.summarise(decoded, None))

        return work

    evm = {
        "type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
        "maxPriorityFeePerGas": "0x1", "to": "0x3535353535353535353535353535353535353535", "value": "0x0",
    }  # fmt: skip
    data = {**evm, "data": "0x" + "a9" * (MIB // 2 - 300)}
    yield "EVM transaction", "1 MiB of data", decode("ethereum", data), data
    keys = ["0x" + "00" * 32] * 12_000
    access = {**evm, "accessList": [{"address": evm["to"], "storageKeys": keys}]}
    yield "EVM transaction", "12,000 storage keys", decode("ethereum", access), access
    entries = {**evm, "accessList": [{"address": evm["to"], "storageKeys": []}] * 9_000}
    yield "EVM transaction", "9,000 access entries", decode("ethereum", entries), entries
    for title, count, outputs in (("inputs", 4_000, 1), ("outputs", 1, 16_000), ("both", 2_500, 8_000)):
        text = psbt(count, outputs)
        yield "PSBT", f"{len(text):,} letters, {title}", decode("bitcoin", text), text
    garbage = base64.b64encode(b"psbt\xff" + b"\x01\x00\x00" * 200_000).decode()
    yield "PSBT", "keys that repeat", decode("bitcoin", garbage), garbage
    for count, references in ((63, 63), (200, 60)):
        document = typed_data(count, references)
        message = Message("eip712", document=document)
        network, chain = networks.resolve("ethereum")
        work = lambda chain=chain, network=network, message=message: chain.verify_message(  # noqa: E731
            network, message, "0x" + "11" * 65, evm["to"]
        )
        yield "EIP-712", f"{count} types of {references}", work, document
    name = {"types": {"EIP712Domain": [{"name": "name", "type": "string"}], "A": [{"name": "x", "type": "string"}]},
            "primaryType": "A", "domain": {"name": "act " * 200_000}, "message": {"x": "y"}}  # fmt: skip
    yield "EIP-712", "a long domain name", lambda: eip712.parse(name), name


def psbt(inputs: int, outputs: int) -> str:
    unsigned = Transaction(
        2,
        tuple(TxIn(OutPoint(n.to_bytes(32, "big"), 0), b"", 0xFFFFFFFD) for n in range(inputs)),
        tuple(TxOut(1000, b"\0\x14" + n.to_bytes(20, "big")) for n in range(outputs)),
        0,
    ).serialize()
    witness = b"\x01\x01\x1f" + (100_000).to_bytes(8, "little") + b"\x16\0\x14" + b"\x11" * 20 + b"\0"
    body = b"psbt\xff\x01\0\xfe" + len(unsigned).to_bytes(4, "little") + unsigned + b"\0"
    return base64.b64encode(body + witness * inputs + b"\0" * outputs).decode()


def milliseconds(work: Callable[[], object]) -> tuple[float, str]:
    """The best of a few rounds, and how it ended."""
    best, outcome = float("inf"), "ok"
    for _ in range(ROUNDS):
        began = time.thread_time()
        try:
            work()
        except StrongroomError as refusal:
            outcome = refusal.code
        except (ValueError, KeyError, TypeError) as refusal:
            outcome = type(refusal).__name__
        best = min(best, time.thread_time() - began)
    return best * 1000, outcome


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--most", type=float, default=50.0)
    most = arguments.parse_args().most
    offload, slow = Offload(), 0
    looks_like_secret("one two three four five six seven eight nine ten eleven twelve")  # reads the lists
    with suppress(StrongroomError):
        bip39.parse("x")
    print(f"{'what':20} {'given':32} {'ms':>8}  {'where':7} outcome")
    for cases in (json_cases, protobuf_cases, text_cases, codec_cases, chain_cases):
        for what, given, work, document in cases():
            taken, outcome = milliseconds(work)
            thread = document is not None and offload.is_large(document)
            slow += taken > most and not thread
            print(f"{what:20} {given:32} {taken:8.1f}  {'thread' if thread else 'loop':7} {outcome}")
    offload.close()
    sys.exit(slow > 0)


if __name__ == "__main__":
    main()
