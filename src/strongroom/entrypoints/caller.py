"""What a request says about its caller, and what the response says about rates. Shared by REST and gRPC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

from strongroom.access.limits import Quota
from strongroom.access.refusals import refuse
from strongroom.telemetry.scrubbing import looks_like_secret

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def request_id(sent: Iterable[str]) -> str:
    """The caller's own id if it is fit for a log line and an audit record, else a new one."""
    for text in sent:
        if _REQUEST_ID.fullmatch(text) and not looks_like_secret(text):
            return text
    return uuid4().hex


def presented_credential(api_keys: Iterable[str], authorizations: Iterable[str]) -> str | None:
    """Return the API key or token in ``X-API-Key`` or ``Authorization: Bearer``.

    Raises Unauthenticated if two different ones were sent, since it is unclear which was meant.
    """
    keys = set(api_keys)
    for value in authorizations:
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            keys.add(credentials.strip())
    if len(keys) > 1:
        refuse("more than one credential was sent")
    return keys.pop() if keys else None


def quota_fields(quotas: Sequence[Quota]) -> list[tuple[str, str]]:
    """``ratelimit-policy`` and ``ratelimit``: structured fields of draft-ietf-httpapi-ratelimit-headers-10.

    If several quotas have one policy, as those of several wallets do, the one with the least left is reported.
    """
    told: dict[str, Quota] = {}
    for quota in quotas:
        known = told.get(quota.policy)
        if known is None or (quota.left, -quota.full_after) < (known.left, -known.full_after):
            told[quota.policy] = quota
    if not told:
        return []
    policies = [f'"{name}";q={quota.rate.quota};w={quota.rate.window}' for name, quota in told.items()]
    states = [f'"{name}";r={quota.left};t={quota.full_after}' for name, quota in told.items()]
    return [("ratelimit-policy", ", ".join(policies)), ("ratelimit", ", ".join(states))]
