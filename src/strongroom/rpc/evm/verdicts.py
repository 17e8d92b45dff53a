"""What EVM nodes mean by an error.

The text decides and not the code. Depending on client and provider, each of -32000, -32003, -32602 and -32603 can stand
for any of these errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from strongroom.rpc.base import NodeError, Rejection, Verdict
from strongroom.rpc.jsonrpc import Fault

KNOWN: Final = "known"
"""Cause: the node already has this transaction."""
UNKNOWN_BLOCK: Final = "unknown_block"
RANGE: Final = "range"
"""Cause: more blocks or results than the node returns at once."""
REVERTED: Final = "reverted"

_REVERT: Final = 3
_RATE: Final = -32005
_MOST: Final = 1000
"""Characters of a message that are looked at."""

_KNOWN: Final = (
    "already known", "alreadyknown", "already imported", "already in mempool", "already in the mempool",
    "already in the system", "already exists in mempool", "already in pool", "already in the pool", "already pooled",
    "tx already exists", "transaction already exists", "existing tx with same hash", "already submitted",
    "duplicate transaction",
)  # fmt: skip
_RANGES: Final = (
    "block range", "blocks range", "range is too", "range too", "too many blocks", "range limit", "range exceed",
    "query returned more than", "more than 10000 results", "too many results", "too many logs", "max results",
    "logs matched by query", "response size", "response is too big", "exceed maximum block", "exceeds max block",
    "exceeds the range", "limited to a", "is limited to", "query timeout exceeded", "max logs", "maxblockrange",
)  # fmt: skip
_BUSY: Final = (
    "rate limit", "ratelimit", "too many requests", "request limit", "limit exceeded", "exceeded its", "quota",
    "throttl", "capacity", "requests per second", "compute units", "slow down", "credits", "try again later",
    "try again in", "txpool is full", "transaction pool is full", "server busy", "overload",
)  # fmt: skip
_BLOCKS: Final = (
    "header not found", "header for hash not found", "block not found", "unknown block", "blockoutofrange",
    "resource not found", "could not find block", "not currently canonical", "hash is not canonical",
    "non-canonical", "block is not available", "cannot find block", "beyond current head", "block is in the future",
    "no block found", "block hash not found", "missing block",
)  # fmt: skip
_PRUNED: Final = (
    "missing trie node", "historical state", "state is not available", "state not available", "state unavailable",
    "pruned", "archive", "ancient block", "old data not available", "distance to target block", "history has been",
    "indexing is in progress", "no state available", "world state unavailable",
)  # fmt: skip
_NO_METHOD: Final = (
    "method not found", "method not supported", "does not exist/is not available", "unsupported method",
    "method is not available", "method is not whitelisted", "method not allowed", "not implemented",
    "is not enabled", "unknown method", "method is not supported", "method not available",
)  # fmt: skip
_REVERTS: Final = (
    "execution reverted", "reverted", "vm execution error", "invalid opcode", "invalid jump", "stack underflow",
    "stack overflow", "out of gas", "outofgas", "gas required exceeds", "gas uint64 overflow", "stack limit reached",
    "execution aborted", "execution timeout", "evm error", "memoryoog", "memory limit",
)  # fmt: skip

_REJECTIONS: Final[Sequence[tuple[Rejection, Sequence[str]]]] = (
    (Rejection.FEE_TOO_LOW, (
        "underpriced", "fee too low", "feetoolow", "gas price too low", "gas price is too low", "gas price below",
        "max fee per gas less than block base fee", "less than block base fee", "tip too low",
        "replacementnotallowed", "replacement not allowed", "could not replace", "below configured minimum",
        "fee cap less than", "gas price supplied is too low", "feetoolowtocompete", "below minimum gas price",
        "effective gas price", "less than the minimum",
    )),
    (Rejection.NONCE_USED, ("nonce too low", "nonce is too low", "oldnonce", "nonce has already been used",
                            "invalid transaction nonce", "incorrect nonce", "nonce already used", "nonce expired")),
    (Rejection.NONCE_GAP, ("nonce too high", "nonce is too high", "nonce gap", "noncegap", "nonce too far",
                           "noncetoofarinfuture", "too distant", "exceeds the next nonce", "future nonce",
                           "nonce too distant")),
    (Rejection.INSUFFICIENT_FUNDS, ("insufficient funds", "insufficientfunds", "insufficient balance",
                                    "upfront cost exceeds", "exceeds account balance", "not enough funds",
                                    "doesn't have enough funds", "does not have enough funds")),
    (Rejection.POLICY, ("exceeds the configured cap", "blacklist", "account limit exceeded",
                        "in-flight transaction limit", "sender is blocked", "only replay-protected", "denied by policy",
                        "not whitelisted to send", "forbidden address")),
    (Rejection.INVALID, (
        "chain id", "chainid", "invalid sender", "invalid signature", "invalid transaction", "rlp", "typed transaction",
        "type not supported", "type is not supported", "intrinsic gas", "exceeds block gas limit", "gas limit exceeded",
        "gaslimitexceeded", "gas limit too high", "gas limit is too high", "oversized data", "floor data gas",
        "max priority fee per gas higher", "negative value", "init code size", "initcode", "sender not an eoa",
        "senderiscontract", "nonce has max value", "invalid v", "invalid r", "transaction gas limit",
        "cannot decode", "failed to decode", "could not decode", "decode signed",
    )),
)  # fmt: skip

_OF_NODES: Final[Sequence[tuple[str, Sequence[str], Verdict]]] = (
    (RANGE, _RANGES, Verdict.ELSEWHERE),
    ("rate_limited", _BUSY, Verdict.BUSY),
    (UNKNOWN_BLOCK, _BLOCKS, Verdict.ELSEWHERE),
    ("pruned", _PRUNED, Verdict.ELSEWHERE),
    ("no_method", _NO_METHOD, Verdict.ELSEWHERE),
)


def classify(fault: Fault) -> NodeError | None:
    """`jsonrpc.Classify` for EVM nodes, by the text of the error. None if only the code tells something."""
    words = fault.message[:_MOST].lower()
    if _has(words, _KNOWN) or ("known transaction" in words and "unknown transaction" not in words):
        return NodeError(Verdict.NO, KNOWN)
    if (
        "sender is over rate limit" in words
    ):  # the sequencer's own limit for one sender, which is the same through any provider
        return NodeError(Verdict.NO, "rejected", rejection=Rejection.POLICY)
    for cause, listed, verdict in _OF_NODES:
        if _has(words, listed) and not _transactional(words):
            return NodeError(verdict, cause)
    for rejection, listed in _REJECTIONS:
        if _has(words, listed):
            return NodeError(Verdict.NO, "rejected", rejection=rejection)
    if fault.code == _REVERT or _has(words, _REVERTS):
        return NodeError(Verdict.NO, REVERTED)
    return NodeError(Verdict.BUSY, "rate_limited") if fault.code == _RATE else None


def _transactional(words: str) -> bool:
    """Whether the text is about a transaction although it mentions a limit: ``gas limit exceeded``, ``account limit
    exceeded``.
    """
    return "gas limit" in words or "account limit" in words or "nonce" in words


def _has(words: str, listed: Sequence[str]) -> bool:
    return any(each in words for each in listed)
