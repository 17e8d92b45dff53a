"""JSON-RPC 2.0 over HTTP: one call, or many in as few requests as the provider accepts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.http import Answer, Http, Work, decode, meaning

T = TypeVar("T")

_OURS: Final = {-32700, -32600, -32602}
_NO_METHOD: Final = -32601
_BLANKS: Final = 64
"""Bytes at the beginning of a response that may be blank."""


class Fault(msgspec.Struct, frozen=True):
    """The ``error`` of a response. Its text is read and never passed on, because nodes repeat transactions in it."""

    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw()

    def __repr__(self) -> str:
        return f"Fault({self.code})"


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    params: Sequence[object] | dict[str, object]


class _Response(msgspec.Struct, frozen=True):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


Classify = Callable[[Fault], NodeError | None]
"""What a family of nodes means by an error, or None if it has no special meaning."""


def common(fault: Fault) -> NodeError:
    """What JSON-RPC itself means by a code."""
    if fault.code == _NO_METHOD:
        return NodeError(Verdict.ELSEWHERE, "no_method")
    if fault.code in _OURS:
        return NodeError(Verdict.OURS, "bad_request")
    return NodeError(Verdict.BROKEN, "error")


def all_of(answers: Iterable[T | NodeError]) -> list[T]:
    """The results of a batch. Raises the first error among them."""
    found: list[T] = []
    for answer in answers:
        if isinstance(answer, NodeError):
            raise answer
        found.append(answer)
    return found


class JsonRpc:
    """``batch``: questions per request, or 1 if the provider accepts no arrays. ``classify`` is asked before
    `common`.
    """

    def __init__(self, http: Http, classify: Classify, *, batch: int = 1) -> None:
        self._http = http
        self._classify = classify
        self._batch = batch
        self._ids = itertools.count(1)

    async def call(
        self, method: str, params: Sequence[object] | dict[str, object], of: type[T], *, work: Work = Work.READ
    ) -> T:
        """The result, decoded as ``of``. Raises NodeError."""
        number = next(self._ids)
        answer = await self._http.exchange("POST", json=_request(number, Question(method, params)), work=work)
        found = _responses(answer, many=False)[0]
        if found.id not in (number, None) or (found.id is None and found.error is None):
            raise NodeError(Verdict.BROKEN, "bad_id")
        return self._result(found, of)

    async def batch(self, questions: Sequence[Question], of: type[T], *, work: Work = Work.READ) -> list[T | NodeError]:
        """The results in order, with an error in the place of each question that failed. Raises NodeError for a whole
        request.
        """
        if self._batch == 1:
            return [await self._alone(each, of, work) for each in questions]
        found: list[T | NodeError] = []
        for at in range(0, len(questions), self._batch):
            found += await self._together(questions[at : at + self._batch], of, work)
        return found

    async def close(self) -> None:
        await self._http.close()

    async def _alone(self, question: Question, of: type[T], work: Work) -> T | NodeError:
        try:
            return await self.call(question.method, question.params, of, work=work)
        except NodeError as error:
            if error.verdict in (Verdict.NO, Verdict.ELSEWHERE):
                return error
            raise

    async def _together(self, questions: Sequence[Question], of: type[T], work: Work) -> list[T | NodeError]:
        numbered = {next(self._ids): each for each in questions}
        body = [_request(number, each) for number, each in numbered.items()]
        answers = _responses(await self._http.exchange("POST", json=body, work=work), many=True)
        if len(answers) == 1 and answers[0].id is None and answers[0].error is not None:
            raise self._meaning(answers[0].error)  # about the array as a whole
        by_id = {each.id: each for each in answers}
        if len(answers) != len(numbered) or by_id.keys() != numbered.keys():
            raise NodeError(Verdict.BROKEN, "bad_id")
        found: list[T | NodeError] = []
        for number in numbered:
            try:
                found.append(self._result(by_id[number], of))
            except NodeError as error:
                found.append(error)
        return found

    def _result(self, response: _Response, of: type[T]) -> T:
        if response.error is not None:
            raise self._meaning(response.error)
        return decode(response.result, of)

    def _meaning(self, fault: Fault) -> NodeError:
        return self._classify(fault) or common(fault)


def _request(number: int, question: Question) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": question.method, "params": question.params}


def _responses(answer: Answer, *, many: bool) -> list[_Response]:
    """The responses. The body is read before the status, because some nodes send errors of JSON-RPC with 4xx or 5xx."""
    try:
        if many and answer.body[:_BLANKS].lstrip()[:1] == b"[":
            return decode(answer.body, list[_Response])
        found = decode(answer.body, _Response)
    except NodeError:
        if 200 <= answer.status < 300:
            raise
        raise meaning(answer) from None
    if not 200 <= answer.status < 300 and found.error is None:
        raise meaning(answer)
    if answer.status in (401, 402, 403, 429):
        raise meaning(answer)
    return [found]
