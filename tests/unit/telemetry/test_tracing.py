from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from strongroom.errors import NotFound
from strongroom.telemetry import tracing
from strongroom.telemetry.tracing import NOTHING, Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
NOT_SAMPLED = f"00-{TRACE}-{PARENT}-00"


@dataclass
class Kept:
    spans: list[Span] = field(default_factory=list)
    lost: int = 0
    full: bool = False

    def take(self, span: Span) -> None:
        self.spans.append(span)

    def has_room(self) -> bool:
        return not self.full

    def lose(self) -> None:
        self.lost += 1

    def __getitem__(self, name: str) -> Span:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept()
    tracing.start(made, sample=1.0, follow=True)
    yield made
    tracing.stop()


@tracing.traced("step")
async def step(fails: BaseException | None = None) -> str:
    with tracing.span("inner"):
        await asyncio.sleep(0)
    if fails is not None:
        raise fails
    return "done"


async def test_without_a_start_nothing_is_made() -> None:
    with tracing.serve([SAMPLED]) as root:
        assert root is NOTHING
        assert await step() == "done"
        assert tracing.span("x") is NOTHING
        assert tracing.begin("x") is NOTHING
        assert tracing.trace_id() is None
        assert tracing.traceparent() is None
        root.name = "request"
        root.note(code="ok")


async def test_steps_hang_below_the_request_and_that_below_its_caller(kept: Kept) -> None:
    with tracing.serve([SAMPLED]) as root:
        root.name = "request of ours"
        assert await step() == "done"
        tracing.note(code="ok")
        sent = tracing.traceparent()
    first, below, inner = kept["request of ours"], kept["step"], kept["inner"]
    assert kept.names == ["inner", "step", "request of ours"]
    assert f"{first.trace.id:032x}" == TRACE
    assert f"{first.parent:016x}" == PARENT
    assert (below.parent, inner.parent) == (first.id, below.id)
    assert first.attributes == {"code": "ok"}
    assert first.began <= below.began <= inner.began <= inner.ended <= below.ended <= first.ended
    assert sent == f"00-{TRACE}-{first.id:016x}-01"


async def test_steps_of_tasks_that_a_request_starts_hang_below_it(kept: Kept) -> None:
    with tracing.serve([SAMPLED]):
        await asyncio.gather(step(), step())
    first = kept.spans[-1]
    assert {span.parent for span in kept.spans if span.name == "step"} == {first.id}


async def test_what_outlives_its_request_is_no_part_of_it(kept: Kept) -> None:
    go = asyncio.Event()

    async def later() -> tuple[str | None, str | None]:
        await go.wait()
        await step()
        return tracing.trace_id(), tracing.traceparent()

    with tracing.serve([SAMPLED]):
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    go.set()
    assert await task == (None, None)
    assert kept.names == ["request"]


async def test_a_parent_that_is_not_recorded_has_an_id_and_no_spans(kept: Kept) -> None:
    with tracing.serve([NOT_SAMPLED]) as root:
        await step()
        assert tracing.trace_id() == TRACE
        sent = tracing.traceparent()
        assert sent is not None
        assert sent.startswith(f"00-{TRACE}-")
        assert sent.endswith("-00")
        root.note(code="ok")
    assert kept.spans == []


async def test_where_parents_are_not_followed_the_share_decides(kept: Kept) -> None:
    tracing.start(kept, sample=0.0, follow=False)
    with tracing.serve([SAMPLED]):
        assert tracing.trace_id() == TRACE
    assert kept.spans == []
    tracing.start(kept, sample=1.0, follow=False)
    with tracing.serve([NOT_SAMPLED]):
        pass
    assert len(kept.spans) == 1


@pytest.mark.parametrize("low", [1, 2**64 - 1])
def test_where_parents_are_not_followed_no_id_decides(kept: Kept, low: int) -> None:
    """A caller chooses the id of its trace. So it could make the service record every request, or none."""
    tracing.start(kept, sample=0.25, follow=False)
    for _ in range(4000):
        with tracing.serve([f"00-{(7 << 64) + low:032x}-{PARENT}-01"]):
            pass
    assert 800 < len(kept.spans) < 1200


def test_of_traces_that_begin_here_the_share_is_recorded(kept: Kept) -> None:
    tracing.start(kept, sample=0.25, follow=True)
    for _ in range(4000):
        with tracing.serve([]):
            pass
    assert 800 < len(kept.spans) < 1200
    assert len({span.trace.id for span in kept.spans}) == len(kept.spans)
    assert {span.trace.id & (2**64 - 1) < 2**62 for span in kept.spans} == {True}


@pytest.mark.parametrize(
    ("fails", "told"),
    [(NotFound("no"), NotFound.code), (asyncio.CancelledError(), "cancelled"), (KeyError("secret words"), "KeyError")],
)
async def test_a_failure_is_told_by_its_code_alone(kept: Kept, fails: BaseException, told: str) -> None:
    with tracing.serve([SAMPLED]), pytest.raises(type(fails)):
        await step(fails)
    assert kept["step"].problem == told
    assert kept["inner"].problem == ""


@dataclass
class Waiting:
    span: Any


async def test_work_for_many_is_a_trace_with_links_both_ways(kept: Kept) -> None:
    waits = []
    for _ in range(3):
        with tracing.serve([SAMPLED]), tracing.span("wait") as span:
            waits.append(Waiting(span))
    with tracing.join("commit", [*waits, Waiting(NOTHING)]) as joined:
        await step()
    assert joined is kept["commit"]
    commit = kept["commit"]
    assert commit.parent == 0
    assert f"{commit.trace.id:032x}" != TRACE
    assert commit.links == [(each.span.trace.id, each.span.id) for each in waits]
    assert kept["step"].parent == commit.id
    for each in waits:
        assert each.span.links == [(commit.trace.id, commit.id)]
    assert tracing.join("commit", [Waiting(NOTHING)]) is NOTHING


async def test_a_trace_has_so_many_spans_and_no_more(kept: Kept) -> None:
    with tracing.serve([SAMPLED]):
        for _ in range(10_000):
            with tracing.span("one of many"):
                pass
        assert await step() == "done"
    assert len(kept.spans) == 513
    assert kept.lost == 10_000 - 512 + 2


async def test_what_is_said_after_the_end_is_not_heard(kept: Kept) -> None:
    with tracing.serve([SAMPLED]) as root:
        root.note(code="ok")
    root.note(code="late")
    assert kept.spans[0].attributes == {"code": "ok"}


@pytest.mark.parametrize(
    "header",
    [
        "", "00", "ff" + SAMPLED[2:], SAMPLED.upper(), SAMPLED + "-", SAMPLED + "-x", SAMPLED[:-1], " " + SAMPLED,
        f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[:-1]}g-{PARENT}-01", SAMPLED + "\n",
        f"00-{TRACE}-{PARENT}-1", "01" + SAMPLED[2:] + "x", "01" + SAMPLED[2:] + "-" + "x" * 1000,
        "٠0" + SAMPLED[2:],
    ],
)  # fmt: skip
def test_no_traceparent(kept: Kept, header: str) -> None:
    assert tracing.parse(header) is None
    with tracing.serve([header]):
        assert tracing.trace_id() not in (None, TRACE)


def test_traceparents_of_later_versions_and_several_of_them(kept: Kept) -> None:
    later = "cc" + SAMPLED[2:] + "-what-the-future-will-be-like"
    assert tracing.parse(later) == tracing.parse(SAMPLED) == (int(TRACE, 16), int(PARENT, 16), True)
    assert tracing.parse(f"00-{TRACE}-{PARENT}-02") == (int(TRACE, 16), int(PARENT, 16), False)
    with tracing.serve([SAMPLED, SAMPLED]):
        assert tracing.trace_id() != TRACE


async def test_while_there_is_no_room_no_trace_is_recorded_but_each_has_its_id(kept: Kept) -> None:
    with tracing.serve([SAMPLED]), tracing.span("wait") as span:
        kept.full = True
        with tracing.serve([SAMPLED]):
            await step()
            assert tracing.trace_id() == TRACE
        with tracing.begin("task"), tracing.join("commit", [Waiting(span)]):
            await step()
    assert kept.names == ["wait", "request"]
