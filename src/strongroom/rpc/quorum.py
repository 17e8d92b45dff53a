"""When the responses of several operators count as agreement."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from strongroom.rpc.base import Balances, Fees, Head, Page, Sent, State, Status, Used

T = TypeVar("T")

_ABSENT: Final = None
_DENIED: Final = {State.UNKNOWN, State.DROPPED, State.EXPIRED, State.REPLACED}
"""States that say that the transaction was not found, or cannot come any more."""
_INCLUDED: Final = {State.CONFIRMED, State.FINAL}


def agreement(votes: Mapping[str, T], operators: int) -> T | None:
    """What ``operators`` of them agree on, or None. ``votes`` are by operator.

    Absence is not zero. A source that has not found something, or says that it cannot come any more, does not outvote
    one that has found it. Of responses that differ only in finality, the least final one is returned. Of balances,
    those of the older block are returned.
    """
    heard = list(votes.values())
    finders = [each for each in heard if not _denies(each)]
    groups: dict[Hashable, list[T]] = {}
    for vote in finders or heard:
        groups.setdefault(_value(vote), []).append(vote)
    if len(groups) > 1:
        groups.pop(_ABSENT, None)
    largest = max(groups.values(), key=len)
    if len(largest) < operators:
        return None
    return min(largest, key=_certainty)


def said_by(source: str, answer: T) -> T:
    """The response with the name of its source, if it has a field for that."""
    found: object = answer
    if isinstance(found, Balances | Fees | Status | Sent | Page | Used):
        found = replace(found, source=source)
    return found  # type: ignore[return-value]


def verified(answer: T, operators: int) -> T:
    found: object = answer
    if isinstance(found, Balances):
        found = replace(found, verified=operators)
    return found  # type: ignore[return-value]


def _denies(answer: object) -> bool:
    return isinstance(answer, Status) and answer.state in _DENIED


def _value(answer: object) -> Hashable:
    """The part of a response that has to be equal."""
    if isinstance(answer, Status):
        if answer.state is State.UNKNOWN:
            return _ABSENT
        if answer.state is State.REPLACED:
            return State.REPLACED  # not every source can tell by which transaction, and where
        state = State.CONFIRMED if answer.state in _INCLUDED else answer.state
        return (state, answer.block and (answer.block.height, answer.block.hash), answer.replaced_by)
    if isinstance(answer, Balances):
        amounts = frozenset((each.address, each.asset.id, each.confirmed) for each in answer.found if each.confirmed)
        return (amounts, frozenset(answer.unreadable))
    if isinstance(answer, Head):
        return (answer.height, answer.hash)
    if isinstance(answer, bytes):
        return answer
    raise TypeError("nobody is outvoted about this question")


def _certainty(answer: object) -> tuple[bool, int]:
    if isinstance(answer, Status):
        return (answer.final, answer.confirmations)
    if isinstance(answer, Balances):
        return (True, answer.at.height)
    return (True, 0)
