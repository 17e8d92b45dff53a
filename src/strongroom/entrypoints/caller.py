"""What a request says of its caller, read alike by both faces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from strongroom.errors import Unauthenticated
from strongroom.telemetry.scrubbing import looks_like_secret

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def request_id(sent: Iterable[str]) -> str:
    """The caller's own where it can go into a log line and an audit record, else a new one."""
    for text in sent:
        if _REQUEST_ID.fullmatch(text) and not looks_like_secret(text):
            return text
    return uuid4().hex


def presented_key(api_keys: Iterable[str], authorizations: Iterable[str]) -> str | None:
    """The API key in ``X-API-Key`` or ``Authorization: Bearer``.

    Raises Unauthenticated where two different ones were sent: nobody can say which was meant.
    """
    keys = set(api_keys)
    for value in authorizations:
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            keys.add(credentials.strip())
    if len(keys) > 1:
        raise Unauthenticated("more than one API key was sent")
    return keys.pop() if keys else None
