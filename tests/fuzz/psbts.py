"""PSBTs with bytes and fields changed, decoded and signed by a running service."""

from __future__ import annotations

import json
import random
import time
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.service import RunningService

_DATA = Path(__file__).parents[1] / "vectors" / "data"
_MAGIC = b"psbt\xff"
_INTERESTING = (b"", b"\0", b"\xff", b"\xfd\xff\xff", b"\xfe\xff\xff\xff\xff", b"\xff" * 9, _MAGIC, bytes(32))
_SCHEMES = ("bip44", "bip49", "bip84", "bip86")


@dataclass
class Report:
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds."""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        return f"{self.codes.total()} changed PSBTs, slowest {self.slowest * 1000:.0f} ms: {codes}"


@dataclass(frozen=True)
class Seed:
    psbt: bytes
    network: str
    wallet: str


async def seeds(service: RunningService) -> list[Seed]:
    """The PSBTs of our vectors, each with a wallet that signs it; its accounts 0 are open."""
    found, wallets = [], {}
    for vector in json.loads((_DATA / "bitcoin.signing.json").read_text())["vectors"]:
        given = vector["input"]
        words = given.get("mnemonic") or next(iter(given.get("mnemonics", ())), None)
        if words is None or "psbt_base64" not in given:
            continue
        if words not in wallets:
            wallets[words] = await _wallet(service, words)
        network = {"mainnet": "bitcoin", "regtest": "bitcoin-regtest"}.get(given["network"], "bitcoin-testnet3")
        found.append(Seed(b64decode(given["psbt_base64"]), network, wallets[words]))
    return found


async def run(service: RunningService, count: int, seed: int) -> Report:
    """Each is decoded and signed; nothing but an answer or a refusal may come of it."""
    rng, report, start = random.Random(seed), Report(), await seeds(service)
    for number in range(count):
        chosen = rng.choice(start)
        raw = mutated(chosen.psbt, rng.choice(start).psbt, rng)
        command = {"network": chosen.network, "unsigned_tx": raw.hex() if number % 2 else b64encode(raw).decode()}
        signing = command | {"wallet_id": chosen.wallet, "options": {"allow_resign": True}}
        for operation, sent in (("transactions.decode", command), ("transactions.sign", signing)):
            began = time.perf_counter()
            outcome = await service.http.call(operation, sent, key=service.key)
            report.slowest = max(report.slowest, time.perf_counter() - began)
            report.codes[f"{operation.removeprefix('transactions.')} {outcome.code}"] += 1
            if outcome.status >= 500:
                report.faults.append(f"{operation} {outcome.code}: {command['unsigned_tx']}")
    return report


def mutated(raw: bytes, other: bytes, rng: random.Random) -> bytes:
    """One to three changes, most of them small; ``other`` lends its bytes."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(_MAGIC) if rng.random() < 0.95 else 0, len(changed))
        how = rng.choice((0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6))
        if how == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            changed[at] = rng.randrange(256)
        elif how == 2:
            changed[at:at] = rng.choice(_INTERESTING)
        elif how == 3:
            del changed[at : at + rng.choice((1, 4, 32, len(changed)))]
        elif how == 4:
            size = rng.randrange(1, 40)
            changed[at : at + size] = other[at % len(other) :][:size]
        elif how == 5:
            size = rng.randrange(1, 200)
            changed[at:at] = changed[at : at + size]
        else:
            changed[at : at + 4] = rng.choice((bytes(4), b"\xff" * 4, b"\0\0\0\x80", b"\2\0\0\0"))
        if not changed:
            changed = bytearray(b"\0")
    return bytes(changed)


async def _wallet(service: RunningService, words: str) -> str:
    made = await service.http.call("wallets.import", {"kind": "bip39", "mnemonic": words}, key=service.key)
    wallet: str = made.result["id"]
    for network in ("bitcoin", "bitcoin-testnet3"):
        for scheme in _SCHEMES:
            place = {"wallet_id": wallet, "network": network, "scheme": scheme}
            assert (await service.http.call("addresses.derive", place, key=service.key)).code == "ok"
        account = {"wallet_id": wallet, "network": network, "scheme": "bip48"}
        assert (await service.http.call("accounts.get", account, key=service.key)).code == "ok"
    return wallet
