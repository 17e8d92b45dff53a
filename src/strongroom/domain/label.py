"""Labels and other text of callers, in the form that the audit stores."""

from __future__ import annotations

import hashlib
from typing import Final

_HASH_DIGITS: Final = 32


def label_digest(label: str | None) -> str | None:
    """SHA-256, cut to 128 bits, in hex. The audit stores no text of callers, because it cannot delete anything."""
    return None if label is None else hashlib.sha256(label.encode()).hexdigest()[:_HASH_DIGITS]
