"""The heartbeat: a POST on the event loop, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest

from strongroom.alerts import heartbeat
from strongroom.alerts.base import NotDelivered
from strongroom.alerts.heartbeat import Heartbeat
from strongroom.domain.secret import Secret
from tests.support import fake_chats


def read_again(*_: Any, **__: Any) -> ssl.SSLContext:
    raise AssertionError("the authorities were read again, which holds the event loop for tens of milliseconds")


async def test_a_response_that_trickles_does_not_keep_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does it keep the service from its end."""
    monkeypatch.setattr(heartbeat, "_SECONDS", 0.5)
    ended = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with contextlib.suppress(OSError):
            while True:  # until the other end closes
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        ended.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        beat = Heartbeat(Secret(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/beat"))
        with pytest.raises(NotDelivered, match="slow"):
            await asyncio.wait_for(beat(), 120)
        await ended.wait()


async def test_the_authorities_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_chats.running(tmp_path / "chats") as chats:
        beat = Heartbeat(Secret(chats.heartbeat_url))
        monkeypatch.setattr(ssl, "create_default_context", read_again)
        await beat()
        await beat()
        assert len(chats.beats) == 2
