"""What is remembered about replacements, so that `replaces` is true.

The invariant: of all transactions signed with `sign:transaction` and `sign:replace`, no two can both confirm and pay
one intent twice. `allow_resign` is the documented exception.

A transaction that is signed without `replaces` begins an intent. Every replacement joins the intent of what it names.
So any two transactions of one intent must use up something in common. This holds because
- a transaction is replaced once. Whoever names it takes the guard `successor`, as if it were a nonce.
- a replacement uses up at least one guard that its predecessor and all before it use up. Those guards are its `core`.
  What it adds does not belong to the core, and what it drops leaves the core.

These facts are rows among the guards. They are unique, held by the replacing operation, and released if it fails. Their
addresses do not exist on any chain. ADR 0020 explains all of this.
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
    """Identifies one transaction by any of its guards, in hex.

    The payload alone suffices if several keys sign one transaction. Otherwise two senders may have the same payload.
    """
    address = b"" if joint else guard.address.encode()
    return sha256(address + b"/" + guard.payload_hash).hexdigest()


def successor(mine: Guard, of: str) -> Guard:
    """``mine`` may replace ``of`` (a transaction id, or an identity), and nobody else may."""
    return _fact(mine, _SUCCESSOR, of)


def lineage(mine: Guard, of: str) -> Guard:
    """With ``of`` itself: it is a replacement. With another one: it is not a replacement, and cannot become one."""
    return _fact(mine, _LINEAGE, of)


def core(mine: Guard, of: str, used: Guard) -> Guard:
    """The replacement ``of`` and all before it use up what ``used`` guards."""
    place = "/".join((of, used.address, used.sequence))
    return _fact(mine, _CORE, sha256(place.encode()).hexdigest())


def _fact(mine: Guard, address: str, sequence: str) -> Guard:
    """A fact. Its payload is the identity of ``mine``, because two senders with one payload are different
    transactions.
    """
    mark = bytes.fromhex(identity(mine, joint=mine.joint))
    return replace(mine, address=address, sequence=sequence, payload_hash=mark)


def is_fact(guard: Guard) -> bool:
    """Whether the row is a fact and not something that a transaction uses up."""
    return guard.address in _ADDRESSES
