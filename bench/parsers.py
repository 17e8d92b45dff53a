"""The worst input that a caller can make the service parse, at each size limit: milliseconds on one core.

    python bench/parsers.py

``where`` is where the service handles such input: on the event loop, where at most 50 ms are good, or in a thread, like
everything larger than `bounds.large`. The exit code is 1 if something on the loop takes longer than --most
milliseconds, which is much more than 50 because the machine may be shared.
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
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from strongroom.access.client_address import ClientAddresses
from strongroom.access.limits import CLASSES
from strongroom.access.tokens.keysets import read_keys
from strongroom.access.tokens.reading import Fault
from strongroom.access.tokens.reading import read as read_token
from strongroom.alerts.base import Note
from strongroom.alerts.markup import for_slack, for_telegram, for_text
from strongroom.chains.registry import CHAINS
from strongroom.chains.ton import boc
from strongroom.chains.ton.cell import Cell
from strongroom.codecs import abi, base58, bech32, bip32, eip712, rlp
from strongroom.codecs.bip144 import OutPoint, Transaction, TxIn, TxOut
from strongroom.domain.alert import Message as Says
from strongroom.domain.alert import Severity
from strongroom.domain.client_networks import means_everybody, parse_network
from strongroom.domain.hazards import HAZARDS
from strongroom.domain.rate import Rate
from strongroom.domain.signing import Message, SignOptions
from strongroom.entrypoints.binding import bind, to_tree
from strongroom.entrypoints.caller import presented_credential, request_id
from strongroom.entrypoints.grpc.convert import read
from strongroom.entrypoints.grpc.pb.strongroom.v1 import wallet_service_pb2 as pb
from strongroom.entrypoints.http.problems import problem
from strongroom.entrypoints.json_tree import BATCH_VALUES, MAX_VALUES, read_json
from strongroom.errors import InvalidField, StrongroomError
from strongroom.keys import bip39
from strongroom.operations.administration import CreateApiKey
from strongroom.operations.batch_commands import CreateWallets, SignTransactions
from strongroom.operations.cursors import decode_cursor
from strongroom.operations.fields import clean_text
from strongroom.operations.networks import Networks
from strongroom.operations.offload import Offload
from strongroom.operations.restrictions import read_rates
from strongroom.operations.wallets import CreateWallet
from strongroom.telemetry import tracing
from strongroom.telemetry.scrubbing import looks_like_secret, scrub, scrub_text

MIB = 1 << 20
NOW = datetime.now(UTC)
ROUNDS = 3
Case = tuple[str, str, Callable[[], object], object]
"""The parser, its input, the call, and the document that decides whether it runs in a thread."""


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
        yield "JSON", name, partial(read_json, raw), None
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
    yield "API key", "8 KiB", lambda: presented_credential(["sr_" + "0" * 8192], []), None
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
        yield "log scrubbing", name, partial(scrub_text, text), None
    yield "log scrubbing", "a list of long texts", lambda: scrub(["act " * MIB] * 100), None


def caller_cases() -> Iterator[Case]:
    """Input that identifies the caller and its rates, and output about them."""
    deep = b64(b'{"alg":"EdDSA","x":' + b"[" * 2_600 + b"]" * 2_600 + b"}")
    wide = b64(b'{"alg":"EdDSA","x":[' + b"{}," * 1_900 + b"{}]}")
    yield "JWT", "nested", lambda: read_token(f"{deep}.e30.AA"), None
    yield "JWT", "8 KiB of empty objects", lambda: read_token(f"{wide}.e30.AA"), None
    yield "JWT", "8 KiB of dots", lambda: read_token("." * 8192), None
    key = json.dumps({"kty": "RSA", "alg": "RS256", "kid": "x", "e": "AQAB", "n": b64(b"\xff" * 512)})
    jwks = f'{{"keys":[{",".join([key] * 64)}]}}'.encode()
    yield "JWKS", "64 keys of 4,096 bits", lambda: read_keys(jwks), None
    addresses = ClientAddresses(["10.0.0.0/8", "2001:db8::/32"])
    hops = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(4_500)]
    yield "X-Forwarded-For", "64 KiB, all trusted", lambda: addresses.resolve("10.0.0.1", [",".join(hops)]), None
    yield "X-Forwarded-For", "64 KiB of commas", lambda: addresses.resolve("10.0.0.1", ["," * 65_536]), None
    cidrs = [f"2001:db8:{n:x}::/48" for n in range(256)]
    yield "client networks", "256 CIDRs", lambda: means_everybody([parse_network(each) for each in cidrs]), None
    yield "rate", "8 KiB", lambda: Rate.parse("9" * 8192), None
    yield "rates", "of every class", lambda: read_rates(dict.fromkeys(CLASSES, "999999999/99999 day"), "rates"), None
    yield "traceparent", "8 KiB", lambda: tracing.parse("01-" + "0" * 8192), None
    yield "traceparent", "256", lambda: tracing.parse("01-" + "1" * 32 + "-" + "1" * 16 + "-01-" + "-" * 200), None
    wrong = {"n" * 40 + str(n): 1 for n in range(2_000)}
    yield "field names", "2,000 unknown", lambda: bind(wrong, CreateWallet), None
    yield "field names", "1 MiB of one", lambda: bind({"_" * MIB: 1}, CreateWallet), None
    facts = {f"{n}": "*_~`@:.<&>\u202e" * 25_000 for n in range(64)}
    note = Note(
        id=UUID(int=1), message=Says.FIRING, rule="x", severity=Severity.INFO, title="x", subject="*" * MIB,
        since=NOW, at=NOW, runbook="x", facts=facts,
    )  # fmt: skip
    for name, form in (("text", for_text), ("Slack", for_slack), ("Telegram", for_telegram)):
        yield "alert", f"64 long facts, {name}", partial(form, note), None
    refusal = InvalidField("x" * 4096, field="x" * 256, allowed=[f"{n}" for n in range(512)])
    yield "problem", "512 names that are allowed", lambda: problem(refusal, "x"), None


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def batch_cases() -> Iterator[Case]:
    """They are read in a thread, because all of them are larger than 16 KiB."""
    item = {
        "wallet_id": "0190a0c4-5d0e-7000-8000-000000000000",
        "network": "ethereum",
        "unsigned_tx": "0x" + "c0" * 4_000,
    }
    signs = json.dumps({"items": [item] * 1_000}).encode()
    yield "batch", "1,000 signatures, 8 MiB", lambda: bind(read_batch(signs), SignTransactions), signs
    empty = b'{"items":[' + b"{}," * 99_990 + b"{}]}"
    yield "batch", "as many items as may be", lambda: bind(read_batch(empty), SignTransactions), empty
    wallets = json.dumps({"items": [{"label": "x" * 128, "ref": "y" * 64}] * 1_000}).encode()
    yield "batch", "1,000 wallets", lambda: bind(read_batch(wallets), CreateWallets), wallets


def read_batch(raw: bytes) -> Any:
    return read_json(raw, max_values=BATCH_VALUES * MAX_VALUES)


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
    yield from other_chain_cases(decode)
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


def other_chain_cases(decode: Callable[[str, Any], Callable[[], object]]) -> Iterator[Case]:
    cells = Cell.of(0, 1023)
    for _ in range(500):
        cells = Cell.of(0, 1000, (cells, cells, cells, cells))
    deep = boc.to_base64(cells)
    level = [Cell.of(n, 200) for n in range(1_024)]
    while len(level) > 1:
        level = [Cell.of(n, 200, level[4 * n : 4 * n + 4]) for n in range(-(-len(level) // 4))]
    wide = boc.to_base64(level[0])
    somebody = "EQDHMWKzTPGWZyEK8xgNb8-4jfFnjLu-cx84ZCU0zGlR5ILu"
    for given, texts in (
        ("500 deep, each cell four times", [deep]),
        ("1,400 cells", [wide]),
        ("255 messages", [""] * 255),
    ):
        messages = [{"address": somebody, "amount": "1", **({"payload": text} if text else {})} for text in texts]
        form = {"seqno": 1, "valid_until": int(NOW.timestamp()) + 600, "messages": messages}
        yield "TON transfer", given, decode("ton", form), form
    for given, raw in (
        ("100 KiB of empty contracts", b"\x5a\0" * 51_200),
        ("100 KiB of data", b"\x52\xf8\xff\x05" + b"x" * 98_296),
        ("100 KiB of long varints", b"\x40" + b"\x80" * 102_399),
    ):
        yield "Tron transaction", given, decode("tron", raw.hex()), raw.hex()
    contracts: dict[str, Any] = {"contract": [{}] * 20_000}
    yield "Tron transaction", "20,000 contracts", decode("tron", {"raw_data": contracts}), contracts
    for given, raw in (
        ("1,232 bytes of accounts", b"\x80\1\0\0" + b"\x23" + b"a" * 1_195),
        ("1 MiB", b"\x80" * (MIB // 2)),
        ("300 empty instructions", b"\x80\1\0\0\2" + b"a" * 96 + b"\xac\x02" + b"\1\0\0" * 300 + b"\0"),
    ):
        text = base64.b64encode(raw).decode()
        yield "Solana transaction", given, decode("solana", text), text


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
        except (ValueError, KeyError, TypeError, Fault) as refusal:
            outcome = type(refusal).__name__
        best = min(best, time.thread_time() - began)
    return best * 1000, outcome


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--most", type=float, default=50.0)
    most = arguments.parse_args().most
    offload, slow = Offload(), 0
    looks_like_secret("one two three four five six seven eight nine ten eleven twelve")  # loads the word lists
    with suppress(StrongroomError):
        bip39.parse("x")
    print(f"{'what':20} {'given':32} {'ms':>8}  {'where':7} outcome")
    for cases in (json_cases, protobuf_cases, text_cases, caller_cases, batch_cases, codec_cases, chain_cases):
        for what, given, work, document in cases():
            taken, outcome = milliseconds(work)
            thread = document is not None and offload.is_large(document)
            slow += taken > most and not thread
            print(f"{what:20} {given:32} {taken:8.1f}  {'thread' if thread else 'loop':7} {outcome}")
    offload.close()
    sys.exit(slow > 0)


if __name__ == "__main__":
    main()
