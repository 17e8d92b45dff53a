"""Standard base64 (RFC 4648, section 4) with padding, accepted only in its canonical form."""

from __future__ import annotations

import base64


def decode(text: str) -> bytes:
    """Raises ValueError on anything else, including white space, missing padding and unused bits that are set."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("the base64 cannot be read") from None
    if base64.b64encode(found).decode() != text:
        raise ValueError("the base64 is not in its canonical form")
    return found
