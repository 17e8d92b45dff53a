"""Services that send their alerts to the fake chats.

A test with the mark `provokes` makes its rules apply for real. When it has ended, each of these rules was sent once to
each channel for each subject, and so was its end. `tests.unit.test_alert` compares the marks with the existing rules.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from strongroom.access.api_keys import new_key
from strongroom.domain.alert import RULES
from tests.support.fake_chats import Chats, Received
from tests.support.service import TENANT, RunningService, running

HOSTILE = "<!channel> </code><a href='https://evil.example'>Vault is fine</a> & *x* @everyone"
QUICK = {"ALERTS__INTERVAL": "0.05", "TASKS__POLL": "0.05", "HEALTH__INTERVAL": "2", "AUDIT__INTERVAL": "0.1",
         "ALERTS__CHECK_INTERVAL": "0.3"}  # fmt: skip
CLEAR = 4.0
OTHERS = frozenset({"database", "database_read_only", "vault", "circuit"})
"""Rules that a busy machine might meet. They are on only in tests of them."""

INVALID_KEY = new_key(TENANT, "nobody", (), None, lambda _: b"", datetime.now(UTC)).text.reveal()
"""Has the right form, but belongs to nobody."""


def rules(clear: float = CLEAR, cool_down: float = 3600, off: Collection[str] = OTHERS) -> str:
    """All rules, set so that none is sent twice in a test, and ends are sent soon."""
    same = f"hold = 0\nclear = {clear}\ncool_down = {cool_down}\n"
    return "\n".join(f"[alert_rules.{name}]\n{same}enabled = {str(name not in off).lower()}\n" for name in RULES)


class Place:
    """The data of a service, which may be started several times."""

    def __init__(self, folder: Path, chats: Chats) -> None:
        self.data = folder / "data"
        self.config = folder / "strongroom.toml"
        self.toml = rules()
        self.settings = {**QUICK, "ALERTS__URLS": chats.webhook_url, "CONFIG": str(self.config)}
        self.chats = chats

    @classmethod
    def of(cls, prepared: Path, folder: Path, chats: Chats) -> Self:
        """On a copy of prepared data."""
        made = cls(folder, chats)
        shutil.copytree(prepared, made.data)
        return made

    @asynccontextmanager
    async def running(self, **settings: str) -> AsyncIterator[RunningService]:
        self.config.write_text(self.toml)
        async with running(self.data, {**self.settings, **settings}) as service:
            yield service

    async def arrives(self, rule: str, state: str, channel: str | None = None) -> Received:
        return await asyncio.to_thread(self.chats.wait, rule, state, channel, seconds=240)

    async def comes_and_goes(self, rule: str, mend: Callable[[], Awaitable[None]] | None = None) -> Received:
        """Wait until it fires once, mend it, and wait until its end is sent once."""
        fired = await self.arrives(rule, "FIRING")
        if mend is not None:
            await mend()
        await self.arrives(rule, "RECOVERED")
        assert [each.state for each in self.chats.of(rule)] == ["FIRING", "RECOVERED"]
        return fired


@contextmanager
def watched(chats: Chats, provoked: Collection[str]) -> Iterator[None]:
    """At the end, check that each of these rules came and went once, in each channel and for each subject."""
    yield
    for rule in provoked:
        told: dict[tuple[str, str], list[str]] = {}
        for each in chats.of(rule):
            told.setdefault((each.channel, each.subject), []).append(each.state)
        assert told, f"nobody was told of {rule}"
        assert all(states == ["FIRING", "RECOVERED"] for states in told.values()), (rule, told)


async def new_wallet(service: RunningService, **fields: Any) -> str:
    made = await service.http.call("wallets.create", {"networks": ["ethereum"], **fields}, key=service.key)
    assert made.code == "ok", made
    wallet_id: str = made.result["id"]
    return wallet_id
