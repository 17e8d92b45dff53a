"""A note in the markup of each channel.

Texts from outside are quoted, shortened, and cannot become markup, a link or a mention.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from typing import Final

from strongroom.alerts.base import Note
from strongroom.domain.alert import Message

_VALUE: Final = 160
_FACTS: Final = 8
_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINER: Final = "\u2060"
"""Invisible. After the colon of `https://` it keeps a client from making a link of the text."""
_SAID: Final = {
    Message.FIRING: "FIRING",
    Message.STILL: "STILL FIRING",
    Message.RECOVERED: "RECOVERED",
    Message.SILENCED: "SILENCED",
    Message.TEST: "TEST",
}


def heading(note: Note) -> str:
    """Contains only text of our own."""
    return f"{_SAID[note.message]} ({note.severity}): {note.title}"


def plain(text: str, most: int = _VALUE) -> str:
    """One line of at most ``most`` characters, without control and invisible characters."""
    shown = "".join(" " if unicodedata.category(each) in _HIDDEN else each for each in text[: most + 1])
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def for_text(note: Note) -> str:
    """For channels that show text as it is: a webhook or an e-mail."""
    return _lines(note, plain)


def for_slack(note: Note) -> str:
    """Keep Slack from making a link or bold text of a value.

    Apprise escapes `&`, `<` and `>`, which is all that Slack's mrkdwn requires.
    """
    return _lines(note, _for_slack)


def for_telegram(note: Note) -> str:
    """HTML for the Bot API: `<`, `>` and `&` are escaped, and within `code` nothing becomes a link or a mention."""
    return _lines(note, lambda value: f"<code>{html.escape(plain(value), quote=False)}</code>")


def _for_slack(value: str) -> str:
    shown = plain(value)
    for each in ("*", "_", "~", "`", "@", ":", "."):
        shown = shown.replace(each, f"{each}{_JOINER}")
    return f"“{shown}”"


def _lines(note: Note, quote: Callable[[str], str]) -> str:
    facts = list(note.facts.items())[:_FACTS]
    lines = [
        f"rule: {note.rule}",
        f"subject: {quote(note.subject)}",
        *(f"{plain(name, 32)}: {quote(value)}" for name, value in facts),
        f"since: {note.since.isoformat(timespec='seconds')}",
        f"at: {note.at.isoformat(timespec='seconds')}",
        f"runbook: {note.runbook}",
        f"note: {note.id}",
    ]
    if note.is_repeat:
        lines.append("This message may be a repeat: it is not known whether it arrived before.")
    return "\n".join(lines)
