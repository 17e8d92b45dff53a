"""New wallets are made on all cores. No speed is asserted: every thread waits until all of them work."""

from __future__ import annotations

import os
from threading import Barrier

import pytest

from strongroom.domain.secret import Secret
from strongroom.keys import bip39
from strongroom.keys.base import NewSeed
from strongroom.keys.making import Made, Makers

CORES = 3
WALLETS = 24


async def test_pbkdf2_runs_on_every_core_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(CORES, timeout=60)
    seed = bip39.seed

    def at_the_same_time(phrase: bip39.Phrase, passphrase: str) -> bytes:
        together.wait()  # broken, and an error, unless as many threads as there are cores come here
        return seed(phrase, passphrase)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)), raising=False)
    monkeypatch.setattr(bip39, "seed", at_the_same_time)
    makers = Makers(os.urandom)
    try:
        made = await makers.make([(NewSeed(12, "english", Secret(""), reveal_words=True), ())] * WALLETS)
    finally:
        makers.close()
    words = {each.words.reveal() for each in made if isinstance(each, Made) and each.words is not None}
    assert len(words) == WALLETS, [each for each in made if not isinstance(each, Made)][:1]
