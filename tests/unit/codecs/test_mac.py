"""HMAC-SHA-256 under few keys."""

from __future__ import annotations

import hmac

from strongroom.codecs.mac import hmac_sha256


def test_it_is_that_of_the_standard_library() -> None:
    keys = [bytes([n]) * 32 for n in range(100)]  # more than are kept
    messages = [b"", b"short", bytes(1000)]
    for key in keys + keys[:3]:
        for message in messages:
            assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
