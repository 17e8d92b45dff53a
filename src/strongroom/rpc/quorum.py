"""When answers of several operators are one answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from strongroom.rpc.base import Balances, Fees, Head, Page, Sent, State, Status, Used

T = TypeVar("T")

_ABSENT: Final = None
_DENIED: Final = {State.UNKNOWN, State.DROPPED, State.EXPIRED, State.REPLACED}
"""Who says so has not found it."""
_INCLUDED: Final = {State.CONFIRMED, State.FINAL}


def agreement(votes: Mapping[str, T], operators: int) -> T | None:
    """What so many operators say, ``votes`` being by operator; None while they do not.

    Absent is not zero: who has not found something, or says that it cannot come any more, does not outvote who has
    found it. Of answers that are the same but for how
    final they are, the least final one is taken; of balances those of the older block.
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
    """The same, with the name of who gave it, where it has a place for that."""
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
    """What has to be equal."""
    if isinstance(answer, Status):
        if answer.state is State.UNKNOWN:
            return _ABSENT
        if answer.state is State.REPLACED:
            return State.REPLACED  # by which, and where, not every source can tell
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
