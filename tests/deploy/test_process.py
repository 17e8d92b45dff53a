"""The rendered pods, started for real: their commands, their environment, their volumes, their probes and their end."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from tests.deploy.chart import lay_out, pods, render
from tests.support import stack
from tests.support.authority import Authority
from tests.support.grpc_calls import health_stub
from tests.support.server import ROOT, free_port

pytestmark = pytest.mark.needs("helm", "postgresql", "openbao")

VALUES: dict[str, Any] = {
    "vault": {"auth": "approle", "allowHttp": True},
    "workers": 2,
    "database": {"maxConnections": 200},
    "shutdown": {"lingerSeconds": 1, "drainSeconds": 5},
    "config": '[[networks]]\nname = "mychain"\nchain = "evm"\nchain_id = 4711\nsymbol = "MY"\n',
    "serviceMonitor": {"enabled": True},
}
READY = 30.0
IN_TLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "TLS": {"tls": {"secret": "pods-tls"}},
    "mutual TLS": {"tls": {"secret": "pods-tls", "clientCaSecret": "clients-ca"}},
}
ANY = ssl._create_unverified_context()
SERVERS, CLIENTS = Authority("for servers"), Authority("for clients")


class Pod:
    """Its container as a process: what the image gives is the PATH and the temporary folder."""

    def __init__(self, objects: list[dict[str, Any]], kind: str, folder: Path, secret: dict[str, str]) -> None:
        issued = SERVERS.server()
        given = {
            "strongroom": secret,
            "pods-tls": {"tls.crt": issued.certificate.decode(), "tls.key": issued.key.decode()},
            "clients-ca": {"ca.crt": CLIENTS.certificate.decode()},
        }
        command, env = lay_out(objects, kind, folder, given)
        spec = pods(objects)[kind]["spec"]
        [self.container] = spec["containers"]
        self.grace: int = spec.get("terminationGracePeriodSeconds", 30)
        self.tmp = folder / "tmp"
        self.ports = {"http": free_port(), "grpc": free_port()}
        self.has_tls = "STRONGROOM_TLS__CERTIFICATE" in env
        self.shown = CLIENTS.client() if "STRONGROOM_TLS__CLIENT_CA" in env else None
        self.folder = folder
        self.command = command
        self.env = {**env, "PATH": f"{_image(folder)}:{os.environ['PATH']}", "TMPDIR": str(self.tmp)}
        if "envFrom" in self.container:  # only a pod has an address of its own
            assert (env["STRONGROOM_HTTP__PORT"], env["STRONGROOM_GRPC__PORT"]) == ("3000", "3001")
            self.env |= {f"STRONGROOM_{face.upper()}__PORT": str(port) for face, port in self.ports.items()}
            if self.shown is not None:
                assert env["STRONGROOM_TLS__PROBE_PORT"] == "3002"
                self.ports["probes"] = free_port()
                self.env["STRONGROOM_TLS__PROBE_PORT"] = str(self.ports["probes"])
            self.env |= {f"STRONGROOM_{face}__HOST": "127.0.0.1" for face in ("HTTP", "GRPC")}
        self.log = folder / "log"

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(
                self.command, env=self.env, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def probe(self, which: str) -> int:
        asked = self.container[which]
        port = self.ports[asked["httpGet"]["port"]]
        url = f"{asked['httpGet'].get('scheme', 'HTTP').lower()}://127.0.0.1:{port}{asked['httpGet']['path']}"
        try:  # a kubelet believes any certificate
            return httpx.get(url, timeout=asked["timeoutSeconds"], trust_env=False, verify=ANY).status_code
        except httpx.TransportError:
            return 0

    @property
    def url(self) -> str:
        return f"http{'s' if self.has_tls else ''}://127.0.0.1:{self.ports['http']}"

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=SERVERS.certificate.decode())
        if self.shown is not None:
            context.load_cert_chain(*self.shown.write(self.folder, "client"))
        return context

    def channel(self) -> grpc.aio.Channel:
        target = f"127.0.0.1:{self.ports['grpc']}"
        if not self.has_tls:
            return grpc.aio.insecure_channel(target)
        pair = (None, None) if self.shown is None else (self.shown.key, self.shown.certificate)
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(SERVERS.certificate, *pair))

    def until(self, which: str, status: int) -> None:
        deadline = time.monotonic() + READY
        while self.probe(which) != status:
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)


def _image(folder: Path) -> Path:
    """`strongroom` as deploy/Dockerfile writes it."""
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    program = binaries / "strongroom"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m strongroom "$@"\n')
    program.chmod(0o755)
    return binaries


@pytest.fixture(scope="module", params=IN_TLS)
def pod(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Pod, subprocess.Popen[bytes]]]:
    folder = tmp_path_factory.mktemp("pod")
    with ExitStack() as parts:
        given = parts.enter_context(stack.production())
        secret = {
            "database-url": given["DATABASE__URL"],
            "migrate-url": given["DATABASE__MIGRATE_URL"],
            "vault-role-id": given["VAULT__ROLE_ID"],
            "vault-secret-id": given["VAULT__SECRET_ID"],
        }
        objects = render({**VALUES, **IN_TLS[request.param], "vault": {**VALUES["vault"], "url": given["VAULT__URL"]}})
        migration = Pod(objects, "Job", folder / "job", secret)
        assert migration.start().wait(60) == 0, migration.log.read_text()
        server = Pod(objects, "Deployment", folder / "server", secret)
        process = server.start()
        try:
            server.until("startupProbe", 200)
            yield server, process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_its_probes_answer(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    server, _ = pod
    for which in ("startupProbe", "livenessProbe", "readinessProbe"):
        server.until(which, 200)


async def test_grpc_is_ready_too(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    server, _ = pod
    async with server.channel() as channel:
        answer = await health_stub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_first_api_key_is_made_in_the_pod_and_works(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    """As the chart's notes say."""
    server, _ = pod
    tenant = "11111111-1111-4111-8111-111111111111"
    command = ["strongroom", "api-key", "create", "first", "--all-scopes", "--tenant", tenant]
    made = subprocess.run(
        [*command, "--json"], env=server.env, cwd="/", capture_output=True, text=True, timeout=60, check=True
    )
    key = httpx.Response(200, text=made.stdout).json()["api_key"]
    options: dict[str, Any] = {"base_url": server.url, "verify": server.context, "trust_env": False, "timeout": 60}
    with httpx.Client(headers={"X-API-Key": key}, **options) as client:
        body = {"label": "first", "networks": ["ethereum", "mychain"]}
        assert client.post("/api/v1/wallets", json=body).status_code == 201
        assert client.get("/api/v1/health").json()["components"].keys() - {"tls"} == {"database", "vault", "audit"}
        assert "strongroom_operations_total" in client.get("/metrics").text


def test_an_anonymous_caller_learns_the_status_alone(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    server, _ = pod
    answer = httpx.get(f"{server.url}/api/v1/health", trust_env=False, timeout=60, verify=server.context)
    assert answer.json() == {"status": "ok"}


def test_it_writes_into_its_temporary_folder_alone(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    """Which is all that the pod lets it write. Linux."""
    server, process = pod
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    opened: set[Path] = set()
    for pid in (str(process.pid), *children):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                flags = int(Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text().split("flags:")[1].split()[0], 8)
                target = descriptor.readlink()
            except FileNotFoundError:  # closed since it was listed
                continue
            if flags & (os.O_WRONLY | os.O_RDWR) and target.is_absolute() and not target.is_relative_to("/dev"):
                opened.add(target)
    assert server.tmp / "strongroom" / "strongroom.lock" in opened
    assert {path for path in opened if not path.is_relative_to(server.tmp)} == {server.log}


def test_it_ends_by_itself_within_its_grace(pod: tuple[Pod, subprocess.Popen[bytes]]) -> None:
    """Told once, as a kubelet does: not ready, still answering, then gone. Runs last."""
    server, process = pod
    began = time.monotonic()
    process.terminate()
    server.until("readinessProbe", 503)
    assert server.probe("livenessProbe") == 200
    assert process.wait(server.grace) == 0
    assert time.monotonic() - began >= VALUES["shutdown"]["lingerSeconds"]
    assert list(server.tmp.glob("strongroom-metrics-*")) == []
