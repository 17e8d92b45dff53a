"""A process that cannot open anything more says so in `/health`, and once a minute in its log."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from strongroom.health import descriptors
from strongroom.health.descriptors import Descriptors


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def none_left(spare: int) -> Iterator[int]:
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, most))
    try:
        yield lowest + spare
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.mark.parametrize("spare", [0, 4])
def test_it_is_told_and_is_over_when_it_is_over(spare: int) -> None:
    watcher = Descriptors()
    watcher.look()
    assert watcher.note() is None
    with none_left(spare) as limit:
        watcher.look()
        note = watcher.note()
    assert note is not None
    assert (note.status, dict(note.details)["state"]) == ("degraded", "out_of_descriptors")
    with none_left(200):
        watcher.look()
        assert watcher.note() is None, limit


def test_the_log_says_it_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, object]] = []
    monkeypatch.setattr(descriptors._log, "error", lambda _, **facts: said.append(facts), raising=False)
    clock = Clock()
    watcher = Descriptors(clock=clock)
    with none_left(0) as limit:
        for second in range(61):
            clock.now = float(second)
            watcher.look()
    assert [each["limit"] for each in said] == [limit, limit]
