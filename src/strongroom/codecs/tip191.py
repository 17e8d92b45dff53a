"""TIP-191, which TronWeb calls `signMessageV2`. It is EIP-191 with Tron's own prefix.

TronWeb's older `sign`, which put the length 32 before every message, is another format and is not supported.
"""

from __future__ import annotations

from strongroom.codecs.keccak import keccak256


def digest(message: bytes) -> bytes:
    return keccak256(b"\x19TRON Signed Message:\n%d%s" % (len(message), message))
