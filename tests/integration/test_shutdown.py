"""Starting and stopping as an operator sees it: signals, locks, ports, keys."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from tests.support.grpc_calls import health_stub
from tests.support.server import Server, is_alive
from tests.support.service import GrpcFace, HttpFace, Outcome
from tests.support.waiting import until

IN_FLIGHT = 30
PATIENCE = 300.0


@contextmanager
def held_up(server: Server) -> Iterator[None]:
    """Inside the block nothing can be committed, so no mutating request can end."""
    with closing(sqlite3.connect(server.data_dir / "strongroom.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


async def in_flight(server: Server, count: int) -> None:
    """Waits until this many of our calls have been taken up, whether or not some have ended already."""
    taken = re.compile(
        r'^strongroom_operations_in_flight (\S+)$|^strongroom_operations_total{.*operation="wallets.create"} (\S+)$',
        re.MULTILINE,
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            async with server.async_client() as client:
                text = (await client.get(f"{server.url}/metrics")).text
            if sum(float(each or other) for each, other in taken.findall(text)) >= count:
                return


async def ready(server: Server) -> bool:
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
        try:
            return (await client.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


async def new_call(server: Server) -> grpc.StatusCode:
    async with grpc.aio.insecure_channel(server.target) as channel:
        try:
            outcome = await GrpcFace(channel).call("networks.list", {}, key=server.api_key)
        except grpc.aio.AioRpcError as error:
            return error.code()
    status: grpc.StatusCode = outcome.status
    return status


async def test_sigterm_finishes_what_is_in_flight_on_both_faces(tmp_path: Path) -> None:
    with Server(tmp_path, {"RATES__CREATE": "off"}) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as client,
            grpc.aio.insecure_channel(server.target) as channel,
        ):
            faces = (HttpFace(client), GrpcFace(channel))
            assert await ready(server)
            assert await new_call(server) is grpc.StatusCode.OK
            with held_up(server):
                calls = [
                    asyncio.create_task(faces[n % 2].call("wallets.create", {"label": f"{n}"}, key=server.api_key))
                    for n in range(IN_FLIGHT)
                ]
                await in_flight(server, IN_FLIGHT)
                server.terminate()
                async with asyncio.timeout(PATIENCE):
                    while await ready(server):
                        pass
                    while await new_call(server) is not grpc.StatusCode.UNAVAILABLE:
                        pass
            answers: list[Outcome] = await asyncio.gather(*calls)
        assert server.wait(PATIENCE) == 0
        # The service waits 1.5 s for the database and no longer, however busy the machine is.
        assert {answer.code for answer in answers} <= {"ok", "storage_unavailable"}

        server.start()
        with server.client() as again:
            for answer in (each for each in answers if each.code == "ok"):
                assert again.get(f"/wallets/{answer.result['id']}").status_code == 200


async def test_a_service_that_lingers_turns_callers_away_and_answers_them(tmp_path: Path) -> None:
    with Server(tmp_path, {"TIMEOUTS__LINGER": "3"}) as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client,
            grpc.aio.insecure_channel(server.target) as channel,
        ):
            health = health_stub(channel)
            assert "connection" not in (await client.get("/health/live")).headers
            server.terminate()
            deadline = time.monotonic() + 60
            while (answer := await client.get("/health/ready")).status_code != 503:
                assert time.monotonic() < deadline
            assert answer.headers["connection"] == "close"
            face = HttpFace(client)
            assert (await face.call("wallets.create", {}, key=server.api_key)).code == "ok"
            assert await new_call(server) is grpc.StatusCode.OK
            checked = await health.Check(health_pb2.HealthCheckRequest())
            assert checked.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert server.wait() == 0


def test_an_idle_service_stops_at_once(tmp_path: Path) -> None:
    with Server(tmp_path, {"TIMEOUTS__DRAIN": "600"}) as server:  # the time that requests in flight would be given
        server.terminate()
        assert server.wait(300) == 0


def test_being_told_to_stop_again_and_again_changes_nothing(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        process = server.pid
        server.terminate()
        while is_alive(process):
            os.kill(process, signal.SIGTERM)
            time.sleep(0.002)
        assert server.wait() == 0


def test_a_second_instance_says_why_it_does_not_start(tmp_path: Path) -> None:
    with Server(tmp_path / "first") as server:
        others = {
            "another strongroom is already serving from this data directory (data_dir)": Server(tmp_path / "first"),
            f"port {server.http_port} on 127.0.0.1 is in use": Server(tmp_path / "second", http_port=server.http_port),
            f"port {server.grpc_port} on 127.0.0.1 is in use": Server(tmp_path / "third", grpc_port=server.grpc_port),
        }
        with ThreadPoolExecutor() as threads:  # the first waits 10 s for the lock
            answers = threads.map(lambda other: other.command("serve"), others.values())
        for words, answer in zip(others, answers, strict=True):
            assert answer.returncode != 0
            assert words in answer.stderr
        assert not list(tmp_path.glob("second/*.db")) + list(tmp_path.glob("third/*.key"))


def test_the_worker_ends_with_its_main_process(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        [worker] = server.workers()
        server.kill_main_process()
        until(lambda: not is_alive(worker))

        server.start()
        with server.client() as client:
            assert client.post("/wallets", json={}).status_code == 201


def test_a_second_start_keeps_the_keys(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        with server.client() as client:
            wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()
        key = (tmp_path / "keywrap.key").read_bytes()
        server.stop()
        shown = server.log.read_text().count("export KEY=")

        server.start()
        assert (tmp_path / "keywrap.key").read_bytes() == key
        assert server.log.read_text().count("export KEY=") == shown == 1
        with server.client() as client:
            body = {"network": "ethereum", "format": "eip191", "message": "still here", "encoding": "text"}
            signed = client.post(f"/wallets/{wallet['id']}/sign-message", json=body)
            assert signed.json()["address"] == wallet["addresses"][0]["address"]


@pytest.mark.parametrize("left", [None, "0" * 64 + "\n", "not a key\n"], ids=["missing", "another", "damaged"])
def test_an_old_database_does_not_start_under_another_key_file(tmp_path: Path, left: str | None) -> None:
    with Server(tmp_path) as server:
        server.stop()
    key_file = tmp_path / "keywrap.key"
    if left is None:
        key_file.unlink()
    else:
        key_file.write_text(left)

    refused = server.command("serve")
    assert refused.returncode != 0
    assert _words_of(left) in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert (key_file.read_text() if key_file.exists() else None) == left


def _words_of(left: str | None) -> str:
    if left is None:
        return "does not exist: restore it, since existing wallets cannot be opened without it"
    return (
        "key file must be 64 lower-case hex digits" if "not" in left else "this key wrap cannot open the service secret"
    )


def test_an_old_database_does_not_start_under_another_passphrase(tmp_path: Path) -> None:
    with Server(tmp_path, {"KEYWRAP__PASSPHRASE": "correct horse"}) as server:
        server.stop()
    salt = (tmp_path / "keywrap.json").read_bytes()

    wrong = Server(tmp_path, {"KEYWRAP__PASSPHRASE": "battery staple"}).command("serve")
    assert wrong.returncode != 0
    assert "passphrase" in wrong.stderr
    assert "battery" not in wrong.stderr + wrong.stdout

    without = Server(tmp_path).command("serve")
    assert without.returncode != 0
    assert "keywrap.key does not exist" in without.stderr
    assert (tmp_path / "keywrap.json").read_bytes() == salt
    assert not (tmp_path / "keywrap.key").exists()
