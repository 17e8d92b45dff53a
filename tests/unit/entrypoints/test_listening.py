"""Why a process may not listen somewhere, and which setting to change."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from strongroom.config.settings import load
from strongroom.entrypoints.listening import Place
from strongroom.entrypoints.locks import only_on_port
from strongroom.errors import ConfigurationError
from tests.support.server import free_port


def refusal(tmp_path: Path, place: Place) -> str:
    with pytest.raises(ConfigurationError) as caught, only_on_port(tmp_path, place):
        pass
    return caught.value.message


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "::1%lo", "fe80::1%nowhere", "fe80::1"])
@pytest.mark.parametrize("setting", ["http.host", "grpc.host"])
def test_an_address_of_another_machine(tmp_path: Path, host: str, setting: str) -> None:
    told = refusal(tmp_path, Place(host, free_port(), setting))
    assert told == f"{host} is not an address of this machine: check {setting}"


@pytest.mark.parametrize("setting", ["http.port", "grpc.port", "tls.probe_port"])
def test_a_port_that_is_in_use(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refusal(tmp_path, Place("127.0.0.1", port, port_setting=setting))
    assert told == f"port {port} on 127.0.0.1 is in use: end what uses it, or change {setting}"


def test_a_port_that_needs_a_privilege() -> None:
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    told = Place("127.0.0.1", 443).refusal(denied).message
    assert told.startswith("this user may not listen on port 443: change http.port to one above 1023")


def test_any_other_reason() -> None:
    told = Place("127.0.0.1", 443).refusal(OSError(errno.ENOBUFS, "full")).message
    assert told == "port 443 on 127.0.0.1 cannot be used: check http.host and http.port"


@pytest.mark.parametrize("variable", ["STRONGROOM_HTTP__HOST", "STRONGROOM_GRPC__HOST"])
def test_brackets_of_an_address_must_match(variable: str) -> None:
    for host in ("[::1", "::1]", "[[::1]]", "[127.0.0.1]", "[]", "[::1]x"):
        with pytest.raises(ConfigurationError, match=variable):
            load({variable: host}, dotenv=None)
    for host in ("[::1]", "::1", "127.0.0.1", "localhost", "0.0.0.0"):
        load({variable: host}, dotenv=None)
