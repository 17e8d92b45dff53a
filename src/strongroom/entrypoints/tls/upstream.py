"""The HTTP server's own listener in a worker with TLS: a loopback port for the worker's front only."""

from __future__ import annotations

import socket
from typing import Any, Final

_BACKLOG: Final = 1024
_found: list[int] = []


def port() -> int | None:
    """None if there is no TLS, and the HTTP server listens on the public port itself."""
    return _found[0] if _found else None


def spawn(worker: int, name: str, loader: Any, _: Any, *rest: Any) -> None:
    """Replaces granian's own `spawn_target`, which would listen on a port that all workers share."""
    from granian._granian import SocketHolder  # noqa: PLC0415 - only needed with TLS
    from granian.server import Server  # noqa: PLC0415

    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    listener.setblocking(False)
    _found.append(listener.getsockname()[1])
    holder = SocketHolder(listener.fileno(), False, _BACKLOG)  # type: ignore[call-arg] # its stub lacks the arguments
    Server._spawn_asgi_lifespan_worker(worker, name, loader, ((None, holder), listener), *rest)
