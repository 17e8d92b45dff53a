"""What a TLS server accepts, found as testssl does: by ClientHellos with ever fewer choices (RFC 5246, RFC 8446)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from typing import Final

SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
VERSIONS: Final = {"SSL 3.0": SSL3, "TLS 1.0": TLS10, "TLS 1.1": TLS11, "TLS 1.2": TLS12, "TLS 1.3": TLS13}
NAMES: Final = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256",
    0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384",
    0xC02F: "ECDHE-RSA-AES128-GCM-SHA256",
    0xC030: "ECDHE-RSA-AES256-GCM-SHA384",
    0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305",
    0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305",
}
_OLDER: Final = (*range(0x0001, 0x00C8), *range(0xC001, 0xC0B4), *range(0xCC13, 0xCC16), *range(0xCCA8, 0xCCAF))
"""Everything that IANA has registered, and what was in use before it was registered."""
_NEWER: Final = range(0x1301, 0x1306)
_HANDSHAKE, _SERVER_HELLO = 22, 2
_SECONDS: Final = 60.0


def accepted(port: int) -> dict[str, list[str]]:
    """By version: the cipher suites that the server agrees to, in its own order of preference."""
    found = {name: _suites(port, version) for name, version in VERSIONS.items()}
    return {name: suites for name, suites in found.items() if suites}


def _suites(port: int, version: int) -> list[str]:
    left = list(_NEWER if version == TLS13 else _OLDER)
    found = []
    while (chosen := _choice(port, version, left)) is not None:
        left.remove(chosen)
        found.append(NAMES.get(chosen, f"0x{chosen:04X}"))
    return found


def _choice(port: int, version: int, suites: Sequence[int]) -> int | None:
    with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection:
        connection.sendall(_client_hello(version, suites))
        answer = _record(connection)
    if answer is None or answer[0] != _HANDSHAKE or answer[1][0] != _SERVER_HELLO:
        return None
    hello = answer[1][4:]
    at = 2 + 32 + 1 + hello[34]
    agreed, chosen = struct.unpack_from("!H", hello)[0], struct.unpack_from("!H", hello, at)[0]
    if version == TLS13:  # names 1.2, and the real version in an extension
        agreed = TLS13 if b"\x00\x2b\x00\x02\x03\x04" in hello[at:] else agreed
    return int(chosen) if agreed == version else None


def _record(connection: socket.socket) -> tuple[int, bytes] | None:
    try:
        head = _exactly(connection, 5)
        body = _exactly(connection, struct.unpack("!H", head[3:])[0])
    except (OSError, EOFError):
        return None
    return head[0], body


def _exactly(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = connection.recv(size - len(read))
        if not more:
            raise EOFError
        read += more
    return read


def _client_hello(version: int, suites: Sequence[int]) -> bytes:
    legacy = min(version, TLS12)
    listed = b"".join(struct.pack("!H", suite) for suite in suites)
    body = struct.pack("!H", legacy) + os.urandom(32) + b"\x00" + _sized(listed) + b"\x01\x00"
    if version > SSL3:
        body += _sized(b"".join(struct.pack("!H", kind) + _sized(data) for kind, data in _extensions(version)))
    handshake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return struct.pack("!BH", _HANDSHAKE, min(legacy, TLS10)) + _sized(handshake)


def _extensions(version: int) -> list[tuple[int, bytes]]:
    groups = b"".join(struct.pack("!H", group) for group in (0x001D, 0x0017, 0x0018))
    signatures = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
    found = [
        (10, _sized(groups)),
        (11, b"\x01\x00"),
        (13, _sized(b"".join(struct.pack("!H", each) for each in signatures))),
        (16, _sized(b"\x02h2\x08http/1.1")),
    ]
    if version == TLS13:
        share = struct.pack("!H", 0x001D) + _sized(os.urandom(32))  # any 32 bytes are a point of X25519
        found += [(43, b"\x02" + struct.pack("!H", TLS13)), (51, _sized(share))]
    return found


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data
