"""Changed Solana transactions, decoded and signed by a running service."""

from __future__ import annotations

import base64
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.service import RunningService

pytestmark = pytest.mark.campaign

COUNT = 10_000
VECTORS = Path(__file__).parents[1] / "vectors" / "data" / "solana.signing.json"


async def test_ten_thousand_changed_transactions(service: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    rng, codes, times = random.Random(11), Counter[str](), []
    seeds = []
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        key = {"kind": "raw_key", "keyspace": "solana", "format": "hex", "key": vector["input"]["private_keys_hex"][0]}
        made = await service.http.call("wallets.import", {**key, "networks": ["solana"]}, key=service.key)
        seeds.append((made.result["id"], base64.b64decode(vector["input"]["unsigned_tx_base64"])))
    for number in range(COUNT):
        wallet, whole = rng.choice(seeds)
        raw = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            match rng.randrange(4):
                case 0:
                    raw[at] ^= 1 << rng.randrange(8)
                case 1:
                    raw[at] = rng.randrange(256)
                case 2:
                    raw[at:at] = rng.randbytes(rng.randrange(1, 40))
                case _:
                    del raw[at : at + rng.randrange(1, 40)]
        text = base64.b64encode(raw).decode()
        command = {"network": "solana", "unsigned_tx": text}
        face = service.faces[number % 2]
        for operation, sent in (
            ("transactions.decode", command),
            ("transactions.sign", {**command, "wallet_id": wallet, "options": {"allow_resign": True}}),
        ):
            began = time.perf_counter()
            outcome = await face.call(operation, sent, key=service.key)
            times.append(time.perf_counter() - began)
            codes[f"{operation.removeprefix('transactions.')} {outcome.code}"] += 1
            assert outcome.code not in {"internal_error", "unavailable"}, text
    times.sort()
    with capsys.disabled():
        print(f"\n{COUNT} changed transactions: {dict(codes.most_common())}")
        print(f"median {times[len(times) // 2] * 1000:.1f} ms, slowest {times[-1] * 1000:.1f} ms")
    assert codes["sign ok"]
