"""How a batch runs. Shared work is done once, and each item is an operation of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from structlog.testing import capture_logs

from strongroom.domain.principal import Principal
from strongroom.errors import (
    DeadlineExceeded,
    Forbidden,
    IdempotencyMismatch,
    InFlight,
    KeyWrapUnavailable,
    RateLimited,
    StrongroomError,
)
from strongroom.operations.batches import Item, ItemResult, item_key
from strongroom.operations.handling import Services
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Batch, Operation
from strongroom.operations.sight import named
from strongroom.telemetry.metrics import OPERATIONS_TOTAL

KNOWN = Principal(UUID(int=1), UUID(int=2), "till", frozenset({"toys:make"}))


class MakeToy(msgspec.Struct, kw_only=True, frozen=True):
    name: str


class MakeToys(msgspec.Struct, kw_only=True, frozen=True):
    names: list[str]


class Toy(msgspec.Struct, kw_only=True, frozen=True):
    name: str


class ToyResult(ItemResult, kw_only=True, frozen=True):
    result: Toy | None = None


class Toys(msgspec.Struct, kw_only=True, frozen=True):
    results: list[ToyResult]


@dataclass
class Entry:
    """A fake: the journal of one call."""

    world: World
    key: str | None

    async def replay(self) -> bytes | None:
        stored = self.world.stored.get(self.key or "")
        if isinstance(stored, StrongroomError):
            raise stored
        return stored

    async def deny(self, reason: str) -> None:
        self.world.events.append(f"deny {reason}")

    @asynccontextmanager
    async def intent(self, *, details: dict[str, Any]) -> AsyncIterator[Entry]:
        self.world.events.append(f"noted {details}")
        yield self

    def settle(self, result: None) -> None:
        self.world.stored[self.key or ""] = b"null"


@dataclass
class World:
    """A fake of everything around the pipeline that records its calls."""

    names: list[str]
    events: list[str] = field(default_factory=list)
    stored: dict[str, bytes | StrongroomError] = field(default_factory=dict)
    most: int = 1000
    timeout: float = 20.0

    async def identify(self, credential: object, client: str, now: datetime, certificate: object = None) -> Principal:
        self.events.append("identify")
        return KNOWN

    def require_room(self, principal: Principal, limit_class: str, tell: object) -> None:
        self.events.append(f"room {limit_class}")

    async def charge_items(
        self, principal: Principal, limit_class: str, items: Sequence[object], tell: object
    ) -> list[RateLimited | None]:
        self.events.append(f"items {len(items)}")
        if len(items) > self.most:
            raise RateLimited("x")
        return [RateLimited("of its wallet") if name == "busy" else None for name in self.names]

    def __call__(self, *, operation: str, idempotency_key: str | None, **_: Any) -> Entry:
        return Entry(self, idempotency_key)

    async def replays(self, entries: Sequence[Entry]) -> list[bytes | StrongroomError | None]:
        self.events.append("replays")
        return [self.stored.get(each.key or "") for each in entries]

    async def commit_all(self, units: Sequence[Any]) -> list[Any]:
        raise AssertionError

    def only(self, _: object) -> World:
        """The networks that the caller may see."""
        return self

    async def bind(self) -> MakeToys:
        self.events.append("bind")
        return MakeToys(names=self.names)

    async def make(self, command: MakeToy, call: Any) -> Toy:
        self.events.append(command.name)
        match command.name:
            case "bad":
                raise KeyWrapUnavailable("away", retry_after=2)
            case "secret":
                raise Forbidden("not this one")
            case "crash":
                raise RuntimeError("inner words")
            case "slow":
                await asyncio.Event().wait()
            case "sent":
                call.deadline.answer = Toy(name="sent already")
                await asyncio.Event().wait()
        return Toy(name=command.name)

    def operation(self, **more: Any) -> Operation:
        one = Operation(
            name="toys.make", method="POST", path="/toys", rpc="MakeToy", command=MakeToy, result=Toy,
            scope="toys:make", summary="", run=self.make, touches=named, mutates=True, limit="create",
        )  # fmt: skip
        batch = Batch(of=one, items=_items, item_result=ToyResult, slice=3, **more)
        return Operation(
            name="toys.make_batch", method="POST", path="/toys/batch", rpc="MakeToys", command=MakeToys, result=Toys,
            scope="toys:make", summary="", batch=batch, touches=named, mutates=True, limit="create",
        )  # fmt: skip

    async def answer(self, key: str | None = "idem", **more: Any) -> Any:
        itself: Any = self
        nothing: Any = None
        services = Services(
            storage=nothing, signer=nothing, networks=itself, keyring=nothing, callers=itself, limits=itself,
            entries=itself, timeout=self.timeout, reading=nothing,
        )  # fmt: skip
        request = Request(
            "key", self.bind, "request-1", "192.0.2.1", key, on_replay=lambda: self.events.append("replayed")
        )
        return await Pipeline(services).run(self.operation(**more), request)


def _items(command: MakeToys) -> list[Item]:
    return [Item(MakeToy(name=name), f"ref-{n}") for n, name in enumerate(command.names)]


def told(answer: Any) -> list[Any]:
    return [each.result.name if each.status == "ok" else each.error.code for each in answer.results]


async def test_once_what_can_be_done_once_and_then_the_items() -> None:
    world = World(list("abcde"))
    with capture_logs() as lines:
        answer = await world.answer()
    assert told(answer) == list("abcde")
    assert [each.ref for each in answer.results] == [f"ref-{n}" for n in range(5)]
    assert world.events == [
        "identify", "room create", "bind", "items 5", "noted {'items': 5}", *"abcde",
    ]  # fmt: skip
    assert len(lines) == 1, "a line for the batch, none for an item"


async def test_without_a_key_nothing_is_noted() -> None:
    world = World(["a"])
    await world.answer(key=None)
    assert world.events == ["identify", "room create", "bind", "items 1", "a"]


async def test_bad_item_fails_alone() -> None:
    world = World(["a", "bad", "secret", "b", "crash", "busy", "c"])
    before = OPERATIONS_TOTAL.labels("toys.make", "keywrap_unavailable")._value.get()
    answer = await world.answer()
    assert told(answer) == ["a", "keywrap_unavailable", "forbidden", "b", "internal_error", "rate_limited", "c"]
    assert OPERATIONS_TOTAL.labels("toys.make", "keywrap_unavailable")._value.get() == before + 1
    assert "deny not this one" in world.events, "a denial of an item is written down"
    problem = answer.results[1].error
    assert (problem.status, problem.detail, problem.retry_after) == (503, "away", 2)
    assert "inner words" not in str(answer), "a crash says nothing outside"


async def test_more_than_the_rate_lets_through_does_nothing() -> None:
    world = World(list("abc"), most=2)
    with pytest.raises(RateLimited):
        await world.answer()
    assert world.events == ["identify", "room create", "bind", "items 3"]


async def test_repeat_finishes_what_was_missing() -> None:
    world = World(list("abcd"))
    world.stored = {
        "idem": b"null",
        item_key("idem", 0): b'{"name":"stored a"}',
        item_key("idem", 2): InFlight("it is under way"),
    }
    answer = await world.answer()
    assert told(answer) == ["stored a", "b", "operation_in_flight", "d"]
    assert world.events[-3:] == ["replays", "b", "d"]


async def test_repeat_is_called_one_if_nothing_was_left_to_do() -> None:
    world = World(["a", "busy"])
    world.stored = {"idem": b"null", item_key("idem", 0): b'{"name":"stored a"}'}
    assert told(await world.answer()) == ["stored a", "rate_limited"]
    assert world.events[-2:] == ["replays", "replayed"]

    world.names = ["a", "bad"]
    assert told(await world.answer()) == ["stored a", "keywrap_unavailable"]
    assert world.events[-2:] == ["replays", "bad"], "an item ran"


async def test_key_of_another_batch_does_nothing() -> None:
    world = World(list("ab"), stored={"idem": IdempotencyMismatch("x")})
    with pytest.raises(IdempotencyMismatch):
        await world.answer()
    assert world.events[-1] == "items 2"


async def test_what_is_not_done_in_time_says_so_and_the_rest_counts() -> None:
    world = World(["a", "slow", "sent", "b", "slow", "c", "not begun"], timeout=3.0)
    late = DeadlineExceeded.code
    assert told(await world.answer()) == ["a", late, "sent already", "b", late, "c", late]


async def test_items_of_one_kind_run_after_each_other() -> None:
    world = World(["b", "a", "b", "c", "a", "b", "a"])
    answer = await world.answer(near="name")
    assert told(answer) == world.names, "whatever the order in which they run"
    assert world.events[-7:] == ["b", "b", "b", "a", "a", "a", "c"]


def test_key_of_an_item_is_short_and_its_own() -> None:
    keys = {item_key("x" * 255, n) for n in range(1000)} | {item_key("y", n) for n in range(1000)}
    assert len(keys) == 2000
    assert max(map(len, keys)) <= 64
