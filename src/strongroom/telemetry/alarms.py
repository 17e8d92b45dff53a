"""The alarm that stored data was tampered with, or that a node serves another chain."""

from __future__ import annotations

from typing import Final

import structlog

from strongroom.telemetry.metrics import ALARMS_TOTAL
from strongroom.telemetry.signals import SIGNALS

_log = structlog.get_logger("strongroom.integrity")

_WATCHED: Final = {"restored_database"}
"""Alarms that a lasting condition reports, so that they need no signal."""


def integrity_alarm(kind: str, **ids: object) -> None:
    """``kind`` says what failed, and ``ids`` name the row. Neither holds its contents."""
    ALARMS_TOTAL.labels(kind).inc()
    _log.critical("integrity.alarm", kind=kind, **{name: str(value) for name, value in ids.items()})
    if kind == "foreign_chain":
        SIGNALS.note("foreign_chain", f"{ids.get('network')}/{ids.get('source')}")
    elif kind not in _WATCHED:
        SIGNALS.note("integrity", kind, None, **ids)
