"""Replicas of one service: processes that share a PostgreSQL and an OpenBao, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.server import Server
from tests.support.stack import production


@contextmanager
def replicas(folder: Path, count: int = 2, /, **settings: str) -> Iterator[list[Server]]:
    """Started one after another. The first start created everybody's API key."""
    with ExitStack() as stack:
        parts = {**stack.enter_context(production()), **settings}
        servers = [Server(folder / f"replica-{n}", parts) for n in range(count)]
        servers[0].command("migrate").check_returncode()
        for server in servers:
            server.api_key = servers[0].api_key
            stack.enter_context(server)
        yield servers
