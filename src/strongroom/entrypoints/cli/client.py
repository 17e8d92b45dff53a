"""Calls over REST: the command line gives an operation's fields, the registry knows the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from strongroom.config import ClientSettings, load_client
from strongroom.entrypoints.cli import failure
from strongroom.errors import ConfigurationError
from strongroom.operations.registry import OPERATIONS

_TIMEOUT: Final = 60.0


def send(calls: str, fields: Mapping[str, Any], idempotency_key: str | None = None) -> str:
    """The server's answer. Ends the program where it is a refusal, or where there is none."""
    called = next(each for each in OPERATIONS if each.name == calls)
    settings = _settings()
    if settings.api_key is None:
        failure.fail("STRONGROOM_API_KEY is not set", failure.USAGE)
    path, rest = _fill(called.path, {name: value for name, value in fields.items() if value is not None})
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    query, body = (rest, None) if called.method == "GET" else (None, rest)
    answer = _ask(settings, called.method, path, params=query, json=body, headers=headers)
    if answer.is_error:
        failure.fail(_problem(answer.text, answer.status_code), _exit_code(answer.status_code))
    return answer.text


def health() -> tuple[str, bool]:
    """The server's report, and whether it is well enough to answer. Details are there for an API key, or for all."""
    answer = _ask(_settings(), "GET", "/health", headers={})
    if not _is_report(answer.text):
        failure.fail(_problem(answer.text, answer.status_code), _exit_code(answer.status_code))
    return answer.text, answer.is_success


def _is_report(text: str) -> bool:
    try:
        return isinstance(json.loads(text)["status"], str)  # a problem document's is a number
    except (ValueError, KeyError, TypeError):
        return False


def _settings() -> ClientSettings:
    try:
        return load_client()
    except ConfigurationError as error:
        failure.fail(error.message, failure.USAGE)


def _ask(
    settings: ClientSettings, method: str, path: str, *, headers: dict[str, str], **content: Any
) -> httpx.Response:
    if settings.api_key is not None:
        headers["X-API-Key"] = settings.api_key.reveal()
    try:
        return httpx.request(
            method,
            f"{settings.url.rstrip('/')}/api/v1{path}",
            headers=headers,
            timeout=_TIMEOUT,
            trust_env=False,  # a proxy of the environment would see the API key
            **content,
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        failure.fail(f"the server at {settings.url} does not answer ({type(error).__name__})", failure.UNAVAILABLE)


def _fill(template: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path with its placeholders filled, and the fields that are left."""
    rest = dict(fields)
    parts = template.split("/")
    for at, part in enumerate(parts):
        if part.startswith("{"):
            parts[at] = quote(str(rest.pop(part.strip("{}"))), safe="")
    return "/".join(parts), rest


def _problem(text: str, status: int) -> str:
    try:
        problem = json.loads(text)
        where = f" [{problem['field']}]" if "field" in problem else ""
        return f"{problem['code']}: {problem['detail']}{where} (request {problem['request_id']})"
    except (ValueError, KeyError, TypeError):
        return f"the server answered {status} without saying why: is it a Strongroom?"


def _exit_code(status: int) -> int:
    return failure.UNAVAILABLE if status >= 500 else failure.REFUSED
