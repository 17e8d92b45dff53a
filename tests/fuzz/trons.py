"""Tron transactions with bytes and fields changed, decoded and signed by a running service."""

from __future__ import annotations

import copy
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.service import Face, Outcome, RunningService

RULES_OFF = {
    f"CHAINS__TRON__{limit}": "off" for limit in ("MAX_EXPIRATION", "MIN_EXPIRATION", "MAX_FEE_LIMIT", "MIN_FEE_LIMIT")
}
"""The vectors are of another time; what is tried is not the date."""
_DATA = Path(__file__).parents[1] / "vectors" / "data" / "tron.signing.json"
_JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**400),
    *("", "0", "-1", "0x", "zz", "41", "41" * 21, "T" * 34, "\u0663", "\x00", "ff" * 60_000, "1" * 100_000),
    *(
        [],
        {},
        [[]],
        [{}],
        [None],
        [{}] * 5_000,
        {"a": 1},
        {"type": "TransferContract"},
        {str(n): n for n in range(999)},
    ),
)
_BYTES = (
    b"",
    b"\0",
    b"\xff" * 9,
    b"\x0a\x02",
    b"\x5a\0",
    b"\x12\0" * 40_000,
    b"\x90\x01\0",
    b"\xa2\x01\1x",
    b"\x80" * 11,
)
_SUSPICIOUS = 0.02
_KEYS = (
    "",
    "visible",
    "contract",
    "data",
    "signature",
    "Permission_id",
    "fee_limit",
    "votes",
    "owner_address",
    "\ud800",
)


@dataclass
class Report:
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds of the event loop's own time."""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        return f"{self.codes.total()} calls, slowest {self.slowest * 1000:.1f} ms of the event loop: {codes}"


@dataclass(frozen=True)
class Seed:
    form: dict[str, Any]
    wallet: str


async def seeds(service: RunningService) -> list[Seed]:
    """The transactions of the vectors, each with a wallet that holds its key."""
    found, wallets = [], {}
    for vector in json.loads(_DATA.read_text("utf-8"))["vectors"]:
        key = vector["input"]["private_key_hex"]
        if key not in wallets:
            command = {"kind": "raw_key", "keyspace": "tron", "format": "hex", "key": key, "networks": ["tron"]}
            wallets[key] = (await service.http.call("wallets.import", command, key=service.key)).result["id"]
        found.append(Seed(vector["input"]["unsigned"], wallets[key]))
    return found


async def run(service: RunningService, count: int, seed: int) -> Report:
    """Each is decoded and signed; nothing but an answer or a refusal may come of it."""
    rng, report, start = random.Random(seed), Report(), await seeds(service)
    for number in range(count):
        chosen = rng.choice(start)
        unsigned = mutated(chosen.form, rng.choice(start).form, rng)
        face = service.faces[number % 2] if _can_be_said(unsigned) else service.http
        for operation, command in (
            ("transactions.decode", {"network": "tron", "unsigned_tx": unsigned}),
            ("transactions.sign", {"network": "tron", "unsigned_tx": unsigned, "wallet_id": chosen.wallet}),
        ):
            outcome, seconds = await _measured(service, face, operation, command)
            report.slowest = max(report.slowest, seconds)
            report.codes[f"{operation.removeprefix('transactions.')} {outcome.code}"] += 1
            if outcome.code.startswith(("internal", "integrity", "storage", "deadline", "keywrap")):
                report.faults.append(f"{operation} {outcome.code}: {json.dumps(unsigned)[:2000]}")
    return report


async def _measured(
    service: RunningService, face: Face, operation: str, command: dict[str, Any]
) -> tuple[Outcome, float]:
    """The shortest of up to three tries: a pause of the garbage collector is not the transaction's."""
    times: list[float] = []
    while not times or (min(times) > _SUSPICIOUS and len(times) < 3):
        began = time.thread_time()
        outcome = await face.call(operation, command, key=service.key)
        times.append(time.thread_time() - began)
    return outcome, min(times)


def mutated(form: dict[str, Any], other: dict[str, Any], rng: random.Random) -> Any:
    """The JSON with values changed, or the bytes; as often the bytes with an id that fits them."""
    how = rng.randrange(4)
    if how == 0:
        return _spoilt(copy.deepcopy(form), other, rng)
    raw = _changed(bytes.fromhex(form["raw_data_hex"]), bytes.fromhex(other["raw_data_hex"]), rng)
    if how == 1:
        return raw.hex()
    if how == 2:
        return {"raw_data_hex": raw.hex(), "visible": rng.choice([True, False])}
    signature = rng.choice([[], ["00" * 65], [rng.randbytes(65).hex()] * rng.randrange(9), [""] * 300])
    return {**form, "raw_data_hex": raw.hex(), "signature": signature}


def _spoilt(value: Any, other: Any, rng: random.Random) -> Any:
    if rng.random() < 0.06:
        return copy.deepcopy(rng.choice(_JUNK))
    if isinstance(value, list):
        return [_spoilt(item, other, rng) for item in value]
    if not isinstance(value, dict):
        return value
    spoilt = {name: _spoilt(item, other, rng) for name, item in value.items()}
    if spoilt and rng.random() < 0.06:
        del spoilt[rng.choice(list(spoilt))]
    if rng.random() < 0.06:
        spoilt[rng.choice(_KEYS)] = copy.deepcopy(rng.choice((*_JUNK, other)))
    return spoilt


def _changed(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(6):
            case 0 | 1 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                changed[at:at] = rng.choice(_BYTES)
            case 3:
                del changed[at : at + rng.choice((1, 4, 32))]
            case 4:
                size = rng.randrange(1, 40)
                changed[at : at + size] = other[at % len(other) :][:size]
            case _:
                changed[at:at] = changed[at : at + rng.randrange(1, 200)]
    return bytes(changed)


def _can_be_said(unsigned: Any) -> bool:
    """Over gRPC a transaction is text or an object."""
    return isinstance(unsigned, str | dict)
