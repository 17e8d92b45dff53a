"""The endpoint behind every operation."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import msgspec

from strongroom.access.client_address import ClientAddresses
from strongroom.domain.spelling import printable_name
from strongroom.entrypoints.binding import bind, bind_strings, render
from strongroom.entrypoints.http.body import BodyLimits, read_body, refuse_body
from strongroom.entrypoints.http.exchange import Answer, Exchange
from strongroom.entrypoints.json_tree import read_json
from strongroom.errors import MalformedRequest
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
ALIASES: Final[dict[str, dict[str, str]]] = {"wallets.create": {"mnemonic_length": "words"}}
"""By operation: former names of body fields, and their present names. REST only."""


_REPLAYED: Final = (b"idempotency-replayed", b"true")


def location(asked: str, makes: str, result: msgspec.Struct) -> str:
    """The URL of what was created, relative to the request's own path, so that it holds behind any prefix.

    ``asked`` and ``makes`` are paths with placeholders. Those of ``makes`` are fields of the result.
    """
    path = _PLACEHOLDER.sub(lambda found: quote(str(getattr(result, found[1])), safe=""), makes)
    steps, start = path.split("/"), asked.split("/")[:-1]
    shared = 0
    while shared < min(len(steps) - 1, len(start)) and steps[shared] == start[shared]:
        shared += 1
    return "../" * (len(start) - shared) + "/".join(steps[shared:])


class OperationEndpoint:
    """Binds path, query and body to the operation's command, and renders its result.

    A GET takes the command's fields from the path and the query, and has no body. Other methods take them from the path
    and the body, and have no query. An empty body counts as an empty object.
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
        headers: list[tuple[bytes, bytes]] = []
        request = Request(
            credential=exchange.credential(),
            bind=partial(self._bind, exchange),
            request_id=exchange.request_id,
            client=exchange.client(self._addresses),
            certificate=exchange.certificate,
            idempotency_key=exchange.header(b"idempotency-key") if self._operation.mutates else None,
            tell=exchange.tell,
            on_replay=lambda: headers.append(_REPLAYED),
        )
        result = await self._pipeline.run(self._operation, request)
        unsettled = self._operation.unsettled
        status = 202 if unsettled is not None and unsettled(result) else self._operation.status
        if self._operation.makes is not None:
            headers.append((b"location", location(self._operation.path, self._operation.makes, result).encode()))
        return Answer(status, render(result), headers=tuple(headers))

    async def _from_query(self, exchange: Exchange) -> msgspec.Struct:
        refuse_body(exchange)
        values = dict(_path(exchange))
        for name, text in _query(exchange):
            if name in values:
                raise MalformedRequest("a parameter is given twice", field=printable_name(name))
            values[name] = text
        return bind_strings(values, self._operation.command)

    async def _from_body(self, exchange: Exchange) -> msgspec.Struct:
        if exchange.query:
            raise MalformedRequest("this method accepts no query parameters: send them in the path and the body")
        raw = await read_body(exchange, self._limits)
        return await self._offload.run(self._offload.is_large_text(raw), self._from_text, exchange, raw)

    def _from_text(self, exchange: Exchange, raw: bytes) -> msgspec.Struct:
        tree = read_json(raw, max_values=self._limits.values) if raw else {}
        if not isinstance(tree, dict):
            raise MalformedRequest("the body must be a JSON object")
        self._rename(tree)
        path = _path(exchange)
        if twice := sorted(path.keys() & tree.keys()):
            raise MalformedRequest(f"the body repeats fields of the path: {', '.join(twice)}", field=twice[0])
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
        raise MalformedRequest("the path contains a NUL character")
    return path


def _query(exchange: Exchange) -> list[tuple[str, str]]:
    """Strict: UTF-8 only, and every part a ``name=value``. Raises MalformedRequest."""
    raw = exchange.query
    if not raw:
        return []
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise MalformedRequest("the query must consist of name=value pairs in UTF-8") from None
    if any("\0" in text for _, text in pairs):
        raise MalformedRequest("the query contains a NUL character")
    return pairs
