"""Every secret in a file may be replaced while the service runs, and is used from then on."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
import redis as redis_py
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from strongroom.access.tokens.sources import KeySource, Url, from_file
from strongroom.alerts.base import NotDelivered, Note
from strongroom.bootstrap.alerts import open_alerting
from strongroom.bootstrap.header_files import HeaderFile
from strongroom.bootstrap.source_kinds import open_source
from strongroom.bootstrap.tracing import receiver
from strongroom.config.chains import SourceSettings
from strongroom.config.settings import load
from strongroom.config.watching import TracingSettings
from strongroom.domain.alert import Message, Severity
from strongroom.domain.asset import coin_of
from strongroom.rpc.base import NodeError, Setup
from tests.integration.test_connect import environment
from tests.integration.test_redis_primary import started
from tests.support import otlp, postgres
from tests.support.authority import replace
from tests.support.openbao import OpenBao
from tests.support.postgres import OWNER, SERVICE, Postgres
from tests.support.server import Server
from tests.support.tokens import FakeIssuer
from tests.support.waiting import until
from tests.unit.rpc.scripted import ETHEREUM

GENEROUS = 90.0


@pytest.fixture(scope="module")
def guarded() -> Iterator[Postgres]:
    """A server that asks the service's role for a password."""
    with postgres.running() as server:
        server.run(f"ALTER ROLE {SERVICE} PASSWORD 'old'")
        rules = [f"host all {OWNER} 127.0.0.1/32 trust", f"host all {SERVICE} 127.0.0.1/32 scram-sha-256"]
        (Path(server.folder) / "data" / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        server.run("SELECT pg_reload_conf()")
        yield server


@pytest.mark.needs("postgresql", "openbao", "redis")
def test_database_redis_and_vault(guarded: Postgres, openbao: OpenBao, tmp_path: Path) -> None:
    """The old passwords and tokens no longer work, so only a service that reads the files again continues."""
    openbao.prepare()
    openbao.policy()
    tokens = [openbao.token(ttl="1h") for _ in range(2)]
    database = guarded.create_database(migrated=True)

    def url(password: str) -> bytes:
        return f"postgresql://{SERVICE}:{password}@127.0.0.1:{guarded.port}/{database}\n".encode()

    files = {name: tmp_path / name for name in ("database", "redis", "vault")}
    files["database"].write_bytes(url("old"))
    files["redis"].write_text("old\n")
    files["vault"].write_text(tokens[0] + "\n")
    (tmp_path / "redis.d").mkdir()
    with started(tmp_path / "redis.d", "--requirepass", "old") as redis_port:
        settings = {
            "DATABASE__URL_FILE": str(files["database"]), "REDIS__URL": f"redis://127.0.0.1:{redis_port}/0",
            "REDIS__PASSWORD_FILE": str(files["redis"]), "REDIS__TIMEOUT": "1", "KEYWRAP__KIND": "vault",
            "VAULT__URL": openbao.url, "VAULT__AUTH": "token", "VAULT__TOKEN_FILE": str(files["vault"]),
            "SIGNER__TTL": "0", "HEALTH__INTERVAL": "0.2", "VAULT__TIMEOUT": "5", "VAULT__DEADLINE": "10",
            "DATABASE__TIMEOUT": "20", "DATABASE__CONNECT_TIMEOUT": "20",
        }  # fmt: skip
        with Server(tmp_path / "server", settings) as server, server.client() as client:
            workers = server.workers()
            wallet = client.post("/wallets", json={"networks": ["ethereum"]}).raise_for_status().json()["id"]

            guarded.run(f"ALTER ROLE {SERVICE} PASSWORD 'new'")
            replace(files["database"], url("new"))
            guarded.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{SERVICE}'")
            with redis_py.Redis(port=redis_port, password="old", protocol=2) as operator:
                operator.config_set("requirepass", "new")
                replace(files["redis"], b"new\n")
                operator.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            replace(files["vault"], tokens[1].encode())
            openbao.ask("POST", "auth/token/revoke", token=tokens[0])

            def well() -> bool:
                found = client.get("/health").json().get("components", {})
                return all(found.get(name, {}).get("status") == "ok" for name in ("database", "redis", "vault"))

            until(well)
            body = {"network": "ethereum", "format": "eip191", "message": "a", "encoding": "text"}
            signed = client.post(f"/wallets/{wallet}/sign-message", json=body)
            assert signed.status_code == 200, signed.text
            assert server.workers() == workers


@pytest.mark.needs("openbao")
def test_the_secret_id_of_approle(openbao: OpenBao, tmp_path: Path) -> None:
    openbao.prepare()
    openbao.policy()
    role, first = openbao.approle(token_ttl="1h", secret_id_num_uses=0)
    file = tmp_path / "secret-id"
    file.write_text(first)
    settings = {
        "KEYWRAP__KIND": "vault", "VAULT__URL": openbao.url, "VAULT__AUTH": "approle", "VAULT__ROLE_ID": role,
        "VAULT__SECRET_ID_FILE": str(file), "SIGNER__TTL": "0", "HEALTH__INTERVAL": "0.2",
    }  # fmt: skip
    with Server(tmp_path / "server", settings) as server, server.client() as client:
        workers = server.workers()
        second = openbao.ask("POST", "auth/approle/role/strongroom/secret-id")["data"]["secret_id"]
        replace(file, second.encode())
        openbao.ask("POST", "auth/approle/role/strongroom/secret-id/destroy", secret_id=first)
        openbao.ask("PUT", "sys/leases/revoke-prefix/auth/approle")
        until(lambda: client.post("/wallets", json={"networks": ["ethereum"]}).status_code == 201)
        assert server.workers() == workers


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler, bytes], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer(self, asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the name that the library looks for

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_the_key_of_a_node_in_a_header_and_in_its_url(tmp_path: Path) -> None:
    """A fake provider that accepts one key, in a header and in the path."""
    key = "old"

    def node(request: BaseHTTPRequestHandler, asked: bytes) -> tuple[int, bytes]:
        if request.headers.get("X-Key") != key or request.path != f"/{key}":
            return 401, b"{}"
        return 200, json.dumps({"jsonrpc": "2.0", "id": json.loads(asked)["id"], "result": "0x1"}).encode()

    headers, url = tmp_path / "headers", tmp_path / "url"
    with serving(node) as at:
        headers.write_text("X-Key: old\n")
        url.write_text(f"{at}/old\n")
        given = SourceSettings(network="ethereum", name="a", kind="evm", url_file=url, headers_file=headers)
        source = open_source(given, Setup(ETHEREUM, coin_of(ETHEREUM), {}, "1"))
        await source.pin()
        key = "new"
        with pytest.raises(NodeError, match="credential"):
            await source.pin()
        replace(headers, b"X-Key: new\n")
        replace(url, f"{at}/new\n".encode())
        await source.pin()
        replace(headers, b"no header at all\n")
        await source.pin()
        await source.close()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_headers_of_the_receiver_of_traces(tmp_path: Path, protocol: Literal["grpc", "http"]) -> None:
    file = tmp_path / "headers"
    file.write_text("X-Key: old\n")
    with otlp.over_grpc() if protocol == "grpc" else otlp.over_http() as collector:
        settings = TracingSettings(protocol=protocol, endpoint=collector.endpoint, headers_file=file)
        send = receiver(settings)
        send(ExportTraceServiceRequest())
        replace(file, b"X-Key: new\n")
        send(ExportTraceServiceRequest())
        sent = [{name.lower(): value for name, value in each.items()}["x-key"] for each in collector.headers]
        assert sent == ["old", "new"]


def test_a_file_of_headers_that_is_wrong_leaves_the_last_ones(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("A: 1\n")
    headers = HeaderFile(file)
    replace(file, b"A\n")
    assert headers()["A"].reveal() == "1"
    replace(file, b"A: 2\nB: 3\n")
    assert {name: value.reveal() for name, value in headers().items()} == {"A": "2", "B": "3"}


@pytest.mark.parametrize("by", ["urls", "url_file"])
async def test_urls_of_alert_channels(tmp_path: Path, by: str) -> None:
    heard: list[str] = []

    def hear(request: BaseHTTPRequestHandler, _: bytes) -> tuple[int, bytes]:
        heard.append(request.path)
        return (200 if request.path != "/old" else 403), b"{}"

    now = datetime.now(UTC)
    note = Note(id=uuid4(), message=Message.FIRING, rule="circuit", severity=Severity.CRITICAL, title="a", subject="b",
                since=now - timedelta(minutes=1), at=now, runbook="c")  # fmt: skip
    file = tmp_path / "url"
    with serving(hear) as at:
        place = at.replace("http://", "json://")
        file.write_text(f"{place}/old\n")
        toml = f'[[alert_channels]]\nname = "webhook"\nurl_file = "{file}"\n' if by == "url_file" else ""
        given = {"ALERTS__URLS_FILE": str(file)} if by == "urls" else {}
        async with AsyncExitStack() as stack:
            channel = open_alerting(stack, load(environment(tmp_path, toml, **given), dotenv=None)).channels["webhook"]
            with pytest.raises(NotDelivered):
                await channel.send(note)
            replace(file, f"{place}/new\n".encode())
            await channel.send(note)
            replace(file, b"nonsense://x\n")
            await channel.send(note)
    assert heard == ["/old", "/new", "/new"]


async def test_keys_of_issuers_and_the_token_that_fetches_them(tmp_path: Path) -> None:
    first, second = FakeIssuer(), FakeIssuer()
    file, token = tmp_path / "keys", tmp_path / "token"
    file.write_bytes(first.jwks())
    source = KeySource("login", from_file(file))
    await source.read()
    before = source.keys
    replace(file, second.jwks())
    await source.read()
    assert before is not None
    assert source.keys is not None
    assert source.keys.by_id != before.by_id

    asked: list[str | None] = []

    def publish(request: BaseHTTPRequestHandler, _: bytes) -> tuple[int, bytes]:
        asked.append(request.headers.get("Authorization"))
        return 200, second.jwks()

    with serving(publish) as at:
        url = Url(f"{at}/keys", token_file=token)
        for each in ("old", "new"):
            replace(token, each.encode())
            await url()
        await url.close()
    assert asked == ["Bearer old", "Bearer new"]


def test_sighup_takes_all_settings_anew(tmp_path: Path) -> None:
    file = tmp_path / "strongroom.toml"
    file.write_text("")
    with Server(tmp_path / "server", {"CONFIG": str(file)}) as server, server.client() as client:
        pid, workers = server.pid, server.workers()
        file.write_text('[[networks]]\nname = "mychain"\nchain = "evm"\nchain_id = 4711\nsymbol = "MY"\n')
        server.send(signal.SIGHUP)

        def listed() -> bool:
            try:
                return "mychain" in client.get("/networks").text
            except Exception:  # noqa: BLE001 - a connection that the old worker closed
                return False

        until(listed)
        assert server.pid == pid
        until(lambda: not set(server.workers()) & set(workers))
