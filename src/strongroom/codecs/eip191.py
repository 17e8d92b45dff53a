"""EIP-191 version 0x45, which wallets call `personal_sign`."""

from __future__ import annotations

import re
from typing import Final

from strongroom.codecs.keccak import keccak256

_WORDS: Final = re.compile(rb"[0-9A-Za-z _-]{32}")
"""Text such as a UUID. A hash that happens to look like this cannot be found by trying."""


def digest(message: bytes) -> bytes:
    return keccak256(b"\x19Ethereum Signed Message:\n%d%s" % (len(message), message))


def may_be_hash(message: bytes) -> bool:
    """Whether a message may be the hash of something else.

    Smart accounts accept such signatures for their transactions, as do Safe and the accounts of ERC-4337 before 0.8.
    """
    return len(message) == 32 and _WORDS.fullmatch(message) is None
