"""Examples of the operations on alerts."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import Example, Examples, Json

_notification: Final[Json] = {
    "id": "0198f3a5-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "channel": "slack",
    "message": "firing",
    "rule": "circuit",
    "subject": "vault",
    "severity": "warning",
    "state": "sent",
    "error": None,
    "created_at": "2026-03-02T09:31:00Z",
    "ended_at": "2026-03-02T09:31:01Z",
}
_alert: Final[Json] = {
    "rule": "circuit",
    "subject": "vault",
    "of_service": True,
    "severity": "warning",
    "title": "A component fails and is not being called",
    "state": "firing",
    "since": "2026-03-02T09:31:00Z",
    "seen_at": "2026-03-02T09:33:20Z",
    "ended_at": None,
    "told_at": "2026-03-02T09:31:00Z",
    "silenced_until": None,
    "facts": {},
    "runbook": "docs/operations.md#alert-circuit",
}
_recovered: Final = _notification | {
    "id": "0198f3a7-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
    "message": "recovered",
    "created_at": "2026-03-02T09:41:00Z",
    "ended_at": "2026-03-02T09:41:01Z",
}
_test: Final = _notification | {
    "message": "test",
    "rule": "test",
    "subject": "test",
    "severity": "info",
    "state": "waiting",
    "ended_at": None,
}

ALERTS: Final[Examples] = {
    "alerts.list": {
        "usual": Example(
            "Alerts that are firing", {"state": "firing", "limit": 50}, {"alerts": [_alert], "next_cursor": None}
        ),
        "ended": Example(
            "Alerts that have ended",
            {"state": "ended"},
            {
                "alerts": [_alert | {"state": "ended", "ended_at": "2026-03-02T09:41:00Z"}],
                "next_cursor": None,
            },
        ),
    },
    "alerts.notifications": {
        "usual": Example(
            "The newest 50", {"limit": 50}, {"notifications": [_recovered, _notification], "next_cursor": None}
        ),
        "newest": Example(
            "The newest alone",
            {"limit": 1},
            {"notifications": [_recovered], "next_cursor": "MDE5OGYzYTctNWM2ZC03ZThmLTlhMGItMWMyZDNlNGY1YTZi"},
        ),
    },
    "alerts.silence": {
        "usual": Example(
            "One alert, for an hour",
            {"rule": "circuit", "subject": "vault", "seconds": 3600},
            {"rule": "circuit", "subject": "vault", "until": "2026-03-02T10:33:20Z"},
        ),
        "end": Example(
            "The end of a silence",
            {"rule": "circuit", "subject": "vault", "seconds": 0},
            {"rule": "circuit", "subject": "vault", "until": "2026-03-02T09:35:00Z"},
        ),
    },
    "alerts.test": {
        "usual": Example("To one channel", {"channel": "slack", "severity": "info"}, {"notifications": [_test]}),
        "all": Example(
            "To every channel",
            {},
            {"notifications": [_test, _test | {"id": "0198f3a5-1a2b-7f01-9c3d-7e8f9a0b1c2d", "channel": "mail"}]},
        ),
    },
}
