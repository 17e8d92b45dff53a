"""The guard in `tests/conftest.py` is there, and refuses connections."""

from __future__ import annotations

import asyncio
import socket

import pytest

REFUSED = "a test reached for another machine"


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_connecting_elsewhere_is_refused(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as connection, pytest.raises(RuntimeError, match=REFUSED):
        connection.connect(address)


def test_sending_a_datagram_elsewhere_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(RuntimeError, match=REFUSED):
        datagrams.sendto(b"", ("192.0.2.1", 53))


def test_resolving_a_name_is_refused() -> None:
    with pytest.raises(RuntimeError, match=REFUSED):
        socket.getaddrinfo("example.org", 80)


async def test_event_loop_is_refused_too() -> None:
    with pytest.raises(RuntimeError, match=REFUSED):
        await asyncio.open_connection("192.0.2.1", 80)


def test_this_machine_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert socket.getaddrinfo("localhost", 80)
