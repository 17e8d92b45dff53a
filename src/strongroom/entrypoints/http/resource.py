"""One path with the methods that it takes."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from strongroom.entrypoints.http.exchange import REQUEST_ID, ROUTE, Answer, Exchange, Handler
from strongroom.entrypoints.http.problems import problem
from strongroom.errors import MethodNotAllowed


class Resource:
    """HEAD is GET without the body (RFC 9110, 9.3.2); OPTIONS says what is allowed, nothing about other origins."""

    def __init__(self, template: str, handlers: Mapping[str, Handler]) -> None:
        self._template = template
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        allow = ", ".join(sorted({*self._handlers, "OPTIONS"}))
        self._allow = ((b"allow", allow.encode()),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self._template
        handler = self._handlers.get(scope["method"])
        if handler is not None:
            answer = await handler(Exchange(scope, receive))
        elif scope["method"] == "OPTIONS":
            answer = Answer(204, headers=self._allow)
        else:
            refusal = MethodNotAllowed("this path does not take this method; Allow says which it takes")
            answer = problem(refusal, scope[REQUEST_ID], self._allow)
        await answer.send(send)
