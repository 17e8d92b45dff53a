"""Ids of database rows."""

from __future__ import annotations

import os
import time
from datetime import datetime
from uuid import UUID


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562, section 5.7). It sorts by time, so that inserts go to one end of an index."""
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | noise
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def first_id(at: datetime) -> UUID:
    """A lower bound for every id made at this time or later."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
