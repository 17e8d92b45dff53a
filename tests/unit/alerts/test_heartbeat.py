"""The heartbeat: a POST on the event loop, again and again."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from strongroom.alerts.heartbeat import Heartbeat
from strongroom.domain.secret import Secret
from tests.support import fake_chats


def read_again(*_: Any, **__: Any) -> ssl.SSLContext:
    raise AssertionError("the authorities were read again, which holds the event loop for tens of milliseconds")


async def test_the_authorities_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_chats.running(tmp_path / "chats") as chats:
        beat = Heartbeat(Secret(chats.heartbeat_url))
        monkeypatch.setattr(ssl, "create_default_context", read_again)
        await beat()
        await beat()
        assert len(chats.beats) == 2
