"""Calls over REST. A command gives an operation's fields, and the routes supply the rest."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from strongroom.config.client import ClientSettings, load_client
from strongroom.entrypoints.cli import failure, unreached
from strongroom.entrypoints.cli.routes import ROUTES
from strongroom.errors import ConfigurationError

_TIMEOUT: Final = 60.0
_HINTS: Final = {
    "allowed": "accepted here",
    "limit": "the limit",
    "setting": "set by",
    "expected": "expected",
    "received": "received",
}
"""Members of a problem that its detail does not contain."""


def send(calls: str, fields: Mapping[str, Any], idempotency_key: str | None = None) -> str:
    """Return the server's response. Ends the program if that is a refusal, or if there is none."""
    method, template = ROUTES[calls]
    settings = _settings()
    if settings.api_key is None:
        failure.fail("STRONGROOM_API_KEY is not set", failure.USAGE)
    path, rest = _fill(template, {name: value for name, value in fields.items() if value is not None})
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    query, body = (rest, None) if method == "GET" else (None, rest)
    answer = _ask(settings, method, path, params=query, json=body, headers=headers)
    if answer.is_error:
        failure.fail(_problem(answer.text, answer.status_code), _exit_code(answer.status_code))
    return answer.text


def send_all(calls: str, fields: Mapping[str, Any], entries: str) -> str:
    """Like `send` for a list, with the ``entries`` of all pages in one response."""
    whole = json.loads(send(calls, fields))
    while (cursor := whole["next_cursor"]) is not None:
        page = json.loads(send(calls, {**fields, "cursor": cursor}))
        whole[entries] += page[entries]
        whole["next_cursor"] = page["next_cursor"]
    return json.dumps(whole)


def coins() -> dict[str, int]:
    """The decimals of each network's coin, by network and symbol. Empty if the key may not list networks."""
    method, path = ROUTES["networks.list"]
    answer = _ask(_settings(), method, path, headers={})
    if answer.is_error:
        return {}
    return {f"{each['name']} {each['symbol']}": each["decimals"] for each in answer.json()["networks"]}


def health() -> tuple[str, bool]:
    """The server's report, and whether it serves. Details need an API key, unless the server shows them to all."""
    answer = _ask(_settings(), "GET", "/health", headers={})
    if not _is_report(answer.text):
        failure.fail(_problem(answer.text, answer.status_code), _exit_code(answer.status_code))
    return answer.text, answer.is_success


def _is_report(text: str) -> bool:
    try:
        return isinstance(json.loads(text)["status"], str)  # a problem document has a number there
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
            verify=_trust(settings),
            trust_env=False,  # a proxy of the environment would see the API key
            **content,
        )
    except (httpx.LocalProtocolError, UnicodeEncodeError):  # its message contains the header
        failure.fail(
            "STRONGROOM_API_KEY or the idempotency key contains a character that HTTP does not allow", failure.USAGE
        )
    except (httpx.InvalidURL, UnicodeError):
        failure.fail("the host name in STRONGROOM_URL is not valid", failure.USAGE)
    except httpx.HTTPError as error:
        failure.fail(unreached.why(error, settings, _TIMEOUT), failure.UNAVAILABLE)


def _trust(settings: ClientSettings) -> ssl.SSLContext | bool:
    """The authorities to trust for the server, and the client certificate to present."""
    if settings.url.startswith("http:"):
        return False  # there is nothing to verify, and the system's authorities take long to load
    if settings.ca_file is None and settings.certificate is None:
        return True
    context = httpx.create_ssl_context(trust_env=False)
    if settings.ca_file is not None:
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
        except OSError:  # includes SSLError
            failure.fail("the file in STRONGROOM_CA_FILE cannot be read or holds no certificates in PEM", failure.USAGE)
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key, password=b"")
        except OSError:
            failure.fail(
                "the files in STRONGROOM_CLIENT_CERTIFICATE and STRONGROOM_CLIENT_KEY cannot be read, are not in PEM, "
                "have a passphrase or do not belong together",
                failure.USAGE,
            )
    return context


def _fill(template: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path with its placeholders filled, and the remaining fields."""
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
        hints = "".join(f"; {_HINTS[name]}: {_listed(problem[name])}" for name in _HINTS if name in problem)
        return f"{problem['code']}: {problem['detail']}{where}{hints} (request {problem['request_id']})"
    except (ValueError, KeyError, TypeError):
        return f"the server responded with {status} and no reason: check that STRONGROOM_URL is a Strongroom"


def _listed(hint: object) -> str:
    return ", ".join(map(str, hint)) if isinstance(hint, list) else str(hint)


def _exit_code(status: int) -> int:
    return failure.UNAVAILABLE if status >= 500 else failure.REFUSED
