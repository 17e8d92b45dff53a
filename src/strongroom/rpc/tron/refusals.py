"""What java-tron means by its response to a broadcast (protocol, api.proto, Return.response_code)."""

from __future__ import annotations

from typing import Final

import msgspec

from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import NodeError, Rejection, Sent, Verdict

_KNOWN: Final = "DUP_TRANSACTION_ERROR"
_MOST: Final = 1_000
_FUNDS: Final = (
    "balance is not sufficient", "not sufficient", "no enough", "not enough", "insufficient", "no owneraccount",
    "equal to accountbalance",
)  # fmt: skip
_REFUSALS: Final = {
    "SIGERROR": Rejection.INVALID,
    "TAPOS_ERROR": Rejection.INVALID,
    "TOO_BIG_TRANSACTION_ERROR": Rejection.INVALID,
    "TRANSACTION_EXPIRATION_ERROR": Rejection.EXPIRED,
    "BANDWITH_ERROR": Rejection.INSUFFICIENT_FUNDS,
}
_BY_WORDS: Final = ("CONTRACT_VALIDATE_ERROR", "CONTRACT_EXE_ERROR")
_ELSEWHERE: Final = ("NO_CONNECTION", "NOT_ENOUGH_EFFECTIVE_CONNECTION", "BLOCK_UNSOLIDIFIED")


class Returned(msgspec.Struct, frozen=True):
    result: bool = False
    code: str = ""
    message: str = ""
    txid: str = ""


def sent(returned: Returned, ids: SignedIds) -> Sent:
    """Success means only that it was taken into a pool. Raises NodeError."""
    tx_id = ids.tx_ids[0]
    if returned.txid.lower() != tx_id and (returned.result or returned.txid):
        raise NodeError(Verdict.LYING, "other_transaction")
    if returned.result:
        return Sent(tx_id)
    if returned.code == _KNOWN:
        return Sent(tx_id, known=True)
    raise _refusal(returned)


def _refusal(returned: Returned) -> NodeError:
    if returned.code == "SERVER_BUSY":
        return NodeError(Verdict.BUSY, "server_busy")
    if returned.code in _ELSEWHERE:
        return NodeError(Verdict.ELSEWHERE, returned.code.lower())
    reason = _REFUSALS.get(returned.code)
    if returned.code in _BY_WORDS:
        words = text(returned.message[:_MOST]).lower()
        reason = Rejection.INSUFFICIENT_FUNDS if any(each in words for each in _FUNDS) else Rejection.INVALID
    if reason is None:
        return NodeError(Verdict.BROKEN, "error")
    return NodeError(Verdict.NO, "rejected", rejection=reason)


def text(message: str) -> str:
    """The text of a message, which may be in hex as addresses are. It is used for classification and never
    passed on.
    """
    try:
        return bytes.fromhex(message).decode("utf-8", "replace")
    except ValueError:
        return message
