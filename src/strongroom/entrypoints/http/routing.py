"""From a path to what is there.

Starlette's router tries a regular expression a route and comes with two more layers: 14 us a request, where this table
takes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from strongroom.entrypoints.http.exchange import Answer, Exchange, Handler
from strongroom.entrypoints.http.problems import problem
from strongroom.errors import MethodNotAllowed, RouteNotFound


class Resource:
    """One path with the methods that it takes.

    HEAD is GET without the body (RFC 9110, 9.3.2); OPTIONS says what is allowed, nothing about other origins.
    """

    def __init__(self, template: str, handlers: Mapping[str, Handler]) -> None:
        self.template = template
        self.parameters = tuple(step[1:-1] for step in template.split("/") if step.startswith("{"))
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self._allow = ((b"allow", ", ".join(sorted({*self._handlers, "OPTIONS"})).encode()),)

    async def __call__(self, exchange: Exchange) -> Answer:
        handler = self._handlers.get(exchange.method)
        if handler is not None:
            return await handler(exchange)
        if exchange.method == "OPTIONS":
            return Answer(204, headers=self._allow)
        refusal = MethodNotAllowed("this path does not take this method; Allow says which it takes")
        return problem(refusal, exchange.request_id, self._allow)


_ANY: Final = "{}"
_NOTHING: Final = "there is nothing at this path"


@dataclass(slots=True)
class _Node:
    resource: Resource | None = None
    children: dict[str, _Node] = field(default_factory=dict)


class Routes:
    """A tree by path segment; a literal segment goes before a placeholder."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._root = _Node()
        for resource in resources:
            node = self._root
            for step in resource.template.split("/"):
                node = node.children.setdefault(_ANY if step.startswith("{") else step, _Node())
            node.resource = resource

    def find(self, path: str) -> tuple[Resource, dict[str, str]]:
        """The resource and its path parameters, none of them empty. Raises RouteNotFound."""
        node = self._root
        values: list[str] = []
        for step in path.split("/"):
            child = node.children.get(step) if step != _ANY else None
            if child is None and step:
                child = node.children.get(_ANY)
                values.append(step)
            if child is None:
                raise RouteNotFound(_NOTHING)
            node = child
        if node.resource is None:
            raise RouteNotFound(_NOTHING)
        return node.resource, dict(zip(node.resource.parameters, values, strict=True))
