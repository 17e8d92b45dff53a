"""TLS for REST and gRPC of a running service with several workers: handshakes, client certificates, rotation."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid5

import httpx
import pytest

from tests.support import postgres
from tests.support.authority import Authority, Issued, replace
from tests.support.server import Server, free_port
from tests.support.service import GrpcFace
from tests.support.tls import GENEROUS, Estate, TlsServer, served_over_grpc, served_over_http, until

pytestmark = pytest.mark.needs("postgresql")

WORKERS = 2
CALLERS = 3
ROTATIONS = 4
TENANT = UUID(int=0xC)
SPIFFE = "spiffe://example.org/payments"
SUBJECT = "CN=ledger,O=Example"
BINDINGS = f"""
[[access.certificates]]
name = "payments"
spiffe = "{SPIFFE}"
tenant = "{TENANT}"
scopes = ["wallets:create", "wallets:read", "audit:read"]

[[access.certificates]]
name = "ledger"
subject = "{SUBJECT}"
tenant = "{TENANT}"
scopes = ["wallets:read"]
"""
DAY = timedelta(days=1)
PATIENT = {f"DATABASE__{name}TIMEOUT": "60" for name in ("", "POOL_", "CONNECT_", "STATEMENT_", "LOCK_")}
"""A slow database, as everything is slow on a busy machine, is not a failure of TLS."""
PRIVATE_KEY = re.compile(rb"-----BEGIN PRIVATE KEY-----\n(.*?)\n-----END", re.DOTALL)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return Estate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, estate: Estate) -> Iterator[Server]:
    config = estate.folder / "strongroom.toml"
    config.write_text(BINDINGS)
    with postgres.running() as database:
        settings = {
            "DATABASE__URL": database.url(),
            "WORKERS__COUNT": str(WORKERS),
            "CONFIG": str(config),
            "TLS__PROBE_PORT": str(free_port()),
            "HEALTH__INTERVAL": "1",
            "RATES__READ": "off",  # the load below is as fast as the machine allows
            **PATIENT,
        }
        server = TlsServer(tmp_path_factory.mktemp("served"), estate, settings)
        assert server.command("migrate").returncode == 0
        with server:
            yield server
            check_that_no_key_is_told(server, estate)


def check_that_no_key_is_told(server: Server, estate: Estate) -> None:
    log = server.log.read_bytes()
    keys = [found[1] for path in estate.folder.rglob("*.key") if (found := PRIVATE_KEY.search(path.read_bytes()))]
    assert len(keys) > 1
    for line in (line for key in keys for line in key.splitlines()):
        assert line[:40] not in log
    assert str(estate.key).encode() not in log


async def get(server: Server, context: ssl.SSLContext, path: str, port: int | None = None) -> httpx.Response:
    url = f"https://127.0.0.1:{port or server.http_port}"
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=60, base_url=url) as client:
        return await client.get(path)


async def is_served(server: Server, estate: Estate, shown: Issued | None, ca: bytes | None = None) -> tuple[bool, bool]:
    """Over HTTP and over gRPC."""
    http = await served_over_http(server.http_port, estate.context(shown, ca))
    return http is not None, await served_over_grpc(estate.channel(server.target, shown, ca))


async def test_both_faces_serve_who_shows_a_certificate(server: Server, estate: Estate) -> None:
    assert await is_served(server, estate, estate.clients.client()) == (True, True)


@pytest.mark.parametrize("fault", ["missing", "wrong authority", "expired", "not valid yet", "of a server"])
async def test_both_faces_refuse_a_certificate_that_does_not_hold(server: Server, estate: Estate, fault: str) -> None:
    shown = {
        "missing": None,
        "wrong authority": Authority("for clients").client(),
        "expired": estate.clients.client(begins=-2 * DAY, ends=-DAY),
        "not valid yet": estate.clients.client(begins=DAY),
        "of a server": estate.clients.server(),
    }[fault]
    assert await is_served(server, estate, shown) == (False, False)


async def test_a_client_that_trusts_another_authority_finds_no_server(server: Server, estate: Estate) -> None:
    shown = estate.clients.client()
    assert await is_served(server, estate, shown, ca=Authority("for servers").certificate) == (False, False)


@pytest.mark.parametrize(("shown", "name"), [(("CN=whatever", SPIFFE), "payments"), ((SUBJECT,), "ledger")])
async def test_a_certificate_stands_for_a_principal_on_both_faces(
    server: Server, estate: Estate, shown: tuple[str, ...], name: str
) -> None:
    issued = estate.clients.client(*shown)
    assert (await get(server, estate.context(issued), "/api/v1/wallets")).status_code == 200
    refused = await get(server, estate.context(issued), "/api/v1/networks")
    assert refused.status_code == 403, name
    async with estate.channel(server.target, issued) as channel:
        face = GrpcFace(channel)
        assert (await face.call("wallets.list", {}, key=None)).code == "ok"
        assert (await face.call("networks.list", {}, key=None)).code == "forbidden"


async def test_its_principal_is_the_same_on_both_faces_and_after_a_renewal(server: Server, estate: Estate) -> None:
    first, renewed = (estate.clients.client("CN=whatever", SPIFFE) for _ in range(2))
    body = {"label": "of a certificate"}
    async with httpx.AsyncClient(verify=estate.context(first), trust_env=False, timeout=60) as client:
        answer = await client.post(f"{server.url}/api/v1/wallets", json=body, headers={"Idempotency-Key": "renewed"})
    assert answer.status_code == 201, answer.text
    async with estate.channel(server.target, renewed) as channel:
        again = await GrpcFace(channel).call("wallets.create", body, key=None, idempotency_key="renewed")
    assert again.result["id"] == answer.json()["id"]
    records = (await get(server, estate.context(renewed), "/api/v1/audit?limit=100")).json()["records"]
    made = [each for each in records if each["operation"] == "wallets.create"]
    assert len({each["principal_id"] for each in made}) == 1


async def test_a_principal_of_a_certificate_can_be_revoked(server: Server, estate: Estate) -> None:
    shown = estate.clients.client(SUBJECT)
    made = server.command("api-key", "create", "first", "--all-scopes", "--tenant", str(TENANT), "--json")
    admin = {"X-API-Key": json.loads(made.stdout)["api_key"]}
    id_of_it = {"principal_id": str(uuid5(UUID("b2a3b9b9-6b94-4104-881a-133c05b58c2f"), SUBJECT))}

    async def status() -> tuple[int, str]:
        http = (await get(server, estate.context(shown), "/api/v1/wallets")).status_code
        async with estate.channel(server.target, shown) as channel:
            return http, (await GrpcFace(channel).call("wallets.list", {}, key=None)).code

    async def is_refused() -> bool:
        return await status() == (401, "unauthenticated")

    async def is_served_again() -> bool:
        return await status() == (200, "ok")

    async with server.async_client(headers=admin) as client:
        revoked = await client.post("/revocations", json=id_of_it)
        assert revoked.status_code == 200, revoked.text
        await until(is_refused)
        lifted = await client.post(f"/revocations/{revoked.json()['id']}/lift")
        assert lifted.status_code == 200, lifted.text
        await until(is_served_again)


async def test_a_certificate_of_nobody_is_not_enough_and_a_key_goes_before_it(server: Server, estate: Estate) -> None:
    for shown in (estate.clients.client("CN=ledger"), estate.clients.client("CN=x", f"{SPIFFE}/other")):
        assert (await get(server, estate.context(shown), "/api/v1/wallets")).status_code == 401
        async with estate.channel(server.target, shown) as channel:
            assert (await GrpcFace(channel).call("wallets.list", {}, key=None)).code == "unauthenticated"
    payments = estate.clients.client("CN=whatever", SPIFFE)
    async with estate.channel(server.target, payments) as channel:
        face = GrpcFace(channel)
        assert (await face.call("networks.list", {}, key=server.api_key)).code == "ok"
        assert (await face.call("wallets.list", {}, key="not a key")).code == "unauthenticated"


async def test_the_port_for_probes_needs_no_certificate_and_serves_nothing_else(server: Server, estate: Estate) -> None:
    port = int(server.settings["TLS__PROBE_PORT"])
    for path, status in {
        "/health/live": 200, "/health/ready": 200, "/health/startup": 200, "/health": 200, "/api/v1/health": 200,
        "/metrics": 401, "/api/v1/wallets": 404, "/docs": 404, "/openapi.json": 404,
    }.items():  # fmt: skip
        assert (await get(server, estate.context(), path, port)).status_code == status, path
    with_key = {"X-API-Key": server.api_key}
    async with httpx.AsyncClient(verify=estate.context(), trust_env=False, timeout=60) as client:
        assert (await client.get(f"https://127.0.0.1:{port}/metrics", headers=with_key)).status_code == 200
        assert (await client.get(f"https://127.0.0.1:{port}/api/v1/wallets", headers=with_key)).status_code == 404


def upstream_ports(server: Server) -> list[int]:
    """What the workers listen on besides their public ports."""
    public = {server.http_port, server.grpc_port, int(server.settings["TLS__PROBE_PORT"])}
    found = []
    for pid in server.workers():
        descriptors = Path(f"/proc/{pid}/fd").iterdir()
        inodes = {link[1] for each in descriptors if (link := re.match(r"socket:\[(\d+)\]", str(each.readlink())))}
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            port = int(fields[1].rpartition(":")[2], 16)
            if fields[3] == "0A" and fields[9] in inodes and port not in public:
                found.append(port)
    return found


def test_nobody_gets_past_the_handshake_through_the_port_behind_it(server: Server) -> None:
    ports = upstream_ports(server)
    assert len(ports) == WORKERS
    for port in ports:
        for path in ("/health/live", "/api/v1/wallets", "/metrics"):
            answer = httpx.get(
                f"http://127.0.0.1:{port}{path}", headers={"X-API-Key": server.api_key}, trust_env=False, timeout=60
            )
            assert answer.status_code == 403


async def test_plain_text_gets_no_answer(server: Server) -> None:
    for port in (server.http_port, server.grpc_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionError):
            assert b"HTTP/1.1" not in await reader.read()
        writer.close()


class Load:
    """Callers over REST and gRPC, some on one connection as long as the server keeps it, others on a new one
    each time.
    """

    def __init__(self, server: Server, estate: Estate, shown: Issued) -> None:
        self._server = server
        self._context = estate.context(shown)
        self._channel = lambda: estate.channel(server.target, shown)
        self._stop = asyncio.Event()
        self.done = {"kept http": 0, "new http": 0, "kept grpc": 0, "new grpc": 0}
        self.failed: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        work = [self._keep(kind) for kind in self.done for _ in range(CALLERS)]
        tasks = [asyncio.create_task(each) for each in work]
        yield
        self._stop.set()
        await asyncio.gather(*tasks)

    async def _keep(self, kind: str) -> None:
        keeps, face = kind.split()
        while not self._stop.is_set():
            if face == "http":
                await self._over_http(kind, keeps == "kept")
            else:
                await self._over_grpc(kind, keeps == "kept")

    async def _over_http(self, kind: str, keeps: bool) -> None:
        async with httpx.AsyncClient(
            verify=self._context, trust_env=False, timeout=120, base_url=self._server.url
        ) as client:
            while True:
                try:
                    answer = await client.get("/api/v1/wallets", headers={"X-API-Key": self._server.api_key})
                    self._count(kind, "ok" if answer.status_code == 200 else str(answer.status_code))
                except httpx.HTTPError as error:
                    self._count(kind, repr(error))
                if not keeps or self._stop.is_set():
                    return

    async def _over_grpc(self, kind: str, keeps: bool) -> None:
        async with self._channel() as channel:
            face = GrpcFace(channel)
            while True:
                found = await face.call("wallets.list", {}, key=self._server.api_key)
                self._count(kind, found.code)
                if not keeps or self._stop.is_set():
                    return

    def _count(self, kind: str, outcome: str) -> None:
        if outcome == "ok":
            self.done[kind] += 1
        else:
            self.failed.append(f"{kind}: {outcome}")


async def test_certificates_rotate_under_load_and_no_request_fails(server: Server, estate: Estate) -> None:
    shown = estate.clients.client()
    context = estate.context(shown)
    load = Load(server, estate, shown)
    pids = server.workers()
    async with load.running():
        for _ in range(ROTATIONS):
            estate.serve(estate.servers.server())

            async def rotated() -> bool:
                return await served_over_http(server.http_port, context) == estate.current.der

            await until(rotated)
            await until(lambda: grpc_shows(server, estate, shown))
    assert load.failed == []
    assert min(load.done.values()) > 5 * ROTATIONS
    assert server.workers() == pids, "nothing was started anew"


async def grpc_shows(server: Server, estate: Estate, shown: Issued) -> bool:
    """A new connection to gRPC gets the certificate that is in the files."""
    context = estate.context(shown)
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", server.grpc_port, ssl=context, server_hostname="localhost")
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found == estate.current.der


async def test_what_was_signed_by_an_authority_that_is_gone_is_refused(server: Server, estate: Estate) -> None:
    gone, old = estate.clients, estate.clients.client("CN=whatever", SPIFFE)
    successor = Authority("for clients, the next")
    async with httpx.AsyncClient(verify=estate.context(old), trust_env=False, timeout=60) as kept:
        assert (await kept.get(f"{server.url}/api/v1/wallets")).headers.get("connection") != "close"
        try:
            replace(estate.client_ca, successor.certificate)

            async def asked_to_end() -> bool:
                return (await kept.get(f"{server.url}/api/v1/wallets")).headers.get("connection") == "close"

            async def revoked() -> bool:
                return await is_served(server, estate, old) == (False, False)

            async def renewed() -> bool:
                return await is_served(server, estate, successor.client("CN=whatever", SPIFFE)) == (True, True)

            await until(asked_to_end, in_a_row=1)
            await until(revoked)
            await until(renewed)
            with pytest.raises(httpx.TransportError):
                await kept.get(f"{server.url}/api/v1/wallets")
        finally:
            replace(estate.client_ca, gone.certificate)

    async def back() -> bool:
        return await is_served(server, estate, old) == (True, True)

    await until(back)


BROKEN = {
    "no PEM": lambda estate: replace(estate.certificate, b"nothing of the kind"),
    "half a file": lambda estate: replace(estate.certificate, estate.current.certificate[:200]),
    "another's key": lambda estate: replace(estate.key, estate.servers.server().key),
    "expired": lambda estate: estate.servers.server(begins=-2 * DAY, ends=-DAY).write(estate.folder, "server"),
    "gone": lambda estate: estate.key.unlink(),
    "no authority": lambda estate: replace(estate.client_ca, b""),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_broken_files_leave_the_old_in_use_and_are_told_of(server: Server, estate: Estate, fault: str) -> None:
    shown = estate.clients.client()
    context = estate.context(shown)
    used = estate.current

    async def told() -> bool:
        report = (await get(server, context, "/health")).json()
        return report["status"] == "degraded" and report["components"]["tls"]["state"] == "files_refused"

    async def well() -> bool:
        report = (await get(server, context, "/health")).json()
        return report["status"] == "ok" and await metric(server) == 0

    logged = server.log.read_bytes().count(b'"tls.refused"')
    try:
        BROKEN[fault](estate)
        await until(told)
        assert (await get(server, context, "/health/ready")).status_code == 200
        assert await metric(server) == 1
        assert server.log.read_bytes().count(b'"tls.refused"') >= logged + WORKERS
        assert await served_over_http(server.http_port, context) == used.der
        assert await grpc_shows(server, estate, shown)
    finally:
        estate.serve(used)
        replace(estate.client_ca, estate.clients.certificate)
    await until(well)


async def metric(server: Server) -> float:
    async with server.async_client() as client:
        text = (await client.get(f"{server.url}/metrics")).text
    found = re.search(r"^strongroom_tls_refused (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


async def test_metrics_say_when_what_is_in_use_expires(server: Server) -> None:
    async with server.async_client() as client:
        text = (await client.get(f"{server.url}/metrics")).text
    files = re.findall(r'^strongroom_tls_expiry_timestamp_seconds\{file="(\w+)"\} \S+$', text, re.MULTILINE)
    assert sorted(files) == ["certificate", "client_ca"]
    assert 'strongroom_tls_handshakes_total{result="refused"}' in text


async def test_who_only_connects_holds_up_nobody(server: Server, estate: Estate) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(50)]
    try:
        assert await is_served(server, estate, estate.clients.client()) == (True, True)
    finally:
        for each in silent:
            each.close()


def test_the_command_line_shows_its_certificate(server: Server, estate: Estate) -> None:
    certificate, key = estate.clients.client().write(estate.folder / "shown", "command")
    shown = {"CLIENT_CERTIFICATE": str(certificate), "CLIENT_KEY": str(key), "CA_FILE": str(estate.ca)}
    told = TlsServer(server.data_dir, estate, {**server.settings, **shown})
    told.http_port, told.api_key = server.http_port, server.api_key
    found = told.command("wallet", "list")
    assert found.returncode == 0, found.stderr
    for left_out, named in {"CA_FILE": "STRONGROOM_CA_FILE", "CLIENT": "STRONGROOM_CLIENT_CERTIFICATE"}.items():
        told.settings = {**server.settings, **{k: v for k, v in shown.items() if not k.startswith(left_out)}}
        refused = told.command("wallet", "list")
        assert refused.returncode == 3
        assert named in refused.stderr


def test_what_is_in_flight_when_the_service_ends_is_answered(estate: Estate, tmp_path: Path) -> None:
    """SIGTERM: first each response closes its connection, then the listeners close, and nobody is cut off."""
    with TlsServer(tmp_path / "ending", estate, {"TIMEOUTS__LINGER": "2"}) as server:
        stopped = threading.Event()
        outcomes: list[str] = []

        def call() -> None:
            with server.client() as client:
                while not stopped.is_set():
                    try:
                        answer = client.get("/wallets")
                    except httpx.ConnectError:  # nobody listens any more
                        return
                    except httpx.HTTPError as error:
                        outcomes.append(repr(error))
                        return
                    outcomes.append(str(answer.status_code))

        callers = [threading.Thread(target=call) for _ in range(4)]
        for each in callers:
            each.start()
        deadline = time.monotonic() + GENEROUS
        while len(outcomes) < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.stop() == 0
        stopped.set()
        for each in callers:
            each.join()
    assert set(outcomes) == {"200"}
