"""Examples of the operations on the audit and on tasks."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.access import KEY_ID
from strongroom.entrypoints.http.examples.base import CREATED, TX_ID, WALLET_ID, Example, Examples, Json

_signed: Final[Json] = {
    "writer_id": "0198f3a0-11c2-7f10-8a3e-5d2b9c4e7f01",
    "sequence": 42,
    "at": "2026-03-02T09:31:02.118000Z",
    "principal_id": KEY_ID,
    "operation": "transactions.sign",
    "operation_id": "0198f3a3-22d4-7b60-9c1f-8e7d6c5b4a39",
    "outcome": "succeeded",
    "wallet_id": WALLET_ID,
    "network": "ethereum",
    "request_id": "payout-7781",
    "client": "203.0.113.7",
    "details": {
        "tx_id": TX_ID,
        "complete": True,
    },
}
_asked: Final[Json] = _signed | {
    "sequence": 41,
    "at": "2026-03-02T09:31:02.101000Z",
    "outcome": "requested",
    "details": {},
}
_task: Final[Json] = {
    "kind": "verify",
    "key": "audit",
    "of_service": True,
    "state": "waiting",
    "due_at": "2026-03-03T03:00:00Z",
    "lease_until": None,
    "attempts": 0,
    "last_error": None,
    "created_at": CREATED,
}
_discovery: Final[Json] = _task | {
    "kind": "discover",
    "key": "5c1d6f0e-53a1-5c1b-8f0e-7d4a2b9c6e10",
    "of_service": False,
    "due_at": "2026-03-02T09:30:45Z",
    "attempts": 3,
    "last_error": "node_unavailable",
}
_cancelled: Final[Json] = {"state": "sleeping", "due_at": None, "last_error": "cancelled"}

ADMINISTRATION: Final[Examples] = {
    "audit.list": {
        "usual": Example(
            "What was done with a wallet",
            {"wallet_id": WALLET_ID, "outcome": "succeeded", "limit": 50},
            {"records": [_signed], "next_cursor": None},
        ),
        "operation": Example(
            "All records of one request that signed",
            {"operation": "transactions.sign", "operation_id": _signed["operation_id"]},
            {"records": [_signed, _asked], "next_cursor": None},
        ),
    },
    "tasks.list": {
        "usual": Example("Tasks of one kind", {"kind": "verify", "limit": 50}, {"tasks": [_task], "next_cursor": None}),
        "failing": Example(
            "Tasks of another kind, of which one fails",
            {"kind": "discover"},
            {"tasks": [_discovery], "next_cursor": None},
        ),
    },
    "tasks.retry": {
        "usual": Example(
            "The nightly verification, now",
            {"kind": "verify", "key": "audit"},
            _task | {"state": "due", "due_at": "2026-03-02T10:00:00Z"},
        ),
        "failing": Example(
            "A discovery that failed, without waiting longer",
            {"kind": "discover", "key": _discovery["key"]},
            _discovery | {"state": "due"},
        ),
    },
    "tasks.cancel": {
        "usual": Example(
            "An alert that is to be told",
            {"kind": "alert", "key": "circuit_open/vault"},
            _task | {"kind": "alert", "key": "circuit_open/vault", "of_service": False} | _cancelled,
        ),
        "discovery": Example(
            "A discovery", {"kind": "discover", "key": _discovery["key"]}, _discovery | {"attempts": 0} | _cancelled
        ),
    },
}
