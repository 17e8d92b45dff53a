"""What Solana nodes mean by an error: agave's codes (rpc-client-api, custom_error.rs) and the texts of providers.

Texts about limits come before codes. A provider uses -32007 for too many requests, and agave for a skipped slot.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from strongroom.rpc.base import NodeError, Rejection, Verdict
from strongroom.rpc.jsonrpc import Fault

KNOWN: Final = "known"
"""Cause: the network has already processed this transaction."""
NO_BLOCKHASH: Final = "no_blockhash"
"""Cause: the node does not know the blockhash, or no longer. Nothing was sent on."""
VERSION: Final = "version"
"""Cause: the version of the transaction was not asked for."""
SIMULATED: Final = -32002

_MOST: Final = 2000
"""Characters of a message that are looked at."""
_MOST_DATA: Final = 65_536
"""Bytes of a simulation's result. agave cuts its logs at 10,000."""
_BUSY: Final = (
    "rate limit", "ratelimit", "too many requests", "request limit", "limit reached", "requests per second", "quota",
    "credits", "throttl", "try again later", "try again in", "slow down", "overload", "too many connections",
)  # fmt: skip
_ELSEWHERE: Final = {
    -32001: "pruned",  # BlockCleanedUp
    -32004: "no_block",
    -32005: "behind",  # NodeUnhealthy
    -32007: "skipped",
    -32008: "no_snapshot",
    -32009: "pruned",  # skipped, or missing in long-term storage
    -32010: "no_index",
    -32011: "no_history",
    -32012: "no_index",  # ScanError
    -32014: "no_block",
    -32015: VERSION,
    -32016: "behind",  # MinContextSlotNotReached
    -32017: "epoch_rewards",
    -32018: "no_block",
    -32019: "pruned",  # LongTermStorageUnreachable
}
_TOO_MANY: Final = -32429
_UNSOUND: Final = {-32003, -32006, -32013}
"""Bad signatures of the transaction, or signatures that its precompiles refuse."""
_MALFORMED: Final = ("signature verification", "failed to deserialize", "failed to sanitize", "too large")
_FUNDS: Final = {"InsufficientFundsForFee", "InsufficientFundsForRent", "AccountNotFound"}
_NOT_NOW: Final = {"AccountInUse", "ClusterMaintenance", "ResanitizationNeeded", "ProgramCacheHitMaxLimit"}
_SHORT_OF: Final = ("insufficient lamports", "insufficient funds")


class _Simulated(msgspec.Struct, frozen=True):
    err: Any = None
    logs: list[str] | None = None


def classify(fault: Fault) -> NodeError | None:
    """`jsonrpc.Classify` for Solana nodes. None if only the code tells something."""
    words = fault.message[:_MOST].lower()
    if fault.code == SIMULATED and (
        "simulation" in words or "already been processed" in words or _simulated(fault).err is not None
    ):
        return _refused(fault, words)
    if fault.code == _TOO_MANY or any(each in words for each in _BUSY):
        return NodeError(Verdict.BUSY, "rate_limited")
    if fault.code in _ELSEWHERE:
        return NodeError(Verdict.ELSEWHERE, _ELSEWHERE[fault.code])
    if fault.code in _UNSOUND or any(each in words for each in _MALFORMED):
        return NodeError(Verdict.NO, "rejected", rejection=Rejection.INVALID)
    return None


def _refused(fault: Fault, words: str) -> NodeError:
    """The error of a transaction that failed in the simulation before it was sent on."""
    found = _simulated(fault)
    name = found.err if isinstance(found.err, str) else next(iter(found.err), "") if isinstance(found.err, dict) else ""
    if name == "AlreadyProcessed" or "already been processed" in words:
        return NodeError(Verdict.NO, KNOWN)
    if name == "BlockhashNotFound" or "blockhash not found" in words:
        return NodeError(Verdict.ELSEWHERE, NO_BLOCKHASH)
    if name in _NOT_NOW or name.startswith("WouldExceed"):
        return NodeError(Verdict.ELSEWHERE, "not_now")
    said = (words, *(line[:_MOST].lower() for line in found.logs or ()))
    short = name in _FUNDS or any(each in line for line in said for each in _SHORT_OF)
    return NodeError(Verdict.NO, "rejected", rejection=Rejection.INSUFFICIENT_FUNDS if short else Rejection.INVALID)


def _simulated(fault: Fault) -> _Simulated:
    if len(bytes(fault.data)) > _MOST_DATA:
        return _Simulated()
    try:
        return msgspec.json.decode(fault.data, type=_Simulated)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return _Simulated()
