"""How every operation runs, in which order, and what happens when something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from structlog.testing import capture_logs

from strongroom.domain.principal import Principal
from strongroom.domain.secret import Secret
from strongroom.errors import (
    DeadlineExceeded,
    Forbidden,
    IdempotencyMismatch,
    InternalError,
    InvalidField,
    MalformedRequest,
    RateLimited,
    StorageUnavailable,
    StrongroomError,
    Unauthenticated,
)
from strongroom.operations.canonical import canonical
from strongroom.operations.deadline import Deadline
from strongroom.operations.handling import Services
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation
from strongroom.operations.sight import nothing
from strongroom.telemetry.metrics import OPERATIONS_IN_FLIGHT, OPERATIONS_TOTAL

KNOWN = Principal(UUID(int=1), UUID(int=2), "till", frozenset({"toys:make"}))


class MakeToy(msgspec.Struct, kw_only=True, frozen=True):
    name: str = "bear"
    passphrase: Secret | None = None


class Toy(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    words: Secret | None = None


@dataclass
class World:
    """A fake of everything around the pipeline that records its calls and fails when told to."""

    events: list[str]
    failing: dict[str, BaseException]
    stored: bytes | None = None
    timeout: float = 5.0
    principal: Principal = KNOWN
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a sleeping handler runs."""

    def step(self, name: str) -> None:
        self.events.append(name)
        if name in self.failing:
            raise self.failing[name]

    async def identify(
        self, credential: str | None, client: str, now: datetime, certificate: object = None
    ) -> Principal:
        self.step("identify")
        return self.principal

    def only(self, caip2: None) -> World:
        return self

    def require_room(self, principal: Principal, limit_class: str, tell: Any) -> None:
        self.step(f"room {limit_class}")

    async def charge(self, principal: Principal, limit_class: str, wallets: Any = (), *, tell: Any) -> None:
        self.step(f"limit {limit_class}")

    def __call__(self, *, idempotency_key: str | None, **_: Any) -> World:
        self.events.append(f"entry {idempotency_key}")
        return self

    async def replay(self) -> bytes | None:
        self.step("replay")
        return self.stored

    async def deny(self, reason: str) -> None:
        self.step(f"deny {reason}")

    async def bind(self) -> MakeToy:
        self.step("bind")
        return MakeToy()

    async def run(self, command: MakeToy, call: Any) -> Toy:
        self.step("run")
        return Toy(name=command.name)

    @property
    def pipeline(self) -> Pipeline:
        nothing: Any = None
        itself: Any = self
        return Pipeline(
            Services(
                storage=nothing, signer=nothing, networks=itself, keyring=nothing, callers=itself, limits=itself,
                entries=itself, timeout=self.timeout, reading=nothing,
            )
        )  # fmt: skip

    @property
    def operation(self) -> Operation:
        return Operation(
            name="toys.make", method="POST", path="/toys", rpc="MakeToy", command=MakeToy, result=Toy,
            scope="toys:make", summary="", run=self.run, touches=nothing, mutates=True, limit="create",
        )  # fmt: skip

    def request(self, **fields: Any) -> Request:
        return replace(Request("key", self.bind, "request-1", "192.0.2.1", "idem"), **fields)

    async def answer(self, **fields: Any) -> msgspec.Struct:
        return await self.pipeline.run(self.operation, self.request(**fields))


@pytest.fixture
def world() -> World:
    return World([], {})


def counted(code: str) -> float:
    return OPERATIONS_TOTAL.labels("toys.make", code)._value.get()


def in_flight() -> float:
    return OPERATIONS_IN_FLIGHT._value.get()


async def test_order(world: World) -> None:
    assert await world.answer() == Toy(name="bear")
    assert world.events == ["identify", "room create", "bind", "limit create", "entry idem", "replay", "run"]


@pytest.mark.parametrize(
    ("step", "error", "last"),
    [
        ("identify", Unauthenticated("x"), "identify"),
        ("room create", RateLimited("x"), "room create"),
        ("limit create", RateLimited("x"), "limit create"),
        ("bind", MalformedRequest("x"), "limit create"),
        ("replay", IdempotencyMismatch("x"), "replay"),
        ("run", InvalidField("x"), "run"),
    ],
)
async def test_refusal_ends_it_where_it_is_made(world: World, step: str, error: StrongroomError, last: str) -> None:
    world.failing[step] = error
    before = counted(error.code)
    with pytest.raises(type(error)) as caught:
        await world.answer()
    assert caught.value is error
    assert world.events[-1] == last
    assert counted(error.code) == before + 1


async def test_without_the_scope_nothing_is_read_and_it_is_written_down(world: World) -> None:
    world.principal = replace(KNOWN, scopes=frozenset({"toys:read"}))
    with pytest.raises(Forbidden):
        await world.answer()
    assert world.events == ["identify", "room create", "limit create", "entry idem", "deny toys:make"]


async def test_denial_that_cannot_be_written_down_is_a_failure(world: World) -> None:
    world.principal = replace(KNOWN, scopes=frozenset())
    world.failing["deny toys:make"] = StorageUnavailable("x")
    with pytest.raises(StorageUnavailable):
        await world.answer()


async def test_right_that_is_missed_within_is_written_down_too(world: World) -> None:
    world.failing["run"] = Forbidden("backup needs the scope wallets:backup")
    with pytest.raises(Forbidden):
        await world.answer()
    assert world.events[-1] == "deny backup needs the scope wallets:backup"


async def test_stored_answer_is_given_without_doing_anything(world: World) -> None:
    world.stored = b'{"name":"old","words":"a b c"}'
    answer = await world.answer()
    assert isinstance(answer, Toy)
    assert answer.name == "old"
    assert answer.words is not None
    assert answer.words.reveal() == "a b c"
    assert "run" not in world.events


async def test_key_means_nothing_where_nothing_changes(world: World) -> None:
    reading = replace(world.operation, mutates=False)
    await world.pipeline.run(reading, world.request(idempotency_key="x" * 999))
    assert world.events == ["identify", "room create", "bind", "limit create", "entry None", "run"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ü", "\x7f"])
async def test_key_that_is_none_is_refused_before_the_body_is_read(world: World, key: str) -> None:
    with pytest.raises(InvalidField) as caught:
        await world.answer(idempotency_key=key)
    assert caught.value.field == "Idempotency-Key"
    assert "bind" not in world.events


@pytest.mark.parametrize("step", ["identify", "limit create", "bind", "replay", "run"])
async def test_crash_says_nothing_outside_and_everything_in_the_log(world: World, step: str) -> None:
    world.failing[step] = KeyError("abandon abandon about")
    before, running = counted("internal_error"), in_flight()
    with capture_logs() as logs, pytest.raises(InternalError) as caught:
        await world.answer()
    assert "abandon" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    [crash] = [entry for entry in logs if entry["event"] == "operation.crashed"]
    assert (crash["operation"], crash["request_id"]) == ("toys.make", "request-1")
    assert isinstance(crash["exc_info"], KeyError)
    assert (counted("internal_error"), in_flight()) == (before + 1, running)


def sleeping(world: World) -> Callable[[Any, Any], Awaitable[Any]]:
    async def run(*_: Any) -> None:
        world.step("run")
        world.reached.set()
        await asyncio.Event().wait()

    return run


@pytest.mark.parametrize(("own", "callers"), [(0.02, None), (0.02, 60.0), (60.0, 0.02)])
async def test_shorter_of_both_times_counts(world: World, own: float, callers: float | None) -> None:
    world.timeout = own
    before = counted("deadline_exceeded")
    async with asyncio.timeout(50):
        with pytest.raises(DeadlineExceeded):
            await world.pipeline.run(replace(world.operation, run=sleeping(world)), world.request(timeout=callers))
    assert world.events[-1] == "run"
    assert counted("deadline_exceeded") == before + 1


@pytest.mark.parametrize("end", ["deadline", "unavailable", "refusal"])
async def test_what_has_been_done_already_is_the_answer_in_place_of_a_failure(world: World, end: str) -> None:
    async def run(command: MakeToy, call: Any) -> Toy:
        call.deadline.answer = Toy(name="half done")
        if end == "deadline":
            await asyncio.Event().wait()
        raise StorageUnavailable("away") if end == "unavailable" else InvalidField("no")

    asked = world.pipeline.run(replace(world.operation, run=run), world.request(timeout=2.0))
    if end == "refusal":
        with pytest.raises(InvalidField):
            await asked
    else:
        assert await asked == Toy(name="half done")


async def test_step_ends_before_the_deadline() -> None:
    now = asyncio.get_running_loop().time()
    for left, longest, seconds in ((60, 12, 12), (10, 12, 8), (3, 12, 1.5), (-1, 12, 0)):
        assert Deadline(now + left).until(longest) - now == pytest.approx(seconds, abs=0.5)


async def test_cancelled_call_stays_cancelled(world: World) -> None:
    before, running = counted("cancelled"), in_flight()
    task = asyncio.create_task(world.pipeline.run(replace(world.operation, run=sleeping(world)), world.request()))
    async with asyncio.timeout(50):
        await world.reached.wait()
    assert in_flight() == running + 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (counted("cancelled"), in_flight()) == (before + 1, running)


async def test_every_call_is_logged_without_what_was_sent(world: World) -> None:
    with capture_logs() as logs:
        await world.answer(credential="sr_secret")
    assert logs == [
        {
            "event": "operation.done", "log_level": "info", "operation": "toys.make", "code": "ok",
            "milliseconds": logs[0]["milliseconds"], "request_id": "request-1", "client": "192.0.2.1",
        }
    ]  # fmt: skip


def test_canonical_bytes_tell_commands_apart() -> None:
    class MakeDoll(MakeToy, kw_only=True, frozen=True):
        pass

    one = canonical(MakeToy(passphrase=Secret("a")))
    assert one == canonical(MakeToy(name="bear", passphrase=Secret("a")))
    others = [MakeToy(), MakeToy(passphrase=Secret("b")), MakeToy(name="", passphrase=Secret("a"))]
    assert len({one, canonical(MakeDoll(passphrase=Secret("a"))), *map(canonical, others)}) == 5
