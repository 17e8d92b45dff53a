"""The OpenAPI document and Swagger UI, from our own files."""

from __future__ import annotations

from strongroom.entrypoints.http.exchange import Handler


def document_handlers() -> dict[str, Handler]:
    return {}
