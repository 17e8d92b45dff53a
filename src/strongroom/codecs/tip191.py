"""TIP-191, `signMessageV2` of TronWeb: EIP-191 with Tron's own words.

Its older `sign`, which wrote the length 32 before every message, is another format, and not read here.
"""

from __future__ import annotations

from strongroom.codecs.keccak import keccak256


def digest(message: bytes) -> bytes:
    return keccak256(b"\x19TRON Signed Message:\n%d%s" % (len(message), message))
