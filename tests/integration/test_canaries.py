"""Secrets driven through every route, error and log level come out nowhere.

Looked through: the server's output, every answer of both faces, metrics, audit records, every column, the raw files of
the data folder with the database's log, and what the command line prints. Not looked through: the environment that the
key wrap's passphrase comes from, which is root's and the process's own.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from strongroom import bootstrap
from strongroom.access.api_keys import parse_key
from strongroom.access.scopes import SCOPES
from strongroom.config import load
from strongroom.domain.principal import ApiKey
from strongroom.errors import ConfigurationError
from strongroom.storage.base import Unit
from tests.integration.canary_drive import FEW_TEXTS, TEXTS, WITHOUT_LOOKS, Driver, fresh
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
    find,
    found_in,
)
from tests.support.server import ROOT, Server
from tests.support.service import TENANT

HEAP_SIGNS = 1000
LIMITS_OFF = {f"RATES__{name}": "off" for name in ("READ", "CREATE", "WRITE", "ADDRESS", "SIGN", "ADMIN")}
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


async def _prepare(env: dict[str, str]) -> str:
    """Schema, service secret and the API keys that are canaries; the development key's text."""
    settings = load(env, dotenv=None)
    first = await bootstrap.prepare(settings)
    assert first is not None
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
    return first.reveal()


def columns(database: Path) -> dict[str, bytes]:
    """By table and column: every value, text and bytes alike, as it is stored."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = [
            name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        found = {}
        for table in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [description[0] for description in cursor.description]
            for name, values in zip(names, zip(*cursor.fetchall(), strict=True), strict=False):
                found[f"{table}.{name}"] = b"\n".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in values
                )
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command_line(server: Server) -> dict[str, bytes]:
    """What the commands print, the legitimate and the wrong."""
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
    assert [each.returncode for each in done[:5]] == [0] * 5, done
    return {
        f"command line {number} ({' '.join(line[:2])[:20]})": (each.stdout + each.stderr).encode()
        for number, (line, each) in enumerate(zip(lines, done, strict=True))
    }


@dataclass
class Run:
    """One server after the drive: its sinks by name, and what its watch saw."""

    level: str
    sinks: dict[str, bytes]
    kept_sinks: dict[str, bytes]
    """The log, metrics and audit after the second part: what callers ask us to keep must not be in these."""
    canaries: tuple[Canary, ...]
    watched: list[dict[str, Any]]
    sent: int
    server_log: str
    main_pid: int


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
    health = driver.client.get("/health")
    return {
        "log": server.log.read_bytes(),
        "metrics": metrics.content,
        "health": health.content,
        "audit": b"\n".join(audit),
    }


def _drive(server: WatchedServer, level: str) -> Run:
    texts = TEXTS if level == "debug" else FEW_TEXTS
    with server:
        driver = Driver(server, texts=texts)
        driver.use()
        s = time.time()
        driver.fields(kept=False)
        print("FIELDS", driver.sent, time.time() - s)
        driver.surroundings()
        print("SURR", driver.sent, time.time() - s)
        driver.oversized()
        words, key = fresh(driver)
        driver.crash()
        canaries = (
            *CANARIES,
            Canary("words shown once", words, words.encode(), tuple(words.split())),
            Canary("API key shown once", key, key.encode()),
        )
        sinks = _sinks(server, driver)
        sinks |= {"REST": b"\n".join(driver.http), "gRPC": b"\n".join(driver.grpc)}
        sinks |= {f"column {name}": data for name, data in columns(server.data_dir / "strongroom.db").items()}
        if level == "debug":
            sinks |= command_line(server)
        sinks |= {f"file {name}": data for name, data in files(server.data_dir).items()}
        driver.fields(kept=True)
        driver.kept_names()
        kept_sinks = _sinks(server, driver)
        driver.close()
        main_pid = server.pid
    return Run(level, sinks, kept_sinks, canaries, server.watched(), driver.sent, server.log.read_text(), main_pid)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    found = {}
    for level in ("debug", "info"):
        folder = tmp_path_factory.mktemp(level)
        server = WatchedServer(folder / "data", {**NOT_READ, "LOG__LEVEL": level})
        env = {name: value for name, value in server.environment.items() if name.startswith("STRONGROOM_")}
        asyncio.run(_prepare(env))
        server.api_key = API_KEYS["API key"]
        found[level] = _drive(server, level)
    return found


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_secret_comes_out(runs: dict[str, Run], level: str) -> None:
    run = runs[level]
    size = sum(map(len, run.sinks.values()))
    print(f"\n{level}: {run.sent} requests, {len(run.sinks)} sinks, {size / 1e6:.1f} MB")
    leaks = found_in(run.sinks, run.canaries)
    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_what_callers_ask_to_keep_is_in_no_log_metric_or_audit_record(runs: dict[str, Run], level: str) -> None:
    sinks = runs[level].kept_sinks
    assert found_in({name: sinks[name] for name in ("log", "metrics", "health")}) == []
    # A name without looks that a caller gives to typed data stands in its summary.
    with_looks = [canary for canary in CANARIES if canary.text not in WITHOUT_LOOKS]
    assert found_in({"audit": sinks["audit"]}, with_looks) == []


def test_every_canary_reached_a_handler(runs: dict[str, Run]) -> None:
    reached = Counter(name for run in runs.values() for each in run.watched for name in each.get("reached", ()))
    for canary in CANARIES:
        print(f"{canary.name}: {reached[canary.name]}")
    assert [canary.name for canary in CANARIES if not reached[canary.name]] == []


def test_what_crashed_was_logged(runs: dict[str, Run]) -> None:
    """A log that is empty leaks nothing either."""
    log = runs["debug"].server_log
    for said in ("operation.crashed", "cannot store [redacted]", "a task fails with [redacted]", "odd: [redacted]",
                 "cannot open", "opened [redacted]", "Executing <"):  # fmt: skip
        assert said in log, said


def test_processes_leave_no_core_and_cannot_be_dumped(runs: dict[str, Run]) -> None:
    run = runs["debug"]
    states = {each["pid"]: (each["core"], each["dumpable"]) for each in run.watched if "core" in each}
    worker = run.watched[0]["pid"]  # the first that a handler ran in
    assert worker != run.main_pid
    assert states[worker] == states[run.main_pid] == ([0, 0], 0)


Plant = Callable[[Path, bytes], dict[str, bytes]]


def _line(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _in_log(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"log": b'{"event":"operation.done"}\n' + json.dumps({"event": _line(data)}).encode() + b"\n"}


def _in_console_log(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"log": b"2026 info operation.done value=" + data + b"\n"}


def _in_metric(folder: Path, data: bytes) -> dict[str, bytes]:
    text = _line(data).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return {"metrics": f'strongroom_operations_total{{operation="{text}",code="ok"}} 1.0\n'.encode()}


def _in_audit(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"audit": json.dumps({"records": [{"details": {"reason": _line(data)}}]}).encode()}


def _in_answer(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"REST": b"content-type: application/problem+json\n" + json.dumps({"detail": _line(data)}).encode()}


def _in_status(folder: Path, data: bytes) -> dict[str, bytes]:
    return {"gRPC": ErrorInfo(reason="internal_error", metadata={"field": _line(data)}).SerializeToString()}


def _in_database(folder: Path, statement: str, value: object) -> dict[str, bytes]:
    database = folder / "strongroom.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(statement, (value,))
        connection.commit()
        raw = b"".join(path.read_bytes() for path in folder.glob("strongroom.db*"))
        return {"raw": raw, "columns": b"\n".join(columns(database).values())}


def _in_result(folder: Path, data: bytes) -> dict[str, bytes]:
    return _in_database(folder, "UPDATE planted SET result = ?", b"\0" * 32 + data)


def _in_text_column(folder: Path, data: bytes) -> dict[str, bytes]:
    return _in_database(folder, "UPDATE planted SET label = ?", _line(data))


PLANTS: dict[str, Plant] = {
    "log": _in_log,
    "console log": _in_console_log,
    "metric": _in_metric,
    "audit detail": _in_audit,
    "answer": _in_answer,
    "gRPC status": _in_status,
    "idempotent result": _in_result,
    "text column": _in_text_column,
}


def test_a_leak_that_is_planted_is_found(tmp_path: Path) -> None:
    """Each canary, in each encoding, in each sink."""
    with closing(sqlite3.connect(tmp_path / "strongroom.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE planted (result BLOB, label TEXT)")
        connection.execute("INSERT INTO planted VALUES (NULL, NULL)")
        connection.commit()
    planted: Counter[str] = Counter()
    missed = []
    for name, plant in PLANTS.items():
        for canary in CANARIES:
            for encoding, data in canary.encodings.items():
                for sink, text in plant(tmp_path, data).items():
                    planted[name] += 1
                    if canary.name not in {hit.canary for hit in find(text, [canary])}:
                        missed.append(f"{name}, {sink}: {canary.name} as {encoding}")
    print(f"\nplanted and found: {sum(planted.values()) - len(missed)} of {sum(planted.values())}: {dict(planted)}")
    assert not missed, "\n".join(missed)


def test_nothing_is_found_where_nothing_is(runs: dict[str, Run]) -> None:
    others = [replace(canary, secret=canary.secret[::-1], words=canary.words[::-1]) for canary in CANARIES]
    assert found_in(runs["info"].sinks, others) == []


def test_canaries_are_what_other_libraries_make_of_the_words() -> None:
    from eth_account import Account
    from mnemonic import Mnemonic

    Account.enable_unaudited_hdwallet_features()
    assert Mnemonic("english").to_entropy(WORDS).hex() == ENTROPY
    assert Mnemonic.to_seed(WORDS, PASSPHRASE).hex() == SEED
    for index, key in enumerate(DERIVED_KEYS):
        path = f"m/44'/60'/0'/0/{index}"
        assert Account.from_mnemonic(WORDS, PASSPHRASE, account_path=path).key.hex() == key


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
    "away": {"DATABASE__URL": URL},
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


def test_the_development_key_is_shown_once_and_the_heap_is_counted(tmp_path: Path) -> None:
    """Python gives no memory back clean: the count is told, not judged."""
    with Server(tmp_path / "data", {**LIMITS_OFF, "SIGNER__TTL": "1"}) as server:
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
