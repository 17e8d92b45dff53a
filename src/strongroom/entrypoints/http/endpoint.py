"""The one endpoint behind every operation."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.binding import bind, bind_strings, render
from strongroom.entrypoints.http.body import BodyLimits, read_body, refuse_body
from strongroom.entrypoints.http.exchange import Answer, Exchange
from strongroom.entrypoints.json_tree import read_json
from strongroom.errors import MalformedRequest
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation

ALIASES: Final[dict[str, dict[str, str]]] = {"wallets.create": {"mnemonic_length": "words"}}
"""By operation: names of the predecessor's body fields, and what they are called now. REST only."""


class OperationEndpoint:
    """Binds path, query and body to the operation's command, and renders its result.

    A GET takes the command's fields from the path and the query, and no body. Other methods take them from the path and
    the body, and no query. An empty body is an empty object.
    """

    def __init__(
        self,
        operation: Operation,
        pipeline: Pipeline,
        addresses: ClientAddresses,
        limits: BodyLimits,
        offload: Offload,
    ) -> None:
        self._operation = operation
        self._pipeline = pipeline
        self._addresses = addresses
        self._limits = limits
        self._offload = offload
        self._bind = self._from_query if operation.method == "GET" else self._from_body
        self._aliases = ALIASES.get(operation.name, {})

    async def __call__(self, exchange: Exchange) -> Answer:
        request = Request(
            api_key=exchange.api_key(),
            bind=partial(self._bind, exchange),
            request_id=exchange.request_id,
            client=exchange.client(self._addresses),
            idempotency_key=exchange.header(b"idempotency-key") if self._operation.mutates else None,
        )
        result = await self._pipeline.run(self._operation, request)
        unsettled = self._operation.unsettled
        return Answer(202 if unsettled is not None and unsettled(result) else self._operation.status, render(result))

    async def _from_query(self, exchange: Exchange) -> msgspec.Struct:
        refuse_body(exchange)
        values = dict(_path(exchange))
        for name, text in _query(exchange):
            if name in values:
                raise MalformedRequest("a parameter is given twice")
            values[name] = text
        return bind_strings(values, self._operation.command)

    async def _from_body(self, exchange: Exchange) -> msgspec.Struct:
        if exchange.query:
            raise MalformedRequest("this method takes no query parameters")
        raw = await read_body(exchange, self._limits)
        return await self._offload.run(self._offload.is_large_text(raw), self._from_text, exchange, raw)

    def _from_text(self, exchange: Exchange, raw: bytes) -> msgspec.Struct:
        tree = read_json(raw, max_values=self._limits.values) if raw else {}
        if not isinstance(tree, dict):
            raise MalformedRequest("the body is a JSON object")
        self._rename(tree)
        path = _path(exchange)
        if not path.keys().isdisjoint(tree):
            raise MalformedRequest("the body repeats what the path says")
        return bind({**tree, **path}, self._operation.command)

    def _rename(self, tree: dict[str, Any]) -> None:
        for old, new in self._aliases.items():
            if old in tree:
                if new in tree:
                    raise MalformedRequest(f"{old} is another name of {new}: send one of them", field=new)
                tree[new] = tree.pop(old)


def _path(exchange: Exchange) -> dict[str, str]:
    path = exchange.path_params
    if any("\0" in text for text in path.values()):
        raise MalformedRequest("the path holds a NUL")
    return path


def _query(exchange: Exchange) -> list[tuple[str, str]]:
    """Strict: UTF-8, every piece a ``name=value``. Raises MalformedRequest."""
    raw = exchange.query
    if not raw:
        return []
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise MalformedRequest("the query is not made of name=value pairs in UTF-8") from None
    if any("\0" in text for _, text in pairs):
        raise MalformedRequest("the query holds a NUL")
    return pairs
