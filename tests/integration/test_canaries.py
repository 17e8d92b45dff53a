"""Secrets sent through every route, error and log level do not come out anywhere.

Searched are the server's output, every response over REST and gRPC, metrics, audit records, every column, the raw files
of the data folder with the database's log, and the output of the command line. Not searched is the environment, which
the key wrap's passphrase comes from and which belongs to root and the process itself.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from strongroom import bootstrap
from strongroom.access.api_keys import parse_key
from strongroom.access.scopes import SCOPES
from strongroom.config.settings import load
from strongroom.domain.principal import ApiKey
from strongroom.operations.registry import OPERATIONS
from strongroom.storage.base import Unit
from tests.integration.canary_drive import TEXTS, WITHOUT_LOOKS, Driver, fresh
from tests.support import fake_chats, otlp
from tests.support.canaries import (
    API_KEYS,
    CANARIES,
    KEYWRAP_PASSPHRASE,
    RAW_KEY,
    SEED,
    WORDS,
    Canary,
    columns,
    files,
    found_in,
)
from tests.support.fake_chats import Chats
from tests.support.server import ROOT, Server
from tests.support.service import TENANT

LIMITS_OFF = {
    f"RATES__{name}": "off" for name in ("READ", "CREATE", "WRITE", "ADDRESS", "SIGN", "ADMIN", "CHAIN", "BROADCAST")
}
LEVELS = ("debug", "info")
NOT_READ = {"KEYWRAP__PASSPHRASE": KEYWRAP_PASSPHRASE, **LIMITS_OFF}


@dataclass
class WatchedServer(Server):
    """With every warning shown, a folder of its own for temporary files, and a watch on it."""

    @property
    def watch(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.watch"

    @property
    def environment(self) -> dict[str, str]:
        (self.data_dir / "tmp").mkdir(exist_ok=True)
        path = [ROOT / "src", ROOT, ROOT / "tests/support/watching"]
        return {
            **super().environment,
            "PYTHONPATH": ":".join(map(str, path)),
            "PYTHONASYNCIODEBUG": "1" if self.settings["LOG__LEVEL"] == "debug" else "",
            "PYTHONWARNINGS": "always",
            "TMPDIR": str(self.data_dir / "tmp"),
            "WATCH": str(self.watch),
        }

    def watched(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.watch.read_text().splitlines()]


async def _prepare(data: Path) -> None:
    """The schema, the service secret, and the API keys that are canaries."""
    env = {"DATA_DIR": str(data), **NOT_READ}
    settings = load({f"STRONGROOM_{name}": value for name, value in env.items()}, dotenv=None)
    await bootstrap.prepare(settings)
    async with bootstrap.administration(settings) as administration:
        for name, text in API_KEYS.items():
            parsed = parse_key(text)
            assert parsed is not None
            key_id, secret = parsed
            mac = administration.authenticity.api_key_mac(secret)
            now = datetime.now(UTC)
            row = ApiKey(TENANT, key_id, "canary", mac, tuple(sorted(SCOPES)), now, None, None)
            if name == "revoked API key":
                row = replace(row, revoked_at=now)
            if name != "unknown API key":
                await administration.storage.apply([Unit(rows=[row])])


def command_line(server: Server) -> dict[str, bytes]:
    """What the commands print, both right and wrong ones."""
    words, wrong, key = (server.data_dir.parent / name for name in ("words", "wrong", "key"))
    words.write_text(WORDS)
    wrong.write_text(WORDS.replace("casual", "witness"))
    key.write_text(RAW_KEY + "00")
    tenant = str(TENANT)
    lines = [
        ("config", "check"), ("audit", "list", "--limit", "200", "--json"), ("audit", "verify"), ("audit", "heads"),
        ("wallet", "list", "--json"), ("wallet", "import", "--file", str(words)),
        ("wallet", "import", "--file", str(wrong)), ("wallet", "import", "--keyspace", "evm", "--file", str(key)),
        ("wallet", "import", *WORDS.split()), ("wallet", "import", "--file", WORDS), ("wallet", WORDS), (RAW_KEY,),
        ("wallet", "show", WORDS), ("wallet", "create", "--words", RAW_KEY), ("wallet", "create", f"--{RAW_KEY}"),
        ("wallet", "create", "--label", WORDS), ("address", "show", WORDS, RAW_KEY, "--index", SEED),
        ("api-key", "create", WORDS, "--all-scopes", "--tenant", tenant),
        ("api-key", "create", "x", "--scope", RAW_KEY, "--tenant", tenant),
    ]  # fmt: skip
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda line: server.command(*line), lines))
    assert [each.stderr for each in done[:5] if each.returncode] == []
    return {
        f"command line {number} ({' '.join(line[:2])[:20]})": (each.stdout + each.stderr).encode()
        for number, (line, each) in enumerate(zip(lines, done, strict=True))
    }


@dataclass
class Run:
    """One server after the drive: its sinks by name, and what its watch saw."""

    sinks: dict[str, bytes]
    kept_sinks: dict[str, bytes]
    """The log, metrics and audit after the second part. They must not contain what callers ask us to store."""
    canaries: tuple[Canary, ...]
    watched: list[dict[str, Any]]
    sent: int
    server_log: str
    main_pid: int
    traced: set[str] = field(default_factory=set)
    """Operations that a receiver of traces was told about."""


def _sinks(server: WatchedServer, driver: Driver) -> dict[str, bytes]:
    audit, cursor = [], None
    while True:
        page = driver.client.get("/audit", params={"limit": 200, **({"cursor": cursor} if cursor else {})})
        audit.append(page.content)
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    metrics = driver.client.get(f"{server.url}/metrics")
    assert metrics.status_code == 200
    exemplars = driver.client.get(f"{server.url}/metrics", headers={"Accept": "application/openmetrics-text"})
    assert "trace_id=" in exemplars.text
    health = driver.client.get("/health")
    return {
        "log": server.log.read_bytes(),
        "metrics": metrics.content,
        "openmetrics": exemplars.content,
        "health": health.content,
        "audit": b"\n".join(audit),
    }


def _drive(data: Path, level: str) -> Run:
    with otlp.over_grpc() as receiver, fake_chats.running(data.with_name(f"{data.name}.chats")) as chats:
        traced = {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": receiver.endpoint, "TRACING__SAMPLE": "1"}
        alerts = {"ALERTS__URLS": chats.webhook_url, "ALERTS__INTERVAL": "0.5"}
        server = WatchedServer(data, {**NOT_READ, **traced, **alerts, "LOG__LEVEL": level}, API_KEYS["API key"])
        run = _driven(server, level, chats)
    spans = b"\n".join(receiver.raw)
    run.sinks["spans"] = run.kept_sinks["spans"] = spans
    run.traced = {each.attributes.get("strongroom.operation", "") for each in receiver.spans}
    return run


def _driven(server: WatchedServer, level: str, chats: Chats) -> Run:
    with server, ThreadPoolExecutor(1) as beside:
        driver = Driver(server, texts=TEXTS if level == "debug" else (WORDS, RAW_KEY))
        driver.use()
        commands = beside.submit(command_line, server) if level == "debug" else None
        driver.fields(kept=False)
        driver.fields_of_other_chains()
        driver.surroundings()
        driver.oversized()
        words, key = fresh(driver)
        driver.crash()
        sinks = _sinks(server, driver)
        sinks["alerts"] = b"\n".join(chats.raw)
        sinks |= {"REST": b"\n".join(driver.http), "gRPC": b"\n".join(driver.grpc)}
        sinks |= {f"column {name}": data for name, data in columns(server.data_dir / "strongroom.db").items()}
        if commands is not None:
            sinks |= commands.result()
        sinks |= {f"file {name}": data for name, data in files(server.data_dir).items()}
        driver.fields(kept=True)
        driver.kept_names()
        kept_sinks = _sinks(server, driver)
        driver.close()
        main_pid = server.pid
    canaries = (
        *CANARIES,
        Canary("mnemonic shown once", words, words.encode(), tuple(words.split())),
        Canary("API key shown once", key, key.encode()),
    )
    return Run(sinks, kept_sinks, canaries, server.watched(), driver.sent, server.log.read_text(), main_pid)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One server per level, both at once."""
    folder = tmp_path_factory.mktemp("canaries")
    asyncio.run(_prepare(folder / "prepared"))
    data = [Path(shutil.copytree(folder / "prepared", folder / level)) for level in LEVELS]
    with ThreadPoolExecutor() as pool:
        return dict(zip(LEVELS, pool.map(_drive, data, LEVELS), strict=True))


@pytest.mark.parametrize("level", LEVELS)
def test_no_secret_comes_out(runs: dict[str, Run], level: str) -> None:
    run = runs[level]
    size = sum(map(len, run.sinks.values()))
    print(f"\n{level}: {run.sent} requests, {len(run.sinks)} sinks, {size / 1e6:.1f} MB")
    leaks = found_in(run.sinks, run.canaries)
    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("level", LEVELS)
def test_what_callers_ask_to_keep_is_in_no_log_metric_or_audit_record(runs: dict[str, Run], level: str) -> None:
    sinks = runs[level].kept_sinks
    assert found_in({name: sinks[name] for name in ("log", "metrics", "openmetrics", "health", "spans")}) == []
    # A harmless-looking name that a caller puts into typed data appears in its summary.
    with_looks = [canary for canary in CANARIES if canary.text not in WITHOUT_LOOKS]
    assert found_in({"audit": sinks["audit"]}, with_looks) == []


def test_every_canary_reached_a_handler(runs: dict[str, Run]) -> None:
    reached = Counter(name for run in runs.values() for each in run.watched for name in each.get("reached", ()))
    for canary in CANARIES:
        print(f"{canary.name}: {reached[canary.name]}")
    assert [canary.name for canary in CANARIES if not reached[canary.name]] == []


def test_what_crashed_was_logged(runs: dict[str, Run]) -> None:
    """An empty log would leak nothing either."""
    log = runs["debug"].server_log
    for said in ("operation.crashed", "cannot store [redacted]", "a task fails with [redacted]", "odd: [redacted]",
                 "cannot open", "opened [redacted]", "Executing <"):  # fmt: skip
        assert said in log, said


@pytest.mark.parametrize("level", LEVELS)
def test_what_was_done_was_traced(runs: dict[str, Run], level: str) -> None:
    """Nor would traces that do not exist."""
    assert runs[level].traced >= {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize("level", LEVELS)
def test_what_was_the_matter_was_told(runs: dict[str, Run], level: str) -> None:
    """Nor would alerts that nobody sends."""
    told = {json.loads(line)["rule"] for line in runs[level].sinks["alerts"].splitlines()}
    assert told >= {"fee_cap", "test"}


def test_processes_leave_no_core_and_cannot_be_dumped(runs: dict[str, Run]) -> None:
    run = runs["debug"]
    states = {each["pid"]: (each["core"], each["dumpable"]) for each in run.watched if "core" in each}
    [worker] = {each["pid"] for each in run.watched if "operation" in each}
    hardened = ([0, 0], 0 if sys.platform == "linux" else None)
    assert states == {worker: hardened, run.main_pid: hardened}


def test_nothing_is_found_where_nothing_is(runs: dict[str, Run]) -> None:
    others = [replace(canary, secret=canary.secret[::-1], words=canary.words[::-1]) for canary in CANARIES]
    assert found_in(runs["info"].sinks, others) == []
