"""What is remembered of replacements, so that `replaces` is true.

The invariant: of all transactions signed with `sign:transaction` and `sign:replace`, no two can both confirm and pay
one intent twice. `allow_resign` is the documented way out of it.

A transaction that is signed without `replaces` begins an intent; every replacement joins the intent of what it names.
So within one intent any two transactions must use up one thing in common. That holds because

- a transaction is replaced once: whoever names it takes the guard `successor`, as if it were a nonce of its own;
- a replacement uses up at least one guard that its predecessor and all before it use up. Those are its `core`: what it
  adds is no part of it, and what it drops leaves it.

These facts are rows among the guards: unique, held by the operation that replaces, given up if it fails. Their
addresses are none of any chain. ADR 0020 tells the whole of it.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

from strongroom.domain.signing import Guard

_SUCCESSOR: Final = "successor"
_LINEAGE: Final = "lineage"
_CORE: Final = "core"
_ADDRESSES: Final = frozenset({_SUCCESSOR, _LINEAGE, _CORE})


def identity(guard: Guard, *, joint: bool) -> str:
    """Tells one transaction from all others, by any of its guards, hex.

    A payload alone does where several keys sign one transaction; elsewhere two senders may have the same.
    """
    address = b"" if joint else guard.address.encode()
    return sha256(address + b"/" + guard.payload_hash).hexdigest()


def successor(mine: Guard, of: str) -> Guard:
    """``mine`` may replace ``of`` (a transaction id, or an identity), and nobody else may."""
    return _fact(mine, _SUCCESSOR, of)


def lineage(mine: Guard, of: str) -> Guard:
    """Of ``of`` itself: it is a replacement. Of another: it is none, and cannot become one."""
    return _fact(mine, _LINEAGE, of)


def core(mine: Guard, of: str, used: Guard) -> Guard:
    """The replacement ``of`` and all before it use up what ``used`` guards."""
    place = "/".join((of, used.address, used.sequence))
    return _fact(mine, _CORE, sha256(place.encode()).hexdigest())


def _fact(mine: Guard, address: str, sequence: str) -> Guard:
    """Its payload is the identity of ``mine``: two senders may have one payload, and are not one transaction."""
    mark = bytes.fromhex(identity(mine, joint=mine.joint))
    return replace(mine, address=address, sequence=sequence, payload_hash=mark)


def is_fact(guard: Guard) -> bool:
    """Whether the row is one of these, and not what a transaction uses up."""
    return guard.address in _ADDRESSES
