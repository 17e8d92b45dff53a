"""Each channel takes what we send as its API documents it. Nothing from outside becomes markup, a link or a mention."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.alerts import by_apprise
from strongroom.alerts.base import UNSURE, NotDelivered, Note
from strongroom.alerts.by_apprise import AppriseChannel
from strongroom.domain.alert import RULES, Message, Severity
from strongroom.domain.ids import new_id
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from tests.support import fake_chats
from tests.support.fake_chats import (
    BOT_TOKEN,
    SLACK_BOT_TOKEN,
    SLACK_BOT_URL,
    SLACK_URL,
    TELEGRAM_URL,
    Answer,
    Chats,
    slack_limit,
    slack_refusal,
    telegram_limit,
)  # fmt: skip

HOSTILE = [
    "<!channel> <@U024BE7LH> <https://evil.example|Vault is fine>",
    "</code></b><a href='https://evil.example'>x</a> &lt; & &amp; &bad; <b>",
    "*FIRING* _x_ ~x~ `x` [x](https://evil.example) @everyone evil.com",
    "line\nrule: vault\n\x1b[31mred\x00 \u202egnp.exe",
    "<" * 5000,
    "&" * 5000,
    "@channel 💥 \ud7ff https://evil.example/" + "a" * 300,
]


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    with fake_chats.running(tmp_path / "chats") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def urls(chats: Chats) -> dict[str, str]:
    return {"slack": SLACK_URL, "telegram": TELEGRAM_URL, "webhook": chats.webhook_url}


def note(subject: str = "vault", message: Message = Message.FIRING, **facts: str) -> Note:
    rule = RULES["circuit"]
    now = datetime.now(UTC)
    return Note(
        id=new_id(), message=message, rule=rule.name, severity=Severity.CRITICAL, title=rule.title, subject=subject,
        since=now, at=now, runbook=rule.runbook, facts=facts,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["slack", "telegram", "webhook"])
async def test_a_message_says_what_is_the_matter(chats: Chats, urls: dict[str, str], name: str) -> None:
    sent = note("rpc:ethereum", label="Kasse")
    await AppriseChannel(name, Secret(urls[name])).send(sent)
    [got] = chats.received
    assert got.channel == name
    assert (got.rule, got.state, got.note_id) == ("circuit", "FIRING", str(sent.id))
    assert RULES["circuit"].title in got.text
    assert "docs/operations.md#alert-circuit" in got.text.replace("\u2060", "")


@pytest.mark.parametrize("name", ["slack", "telegram"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_from_outside_becomes_markup(chats: Chats, urls: dict[str, str], name: str, text: str) -> None:
    await AppriseChannel(name, Secret(urls[name])).send(note(text, label=text))
    [got] = chats.received
    assert got.reaches == ()
    assert got.rule == "circuit", "a line of its own that says another rule"
    lines = got.text.replace("\r", "").splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "rule", "subject", "label", "since", "at", "runbook", "note"
    ]  # fmt: skip
    assert len(got.text) < 1500


async def test_a_webhook_gets_fields_that_a_program_reads(chats: Chats, urls: dict[str, str]) -> None:
    sent = note("rpc:ethereum", Message.RECOVERED, label=HOSTILE[0])
    await AppriseChannel("webhook", Secret(urls["webhook"])).send(sent)
    [got] = chats.received
    wanted = {
        "id": str(sent.id), "rule": "circuit", "state": "recovered", "severity": "critical", "subject": "rpc:ethereum",
        "fact_label": HOSTILE[0], "runbook": "docs/operations.md#alert-circuit", "type": "success",
    }  # fmt: skip
    assert {name: got.payload[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("name", "answer", "reason", "retry_after", "is_final"),
    [
        ("slack", slack_limit(30), "http_429", 30.0, False),
        ("slack", slack_limit(10**9), "http_429", 900.0, False),
        ("slack", Answer(429, "", (("Retry-After", "soon"),)), "http_429", None, False),
        ("slack", Answer(400, "invalid_payload"), "http_400", None, True),
        ("slack", Answer(500, "rollup_error"), "http_500", None, False),
        ("slack", Answer(503, "", (("Retry-After", "7"),)), "http_503", 7.0, False),
        ("slack", Answer(403, "invalid_token"), "http_403", None, False),
        ("slack", Answer(302, "", (("Location", "https://evil.example/"),)), "http_302", None, False),
        ("telegram", telegram_limit(12), "http_429", 12.0, False),
        ("telegram", Answer(400, '{"ok":false,"description":"Bad Request"}'), "http_400", None, True),
        ("telegram", Answer(502, "<html>Bad Gateway</html>"), "http_502", None, False),
        ("telegram", Answer(429, "[" * 100_000), "http_429", None, False),
        ("telegram", Answer(429, '{"parameters":[]}'), "http_429", None, False),
        ("telegram", Answer(429, '{"parameters":{"retry_after":-3}}'), "http_429", 1.0, False),
        ("webhook", Answer(200, "x" * 1_000_000), None, None, False),
        ("webhook", Answer(418, ""), "http_418", None, False),
    ],
)  # fmt: skip
async def test_refusals_are_told_apart(
    chats: Chats, urls: dict[str, str], name: str, answer: Answer, reason: str | None, retry_after: float | None,
    is_final: bool,
) -> None:  # fmt: skip
    chats.next[name] = [answer]
    channel = AppriseChannel(name, Secret(urls[name]))
    if reason is None:
        await channel.send(note())
    else:
        with pytest.raises(NotDelivered) as refused:
            await channel.send(note())
        found = refused.value
        assert (found.reason, found.retry_after, found.is_final) == (reason, retry_after, is_final)
    await channel.send(note())
    assert len(chats.received) == 1


async def test_a_channel_that_hangs_holds_nobody(chats: Chats, urls: dict[str, str]) -> None:
    chats.next["webhook"] = [Answer(200, "{}", seconds=6.0)]
    slow, other = AppriseChannel("a", Secret(urls["webhook"]), timeout=2.0), AppriseChannel("b", Secret(SLACK_URL))
    with pytest.raises(NotDelivered, match="slow"):
        await slow.send(note())
    with pytest.raises(NotDelivered, match="busy"):
        await slow.send(note())
    await other.send(note())
    assert [each.channel for each in chats.received] == ["slack"]
    while slow._busy:  # noqa: ASYNC110 - of a thread
        await asyncio.sleep(0.05)
    await slow.send(note())


def raw_server(answer: Callable[[socket.socket], None]) -> int:
    """Takes one request and lets ``answer`` do with the connection what it likes. Returns its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with listening, connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            answer(connection)

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


async def test_a_connection_that_is_reset() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    channel = AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(reset)}/hook"))
    with pytest.raises(NotDelivered, match="unanswered"):
        await channel.send(note())


async def test_an_answer_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it may have arrived: the next time it says so."""
    channel = AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(lambda _: time.sleep(5))}/hook"))
    monkeypatch.setattr(channel.plugin, "socket_read_timeout", 0.2)
    with pytest.raises(NotDelivered) as refused:
        await channel.send(note())
    assert refused.value.reason in UNSURE


def stalls(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")
    time.sleep(5)


def is_cut(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab")


def is_not_zipped(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")


@pytest.mark.parametrize("answer", [stalls, is_cut, is_not_zipped])
async def test_an_answer_whose_end_does_not_come(
    answer: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other side has probably taken the message, so the next one says that it may be a repeat."""
    channel = AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(answer)}/hook"))
    monkeypatch.setattr(channel.plugin, "socket_read_timeout", 0.2)
    with pytest.raises(NotDelivered) as refused:
        await channel.send(note())
    assert refused.value.reason in UNSURE


@pytest.mark.parametrize(
    ("head", "part"),
    [
        ("", "H"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\nX-Slow: ", "a"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", "a"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
    ],
)
async def test_an_answer_that_trickles_ends(head: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever part of it trickles. Otherwise it would keep the channel, and the process from its end."""
    monkeypatch.setattr(by_apprise, "_SECONDS", 1.0)

    def trickle(connection: socket.socket) -> None:
        connection.sendall(head.encode())
        while True:  # until the other end closes
            connection.sendall(part.encode())
            time.sleep(0.05)

    channel = AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(trickle)}/hook"))
    with pytest.raises(NotDelivered) as refused:
        await asyncio.wait_for(channel.send(note()), 120)
    assert refused.value.reason in UNSURE
    assert not channel._busy


async def test_a_response_of_a_gigabyte_is_not_read() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(16_384):
            connection.sendall(b"x" * 65_536)
            sent += 65_536

    await AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(flood)}/hook")).send(note())
    assert sent < 100_000_000


async def test_a_zipped_response_of_a_gigabyte_is_not_unzipped() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    def zipped(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        connection.sendall(head.encode() + bomb)

    tracemalloc.start()
    await AppriseChannel("webhook", Secret(f"json://127.0.0.1:{raw_server(zipped)}/hook")).send(note())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(chats: Chats, urls: dict[str, str], status: int) -> None:
    inside = (("Location", f"http://127.0.0.1:{chats.port}/latest/meta-data"),)
    chats.next["webhook"] = [Answer(status, "", inside)]
    with pytest.raises(NotDelivered, match=f"http_{status}") as refused:
        await AppriseChannel("webhook", Secret(urls["webhook"])).send(note())
    assert not refused.value.is_final
    assert len(chats.requests) == 1
    assert chats.received == []


async def test_a_slack_bot(chats: Chats) -> None:
    bot = AppriseChannel("slack", Secret(SLACK_BOT_URL))
    for text in ("vault", *HOSTILE):
        await bot.send(note(text))
    assert chats.received[0].state == "FIRING"
    assert not any(each.reaches for each in chats.received)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (slack_refusal("not_in_channel"), "slack_not_in_channel"),
        (slack_refusal(SLACK_BOT_TOKEN), "http_200"),
        (Answer(200, '{"ok": false}'), "http_200"),
        (Answer(200, "[]"), "http_200"),
        (slack_limit(30), "http_429"),
    ],
)
async def test_what_a_slack_bot_is_refused_with(chats: Chats, answer: Answer, reason: str) -> None:
    chats.next["slack"] = [answer]
    with pytest.raises(NotDelivered) as refused:
        await AppriseChannel("slack", Secret(SLACK_BOT_URL)).send(note())
    assert refused.value.reason == reason
    assert not refused.value.is_final


async def test_a_slack_bot_with_a_wrong_token_or_channel(chats: Chats) -> None:
    for url, reason in (("slack://xoxb-1-2-wrong/alerts", "invalid_auth"), (SLACK_BOT_URL + "2", "channel_not_found")):
        with pytest.raises(NotDelivered, match=f"slack_{reason}"):
            await AppriseChannel("slack", Secret(url)).send(note())


async def test_nobody_listens(urls: dict[str, str], chats: Chats) -> None:
    channel = AppriseChannel("webhook", Secret("json://127.0.0.1:1/hook"))
    with pytest.raises(NotDelivered, match="unreachable"):
        await channel.send(note())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://hooks.slack.com/services/T1/B1/secret-canary", "must begin with"),
        ("file:///etc/passwd-secret-canary", "must begin with"),
        ("slack://secret-canary", "cannot parse"),
        ("slack://xoxb-1-2-secretCanary/", "name the Slack channel after the bot's token"),
        ("slack://xoxb-1-2-secretCanary/#alerts", "name the Slack channel after the bot's token"),
        ("slack://xoxb-1-2-secretCanary/alerts/others", "its URL names several receivers"),
        ("tgram://secret-canary/1", "cannot parse"),
        (f"{SLACK_URL}?template=/etc/secret-canary", "may not set template"),
        (f"{TELEGRAM_URL}?Verify=no", "may not set verify"),
        (f"{TELEGRAM_URL}?format=markdown", "may not set format"),
    ],
)
def test_urls_that_are_refused_are_not_repeated(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as refused:
        AppriseChannel("ours", Secret(url))
    assert "canary" not in str(refused.value).lower()
    assert refused.value.__cause__ is None


async def test_no_secret_of_a_channel_is_logged(
    chats: Chats, urls: dict[str, str], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the level, whatever goes wrong (THREATS T21: Telegram's token stands in its URL)."""
    from strongroom.telemetry import logging as ours

    ours.configure("debug")
    try:
        channels = {name: AppriseChannel(name, Secret(url)) for name, url in urls.items()}
        for name, channel in channels.items():
            for answer in (None, telegram_limit(1), Answer(400, BOT_TOKEN), Answer(500, BOT_TOKEN)):
                chats.next[name] = [answer] if answer else []
                if answer is None:
                    await channel.send(note())
                    continue
                with pytest.raises(NotDelivered) as failure:
                    await channel.send(note())
                assert BOT_TOKEN not in repr(failure.value)
            assert BOT_TOKEN not in repr(channel)
        chats.ca_file.write_text("")  # then TLS fails
        with pytest.raises(NotDelivered):
            await channels["telegram"].send(note())
    finally:
        ours.flush()
        logging.getLogger().setLevel(logging.WARNING)
    shown = "".join(capfd.readouterr()) + caplog.text
    for secret in (BOT_TOKEN, "canary_of", "TIiajkdnlazkcOXrIdevi7FQ"):
        assert secret not in shown
        assert json.dumps(secret) not in shown
