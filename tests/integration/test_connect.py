"""`strongroom config check --connect` really tries each component and names the cause of what is wrong."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from strongroom import bootstrap
from strongroom.bootstrap.connecting import Finding
from strongroom.config.settings import load
from strongroom.entrypoints.tls.material import read_material
from tests.integration.test_redis_primary import started
from tests.support import otlp, pgbouncer, postgres
from tests.support.anvil import Anvil
from tests.support.authority import Authority, Issued
from tests.support.openbao import ROOT_TOKEN, OpenBao
from tests.support.postgres import OWNER, SERVICE, Postgres
from tests.support.redis import RedisServer
from tests.support.server import ROOT, free_port
from tests.support.tokens import FakeIssuer

CANARY = "k3epThisOut"
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def environment(folder: Path, toml: str = "", **settings: str) -> dict[str, str]:
    file = folder / f"{uuid4().hex}.toml"
    file.write_text(toml)
    given = {"DATA_DIR": str(folder / "data"), "CONFIG": str(file), **settings}
    return {f"STRONGROOM_{name}": value for name, value in given.items()}


async def tried(folder: Path, toml: str = "", **settings: str) -> dict[str, Finding]:
    loaded = load(environment(folder, toml, **settings), dotenv=None)
    found = await bootstrap.connect(loaded, lambda tls: read_material(tls).expires_at)
    for each in found:
        assert CANARY not in repr(each)
        assert each.ok or each.message.split(":")[0], each
    return {each.component: each for each in found}


async def causes(folder: Path, toml: str = "", **settings: str) -> dict[str, str | None]:
    return {name: each.cause for name, each in (await tried(folder, toml, **settings)).items()}


def source(url: str, network: str = "ethereum", name: str = "mine", **more: str) -> str:
    lines = [f'network = "{network}"', f'name = "{name}"', 'kind = "evm"', f'url = "{url}"']
    return "[[sources]]\n" + "\n".join([*lines, *(f'{key} = "{value}"' for key, value in more.items())]) + "\n"


def issuer(keys: str, **more: str) -> str:
    lines = {"name": "login", "issuer": "https://login.example", "tenant": str(uuid4()), **more}
    lines["jwks_url" if "://" in keys else "keys_file"] = keys
    text = "\n".join(f'{name} = "{value}"' for name, value in lines.items())
    return f'[[access.jwt]]\n{text}\naudience = ["wallets"]\nalgorithms = ["EdDSA"]\nscopes = ["wallets:read"]\n'


def run(folder: Path, toml: str, *more: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "strongroom", "config", "check", "--connect", *more],
        env={**environment(folder, toml, **settings), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip


@asynccontextmanager
async def listening(
    context: ssl.SSLContext | None = None, answer: bytes | None = b"", host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Sends each connection ``answer`` after its first words; None for never."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65_536)
            if answer is None:
                await asyncio.sleep(600)
            writer.write(answer or b"")
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort() if answer is None else writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def shows(folder: Path, issued: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued.write(folder, uuid4().hex))
    return context


def web(body: bytes = b"{}", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def everywhere(folder: Path, host: str, port: int, *, tls: bool, ca: Path | None = None) -> tuple[str, dict[str, str]]:
    """TOML and settings in which each component is at that place, with secrets in each URL that may have one."""
    s = "s" if tls else ""
    toml = source(f"http{s}://{host}:{port}/{CANARY}")
    toml += issuer(f"https://{host}:{port}/keys?key={CANARY}", **({"ca_file": str(ca)} if ca else {}))
    settings = {
        "KEYWRAP__KIND": "vault", "VAULT__URL": f"http{s}://{host}:{port}", "VAULT__AUTH": "token",
        "VAULT__TOKEN": CANARY, "VAULT__ALLOW_HTTP": "true",
        "REDIS__URL": f"redis{s}://:{CANARY}@{host}:{port}/0",
        "TRACING__ENABLED": "true", "TRACING__ENDPOINT": f"http{s}://{host}:{port}",
        "ALERTS__URLS": f"json{s}://user:{CANARY}@{host}:{port}/{CANARY}",
        "ALERTS__HEARTBEAT_URL": f"http{s}://{host}:{port}/{CANARY}",
    }  # fmt: skip
    if ca is not None:
        settings |= {"VAULT__CA_FILE": str(ca), "REDIS__CA_FILE": str(ca), "TRACING__CA_FILE": str(ca)}
    return toml, settings


OVER_THE_NETWORK = {
    "keywrap", "redis", "source ethereum/mine", "issuer login", "tracing", "alert channel webhook",
    "alerts.heartbeat_url",
}  # fmt: skip
OWN_AUTHORITY = {"keywrap", "redis", "issuer login", "tracing"}


def of_those(found: dict[str, str | None], names: set[str] = OVER_THE_NETWORK) -> set[str | None]:
    assert found.keys() >= names
    return {found[name] for name in names}


async def test_nothing_listens(folder: Path) -> None:
    toml, settings = everywhere(folder, "127.0.0.1", free_port(), tls=False)
    assert of_those(await causes(folder, toml, **settings)) == {"refused"}


def test_the_name_is_not_known(folder: Path) -> None:
    toml, settings = everywhere(folder, "nowhere.invalid", 443, tls=True)
    found = run(folder, toml, "--json", **settings, DATABASE__URL=f"postgresql://x:{CANARY}@nowhere.invalid/x")
    shown = {each["component"]: each["cause"] for each in json.loads(found.stdout)["components"]}
    assert of_those(shown, {*OVER_THE_NETWORK, "database"}) == {"dns"}
    assert CANARY not in found.stdout + found.stderr


async def test_it_is_silent(folder: Path) -> None:
    async with listening(answer=None) as port:
        toml, settings = everywhere(folder, "127.0.0.1", port, tls=False)
        found = await causes(folder, toml, DATABASE__URL=f"postgresql://x:{CANARY}@127.0.0.1:{port}/x", **settings)
        assert found["keywrap"] in {"slow", "timeout"}
        assert of_those(found, {"redis", "source ethereum/mine", "tracing", "database"}) == {"timeout"}
        assert found["issuer login"] == "tls"
        toml, settings = everywhere(folder, "127.0.0.1", port, tls=True)
        assert of_those(await causes(folder, toml, **settings)) == {"tls"}


async def test_it_does_not_speak_tls(folder: Path) -> None:
    async with listening(answer=web()) as port:
        toml, settings = everywhere(folder, "127.0.0.1", port, tls=True)
        assert of_those(await causes(folder, toml, **settings)) == {"tls"}


@pytest.mark.parametrize(
    ("cause", "host"),
    [
        ("certificate_expired", "127.0.0.1"), ("certificate_not_valid_yet", "127.0.0.1"),
        ("certificate_other_name", "127.0.0.2"), ("certificate_untrusted", "127.0.0.1"),
    ],
)  # fmt: skip
async def test_the_certificate_is_wrong(folder: Path, cause: str, host: str) -> None:
    authority, other = Authority(), Authority("another")
    ca = folder / "ca.pem"
    ca.write_bytes((other if cause == "certificate_untrusted" else authority).certificate)
    times = {"certificate_expired": (-DAY, -DAY / 2), "certificate_not_valid_yet": (DAY, 2 * DAY)}
    begins, ends = times.get(cause, (-DAY, DAY))
    async with listening(shows(folder, authority.server(begins=begins, ends=ends)), web(), host) as port:
        toml, settings = everywhere(folder, host, port, tls=True, ca=ca)
        found = await tried(folder, toml, **settings)
        assert {found[name].cause for name in OWN_AUTHORITY} == {cause}
        untrusted = OVER_THE_NETWORK - OWN_AUTHORITY  # they only trust public authorities
        assert all((found[name].cause or "").startswith("certificate_") for name in untrusted)
        if cause == "certificate_untrusted":
            assert "vault.ca_file" in found["keywrap"].message


async def test_files_of_authorities_are_named(folder: Path) -> None:
    toml, settings = everywhere(folder, "127.0.0.1", 443, tls=True, ca=folder / "absent.pem")
    found = await tried(folder, toml, **settings)
    assert found["keywrap"].cause == found["redis"].cause == found["tracing"].cause == "file"
    assert "vault.ca_file" in found["keywrap"].message


@pytest.mark.needs("postgresql")
async def test_the_database(folder: Path, postgres_server: Postgres) -> None:
    async def database(url: str, **more: str) -> Finding:
        return (await tried(folder, DATABASE__URL=url, **more))["database"]

    server, empty = postgres_server, postgres_server.create_database()
    migrated = server.create_database(migrated=True)
    assert (await database(server.url(migrated, SERVICE))).ok
    owner = await database(server.url(migrated))
    assert owner.ok
    assert "owns the tables" in owner.message
    server.run(f"CREATE ROLE few LOGIN CONNECTION LIMIT 10 IN ROLE {SERVICE}")
    found = await database(server.url(migrated, "few"))
    assert (found.ok, "10 connections" in found.message, "up to 11" in found.message) == (True, True, True)
    assert not (await database(server.url(migrated, "few"), DATABASE__POOL_SIZE="9")).message
    assert (await database(server.url("absent", SERVICE))).cause == "wrong_database"
    found = await database(server.url(empty, SERVICE))
    assert (found.cause, "strongroom migrate" in found.message) == ("schema", True)
    assert (await database(f"postgresql://x:{CANARY}@127.0.0.1:{free_port()}/x")).cause == "refused"
    assert (await database(server.url(migrated, SERVICE, sslmode="require"))).cause == "tls"
    read_only = await database(server.url(migrated, SERVICE, default_transaction_read_only="on"))
    assert read_only.cause == "read_only"
    server.run("REVOKE INSERT ON audit FROM " + SERVICE, migrated)
    found = await database(server.url(migrated, SERVICE))
    assert (found.cause, "audit" in found.message) == ("rights", True)
    server.run("UPDATE alembic_version SET version_num = '0001'", migrated)
    found = await database(server.url(migrated, SERVICE))
    assert (found.cause, "0001" in found.message) == ("schema", True)
    server.run("UPDATE alembic_version SET version_num = '9999'", migrated)
    assert "run a newer Strongroom" in (await database(server.url(migrated, SERVICE))).message


@pytest.mark.needs("postgresql")
async def test_the_owner_of_the_tables(folder: Path, postgres_server: Postgres) -> None:
    server, migrated = postgres_server, postgres_server.create_database(migrated=True)
    server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", migrated)
    found = await tried(
        folder, DATABASE__URL=server.url(migrated, SERVICE), DATABASE__MIGRATE_URL=server.url(migrated, SERVICE)
    )
    assert (found["database"].cause, found["database (migrate_url)"].cause) == (None, "rights")
    found = await tried(folder, DATABASE__URL=server.url(migrated, SERVICE), DATABASE__MIGRATE_URL=server.url(migrated))
    assert found["database (migrate_url)"].ok


@pytest.mark.needs("postgresql-tls")
async def test_the_password_and_the_certificate_of_the_database(folder: Path) -> None:
    authority = Authority()
    ca = folder / "ca.pem"
    ca.write_bytes(authority.certificate)
    with postgres.running(found=postgres.programs_with_tls()) as server:
        data = server.folder / "data"

        def serve(issued: Issued) -> None:
            postgres.give_certificate(server, issued.certificate, issued.key)
            server.run("ALTER SYSTEM SET ssl = on")
            server.run("SELECT pg_reload_conf()")

        server.run(f"CREATE ROLE guarded LOGIN PASSWORD '{CANARY}'")
        rules = [f"host all {OWNER} 127.0.0.1/32 trust", "host all guarded all scram-sha-256"]
        (data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        server.run("SELECT pg_reload_conf()")

        async def cause(host: str, password: str = CANARY) -> str | None:
            url = f"postgresql://guarded:{password}@{host}:{server.port}/postgres?sslmode=verify-full&sslrootcert={ca}"
            return (await tried(folder, DATABASE__URL=url))["database"].cause

        url = f"postgresql://guarded:wrong@127.0.0.1:{server.port}/postgres"
        assert (await causes(folder, DATABASE__URL=url))["database"] == "auth"
        serve(authority.server(begins=-DAY, ends=-DAY / 2))
        assert await _until(cause, "127.0.0.1", "certificate_expired")
        serve(Authority("another").server())
        assert await _until(cause, "127.0.0.1", "certificate_untrusted")


async def _until(cause: Callable[[str], Awaitable[str | None]], host: str, wanted: str) -> bool:
    """PostgreSQL reloads its files some time later."""
    for _ in range(100):
        if await cause(host) == wanted:
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.needs("postgresql", "pgbouncer")
@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_pooler(folder: Path, postgres_server: Postgres, mode: str) -> None:
    migrated = postgres_server.create_database(migrated=True)
    with pgbouncer.running(postgres_server, mode) as pooler:
        found = (await tried(folder, DATABASE__URL=pooler.url(migrated)))["database"]
        assert found.cause == (None if mode == "session" else "transaction_pooling"), found


@pytest.mark.needs("openbao")
async def test_vault(folder: Path, openbao: OpenBao) -> None:
    openbao.prepare()
    openbao.policy()

    async def vault(**more: str) -> Finding:
        usual = {
            "KEYWRAP__KIND": "vault",
            "VAULT__URL": openbao.url,
            "VAULT__AUTH": "token",
            "VAULT__TOKEN": ROOT_TOKEN,
        }
        return (await tried(folder, **{**usual, "VAULT__TOKEN": ROOT_TOKEN, **more}))["keywrap"]

    assert (await vault(VAULT__TOKEN=openbao.token(ttl="1h"))).ok
    assert "expires in" in (await vault(VAULT__TOKEN=openbao.token(ttl="1h", renewable=False))).message
    assert (await vault(VAULT__TOKEN=CANARY)).cause == "auth"
    role, _ = openbao.approle()
    found = await vault(VAULT__AUTH="approle", VAULT__ROLE_ID=role, VAULT__SECRET_ID=CANARY)
    assert (found.cause, "vault.secret_id" in found.message) == ("auth", True)
    found = await vault(VAULT__AUTH="kubernetes", VAULT__ROLE="x", VAULT__JWT_FILE=str(folder / "absent"))
    assert (found.cause, "vault.jwt_file" in found.message) == ("auth", True)
    assert (await vault(VAULT__KEY="another")).cause == "configuration"
    openbao.ask("POST", "transit/keys/plain", type="aes256-gcm96")
    assert "derived" in (await vault(VAULT__KEY="plain")).message
    text = 'path "transit/keys/strongroom" { capabilities = ["read"] }\n'
    openbao.ask("PUT", "sys/policies/acl/half", policy=text)
    half = openbao.ask("POST", "auth/token/create", policies=["half"])["auth"]["client_token"]
    found = await vault(VAULT__TOKEN=half)
    assert (found.cause, "update on transit/encrypt/strongroom" in found.message) == ("rights", True)
    openbao.seal()
    try:
        assert (await vault()).cause == "sealed"
    finally:
        openbao.unseal()


@pytest.mark.needs("openbao", "postgresql")
async def test_the_key_wrap_must_be_that_of_the_database(
    folder: Path, openbao: OpenBao, postgres_server: Postgres
) -> None:
    openbao.prepare()
    openbao.ask("POST", "transit/keys/second", type="aes256-gcm96", derived=True)
    migrated = postgres_server.create_database(migrated=True)
    settings = {
        "DATABASE__URL": postgres_server.url(migrated, SERVICE), "KEYWRAP__KIND": "vault", "VAULT__URL": openbao.url,
        "VAULT__AUTH": "token", "VAULT__TOKEN": ROOT_TOKEN,
    }  # fmt: skip
    assert (await tried(folder, **settings))["service secret"].message == "it will be created when the service starts"
    await bootstrap.prepare(load(environment(folder, **settings), dotenv=None))
    found = await tried(folder, **settings)
    assert found["service secret"] == Finding("service secret", True, None, "")
    found = await tried(folder, **settings, VAULT__KEY="second")
    assert (found["keywrap"].cause, found["service secret"].cause) == (None, "wrong_key")


@pytest.mark.needs("redis")
async def test_redis(folder: Path, redis: RedisServer) -> None:
    async def cause(url: str, **more: str) -> str | None:
        return (await causes(folder, REDIS__URL=url, **more))["redis"]

    at = f"127.0.0.1:{redis.port}"
    assert await cause(redis.url) is None
    assert await cause(f"redis://:{CANARY}@{at}/0") == "auth"
    assert await cause(f"redis://{at}/4711") == "wrong_database"
    redis.ask.execute_command("ACL", "SETUSER", "narrow", "on", f">{CANARY}", "~other:*", "+@all")
    redis.ask.execute_command("ACL", "SETUSER", "default", "on", f">{CANARY}")
    redis.ask.connection_pool.connection_kwargs["password"] = CANARY
    try:
        assert await cause(f"redis://narrow:{CANARY}@{at}/0") == "rights"
        assert await cause(f"redis://{at}/0") == "auth"
        assert await cause(f"redis://:{CANARY}@{at}/0") is None
    finally:
        redis.ask.execute_command("ACL", "SETUSER", "default", "on", "nopass")
        redis.ask.connection_pool.connection_kwargs.pop("password")
    redis.read_only()
    try:
        assert await cause(redis.url) == "read_only"
    finally:
        redis.reset()
    redis.freeze()
    try:
        assert await cause(redis.url) == "timeout"
    finally:
        redis.thaw()
    async with listening(answer=web()) as port:
        assert await cause(f"redis://127.0.0.1:{port}/0") == "bad_answer"


@pytest.mark.needs("redis")
async def test_sentinels_and_clusters(folder: Path, redis: RedisServer, tmp_path: Path) -> None:
    conf = tmp_path / "sentinel.conf"
    conf.write_text(f"sentinel monitor wallets 127.0.0.1 {redis.port} 1\n")
    with started(tmp_path, str(conf), "--sentinel") as port:
        dead = free_port()
        found = await tried(folder, REDIS__URL=f"redis+sentinel://127.0.0.1:{dead},127.0.0.1:{port}/wallets/0")
        assert found["redis"].ok
        assert found["redis"].message.startswith("1 of 2 Sentinels fail: nothing listens")
        found = await tried(folder, REDIS__URL=f"redis+sentinel://127.0.0.1:{port}/others/0")
        assert found["redis"].cause == "wrong_name"
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    with started(cluster, "--cluster-enabled", "yes") as port:
        found = await tried(folder, REDIS__URL=f"redis://127.0.0.1:{port}/0")
        assert found["redis"].cause == "cluster"


@pytest.mark.needs("anvil")
async def test_sources(folder: Path) -> None:
    with Anvil(chain_id=1) as node:
        right, wrong = source(node.url), source(node.url, "polygon")
        found = await tried(folder, right + wrong)
        assert found["source ethereum/mine"].message == "it serves eip155:1"
        assert found["source polygon/mine"].cause == "wrong_chain"
        assert "polygon, whose id is 137" in found["source polygon/mine"].message
    for answer, cause in (
        (web(status="401 Unauthorized"), "auth"), (web(status="404 Not Found"), "wrong_path"),
        (web(status="302 Found"), "wrong_path"), (web(b"hello"), "bad_answer"), (b"220 mail\r\n", "bad_answer"),
    ):  # fmt: skip
        async with listening(answer=answer) as port:
            found = await tried(folder, source(f"http://127.0.0.1:{port}/{CANARY}"))
            assert found["source ethereum/mine"].cause == cause, answer
    (folder / "headers").write_text(f"{CANARY}\n")
    found = await tried(folder, source("http://127.0.0.1:1/", headers_file=str(folder / "headers")))
    assert not found["source ethereum/mine"].ok


async def test_issuers(folder: Path) -> None:
    authority, keys = Authority(), FakeIssuer()
    ca = folder / "ca.pem"
    ca.write_bytes(authority.certificate)
    context = shows(folder, authority.server())
    for answer, cause in (
        (web(keys.jwks()), None), (web(status="404 Not Found"), "bad_answer"), (web(b"{}"), "bad_answer"),
        (b"220 mail\r\n", "bad_answer"),
    ):  # fmt: skip
        async with listening(context, answer) as port:
            found = await tried(folder, issuer(f"https://127.0.0.1:{port}/keys", ca_file=str(ca)))
            assert found["issuer login"].cause == cause, answer
    assert (await causes(folder, issuer(str(folder / "absent"))))["issuer login"] == "file"
    (folder / "keys").write_bytes(keys.jwks())
    assert (await causes(folder, issuer(str(folder / "keys"))))["issuer login"] is None


def refusing(refusal: otlp.Refusal) -> Callable[[], None]:
    def answer() -> None:
        raise refusal

    return answer


async def test_receivers_of_traces(folder: Path) -> None:
    async def cause(port: int, protocol: str) -> str | None:
        at = f"http://127.0.0.1:{port}"
        given = {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": at, "TRACING__PROTOCOL": protocol}
        return (await causes(folder, **given))["tracing"]

    with otlp.over_grpc() as receiver:
        assert await cause(receiver.port, "grpc") is None
        assert await cause(receiver.port, "http") == "wrong_protocol"
        receiver.answer = refusing(otlp.Refusal(grpc.StatusCode.UNAUTHENTICATED))
        assert await cause(receiver.port, "grpc") == "auth"
    with otlp.over_http() as receiver:
        assert await cause(receiver.port, "http") is None
        receiver.answer = refusing(otlp.Refusal(status=401))
        assert await cause(receiver.port, "http") == "auth"


async def test_alerts_are_not_sent(folder: Path) -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await tried(folder, ALERTS__URLS=f"json://127.0.0.1:{port}/{CANARY}")
    await asyncio.sleep(0.1)
    server.close()
    assert found["alert channel webhook"].ok
    assert b"".join(heard) == b""
    found = await tried(folder, ALERTS__URLS=f"nonsense://{CANARY}")
    assert found["alert channel channel"].cause == "configuration"
    toml = '[[alert_channels]]\nname = "shop"\nurl_file = "/nowhere/at/all"\n'
    assert (await tried(folder, toml))["alert channels"].cause == "configuration"


async def test_mail_servers_are_logged_in_to(folder: Path) -> None:
    """A fake mail server that hears exactly what a real one would."""
    heard: list[bytes] = []

    async def mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        while line := await reader.readline():
            heard.append(line)
            answers = {b"EHLO": b"250-mail\r\n250 AUTH PLAIN\r\n", b"AUTH": b"535 no\r\n", b"QUIT": b"221 bye\r\n"}
            writer.write(answers.get(line[:4].upper(), b"250 ok\r\n"))
        writer.close()

    server = await asyncio.start_server(mail, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"mailto://user:{CANARY}@127.0.0.1:{port}?to=ops@example.com&from=wallets@example.com"
    found = await tried(folder, ALERTS__URLS=url)
    server.close()
    assert found["alert channel email"].cause == "auth", found
    assert not any(line.upper().startswith((b"MAIL", b"RCPT", b"DATA")) for line in heard)


async def test_files_of_tls(folder: Path) -> None:
    authority = Authority()
    for ends, cause in ((DAY, None), (-DAY / 2, "file")):
        certificate, key = authority.server(ends=ends).write(folder, "server")
        found = await tried(folder, TLS__CERTIFICATE=str(certificate), TLS__KEY=str(key))
        assert found["tls"].cause == cause
    assert "expired" in found["tls"].message


@pytest.fixture
def well(postgres_server: Postgres, openbao: OpenBao, redis: RedisServer) -> dict[str, str]:
    openbao.prepare()
    openbao.policy()
    role, secret = openbao.approle(token_ttl="1h")
    return {
        "DATABASE__URL": postgres_server.url(postgres_server.create_database(migrated=True), SERVICE),
        "KEYWRAP__KIND": "vault", "VAULT__URL": openbao.url, "VAULT__AUTH": "approle", "VAULT__ROLE_ID": role,
        "VAULT__SECRET_ID": secret, "REDIS__URL": redis.url,
    }  # fmt: skip


@pytest.mark.needs("postgresql", "openbao", "redis", "anvil")
def test_the_command(folder: Path, well: dict[str, str]) -> None:
    with Anvil(chain_id=1) as node:
        found = run(folder, source(node.url), **well)
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout.splitlines() == [
            "database: ok", "keywrap: ok", "redis: ok", "source ethereum/mine: ok (it serves eip155:1)",
            "audit.heads: ok", "service secret: ok (it will be created when the service starts)",
        ]  # fmt: skip
    found = run(folder, source(f"http://127.0.0.1:{free_port()}/{CANARY}"), **well)
    assert found.returncode == 1
    assert "source ethereum/mine: FAILED: nothing listens on the host and port in its url" in found.stdout
    assert found.stderr == "1 of 6 components failed\n"
    found = run(folder, source(f"http://127.0.0.1:{free_port()}/{CANARY}"), "--json", **well)
    shown = {each["component"]: each for each in json.loads(found.stdout)["components"]}
    assert (found.returncode, shown["source ethereum/mine"]["cause"]) == (1, "refused")
    assert shown["database"] == {"component": "database", "ok": True, "cause": None, "message": ""}
    assert CANARY not in found.stdout + found.stderr
