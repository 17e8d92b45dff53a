"""JSON-RPC over an HTTP that is made up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.http import Http
from strongroom.rpc.jsonrpc import JsonRpc, Question, all_of


@asynccontextmanager
async def asking(answer: Callable[[Any], object], *, batch: int = 10, status: int = 200) -> AsyncIterator[JsonRpc]:
    """``answer`` makes of the decoded request what is sent back as JSON, or as it is where it is bytes."""

    def handle(request: httpx.Request) -> httpx.Response:
        said = answer(json.loads(request.content))
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return httpx.Response(status, stream=httpx.ByteStream(body))

    to = JsonRpc(Http(Secret("http://node/"), transport=httpx.MockTransport(handle)), lambda _: None, batch=batch)
    try:
        yield to
    finally:
        await to.close()


def echo(asked: Any) -> object:
    if isinstance(asked, list):
        return [echo(each) for each in reversed(asked)]
    return {"jsonrpc": "2.0", "id": asked["id"], "result": asked["params"]}


async def test_a_result_of_any_type_is_read() -> None:
    async with asking(echo) as to:
        assert await to.call("m", [1], list[int]) == [1]
        assert await to.call("m", {"a": "b"}, dict[str, str]) == {"a": "b"}
    async with asking(lambda asked: {"id": asked["id"], "result": None}) as to:
        assert await to.call("m", [], int | None) is None  # type: ignore[arg-type]


async def test_a_batch_keeps_its_order() -> None:
    questions = [Question("m", [n]) for n in range(25)]
    for batch in (1, 10):
        async with asking(echo, batch=batch) as to:
            assert await to.batch(questions, list[int]) == [[n] for n in range(25)]


@pytest.mark.parametrize(
    "harm",
    [
        lambda answers: answers[1:],
        lambda answers: [*answers, answers[0]],
        lambda answers: [answers[0], *answers[:-1]],
        lambda answers: [{**answers[0], "id": 99}, *answers[1:]],
        lambda answers: answers[0],
    ],
    ids=["missing", "one too many", "twice", "foreign", "alone"],
)
async def test_ids_of_a_batch_that_do_not_match(harm: Callable[[Any], object]) -> None:
    async with asking(lambda asked: harm(echo(asked))) as to:
        with pytest.raises(NodeError) as caught:
            await to.batch([Question("m", [n]) for n in range(3)], list[int])
    assert (caught.value.verdict, caught.value.cause) == (Verdict.BROKEN, "bad_id")


def test_the_first_error_of_a_batch_is_raised() -> None:
    first, second = NodeError(Verdict.ELSEWHERE, "first"), NodeError(Verdict.BUSY, "second")
    assert all_of([1, 2]) == [1, 2]
    with pytest.raises(NodeError) as caught:
        all_of([1, first, 2, second])
    assert caught.value is first
