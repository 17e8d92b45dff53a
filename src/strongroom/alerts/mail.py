"""Apprise's e-mail over a connection that says why a message was not accepted, and that bounds the server's replies.

Apprise says only that a delivery failed. Its plugin looks the classes of its connection up by name, and ours stand
there.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import structlog
from apprise.plugins.email import base, smtp

_log = structlog.get_logger(__name__)

_SECONDS: Final = 60.0
"""For a whole conversation. `smtplib` bounds only the time between two parts of a reply."""
_BYTES: Final = 65_536
"""Of all replies in a conversation. `smtplib` keeps every line of a reply, however many there are."""


class _Replies:
    """The file that `smtplib` reads replies from. Raises OSError once they take too long or are too large."""

    def __init__(self, socket: Any, until: float) -> None:
        self._socket = socket
        self._until = until
        self._left = _BYTES
        self._read = b""

    def readline(self, most: int) -> bytes:
        while b"\n" not in self._read[:most] and len(self._read) < most:
            wait = self._until - time.monotonic()
            if wait <= 0 or self._left <= 0:
                raise OSError("the replies of the mail server do not end")
            self._socket.settimeout(min(wait, self._socket.gettimeout()))
            part = self._socket.recv(min(4096, self._left))
            if not part:
                break
            self._left -= len(part)
            self._read += part
        end = min(self._read.find(b"\n") + 1 or most, most)
        line, self._read = self._read[:end], self._read[end:]
        return line

    def close(self) -> None:
        """The socket belongs to the connection, which closes it."""


class Smtp(smtplib.SMTP):
    """A connection that ends with SMTPServerDisconnected if the server's replies do not end."""

    file: Any

    def __init__(self, *args: Any, **given: Any) -> None:
        self._until = time.monotonic() + _SECONDS
        super().__init__(*args, **given)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:  # at first, and after STARTTLS, which replaces the socket
            self.file = _Replies(self.sock, self._until)
        return super().getreply()


class SmtpOverTls(Smtp, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


def listen(failed: Callable[[str], None]) -> None:
    """Install the connection. On a failure it calls ``failed`` with a word of ours, in the thread that sends."""

    class Listening(smtp.AppriseSMTPController):
        def __enter__(self) -> Any:
            try:
                return super().__enter__()
            except smtplib.SMTPAuthenticationError as error:
                failed(f"smtp_{error.smtp_code}")
                raise
            except ssl.SSLError:
                failed("tls")
                raise
            except smtplib.SMTPNotSupportedError:
                failed("smtp_no_tls")
                raise

        def sendmail(self, from_addr: str, to_addrs: Sequence[str], message: str) -> bool:
            """True even if copies were refused. Otherwise the other receivers would get the message again."""
            try:
                refused = self._socket.sendmail(from_addr, to_addrs, message)  # type: ignore[attr-defined]
            except smtplib.SMTPRecipientsRefused as error:
                failed(f"smtp_{max(code for code, _ in error.recipients.values())}")
                return False
            except smtplib.SMTPResponseException as error:
                failed(f"smtp_{error.smtp_code}")
                return False
            except (OSError, smtplib.SMTPException, RuntimeError):
                failed("unanswered")
                return False
            if refused:
                _log.warning("alerts.copies_refused", count=len(refused))
            return True

    smtp.smtplib = SimpleNamespace(SMTP=Smtp, SMTP_SSL=SmtpOverTls)  # type: ignore[attr-defined, assignment]
    base.AppriseSMTPController = Listening  # type: ignore[attr-defined]
