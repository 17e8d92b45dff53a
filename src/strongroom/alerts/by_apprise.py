"""Channels over Apprise: Slack, Telegram, webhooks and e-mail.

Apprise blocks, so each channel has its own thread. A channel that hangs blocks no other. Apprise says only that a
delivery failed, so the status and `Retry-After` are read from the response of `requests`. Apprise's log is turned off
(`telemetry.logging`), because it contains whole URLs, which are the channels' secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import importlib
import io
import json
import re
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import apprise
import requests
import structlog
from requests import sessions
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ProtocolError

from strongroom.alerts import markup
from strongroom.alerts.base import NotDelivered, Note
from strongroom.domain.alert import Message, Severity
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

_log = structlog.get_logger(__name__)

_BODY: Final = 65_536
"""How many bytes of a response are read."""
_BRACKETS: Final = 200
"""More brackets than these services send. Deep nesting can exhaust a thread's stack, so such a body is not parsed."""
_SECONDS: Final = 10.0
"""For a whole response, however slowly it arrives. Apprise has 4 s each for connecting and for one read."""
_TIMEOUT: Final = 20.0
_LONGEST_WAIT: Final = 900.0
"""The longest wait that the other side may ask for, in seconds."""
_WORD: Final = re.compile("[a-z_]{1,40}")
_LATER: Final = {408, 425, 429}
_FORMATS: Final = {
    "slack": ("slack", markup.for_slack, apprise.NotifyFormat.TEXT),
    "tgram": ("telegram", markup.for_telegram, None),
    "json": ("webhook", markup.for_text, None),
    "jsons": ("webhook", markup.for_text, None),
    "mailto": ("email", markup.for_text, apprise.NotifyFormat.TEXT),
    "mailtos": ("email", markup.for_text, apprise.NotifyFormat.TEXT),
}
"""By scheme: the channel's default name, the function that writes a note for it, and the body format for Apprise. With
TEXT, Apprise escapes the body for Slack, but would keep tags for Telegram. With None it passes the body on as it is."""
_PLUGINS: Final = {
    "slack": ("NotifySlack", "apprise.plugins.slack"),
    "tgram": ("NotifyTelegram", "apprise.plugins.telegram"),
    "json": ("NotifyJSON", "apprise.plugins.custom_json"),
    "mailto": ("NotifyEmail", "apprise.plugins.email"),
}
_OURS: Final = {
    "format", "overflow", "template", "emojis", "verify", "rto", "cto", "redirect", "retry", "wait", "batch", "mdv",
    "detect", "blocks", "payload",
}  # fmt: skip
"""Parameters of Apprise URLs that would change what is escaped, verified or waited for."""
_TYPES: Final = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


@dataclass(slots=True)
class _Said(threading.local):
    """What the last response in this thread said."""

    status: int | None = None
    reason: str | None = None
    """Why a message was not accepted, if the status does not say it."""
    retry_after: float | None = None
    listening: bool = False


_said = _Said()


class _Listening(HTTPAdapter):
    """Records the response, and limits its size and the time it may take."""

    def get_connection_with_tls_context(self, *args: Any, **given: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **given)
        if _said.listening:
            pool.ConnectionCls = _bounded(pool.ConnectionCls)
        return pool

    def send(self, request: requests.PreparedRequest, *args: Any, **given: Any) -> requests.Response:
        if not _said.listening:
            return super().send(request, *args, **given)
        try:
            response = super().send(request, *args, **{**given, "stream": True})
        except requests.exceptions.RequestException as error:
            if isinstance(error, requests.exceptions.ReadTimeout) or isinstance(_first(error), ProtocolError):
                _said.reason = "unanswered"
            raise
        body = bytearray()
        try:
            while len(body) < _BODY and (part := response.raw.read1(8192, decode_content=True)):
                body += part
        except HTTPError as error:
            _said.reason = "unanswered"
            raise requests.exceptions.ReadTimeout("the response does not end") from error
        finally:
            response.close()
        if body.count(b"[") + body.count(b"{") > _BRACKETS:
            body.clear()
        response._content = bytes(body)
        response._content_consumed = True
        _said.status = response.status_code
        _said.retry_after = _retry_after(response.headers.get("Retry-After"), bytes(body))
        if response.status_code == requests.codes.ok:
            _said.reason = _slack_error(bytes(body))
        return response


class _Replies(io.RawIOBase):
    """What a response is read from. Reading raises TimeoutError once the response has taken too long."""

    def __init__(self, socket: Any, replies: Any) -> None:
        self._socket = socket
        self._replies = replies
        self._until = time.monotonic() + _SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:
        wait = self._until - time.monotonic()
        if wait <= 0:
            raise TimeoutError("the response trickles")
        self._socket.settimeout(min(wait, self._socket.gettimeout()))
        read: int | None = self._replies.readinto(into)
        return read

    def close(self) -> None:
        self._replies.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response of the other side, or of the proxy on the way to it, from its first byte to its last."""

    def __init__(self, sock: Any, *args: Any, **given: Any) -> None:
        super().__init__(sock, *args, **given)
        self.fp = io.BufferedReader(_Replies(sock, self.fp.detach()))


@cache
def _bounded(connection: type) -> type:
    """The same class of connections with responses that may take `_SECONDS`."""
    return type("Bounded", (connection,), {"response_class": _Response})


def _first(error: Exception) -> object:
    """The error that `requests` wraps."""
    return error.args[0] if error.args else None


sessions.HTTPAdapter = _Listening  # type: ignore[attr-defined] # every session looks its adapter up under this name


def _slack_error(body: bytes) -> str | None:
    """Slack's Web API refuses with status 200 and a word such as `not_in_channel`. A token is no such word."""
    with contextlib.suppress(ValueError, RecursionError, AttributeError, KeyError, TypeError):
        found = json.loads(body)
        if found.get("ok") is False and _WORD.fullmatch(found["error"]):
            return f"slack_{found['error']}"
    return None


def _retry_after(header: str | None, body: bytes) -> float | None:
    """Seconds to wait, from the header as Slack sends it, or from Telegram's `parameters.retry_after`."""
    found: object = header
    if header is None:
        with contextlib.suppress(ValueError, RecursionError, AttributeError):
            found = json.loads(body).get("parameters", {}).get("retry_after")
    try:
        seconds = float(found)  # type: ignore[arg-type] # TypeError if it is no number
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 1.0), _LONGEST_WAIT) if seconds == seconds else None


@dataclass(slots=True)
class AppriseChannel:
    """Implements `alerts.base.Channel`."""

    name: str
    url: Secret
    tenant_id: UUID | None = None
    least: Severity = Severity.INFO
    timeout: float = _TIMEOUT
    plugin: Any = None
    _write: Callable[[Note], str] = markup.for_text
    _format: Any = None
    _thread: ThreadPoolExecutor = field(init=False)
    _busy: bool = False
    _used: str = ""

    def __post_init__(self) -> None:
        """Raises ConfigurationError, whose text does not repeat the URL."""
        self._use(self.url.reveal())
        self._thread = ThreadPoolExecutor(1, f"alerts-{self.name}")

    def _use(self, url: str) -> None:
        """Raises ConfigurationError."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in _FORMATS:
            raise ConfigurationError(
                f"alert channel {self.name}: the URL must begin with " + ", ".join(f"{each}://" for each in _FORMATS)
            )
        given = {name.lower() for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
        if given & _OURS:
            raise ConfigurationError(
                f"alert channel {self.name}: its URL may not set " + ", ".join(sorted(given & _OURS))
            )
        try:
            plugin = _plugin(scheme, url)
        except Exception:  # noqa: BLE001 - of any kind: its text may hold the URL
            raise ConfigurationError(f"alert channel {self.name}: Apprise cannot parse the URL") from None
        if len(plugin) != 1:  # if one receiver of several refused, the others would get the message again and again
            raise ConfigurationError(
                f"alert channel {self.name}: its URL names several receivers; use one channel for each"
            )
        if scheme == "slack" and plugin.channels == [plugin.default_notification_channel]:  # Apprise's own choice
            raise ConfigurationError(
                f"alert channel {self.name}: name the Slack channel after the bot's token, as in slack://TOKEN/alerts"
            )
        for name in ("include_image", "include_footer", "include_timestamp"):
            if hasattr(plugin, name):
                setattr(plugin, name, False)
        _, self._write, self._format = _FORMATS[scheme]
        self.plugin, self._used = plugin, url

    def _follow(self) -> None:
        """Switch to a new URL if the URL's file has been replaced by one that can be used."""
        url = self.url.reveal()
        if url == self._used:
            return
        try:
            self._use(url)
            _log.info("alerts.channel_url_read", channel=self.name)
        except ConfigurationError as error:
            self._used = url  # logged once; the previous URL stays in use
            _log.warning("alerts.channel_url_unusable", channel=self.name, reason=error.message)

    def __repr__(self) -> str:
        return f"AppriseChannel({self.name!r})"

    async def send(self, note: Note) -> None:
        if self._busy:
            raise NotDelivered("busy", retry_after=5.0)
        self._busy = True
        sending = asyncio.get_running_loop().run_in_executor(self._thread, self._send, note)
        sending.add_done_callback(self._ended)
        try:
            await asyncio.wait_for(asyncio.shield(sending), self.timeout)
        except TimeoutError:
            raise NotDelivered("slow") from None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _ended(self, sending: asyncio.Future[None]) -> None:
        self._busy = False
        if not sending.cancelled():
            sending.exception()  # the caller may be gone

    def _send(self, note: Note) -> None:
        """Send the note. Runs in the channel's own thread. Raises nothing but NotDelivered."""
        _said.status, _said.reason, _said.retry_after, _said.listening = None, None, None, True
        self._follow()
        if hasattr(self.plugin, "payload_extras"):
            self.plugin.payload_extras = {**_as_fields(note), "attachments": ""}
        kind = apprise.NotifyType.SUCCESS if note.message is Message.RECOVERED else _TYPES[note.severity]
        try:
            taken = self.plugin.notify(
                title=markup.heading(note), body=self._write(note), notify_type=kind, body_format=self._format
            )
        except Exception as error:  # noqa: BLE001 - Apprise's own; its text may hold the URL
            _log.warning("alerts.channel_crashed", channel=self.name, error=type(error).__name__)
            raise (
                NotDelivered("crashed") if _said.status is None else _refusal(_said.status, _said.retry_after)
            ) from None
        if not taken:
            raise _refusal(_said.status, _said.retry_after)


def _failed(reason: str) -> None:
    _said.reason = reason


def _plugin(scheme: str, url: str) -> Any:
    """Load only the plugin that is needed; Apprise would load about 140. Raises what Apprise raises, and ValueError."""
    name, place = _PLUGINS[scheme.removesuffix("s")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # e-mail imports a module that Python 3.13 has removed
        found = getattr(importlib.import_module(place), name)
        if name == "NotifyEmail":
            importlib.import_module("strongroom.alerts.mail").listen(_failed)
    parsed = found.parse_url(url)
    if not parsed:
        raise ValueError("no URL of this kind")
    return found(**parsed, asset=_asset())


def channel_name(url: Secret) -> str:
    """The default name of a channel without one."""
    scheme = urlsplit(url.reveal()).scheme.lower()
    return _FORMATS[scheme][0] if scheme in _FORMATS else "channel"


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="Strongroom",
        app_desc="Strongroom",
        app_url="",
        async_mode=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        http_redirects=False,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _as_fields(note: Note) -> dict[str, str]:
    """Fields of a webhook's JSON beside title and message. None has the name of one of Apprise's own."""
    return {
        "id": str(note.id),
        "state": note.message.value,
        "rule": note.rule,
        "severity": note.severity.value,
        "subject": note.subject,
        "since": note.since.isoformat(),
        "at": note.at.isoformat(),
        "runbook": note.runbook,
        **{f"fact_{name}": value for name, value in note.facts.items()},
    }


def _refusal(status: int | None, retry_after: float | None) -> NotDelivered:
    if status is None:
        return NotDelivered(_said.reason or "unreachable")
    if status == requests.codes.ok and _said.reason is not None:
        return NotDelivered(_said.reason)
    if status in _LATER or status >= 500:
        return NotDelivered(f"http_{status}", retry_after=retry_after)
    return NotDelivered(f"http_{status}", is_final=status == 400)
