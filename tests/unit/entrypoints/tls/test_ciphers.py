"""The protocol versions and cipher suites that docs/tls.md lists are those that both faces accept."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from strongroom.config.tls import TlsSettings
from strongroom.entrypoints.tls.credentials import grpc_credentials
from strongroom.entrypoints.tls.front import Front
from strongroom.entrypoints.tls.watched import WatchedMaterial
from tests.support.ciphers import accepted
from tests.support.server import ROOT, free_port
from tests.support.tls import Estate

ROW = re.compile(r"^\| (REST|gRPC) \| (EC|RSA) \| (TLS [0-9.]+) \| (.+?) \|$", re.MULTILINE)


def listed(face: str, key: str) -> dict[str, set[str]]:
    rows = ROW.findall((ROOT / "docs" / "tls.md").read_text())
    return {version: set(re.findall(r"`(.+?)`", suites)) for *of, version, suites in rows if of == [face, key]}


@pytest.fixture(params=["EC", "RSA"])
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def material(key: str, tmp_path: Path) -> WatchedMaterial:
    estate = Estate(tmp_path)
    made = ec.generate_private_key(ec.SECP256R1()) if key == "EC" else rsa.generate_private_key(65537, 2048)
    estate.serve(estate.servers.server(key=made))
    return WatchedMaterial(TlsSettings(certificate=estate.certificate, key=estate.key, client_ca=estate.client_ca))


async def test_rest(key: str, material: WatchedMaterial) -> None:
    front, port = Front(material, upstream=free_port()), free_port()
    front.listen("127.0.0.1", port)
    try:
        found = await asyncio.to_thread(accepted, port)
    finally:
        await front.close()
    assert {version: set(suites) for version, suites in found.items()} == listed("REST", key)


async def test_grpc(key: str, material: WatchedMaterial) -> None:
    server = grpc.aio.server()
    port = server.add_secure_port("127.0.0.1:0", grpc_credentials(material))
    await server.start()
    try:
        found = await asyncio.to_thread(accepted, port)
    finally:
        await server.stop(0)
    assert {version: set(suites) for version, suites in found.items()} == listed("gRPC", key)
