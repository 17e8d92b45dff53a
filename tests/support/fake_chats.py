"""A fake Slack, Telegram and webhook, which behave as their documented APIs do.

The service reaches them by the real names and over TLS. The fake is a proxy that responds in their place, with
certificates of its own authority. `Chats.environment` is what a process needs for that.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, https://core.telegram.org/bots/api
"""

from __future__ import annotations

import html
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.support.authority import Authority

SLACK_PATH: Final = "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
SLACK_URL: Final = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
SLACK_BOT_TOKEN: Final = "xoxb-1234-5678-canaryOfASlackBot"
SLACK_BOT_URL: Final = f"slack://{SLACK_BOT_TOKEN}/alerts"
BOT_TOKEN: Final = "123456789:canary_of_a_telegram_bot-token_x1"
TELEGRAM_URL: Final = f"tgram://{BOT_TOKEN}/12315544/"
HOSTS: Final = ("hooks.slack.com", "slack.com", "api.telegram.org")
_TAGS: Final = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote",
                "tg-spoiler"}  # fmt: skip
_ENTITY: Final = re.compile(r"&(#\d{1,7}|#x[0-9a-fA-F]{1,6}|lt|gt|amp|quot);")
_LINK: Final = re.compile(r"https?://|\b[a-z0-9-]+\.(?:com|org|net|example)\b|(?<!\w)@\w{3,}", re.IGNORECASE)


@dataclass(frozen=True)
class Received:
    at: float
    channel: str
    """slack, telegram or webhook."""
    text: str
    """As a reader sees it."""
    reaches: tuple[str, ...]
    """Links and mentions in it."""
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def note_id(self) -> str:
        return str(self.payload.get("id") or _line(self.text, "note"))

    @property
    def rule(self) -> str:
        return str(self.payload.get("rule") or _line(self.text, "rule"))

    @property
    def subject(self) -> str:
        return str(self.payload.get("subject") or _line(self.text, "subject"))

    @property
    def state(self) -> str:
        found = re.search(r"\b(STILL FIRING|FIRING|RECOVERED|SILENCED|TEST)\b", self.text)
        return found[1] if found else ""


def _line(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", text, re.MULTILINE)
    return found[1] if found else ""


@dataclass(frozen=True)
class Answer:
    """A response for the next request, instead of accepting it."""

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    """Delay before the response."""


def slack_limit(seconds: int) -> Answer:
    return Answer(429, "rate_limited", (("Retry-After", str(seconds)),))


def slack_refusal(error: str) -> Answer:
    """A refusal of the Web API, which bots use."""
    return Answer(200, json.dumps({"ok": False, "error": error}))


def telegram_limit(seconds: int) -> Answer:
    body = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {seconds}",
            "parameters": {"retry_after": seconds}}  # fmt: skip
    return Answer(429, json.dumps(body))


@dataclass
class Chats:
    port: int
    ca_file: Path
    received: list[Received] = field(default_factory=list)
    next: dict[str, list[Answer]] = field(default_factory=dict)
    """By channel: the responses to the next requests."""
    requests: list[tuple[float, str]] = field(default_factory=list)
    """The time and the channel of each request."""
    raw: list[bytes] = field(default_factory=list)
    """The body of each request."""
    answer_after: float = 0.0
    """Seconds from accepting a message to the response."""
    beats: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
        }

    @property
    def webhook_url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def heartbeat_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/beat"

    def of(self, rule: str, state: str | None = None, channel: str | None = None) -> list[Received]:
        with self.lock:
            return [
                each
                for each in self.received
                if each.rule == rule and state in (None, each.state) and channel in (None, each.channel)
            ]

    def wait(self, rule: str, state: str, channel: str | None = None, *, seconds: float = 90.0) -> Received:
        """Wait for the first message of this kind, as long as it takes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self.of(rule, state, channel):
                return found[0]
            time.sleep(0.05)
        with self.lock:
            raise AssertionError(
                f"no {state} of {rule} arrived; there is {[(e.channel, e.rule, e.state) for e in self.received]}"
            )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    chats: Chats
    tls: ssl.SSLContext
    host = ""

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        if host not in HOSTS:
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.host = host
        self.close_connection = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/beat":
            self.chats.beats.append(time.monotonic())
            self._answer(Answer(200, "OK"))
            return
        channel = {"hooks.slack.com": "slack", "slack.com": "slack", "api.telegram.org": "telegram"}.get(
            self.host, "webhook"
        )
        with self.chats.lock:
            self.chats.requests.append((time.monotonic(), channel))
            self.chats.raw.append(body)
            waiting = self.chats.next.get(channel)
            answer = waiting.pop(0) if waiting else None
        if answer is None:
            answer = getattr(self, f"_{channel}")(body)
            time.sleep(self.chats.answer_after)
        self._answer(answer)

    def _slack(self, body: bytes) -> Answer:
        is_bot = self.host == "slack.com"
        if self.path != ("/api/chat.postMessage" if is_bot else SLACK_PATH):
            return Answer(404, "no_service")
        if is_bot and self.headers["Authorization"] != f"Bearer {SLACK_BOT_TOKEN}":
            return slack_refusal("invalid_auth")
        try:
            payload = json.loads(body)
        except ValueError:
            return Answer(400, "invalid_payload")
        if is_bot and payload.get("channel") != "#alerts":
            return slack_refusal("channel_not_found")
        texts = [payload.get("text", "")]
        for each in payload.get("attachments", []):
            texts += [each.get("title", ""), each.get("text", "")]
        raw = "\n".join(text for text in texts if text)
        if not raw:
            return Answer(400, "no_text")
        reaches = [*re.findall(r"<([^>]*)>", raw), *_LINK.findall(html.unescape(raw))]
        self._take("slack", html.unescape(raw), reaches)
        return Answer(200, json.dumps({"ok": True, "channel": "C0123"}) if is_bot else "ok")

    def _telegram(self, body: bytes) -> Answer:
        if self.path != f"/bot{BOT_TOKEN}/sendMessage":
            return _refused(401, "Unauthorized")
        payload = json.loads(body)
        parser = _Telegram()
        problem = parser.read(payload.get("text", "")) if payload.get("parse_mode") == "HTML" else "no HTML"
        if problem:
            return _refused(400, f"Bad Request: can't parse entities: {problem}")
        if not parser.text.strip():
            return _refused(400, "Bad Request: message text is empty")
        if len(parser.text) > 4096:
            return _refused(400, "Bad Request: message is too long")
        self._take("telegram", parser.text, [*parser.links, *_LINK.findall(parser.linkable)])
        return Answer(200, json.dumps({"ok": True, "result": {"message_id": 1}}))

    def _webhook(self, body: bytes) -> Answer:
        payload = json.loads(body)
        self._take("webhook", f"{payload['title']}\n{payload['message']}", [], payload)
        return Answer(200, "{}")

    def _take(self, channel: str, text: str, reaches: list[str], payload: dict[str, Any] | None = None) -> None:
        with self.chats.lock:
            self.chats.received.append(Received(time.monotonic(), channel, text, tuple(reaches), payload or {}))

    def _answer(self, answer: Answer) -> None:
        if answer.seconds:
            time.sleep(answer.seconds)
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass  # the client is gone
        finally:
            self.connection.close()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass


def _refused(status: int, description: str) -> Answer:
    return Answer(status, json.dumps({"ok": False, "error_code": status, "description": description}))


class _Telegram(HTMLParser):
    """The HTML of the Bot API: known tags, closed in order, four named entities, and no bare `<` or `&`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.text = ""
        self.linkable = ""
        """Text outside code, in which the client looks for links and mentions."""
        self.links: list[str] = []
        self.problem = ""
        self._open: list[str] = []

    def read(self, raw: str) -> str:
        rest = re.sub(r"</?[a-z-]+(?: [a-z]+=\"[^\"<>]*\")*>", "", raw)
        if "<" in rest or ">" in rest.replace("&gt;", ""):
            return "Unsupported start tag"
        if "&" in _ENTITY.sub("", rest):
            return "a bare &"
        self.feed(raw)
        self.close()
        return self.problem or (f"can't find end tag of {self._open[-1]}" if self._open else "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.problem = f'Unsupported start tag "{tag}"'
        self.links += [value or "" for name, value in attrs if name == "href"]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problem = f"Unmatched end tag {tag}"

    def handle_data(self, data: str) -> None:
        self.text += data
        self.linkable += data if "code" not in self._open else " "

    def handle_entityref(self, name: str) -> None:
        self.handle_data(html.unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.handle_data(html.unescape(f"&#{name};"))


@contextmanager
def running(folder: Path) -> Iterator[Chats]:
    folder.mkdir(parents=True, exist_ok=True)
    authority, ca_file = Authority("an authority of chats"), folder / "ca.pem"
    ca_file.write_bytes(authority.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server(*HOSTS).write(folder, "chats"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    chats = Chats(server.server_port, ca_file)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"chats": chats, "tls": context})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield chats
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
