"""Refuses fields of a JSON form that a chain does not know. A field that nobody reads would be signed over silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from strongroom.domain.spelling import unknown
from strongroom.errors import InvalidTransaction


def refuse_unknown(given: Iterable[str], known: Collection[str], at: str, *, instead: Iterable[str] = ()) -> None:
    """Names the first field that is not known. ``instead`` are further names to propose: those of another form.

    Raises InvalidTransaction.
    """
    for each in given:
        if each not in known:
            name, message, hints = unknown(each, {*known, *instead})
            raise InvalidTransaction(message, field=f"{at}.{name}" if name else at, **hints)
