"""Reads a request's body. Its size is checked while it streams, and its time is limited."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from strongroom.entrypoints.http.exchange import Exchange
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import BodyTimeout, BodyTooLarge, MalformedRequest, UnsupportedMediaType

_JSON_TYPE: Final = re.compile(r'application/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The limits of a request's body."""

    size: int = 1 << 20
    """Bytes."""
    seconds: float = 15.0
    """From the first read to the last."""
    values: int = MAX_VALUES
    """Maximum number of values in its JSON."""


async def read_body(exchange: Exchange, limits: BodyLimits) -> bytes:
    """Raises BodyTooLarge, BodyTimeout, UnsupportedMediaType, MalformedRequest."""
    announced = _announced(exchange)
    if announced > limits.size:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.seconds):
            body = await _receive(exchange, limits)
    except TimeoutError:
        raise BodyTimeout(
            f"the body did not arrive within {limits.seconds:g} seconds",
            limit=f"{limits.seconds:g}", setting="STRONGROOM_HTTP__BODY_TIMEOUT",
        ) from None  # fmt: skip
    if body:
        _check_type(exchange)
    return body


def refuse_body(exchange: Exchange) -> None:
    """For methods whose body has no meaning. Raises MalformedRequest."""
    if _announced(exchange) or exchange.headers(b"transfer-encoding"):
        raise MalformedRequest("this method accepts no body")


async def _receive(exchange: Exchange, limits: BodyLimits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            raise MalformedRequest("the connection closed before the whole body arrived")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limits.size:
            raise _too_large(limits)
        chunks.append(chunk)
        if not message.get("more_body", False):
            exchange.body_is_read = True
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _announced(exchange: Exchange) -> int:
    text = exchange.header(b"content-length")
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise MalformedRequest("the header Content-Length must be a number of bytes")
    return int(text)


def _check_type(exchange: Exchange) -> None:
    if not _JSON_TYPE.fullmatch(exchange.header(b"content-type") or ""):
        raise UnsupportedMediaType("the body must be JSON: send Content-Type: application/json")
    if (exchange.header(b"content-encoding") or "identity").lower() != "identity":
        raise UnsupportedMediaType("the body must be sent without Content-Encoding")


def _too_large(limits: BodyLimits) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body must have at most {limits.size} bytes", limit=str(limits.size), setting="STRONGROOM_HTTP__BODY_LIMIT"
    )
