"""The alarm that stored data was changed by someone else, or that a node is not the one that it should be."""

from __future__ import annotations

import structlog

from strongroom.telemetry.metrics import ALARMS_TOTAL

_log = structlog.get_logger("strongroom.integrity")


def integrity_alarm(kind: str, **ids: object) -> None:
    """``kind`` says what did not hold, ``ids`` which row; never its contents."""
    ALARMS_TOTAL.labels(kind).inc()
    _log.critical("integrity.alarm", kind=kind, **{name: str(value) for name, value in ids.items()})
