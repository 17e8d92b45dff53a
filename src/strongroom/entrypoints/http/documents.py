"""The OpenAPI document, Swagger UI and the page of errors, served from our own files."""

from __future__ import annotations

from importlib import resources
from typing import Final

import msgspec

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.error_page import error_page
from strongroom.entrypoints.http.exchange import COMMON, Answer, Exchange, Handler, Headers
from strongroom.entrypoints.http.openapi import Schema
from strongroom.operations.pipeline import Pipeline

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REPLACED: Final = (b"content-security-policy", b"cache-control")
_PAGE: Final[Headers] = (
    *(header for header in COMMON if header[0] not in _REPLACED),
    (b"content-security-policy", _POLICY),
    (b"cache-control", b"no-cache"),
)

_ASSETS: Final = {
    "index.html": b"text/html; charset=utf-8",
    "initializer.js": b"text/javascript; charset=utf-8",
    "errors.css": b"text/css; charset=utf-8",
    "page.css": b"text/css; charset=utf-8",
    "swagger-ui/swagger-ui.css": b"text/css; charset=utf-8",
    "swagger-ui/swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui/favicon-32x32.png": b"image/png",
}


def document_handlers(openapi: Schema, pipeline: Pipeline, addresses: ClientAddresses) -> dict[str, Handler]:
    """Handlers by path. Everything is read and made once, here. It is served only to addresses that may call."""
    assets = resources.files("strongroom.entrypoints.http") / "assets"
    answers = {f"/docs/{name}": _page((assets / name).read_bytes(), kind) for name, kind in _ASSETS.items()}
    answers["/docs"] = answers.pop("/docs/index.html")
    answers["/openapi.json"] = _page(msgspec.json.encode(openapi), b"application/json")
    answers["/docs/errors"] = _page(error_page().encode(), b"text/html; charset=utf-8")
    answers["/"] = Answer(307, headers=((b"location", b"docs"),))
    # Relative, like the links of the page, because a proxy may put a prefix before it.
    answers["/docs/"] = Answer(307, headers=((b"location", b"../docs"),))
    return {path: _constant(answer, pipeline, addresses) for path, answer in answers.items()}


def _page(body: bytes, content_type: bytes) -> Answer:
    return Answer(200, body, content_type, common=_PAGE)


def _constant(answer: Answer, pipeline: Pipeline, addresses: ClientAddresses) -> Handler:
    async def handler(exchange: Exchange) -> Answer:
        pipeline.admit(exchange.client(addresses))
        return answer

    return handler
