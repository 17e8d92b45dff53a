"""E-mail to a real server: over TLS, with a password, and what is said when it is not taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from strongroom.alerts.base import NotDelivered
from strongroom.alerts.by_apprise import AppriseChannel
from strongroom.domain.alert import RULES, Message
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from tests.support import mail
from tests.support.mail import PASSWORD, MailServer
from tests.unit.alerts.test_channels import HOSTILE, note

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),  # of the server itself
    pytest.mark.filterwarnings("ignore:Session.login_data is deprecated"),
]

NewServer = Callable[..., MailServer]


@pytest.fixture
def new_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewServer]:
    monkeypatch.setattr("socket.getfqdn", lambda: "here.example")  # smtplib would look up the machine's name
    with ExitStack() as stack:

        def start(*, trusted: bool = True, **options: object) -> MailServer:
            made = stack.enter_context(mail.running(tmp_path / "mail", **options))  # type: ignore[arg-type]
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(made.ca_file))
            return made

        yield start


def channel(url: str) -> AppriseChannel:
    return AppriseChannel("mail", Secret(url))


async def refusal(server: MailServer, url: str = "") -> str:
    with pytest.raises(NotDelivered) as refused:
        await channel(url or server.url()).send(note())
    assert not refused.value.is_final
    assert PASSWORD not in repr(refused.value)
    return refused.value.reason


async def test_messages_arrive_each_once(new_server: NewServer) -> None:
    server = new_server()
    one = channel(server.url())
    for message in (Message.FIRING, Message.RECOVERED):
        await one.send(note("rpc:ethereum", message, label="Kasse ✓"))
    assert [each["Subject"].split()[0] for each in server.mails] == ["FIRING", "RECOVERED"]
    [first, _] = server.mails
    assert (first["To"], first.get_content_type()) == ("oncall@ops.example", "text/plain")
    assert RULES["circuit"].title in first["Subject"]
    text = first.get_content()
    assert "subject: rpc:ethereum" in text
    assert "label: Kasse ✓" in text


@pytest.mark.parametrize(
    "text", [*HOSTILE, "x\r\nBcc: evil@evil.example\r\n\r\n.\r\nQUIT"], ids=range(len(HOSTILE) + 1)
)
async def test_nothing_from_outside_becomes_a_header_or_markup(new_server: NewServer, text: str) -> None:
    server = new_server()
    await channel(server.url()).send(note(text, label=text))
    [got] = server.mails
    assert not got.is_multipart()
    assert got.get_content_type() == "text/plain"
    assert got["Bcc"] is None
    lines = got.get_content().splitlines()
    names = [line.partition(":")[0] for line in lines if line]
    assert names == ["rule", "subject", "label", "since", "at", "runbook", "note"]


async def test_a_certificate_that_is_nobodys(new_server: NewServer) -> None:
    server = new_server(trusted=False)
    assert await refusal(server) == "tls"
    assert server.tries == 0


async def test_a_certificate_of_another_host(new_server: NewServer) -> None:
    server = new_server(hosts=("elsewhere.example",))
    assert await refusal(server) == "tls"


async def test_a_server_without_tls_gets_no_password(new_server: NewServer) -> None:
    server = new_server(tls=False)
    assert await refusal(server) == "smtp_no_tls"
    assert server.tries == 0


async def test_a_wrong_password(new_server: NewServer) -> None:
    server = new_server()
    assert await refusal(server, server.url(password="wrong")) == "smtp_535"


@pytest.mark.parametrize(
    ("at", "reply", "reason"),
    [
        ("oncall@ops.example", "550 no such user", "smtp_550"),
        ("DATA", "451 later", "smtp_451"),
        ("DATA", "554 spam", "smtp_554"),
    ],
)
async def test_a_message_that_is_refused(new_server: NewServer, at: str, reply: str, reason: str) -> None:
    server = new_server()
    server.replies[at] = reply
    assert await refusal(server) == reason
    server.replies.clear()
    await channel(server.url()).send(note())
    assert len(server.mails) == 1


async def test_a_copy_that_is_refused_does_not_repeat_the_message(new_server: NewServer) -> None:
    server = new_server()
    server.replies["boss@ops.example"] = "550 no such user"
    await channel(server.url(cc="boss@ops.example")).send(note())
    assert len(server.mails) == 1


async def test_nobody_listens(new_server: NewServer) -> None:
    server = new_server()
    assert await refusal(server, server.url().replace(str(server.port), "1")) == "unreachable"


@pytest.mark.parametrize(
    ("before", "forever", "reason"),
    [
        ([], b"220-here\r\n" * 1000, "unreachable"),
        ([b"220 here\r\n"], b"250-here\r\n" * 1000, "unanswered"),
        ([b"220 here\r\n"], b"250-here" * 1000, "smtp_500"),
        ([b"220 here\r\n"], b"2", "unanswered"),
        ([b"220 here\r\n", *[b"250 ok\r\n"] * 3, b"354 go\r\n"], b"250-ok\r\n" * 1000, "unanswered"),
    ],
    ids=["greeting", "lines", "line", "trickle", "receipt"],
)
async def test_a_reply_that_never_ends(
    monkeypatch: pytest.MonkeyPatch, before: list[bytes], forever: bytes, reason: str
) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: "here.example")
    monkeypatch.setattr("strongroom.alerts.mail._SECONDS", 3.0)
    with mail.endless(before, forever) as server:
        with pytest.raises(NotDelivered) as refused:
            await channel(
                f"mailto://localhost:{server.port}?to=a@b.example&from=us@b.example&smtp=localhost&mode=insecure"
            ).send(note())
        assert refused.value.reason == reason
        assert server.ended.wait(60)
    assert server.sent < mail.ENDLESS


def test_one_url_has_one_receiver(new_server: NewServer) -> None:
    server = new_server()
    with pytest.raises(ConfigurationError, match="its URL names several receivers"):
        channel(server.url(to="a@ops.example,b@ops.example"))
