"""Solana addresses, 32 bytes in base58, and addresses that are derived from others without a node."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

from strongroom.codecs import base58
from strongroom.codecs.ed25519 import is_on_curve

LENGTH: Final = 32
MAX_TEXT: Final = 44

TOKEN: Final = base58.decode("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = base58.decode("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS: Final = (TOKEN, TOKEN_2022)
ASSOCIATED: Final = base58.decode("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
"""The Associated Token Account program."""

_MARKER: Final = b"ProgramDerivedAddress"


def from_text(text: object) -> bytes:
    """The 32 bytes of an address or a hash. Raises ValueError."""
    if not isinstance(text, str) or not LENGTH <= len(text) <= MAX_TEXT:
        raise ValueError("32 bytes in base58 must have 32 to 44 characters")
    found = base58.decode(text)
    if len(found) != LENGTH:
        raise ValueError("it must decode to 32 bytes")
    return found


def program_address(seeds: tuple[bytes, ...], program: bytes) -> bytes:
    """The program derived address with the highest bump seed, as by find_program_address of the Solana SDK."""
    for bump in range(255, -1, -1):
        found = sha256(b"".join(seeds) + bytes((bump,)) + program + _MARKER).digest()
        if not is_on_curve(found):
            return found
    raise ValueError("no bump seed gives an address off the curve")


@lru_cache(maxsize=1024)
def associated_address(owner: bytes, mint: bytes, program: bytes) -> bytes:
    """The owner's associated account for a mint. It depends on the token program, Token or Token-2022."""
    return program_address((owner, program, mint), ASSOCIATED)
