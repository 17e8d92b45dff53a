"""Bags of cells with bytes and cells changed: as payload, as state and in statements, given to a running service."""

from __future__ import annotations

import json
import random
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strongroom.chains.ton import schemes
from strongroom.chains.ton.chain import Ton
from strongroom.codecs.crc import crc32c
from strongroom.domain.signing import OurKey, Policy
from strongroom.errors import Refused
from tests.fuzz.psbts import Report
from tests.support.service import RunningService

_DATA = Path(__file__).parents[1] / "vectors" / "data"
_SOMEBODY = "EQDHMWKzTPGWZyEK8xgNb8-4jfFnjLu-cx84ZCU0zGlR5ILu"
TON = Ton()
_OFF = Policy(dict.fromkeys(TON.limits))
_KEY = bytes(32)
_OURS = {_KEY: OurKey(_KEY, "m", "raw-v5r1", schemes.account("raw-v5r1").address(False, _KEY))}
_HEAD = 11
"""Bytes before the cells of a small bag."""
_SUSPICIOUS = 0.02


def seeds() -> list[bytes]:
    """Every bag of our vectors and cases."""
    texts = set()
    for name in ("ton.signing", "ton.token", "ton.message", "ton.negative"):
        texts |= set(_bags(json.loads((_DATA / f"{name}.json").read_text())))
    return [b64decode(text) for text in sorted(texts)]


def _bags(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict | list):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _bags(item)
    elif isinstance(tree, str) and tree.startswith("te6cc"):
        yield tree


async def run(service: RunningService, count: int, seed: int) -> Report:
    """Each is decoded, signed and stated; nothing but an answer or a refusal may come of it.

    ``slowest`` is the longest that the chain itself computed, which is what others wait for on the event loop.
    """
    rng, report, start = random.Random(seed), Report(), seeds()
    made = await service.http.call("wallets.create", {"kind": "ton_native", "networks": ["ton"]}, key=service.key)
    wallet = made.result["id"]
    for _ in range(count):
        bag = b64encode(mutated(rng.choice(start), rng.choice(start), rng)).decode()
        where = rng.choice(("payload", "payload", "payload", "state_init"))
        message = {"address": _SOMEBODY, "amount": "1", where: bag}
        form = {"seqno": 1, "valid_until": int(time.time()) + 600, "messages": [message]}
        report.slowest = max(report.slowest, _computed(form))
        cell = {"type": "cell", "schema": "a", "cell": bag}
        signing = {"wallet_id": wallet, "network": "ton"}
        said = {"format": "ton-sign-data", "domain": "a", "timestamp": 1, "payload": cell}
        for operation, sent in (
            ("transactions.decode", {"network": "ton", "unsigned_tx": form}),
            ("transactions.sign", signing | {"unsigned_tx": form, "options": {"allow_resign": True}}),
            ("messages.sign", signing | said),
        ):
            outcome = await service.http.call(operation, sent, key=service.key)
            report.codes[f"{operation} {outcome.code}"] += 1
            if outcome.status >= 500:
                report.faults.append(f"{operation} {outcome.code}: {bag}")
    return report


def _computed(form: dict[str, Any]) -> float:
    """Seconds that this thread computes to decode, check and prepare a transfer: the shortest of up to three tries, as
    a pause of the garbage collector is not the transfer's."""
    times: list[float] = []
    while not times or (min(times) > _SUSPICIOUS and len(times) < 3):
        began = time.thread_time()
        with suppress(Refused):
            decoded = TON.decode(TON.networks[0], form)
            TON.check(decoded, None, _OFF, datetime.now(UTC))
            TON.prepare(decoded, _OURS)
        times.append(time.thread_time() - began)
    return min(times)


def mutated(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    """One to three changes; most bags get a checksum that is right again, so that what is behind it is reached."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(0 if rng.random() < 0.3 else min(_HEAD, len(changed) - 1), len(changed))
        how = rng.randrange(6)
        if how <= 1:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            changed[at] = rng.choice((0, 1, 2, 4, 0x7F, 0x80, 0xFF))
        elif how == 3:
            del changed[at : at + rng.choice((1, 4, 32))]
        elif how == 4:
            size = rng.randrange(1, 40)
            changed[at : at + size] = other[at % len(other) :][:size]
        else:
            changed[at:at] = changed[at : at + rng.randrange(1, 200)]
        if not changed:
            changed = bytearray(b"\0")
    if rng.random() < 0.8 and len(changed) > 4:
        changed[-4:] = crc32c(bytes(changed[:-4]))
    return bytes(changed)
