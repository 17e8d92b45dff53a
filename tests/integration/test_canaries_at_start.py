"""Secrets in the settings: in refused ones, of a service that cannot start, and of a first start."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from strongroom import bootstrap
from strongroom.config.settings import load
from strongroom.errors import ConfigurationError
from tests.support.canaries import (
    API_KEYS,
    CANARIES,
    DERIVED_KEYS,
    ENTROPY,
    KEYWRAP_PASSPHRASE,
    PASSPHRASE,
    RAW_KEY,
    SEED,
    WORDS,
    Canary,
    files,
    found_in,
)
from tests.support.server import Server
from tests.support.waiting import until

HEAP_SIGNS = 1000
URL = f"postgresql://{RAW_KEY}:{KEYWRAP_PASSPHRASE.replace('/', '%2F')}@127.0.0.1:1/strongroom"


TYPED = ("LOG__LEVEL", "HTTP__PORT", "RATES__SIGN", "PROXIES__TRUSTED", "AUDIT__HEADS", "SIGNER__TTL", "PROFILE",
         "ANY_NETWORK", "KEYWRAP__KIND", "HEALTH__REQUIRED", "CHAINS__EVM__MAX_VALUE")  # fmt: skip


def _bad_settings(folder: Path) -> Iterator[dict[str, str]]:
    binary = folder / "binary"
    binary.write_bytes(WORDS.encode() + b"\xff")
    long = folder / "long"
    long.write_text(f"{WORDS}\n{SEED}\n")
    toml = folder / "bad.toml"
    toml.write_text(f'[keywrap]\npassphrase = "{WORDS}')
    odd = folder / "odd.toml"
    odd.write_text(f'[keywrap]\npassphrase = ["{WORDS}"]\n[http]\nport = "{RAW_KEY}"\n[log]\nx = "{SEED}"\n')
    for text in (WORDS, RAW_KEY, API_KEYS["API key"], URL):
        yield from ({name: text} for name in TYPED)
        yield {"KEYWRAP__PASSPHRASE": text, "KEYWRAP__KEY_FILE": "x"}
        yield {"KEYWRAP__PASSPHRASE": text, "KEYWRAP__PASSPHRASE_FILE": str(long)}
        yield {"KEYWRAP__PASSPHRASE_FILE": text}
    yield {"KEYWRAP__PASSPHRASE_FILE": str(binary)}
    yield {"CONFIG": str(toml)}
    yield {"CONFIG": str(odd)}


def test_settings_that_are_refused_are_not_repeated(tmp_path: Path) -> None:
    said = []
    for settings in _bad_settings(tmp_path):
        with pytest.raises(ConfigurationError) as refusal:
            load({f"STRONGROOM_{name}": value for name, value in settings.items()}, dotenv=None)
        said.append(f"{refusal.value!r} {refusal.value.message} {refusal.value.__cause__!r}")
    print(f"\n{len(said)} refusals")
    assert found_in({text: text for text in said}) == []


CANNOT_START = {
    "of another kind": {"DATABASE__URL": URL.replace("postgresql", "mysql")},
    "no driver": {"DATABASE__URL": f"{RAW_KEY}://{KEYWRAP_PASSPHRASE}"},
    "no URL": {"DATABASE__URL": WORDS},
    "no folder": {"DATABASE__URL": f"sqlite:////proc/{RAW_KEY}/{WORDS}"},
    "wrong passphrase": {"KEYWRAP__PASSPHRASE": WORDS},
}


def test_a_server_that_cannot_start_says_no_secret(tmp_path: Path) -> None:
    def output(name: str) -> str:
        server = Server(tmp_path / name, {"LOG__LEVEL": "debug", **CANNOT_START[name]})
        done = server.command("serve")
        assert done.returncode != 0, name
        return done.stdout + done.stderr

    made = {"STRONGROOM_DATA_DIR": f"{tmp_path}/wrong passphrase", "STRONGROOM_KEYWRAP__PASSPHRASE": KEYWRAP_PASSPHRASE}
    asyncio.run(bootstrap.prepare(load(made, dotenv=None)))
    with ThreadPoolExecutor(3) as pool:
        said = dict(zip(CANNOT_START, pool.map(output, CANNOT_START), strict=True))
    assert found_in(said) == []
    for name, text in said.items():
        assert "Traceback" not in text, name


def test_a_server_that_waits_for_its_database_says_no_secret(tmp_path: Path) -> None:
    server = Server(tmp_path, {"LOG__LEVEL": "debug", "DATABASE__URL": URL})
    server.spawn()
    try:
        answers = _answers_of_a_worker_that_waits(server)
        assert server.stop() == 0
    finally:
        server.__exit__()
    log = server.log.read_text()
    assert "worker.cannot_start" in log
    assert "Traceback" not in log
    assert found_in({"log": log, **answers}) == []


def _answers_of_a_worker_that_waits(server: Server) -> dict[str, str]:
    """By path, headers and all, once it has tried in vain to start."""
    until(lambda: "worker.cannot_start" in server.log.read_text())
    answers = {
        path: httpx.get(f"{server.url}{path}", trust_env=False, timeout=60)
        for path in ("/health/ready", "/health/startup", "/api/v1/health", "/api/v1/networks", "/metrics")
    }
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 503)
    return {path: f"{answer.headers!r} {answer.text}" for path, answer in answers.items()}


def test_the_development_key_is_shown_once_and_the_heap_is_counted(tmp_path: Path) -> None:
    """Python does not clear memory that it frees. The number is reported, not judged."""
    with Server(tmp_path / "data", {"RATES__SIGN": "off", "SIGNER__TTL": "1"}) as server:
        shown = Canary("development key", server.api_key, server.api_key.encode())
        with server.client() as client:
            body = {"kind": "bip39", "mnemonic": WORDS, "passphrase": PASSPHRASE}
            wallet = client.post("/wallets/import", json=body).json()["id"]
            message = {"network": "ethereum", "format": "eip191", "message": "x", "encoding": "text"}
            with ThreadPoolExecutor(8) as pool:
                path = f"/wallets/{wallet}/sign-message"
                answers = list(pool.map(lambda _: client.post(path, json=message), range(HEAP_SIGNS)))
            assert all(answer.is_success for answer in answers)
            time.sleep(5)
            counts = _heap(_children(server.pid) or [server.pid])
        sinks = {f"file {name}": data for name, data in files(server.data_dir).items()}
    print(f"\nin the heap 5 s after {HEAP_SIGNS} signatures: {counts}")
    log = sinks.pop("file server.log")
    assert log.count(server.api_key.encode()) == 1
    sinks["log"] = log.replace(f"export KEY={server.api_key}".encode(), b"")
    assert found_in(sinks, [*CANARIES, shown]) == []


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def _heap(pids: list[int]) -> dict[str, int] | str:
    """How often each secret is in the writable memory of the processes."""
    wanted = {"mnemonic": WORDS.encode(), "seed": bytes.fromhex(SEED), "entropy": bytes.fromhex(ENTROPY),
              "derived key": bytes.fromhex(DERIVED_KEYS[0]), "passphrase": PASSPHRASE.encode()}  # fmt: skip
    counts: Counter[str] = Counter(dict.fromkeys(wanted, 0))
    try:
        for pid in pids:
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                    span, mode = line.split()[:2]
                    if not mode.startswith("rw"):
                        continue
                    begin, end = (int(each, 16) for each in span.split("-"))
                    try:
                        memory.seek(begin)
                        data = memory.read(end - begin)
                    except OSError:
                        continue
                    for name, secret in wanted.items():
                        counts[name] += data.count(secret)
    except OSError:
        return "only root on Linux may look"
    return dict(counts)
