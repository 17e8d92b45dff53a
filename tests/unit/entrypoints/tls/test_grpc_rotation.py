"""gRPC after the authority of clients was replaced: what was connected before, and who comes anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from strongroom.access.client_address import ClientAddresses
from strongroom.config.tls import TlsSettings
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.tls.credentials import grpc_credentials
from strongroom.entrypoints.tls.watched import WatchedMaterial
from tests.support.authority import Authority, replace
from tests.support.grpc_calls import unary
from tests.support.tls import GENEROUS, Estate, served_over_grpc, until


class Monitor:
    ready = True

    async def changes(self) -> AsyncIterator[bool]:
        await asyncio.Event().wait()
        yield True


@asynccontextmanager
async def serving(material: WatchedMaterial) -> AsyncIterator[str]:
    stubs: dict[str, Any] = {"pipeline": None, "health": Monitor()}
    server = await grpc_server.start(
        address="127.0.0.1:0", addresses=ClientAddresses(), tls=grpc_credentials(material), **stubs
    )
    try:
        yield f"localhost:{server.port}"
    finally:
        await server.drain(0)


async def is_answered(channel: grpc.aio.Channel) -> bool:
    try:
        await unary(channel, "/grpc.health.v1.Health/Check")(b"", timeout=GENEROUS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return False
        raise
    return True


@pytest.mark.parametrize("ends", [False, True], ids=["as it is", "at the end of its age"])
async def test_a_connection_under_an_authority_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """It is answered until its age is over. It cannot be made again, and nobody else gets in with that certificate."""
    if ends:
        monkeypatch.setattr(grpc_server, "_CONNECTION_AGE_MS", 1_000)
    estate = Estate(tmp_path)
    material = WatchedMaterial(TlsSettings(certificate=estate.certificate, key=estate.key, client_ca=estate.client_ca))
    old, successor = estate.clients.client(), Authority("for clients, the next")
    async with serving(material) as target, estate.channel(target, old) as kept:
        assert await is_answered(kept)
        replace(estate.client_ca, successor.certificate)
        material.look()
        assert not await served_over_grpc(estate.channel(target, old))
        assert await served_over_grpc(estate.channel(target, successor.client()))
        if ends:

            async def is_turned_away() -> bool:
                return not await is_answered(kept)

            await until(is_turned_away)
        else:
            assert await is_answered(kept)
            assert not await served_over_grpc(estate.channel(target, old)), "the new configuration stays in use"


def test_the_age_is_what_the_documents_say() -> None:
    """gRPC adds a tenth of the age at random, so that not all connections end at once (gRPC proposal A9)."""
    longest = (grpc_server._CONNECTION_AGE_MS * 1.1 + grpc_server._CONNECTION_AGE_GRACE_MS) / 1000
    minutes, seconds = divmod(longest, 60)
    text = (Path(__file__).parents[4] / "docs" / "tls.md").read_text()
    assert f"{minutes:.0f} minutes and {seconds:.0f} s" in " ".join(text.split())
