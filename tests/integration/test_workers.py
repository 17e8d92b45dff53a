"""Several workers behind one HTTP and one gRPC port, on PostgreSQL."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from tests.support import postgres
from tests.support.server import Server
from tests.support.service import GrpcFace
from tests.support.waiting import until

pytestmark = pytest.mark.needs("postgresql")

WORKERS = 2
CALLS = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres.running() as database:
        settings = {"DATABASE__URL": database.url(), "WORKERS__COUNT": str(WORKERS)}
        server = Server(tmp_path_factory.mktemp("workers"), settings)
        assert server.command("migrate").returncode == 0
        with server:
            yield server


def metric(server: Server, name: str) -> dict[str, float]:
    """By labels, as they are written."""
    with server.client() as client:
        text = client.get(f"{server.url}/metrics").text
    return {found[1]: float(found[2]) for found in re.finditer(rf"^{name}({{.*}})? (\S+)$", text, re.MULTILINE)}


async def ask_on_new_connections(server: Server) -> None:
    for _ in range(CALLS):
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            answer = await client.get(f"{server.url}/api/v1/networks", headers={"X-API-Key": server.api_key})
            assert answer.status_code == 200
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(server.target, options) as channel:
            assert (await GrpcFace(channel).call("networks.list", {}, key=server.api_key)).code == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are spawned")
def test_they_are_forked_with_every_python(server: Server) -> None:
    commands = {Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"strongroom\0")[2] for pid in server.workers()}
    assert commands == {b"serve\0"}


async def test_all_answer_and_their_metrics_are_one(server: Server) -> None:
    before = metric(server, "strongroom_operations_total")
    await ask_on_new_connections(server)
    after = metric(server, "strongroom_operations_total")
    label = '{code="ok",operation="networks.list"}'
    assert after[label] - before.get(label, 0) == 2 * CALLS
    memory = metric(server, "process_resident_memory_bytes")
    assert memory.keys() >= {f'{{pid="{pid}"}}' for pid in server.workers()}
    seconds = metric(server, "process_cpu_seconds_total")
    assert all(spent > 0 for spent in seconds.values())


def test_a_worker_that_dies_is_replaced(server: Server) -> None:
    before = set(server.workers())
    assert len(before) == WORKERS
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(set(server.workers()) - {victim}) >= WORKERS)
    now = set(server.workers())
    assert len(now - before) == 1
    with server.client() as client:
        until(lambda: metric(server, "process_resident_memory_bytes").keys() >= {f'{{pid="{pid}"}}' for pid in now})
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
        assert client.get(f"/wallets/{wallet}").status_code == 200
    assert f'{{pid="{victim}"}}' not in metric(server, "process_resident_memory_bytes")


def test_a_second_instance_may_not_share_the_ports(server: Server, tmp_path: Path) -> None:
    other = Server(tmp_path, server.settings, http_port=server.http_port, grpc_port=server.grpc_port)
    answer = other.command("serve")
    assert answer.returncode != 0
    assert f"port {server.http_port}" in answer.stderr


def test_sqlite_serves_one_process(tmp_path: Path) -> None:
    answer = Server(tmp_path, {"WORKERS__COUNT": "2"}).command("serve")
    assert answer.returncode != 0
    assert "PostgreSQL" in answer.stderr


def test_what_is_archived_in_one_worker_is_archived_in_all(server: Server) -> None:
    with server.client() as client:
        wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    sign = {"network": "ethereum", "format": "eip191", "message": "hello", "encoding": "text"}

    def ask(path: str, body: dict[str, str]) -> httpx.Response:
        with server.client() as fresh:  # a new connection, which either worker may get
            return fresh.post(f"/wallets/{wallet}/{path}", json=body)

    assert {ask("sign-message", sign).status_code for _ in range(12)} == {200}
    for _ in range(3):
        assert ask("archive", {}).status_code == 200
        assert {ask("sign-message", sign).json()["code"] for _ in range(12)} == {"wallet_archived"}
        assert ask("unarchive", {}).status_code == 200
        assert {ask("sign-message", sign).status_code for _ in range(12)} == {200}


def test_a_key_that_was_revoked_is_refused_by_all_soon(server: Server) -> None:
    with server.client() as client:
        made = client.post("/api-keys", json={"name": "short", "scopes": ["wallets:read"]}).json()
        mine = {"X-API-Key": made["api_key"]}

        def status() -> int:
            with server.client() as fresh:
                return fresh.get("/wallets", headers=mine).status_code

        assert {status() for _ in range(12)} == {200}
        assert client.post(f"/api-keys/{made['id']}/revoke").status_code == 200
    until(lambda: {status() for _ in range(12)} == {401})
