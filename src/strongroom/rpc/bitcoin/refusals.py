"""What Bitcoin Core means when it refuses a transaction. Electrum servers and Esplora pass its texts on.

The texts are from `src/validation.cpp`, `src/policy/` and `src/rpc/` of Bitcoin Core 22 to 30, and of Knots 29.
"""

from __future__ import annotations

import re
from typing import Final

from strongroom.rpc.base import NodeError, Rejection, Verdict

KNOWN: Final = "known"
"""Cause of a refusal that is not one, because the network already has the transaction."""
INPUTS_GONE: Final = "inputs_gone"
"""Cause for a transaction with spent inputs. A mined transaction whose outputs are spent gives the same."""

_MOST: Final = 1_000
_KNOWN: Final = (
    "already in utxo set",
    "already in block chain",
    "already in mempool",
    "txn-already-known",
    "txn-already-in-mempool",
    "txn-same-nonwitness-data-in-mempool",
)
_REASONS: Final = (
    (Rejection.ALREADY_SPENT, ("txn-mempool-conflict", "bip125-replacement-disallowed")),
    (
        Rejection.FEE_TOO_LOW,
        ("insufficient fee", "min relay fee not met", "mempool min fee not met", "mempool full"),
    ),
    (Rejection.POLICY, ("non-mandatory-script-verify", "premature-spend-of-coinbase", "nonstandard", "non-final")),
    (
        Rejection.INVALID,
        ("script-verify-flag-failed", "bad-txns", "bad-cb", "bad-blk", "tx decode failed", "coinbase"),
    ),
)
_CODES: Final = {-22: Rejection.INVALID, -25: Rejection.POLICY, -26: Rejection.POLICY}
_CODE: Final = re.compile(r"(?:code|error)\W{0,4}(-2[2567])(?!\d)")


def of(words: str, code: int | None = None) -> NodeError | None:
    """Looks at texts before codes, because older versions and indexers change the codes. None if no rule of the node
    refused.
    """
    said = words[:_MOST].lower()
    if any(each in said for each in _KNOWN) or code == -27:
        return NodeError(Verdict.NO, KNOWN)
    if "missingorspent" in said or "missing-inputs" in said or "missing inputs" in said:
        return NodeError(Verdict.NO, INPUTS_GONE, rejection=Rejection.ALREADY_SPENT)
    for rejection, reasons in _REASONS:
        if any(each in said for each in reasons):
            return NodeError(Verdict.NO, str(rejection), rejection=rejection)
    if code is None and (found := _CODE.search(said)):
        code = int(found[1])
    known = None if code is None else _CODES.get(code)
    return None if known is None else NodeError(Verdict.NO, str(known), rejection=known)
