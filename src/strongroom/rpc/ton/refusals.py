"""What toncenter writes if a contract does not accept a message: the text of the lite server, with an exit code in it.

It comes with HTTP 500, which then says nothing about the server (toncenter/ton-http-api#144), or with 400.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import NodeError, Rejection, Verdict
from strongroom.rpc.http import Answer, decode, meaning

SEQNO: Final = "seqno"
"""Cause: not the number that the wallet waits for. Its account tells whether the number is too low or too high."""

_REFUSALS: Final = ("cannot apply external message", "external message was not accepted")
_CROWDED: Final = ("too many external messages", "rate limit")
_NO_ACCOUNT: Final = ("failed to unpack account state", "account state", "before smart-contract execution")
_EXIT: Final = re.compile(r"exit ?code\D{0,3}(-?\d{1,10})", re.ASCII)
_OUT_OF_GAS: Final = {-13, -14, 13}
_WRONG_SEQNO: Final = {33, 133}
"""v3 and v4; v5."""
_TOO_LATE: Final = {36, 136}
_HIGHLOAD_DONE: Final = 36
_HIGHLOAD_TIME: Final = 35
_LONGEST: Final = 10_000


class _Error(msgspec.Struct, frozen=True):
    error: str


def of(answer: Answer, ids: SignedIds) -> NodeError:
    """The error behind a status other than 2xx."""
    try:
        words = decode(answer.body, _Error).error[:_LONGEST].lower()
    except NodeError:
        return meaning(answer)
    if any(each in words for each in _CROWDED):
        return NodeError(Verdict.BUSY, "rate_limited", retry_after=answer.retry_after)
    if not any(each in words for each in _REFUSALS):
        return meaning(answer)
    found = _EXIT.search(words)
    if found is not None:
        return _by_code(int(found[1]), ids)
    if any(each in words for each in _NO_ACCOUNT):
        return _no(Rejection.INSUFFICIENT_FUNDS)
    return _no(Rejection.INVALID)


def _by_code(code: int, ids: SignedIds) -> NodeError:
    highload = any(":" in each.sequence for each in ids.consumes)
    late = ids.expiry is not None and ids.expiry <= datetime.now(UTC)
    if code in _OUT_OF_GAS:
        return _no(Rejection.INSUFFICIENT_FUNDS)
    if highload:
        if code == _HIGHLOAD_DONE:
            return _no(Rejection.NONCE_USED)
        return _no(Rejection.EXPIRED if code == _HIGHLOAD_TIME and late else Rejection.INVALID)
    if code in _WRONG_SEQNO:
        return NodeError(Verdict.NO, SEQNO, rejection=Rejection.NONCE_USED)
    if code in _TOO_LATE or late:  # v3 has one code for being late and for a wrong signature
        return _no(Rejection.EXPIRED)
    return _no(Rejection.INVALID)


def _no(rejection: Rejection) -> NodeError:
    return NodeError(Verdict.NO, rejection.value, rejection=rejection)
