"""The clients as their users get them: over a failing network, from the wheel, compiled from TypeScript."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from strongroom_client import AsyncClient, Client, NoResponse, Retries, StrongroomError, UnexpectedResponse, errors

from tests.support import node
from tests.support.server import ROOT, Server

RETRIES = Retries(attempts=4, first_wait=0.001)
Reply = tuple[int, dict[str, str], Any]
RATE_LIMITED = (429, {"Retry-After": "0"}, {"code": "rate_limited", "detail": "later"})
IN_FLIGHT = (409, {"Retry-After": "0"}, {"code": "operation_in_flight", "detail": "still running"})
UNAVAILABLE: Reply = (503, {}, {"code": "storage_unavailable", "detail": "away"})
PROXY = (502, {"Content-Type": "text/html"}, None)
BROKEN = None
FEES: Reply = (200, {}, {"network": "ethereum"})

Script = list[Any]


class Scripted(BaseHTTPRequestHandler):
    """A fake service that plays one line of a script for each request."""

    script: Script
    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        answer = self.script.pop(0)
        if answer is BROKEN:
            self.close_connection = True
            self.connection.close()
            return
        status, headers, body = answer
        raw = b"<html>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[dict[str, str]]]]:
    seen: list[dict[str, str]] = []
    handler = type("Handler", (Scripted,), {"script": list(script), "seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def archived(url: str, key: Any = "key", **options: Any) -> Any:
    with Client(url, key, retries=RETRIES) as client:
        return client.wallets.archive("6f1c0a7e-0000-4000-8000-000000000000", **options)


def archived_async(url: str, key: Any = "key", **options: Any) -> Any:
    async def call() -> Any:
        async with AsyncClient(url, key, retries=RETRIES) as client:
            return await client.wallets.archive("6f1c0a7e-0000-4000-8000-000000000000", **options)

    return asyncio.run(call())


WALLET = {
    "id": "6f1c0a7e-0000-4000-8000-000000000000", "kind": "bip39", "label": None, "external_id": None,
    "state": "a state of a later release", "keyspace": None, "master_fingerprint": None,
    "created_at": "2026-01-01T00:00:00Z", "a_field_of_a_later_release": 1,
}  # fmt: skip
DONE: Reply = (200, {}, WALLET)

both = pytest.mark.parametrize("call", [archived, archived_async])


@both
def test_a_retry_carries_the_key_of_the_first_attempt(call: Callable[..., Any]) -> None:
    with scripted([BROKEN, RATE_LIMITED, IN_FLIGHT, DONE]) as (url, seen):
        assert call(url).state == "a state of a later release"
    assert len(seen) == 4
    assert len({headers["idempotency-key"] for headers in seen}) == 1


@both
def test_the_callers_own_key_is_used_and_is_told_with_an_error(call: Callable[..., Any]) -> None:
    with scripted([UNAVAILABLE] * 4) as (url, seen), pytest.raises(errors.StorageUnavailable) as caught:
        call(url, idempotency_key="payout-1")
    assert caught.value.idempotency_key == "payout-1"
    assert [headers["idempotency-key"] for headers in seen] == ["payout-1"] * 4


@both
def test_a_key_may_change_between_attempts(call: Callable[..., Any]) -> None:
    tokens = iter(["old", "new"])
    with scripted([UNAVAILABLE, DONE]) as (url, seen):
        call(url, lambda: next(tokens))
    assert [headers["authorization"] for headers in seen] == ["Bearer old", "Bearer new"]


@both
@pytest.mark.parametrize(
    ("script", "error", "attempts"),
    [
        ([BROKEN] * 4, NoResponse, 4),
        ([PROXY] * 4, UnexpectedResponse, 4),
        ([(422, {}, {"code": "invalid_field", "detail": "no", "field": "label"})], errors.InvalidField, 1),
        ([(500, {}, {"code": "internal_error", "detail": "oh"})], errors.InternalError, 1),
        ([(418, {}, {"code": "of_a_later_release", "detail": "tea"})], StrongroomError, 1),
        ([(429, {"Retry-After": "3600"}, {"code": "rate_limited", "detail": "later"})], errors.RateLimited, 1),
        ([(200, {}, {"not": "a wallet"})], UnexpectedResponse, 1),
    ],
)
def test_what_cannot_be_had_is_raised(
    call: Callable[..., Any], script: Script, error: type[StrongroomError], attempts: int
) -> None:
    with scripted(script) as (url, seen), pytest.raises(StrongroomError) as caught:
        call(url)
    assert type(caught.value) is error
    assert len(seen) == attempts


def test_nobody_there() -> None:
    with pytest.raises(NoResponse, match=r"^ConnectError: .*refused"):
        archived("http://127.0.0.1:1")


def test_a_key_that_is_no_header_is_not_in_the_error() -> None:
    with scripted([DONE]) as (url, _), pytest.raises(NoResponse) as caught:
        archived(url, "the key\n")
    assert str(caught.value) == "LocalProtocolError"


def test_a_path_prefix_is_kept() -> None:
    with scripted([DONE]) as (url, _):
        assert archived(f"{url}/wallets-of-ours/").kind == "bip39"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("service"), {"RATES__CREATE": "off"}) as running:
        yield running


def test_pages_follow_each_other(server: Server) -> None:
    with Client(server.url, server.api_key) as client:
        made = {client.wallets.create(label=f"Page {number}").id for number in range(5)}
        assert {wallet.id for wallet in client.wallets.list_all(limit=2)} >= made
        wallet = client.wallets.create(backup=True)
        assert wallet.backup is not None
        assert wallet.backup.mnemonic is not None
        assert len(wallet.backup.mnemonic.split()) == 24
        assert wallet.backup.mnemonic not in repr(wallet)


THREE_LINES = """
from strongroom_client import Client
id = Client().wallets.create(networks=["ethereum"]).id
print(Client().messages.sign(id, network="ethereum", format="eip191", message="hello", encoding="text").signature)
"""


def test_the_wheel_signs_from_an_empty_environment(server: Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "clients" / "python", source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, source], check=True, timeout=300)
    wheel = next(tmp_path.glob("*.whl"))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True, timeout=300)
    python = str(tmp_path / "empty" / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    pinned = ["--constraint", str(tmp_path / "pinned.txt")]
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    pins = [line.split(" ", 1)[0] for line in lines if line.startswith(("httpx==", "msgspec=="))]
    (tmp_path / "pinned.txt").write_text("\n".join(pins))
    subprocess.run([*install, *pinned, wheel], check=True, timeout=300)
    environment = {"STRONGROOM_URL": server.url, "STRONGROOM_API_KEY": server.api_key}
    done = subprocess.run(
        [python, "-c", THREE_LINES], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0x")


PROGRAM = """
import { ok, strongroom, StrongroomError } from "./index.js";

const client = strongroom({ url: process.env.URL!, key: process.env.KEY! });
const wallet = await ok(client.POST("/api/v1/wallets", { body: { networks: ["ethereum"] } }));
const signed = await ok(
  client.POST("/api/v1/wallets/{wallet_id}/sign-message", {
    params: { path: { wallet_id: wallet.id } },
    body: { network: "ethereum", format: "eip191", message: "hello", encoding: "text" },
  }),
);
const key = { "Idempotency-Key": "one" };
const first = await ok(client.POST("/api/v1/wallets", { body: { label: "Once" }, params: { header: key } }));
const again = await ok(client.POST("/api/v1/wallets", { body: { label: "Once" }, params: { header: key } }));
let code = "";
try {
  await ok(client.POST("/api/v1/wallets", { body: { label: "Other" }, params: { header: key } }));
} catch (error) {
  code = error instanceof StrongroomError ? error.code : String(error);
}
console.log(JSON.stringify({ signature: signed.signature, same: first.id === again.id, code }));
"""


@pytest.mark.needs("typescript")
def test_typescript_compiles_and_signs(server: Server, tmp_path: Path) -> None:
    project = tmp_path / "typescript"
    shutil.copytree(ROOT / "clients" / "typescript", project)
    (project / "node_modules").symlink_to(node.FOLDER / "node_modules")
    (project / "src" / "program.ts").write_text(PROGRAM.replace("process.env.URL!", f'"{server.url}"').replace(
        "process.env.KEY!", f'"{server.api_key}"'
    ))  # fmt: skip
    compiler = node.FOLDER / "node_modules" / ".bin" / "tsc"
    built = subprocess.run([compiler, "-p", project], capture_output=True, text=True, check=False, timeout=300)
    assert built.returncode == 0, built.stdout
    done = subprocess.run(
        ["node", project / "dist" / "program.js"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["signature"].startswith("0x")
    assert (said["same"], said["code"]) == (True, "idempotency_mismatch")
