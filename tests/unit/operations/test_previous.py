"""Previous transactions that a PSBT lacks, fetched from a source by a whole service."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from strongroom.chains.bitcoin import psbt
from strongroom.errors import SourceMissing
from strongroom.operations import previous
from tests.support.fake_reader import FakeReader
from tests.support.service import RunningService
from tests.unit.operations.test_signing_keys import Caller, imported, spending

PATHS = ["m/84'/0'/0'/0/0", "m/84'/0'/0'/0/1"]
BITCOIN = "bip122:000000000019d6689c085ae165831e93"


def lacking() -> tuple[str, dict[str, bytes]]:
    """A PSBT that claims its amounts, and the previous transactions that prove them."""
    one = psbt.parse_text(spending(PATHS))
    previous = [each.non_witness_utxo for each in one.inputs if each.non_witness_utxo is not None]
    bare = replace(one, inputs=tuple(replace(each, non_witness_utxo=None) for each in one.inputs))
    return psbt.to_base64(bare), {each.txid: each.serialize() for each in previous}


@pytest.fixture
async def caller(service: RunningService) -> Caller:
    return await imported(service)


@pytest.fixture
def source(service: RunningService) -> FakeReader:
    service.readers[BITCOIN] = fake = FakeReader()
    return fake


async def test_without_a_source_amounts_are_not_believed(caller: Caller) -> None:
    refused = await caller.sign(lacking()[0])
    assert refused.code == "option_required"


async def test_a_source_proves_them(caller: Caller, source: FakeReader) -> None:
    text, source.transactions = lacking()
    signed = await caller.sign(text)
    assert signed.code == "ok", signed
    assert signed.result["complete"] is True
    assert "warnings" not in signed.result or signed.result["warnings"] == []
    assert source.asked["transaction"] == 2 * len(PATHS)  # over each face


async def test_what_a_source_does_not_know_is_as_if_there_were_none(caller: Caller, source: FakeReader) -> None:
    text, found = lacking()
    source.transactions = dict(list(found.items())[:1])
    assert (await caller.sign(text)).code == "option_required"
    source.away = True
    assert (await caller.sign(text)).code == "option_required"


async def test_a_source_that_cannot_tell_after_all_is_as_if_there_were_none(caller: Caller, source: FakeReader) -> None:
    def missing(question: str) -> None:
        raise SourceMissing(f"no configured source of this network can answer this: {question}", field="network")

    text, source.transactions = lacking()
    source.before = missing
    assert (await caller.sign(text)).code == "option_required"


async def test_what_does_not_come_in_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previous, "_PATIENCE", 0.05)
    source = FakeReader(transactions={"a": b"1", "b": b"2"}, slow={"b"})
    before = asyncio.all_tasks()
    assert await previous._fetch(source, ["a", "b"]) == {"a": b"1"}
    assert asyncio.all_tasks() == before  # the rest is cancelled


async def test_no_more_is_fetched_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previous, "_MOST_BYTES", 10)
    monkeypatch.setattr(previous, "_AT_ONCE", 1)
    source = FakeReader(transactions=dict.fromkeys("abcdef", bytes(4)))
    assert sorted(await previous._fetch(source, list("abcdef"))) == ["a", "b"]
    assert source.asked["transaction"] == 3


async def test_another_transaction_proves_nothing(caller: Caller, source: FakeReader) -> None:
    text, found = lacking()
    first, second = found
    source.transactions = {first: found[second], second: found[second]}
    assert (await caller.sign(text)).code in ("option_required", "invalid_transaction")
