"""The reader of a network. It asks the best of its sources, and the next one if that cannot respond."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from strongroom.breaker import CircuitOpen
from strongroom.domain.asset import Asset
from strongroom.domain.network import Network
from strongroom.domain.signing import SignedIds
from strongroom.errors import (
    CursorStale,
    NodesDisagree,
    NodeUnavailable,
    NotFound,
    SourceMissing,
    TransactionRejected,
)
from strongroom.rpc.base import (
    Balances,
    Capability,
    Fees,
    Head,
    Holder,
    NodeError,
    Page,
    Rejection,
    Sent,
    Source,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.bucket import FULL
from strongroom.rpc.endpoint import Endpoint, SourceHealth, work_of
from strongroom.rpc.heads import Heads
from strongroom.rpc.quorum import agreement, said_by, verified
from strongroom.telemetry.metrics import RPC_DISAGREEMENTS_TOTAL

T = TypeVar("T")
Ask = Callable[[Source], Awaitable[T]]

_log = structlog.get_logger(__name__)

_ATTEMPTS: Final = 3
"""The most sources that are asked for one response."""
_TOLD_AT_ONCE: Final = 16
"""The most transactions that are being passed on to a second operator at a time."""
_NOT_SENT: Final = {"unreachable", "untrusted", "unsupported", "no_method", FULL}
"""Causes of failures that show that no byte of a transaction can have left."""
_TAKEN: Final = {State.PENDING, State.CONFIRMED, State.FINAL, State.FAILED}
_RETRY: Final = 1.0
_OF_A_BLOCK: Final = (Capability.HEAD, Capability.BALANCES, Capability.TOKENS)
"""Questions whose responses name their block. Each question has its own heads, because balances may always be of an
earlier block than the head.
"""


class _Round:
    """One question on its way from source to source."""

    def __init__(self) -> None:
        self.attempts = _ATTEMPTS
        self.asked: list[Endpoint] = []
        self.errors: list[NodeError] = []
        self.waits: list[float] = []
        """Seconds until each of the skipped sources may be asked again."""

    def failed(self, endpoint: Endpoint, error: NodeError) -> None:
        self.asked.append(endpoint)
        self.note(endpoint, error)
        if error.verdict is Verdict.OURS:
            self.attempts = min(self.attempts, len(self.asked) + 1)

    def note(self, endpoint: Endpoint, error: NodeError) -> None:
        self.errors.append(error)
        if endpoint.cooling:
            self.waits.append(endpoint.cooling)

    def unavailable(self) -> NodeUnavailable:
        wait = min(self.waits, default=_RETRY)
        return NodeUnavailable("no source of this network responds at present", retry_after=wait)


class Pool:
    """Implements `rpc.base.Reader`. It asks sources only on request; nothing polls.

    ``operators``: how many have to agree in `agreed`, if that many are configured.
    """

    def __init__(
        self,
        network: Network,
        endpoints: Sequence[Endpoint],
        *,
        operators: int = 2,
        heads: Callable[[Network], Heads] = Heads,
    ) -> None:
        self._network = network
        self._endpoints = tuple(endpoints)
        self._operators = operators
        self._heads = {question: heads(network) for question in _OF_A_BLOCK}
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the configured kinds of sources, even if a node does not support a method at the
        moment.
        """
        return frozenset().union(*(each.declared for each in self._endpoints))

    async def head(self) -> Head:
        return await self._first(Capability.HEAD, lambda source: source.head())

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        return await self._first(Capability.BALANCES, lambda source: source.balances(holders, assets))

    async def tokens(self, holder: Holder) -> Balances:
        return await self._first(Capability.TOKENS, lambda source: source.tokens(holder))

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page of history. The next page comes from the same source, whose name is put in front of its cursor.

        Raises CursorStale if that source is no longer configured.
        """
        name, _, place = (begin or "").partition(":")
        if name and not any(each.name == name and Capability.HISTORY in each.declared for each in self._endpoints):
            raise CursorStale(
                "the source of the previous page is no longer configured: start again from the first page"
            )
        page = await self._first(
            Capability.HISTORY,
            lambda source: source.history(holder, begin=place or None, most=most),
            only=name or None,
        )
        return page if page.next is None else replace(page, next=f"{page.source}:{page.next}")

    async def fees(self) -> Fees:
        return await self._first(Capability.FEES, lambda source: source.fees())

    async def status(self, tracked: Tracked) -> Status:
        """The state of a transaction. If one source has never seen it, that may be the source's fault, so another one
        is asked.
        """
        question, turn = Capability.STATUS, _Round()
        found = await self._next(question, lambda source: source.status(tracked), turn)
        if found.state is State.UNKNOWN:
            turn.attempts = min(turn.attempts, len(turn.asked) + 1)
            try:
                return await self._next(question, lambda source: source.status(tracked), turn)
            except NodeUnavailable:
                pass
        return found

    async def transaction(self, tx_id: str) -> bytes:
        """The bytes of a transaction. Raises NotFound if no source that responds knows it."""
        turn = _Round()
        try:
            return await self._next(Capability.TRANSACTION, lambda source: source.transaction(tx_id), turn)
        except NodeUnavailable:
            if turn.errors and all(error.verdict is Verdict.ELSEWHERE for error in turn.errors):
                raise NotFound("no source of this network knows this transaction") from None
            raise

    async def used(self, holders: Sequence[Holder]) -> Used:
        return await self._first(Capability.USED, lambda source: source.used(holders))

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        """Sends the same bytes to one source after another until one takes them.

        Raises TransactionRejected if a source refuses them, no source knows them, and no other source can have taken
        them. Raises NodeUnavailable if no byte has left. If the outcome is unknown, `Sent.certain` is False.
        """
        turn, refusal = _Round(), None
        left = has_left = may_be_taken = False

        async def send(source: Source) -> Sent:
            nonlocal left
            left = True
            return await source.broadcast(signed, ids)

        for endpoint in self._candidates(Capability.BROADCAST, turn):
            left = False
            try:
                sent = await endpoint.ask(Capability.BROADCAST, send)
            except CircuitOpen as circuit:
                turn.waits.append(circuit.retry_after)
            except NodeError as error:
                turn.failed(endpoint, error)
                if error.verdict is Verdict.NO:
                    refusal = error
                    break
                left = left and error.cause not in _NOT_SENT
                has_left |= left
                may_be_taken |= left and error.verdict is not Verdict.ELSEWHERE
            else:
                self._tell_another(endpoint, signed, ids)
                return said_by(endpoint.name, sent)
        if refusal is not None:
            return await self._refused(refusal, ids, may_be_taken=may_be_taken)
        if has_left:
            return Sent(ids.tx_ids[0], certain=False)
        raise turn.unavailable()

    async def agreed(self, question: Capability, ask: Ask[T]) -> T:
        """What ``operators`` of the sources agree on, for decisions about money. `rpc.quorum` defines agreement.

        If fewer operators are configured, all of them have to agree, even if some are unavailable. `Balances.verified`
        is the number of operators.

            await pool.agreed(Capability.STATUS, lambda source: source.status(tracked))

        Raises NodesDisagree if they contradict each other, NodeUnavailable if too few of them respond.
        """
        turn, votes = _Round(), dict[str, T]()
        turn.attempts = len(self._endpoints)
        needed = min(self._operators, len({each.operator for each in self._endpoints if question in each.declared}))
        while len(votes) <= needed and (chosen := self._voters(question, turn, votes, max(needed - len(votes), 1))):
            turn.asked += chosen
            answers = await asyncio.gather(*(self._vote(each, question, ask, turn) for each in chosen))
            votes |= {each.operator: vote for each, vote in zip(chosen, answers, strict=True) if vote is not None}
            if len(votes) >= needed and (found := agreement(votes, needed)) is not None:
                return verified(found, needed)
        if len(votes) < needed:
            raise turn.unavailable()
        RPC_DISAGREEMENTS_TOTAL.labels(self._network.name, question).inc()
        _log.error("rpc.disagreement", network=self._network.name, question=question, operators=sorted(votes))
        raise NodesDisagree("the sources of this network contradict each other", retry_after=_RETRY)

    def describe(self) -> list[SourceHealth]:
        """The health of the sources, without asking them."""
        return [each.health(behind=self._behind(each), lag=self._lag(each)) for each in self._endpoints]

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, *(each.close() for each in self._endpoints), return_exceptions=True)

    async def _first(self, question: Capability, ask: Ask[T], *, only: str | None = None) -> T:
        return await self._next(question, ask, _Round(), only=only)

    async def _next(self, question: Capability, ask: Ask[T], turn: _Round, *, only: str | None = None) -> T:
        """The response of the best source that was not asked in this round. Raises NodeUnavailable, SourceMissing."""
        old: list[T] = []
        for endpoint in self._candidates(question, turn, only):
            try:
                answer = await endpoint.ask(question, self._checked(endpoint, question, ask, old))
            except CircuitOpen as circuit:
                turn.waits.append(circuit.retry_after)
            except NodeError as error:
                turn.failed(endpoint, error)
                if error.verdict is Verdict.NO:
                    break
            else:
                turn.asked.append(endpoint)
                if (head := _head_of(answer)) is not None:
                    self._heads[question].serve(head)
                return answer
        if old:
            return max(old, key=lambda answer: getattr(_head_of(answer), "height", 0))
        raise turn.unavailable()

    def _candidates(self, question: Capability, turn: _Round, only: str | None = None) -> Iterator[Endpoint]:
        """Sources that may be asked now and were not asked in this round, best first. Raises SourceMissing."""
        declared = [each for each in self._endpoints if question in each.declared and only in (None, each.name)]
        if not declared:
            raise SourceMissing(f"no configured source of this network can answer this: {question}", field="network")
        able = [each for each in declared if question in each.capabilities]
        for endpoint in sorted(able, key=lambda each: self._rank(each, question)):
            if len(turn.asked) >= turn.attempts:
                return
            if endpoint.cooling:
                turn.waits.append(endpoint.cooling)
            elif not endpoint.out and endpoint not in turn.asked:
                yield endpoint

    def _rank(self, endpoint: Endpoint, question: Capability) -> tuple[bool, int, float]:
        """The order of sources. Latency does not matter for history, whose pages should come from one source."""
        latency = 0.0 if question is Capability.HISTORY else endpoint.latency[work_of(question)]
        return (self._behind(endpoint), endpoint.priority, latency)

    def _behind(self, endpoint: Endpoint) -> bool:
        return any(heads.behind(endpoint.name) for heads in self._heads.values())

    def _lag(self, endpoint: Endpoint) -> int | None:
        known = (heads.lag(endpoint.name) for heads in self._heads.values())
        return max((lag for lag in known if lag is not None), default=None)

    def _checked(self, endpoint: Endpoint, question: Capability, ask: Ask[T], old: list[T] | None) -> Ask[T]:
        """The question with a check of the response's head. ``old`` collects responses that are older than what was
        returned before; with None that does not matter.
        """

        async def checked(source: Source) -> T:
            answer = said_by(endpoint.name, await ask(source))
            if (head := _head_of(answer)) is not None:
                heads = self._heads[question]
                heads.judge(endpoint.name, head)
                behind = heads.behind(endpoint.name)
                if behind or (old is not None and heads.older(head)):
                    if old is not None and not behind:
                        old.append(answer)
                    raise NodeError(Verdict.ELSEWHERE, "behind")
            return answer

        return checked

    def _voters(self, question: Capability, turn: _Round, votes: Mapping[str, object], wanted: int) -> list[Endpoint]:
        """The best source of each operator that has not voted yet."""
        found: dict[str, Endpoint] = {}
        for endpoint in self._candidates(question, turn):
            if endpoint.operator not in votes and len(found) < wanted:
                found.setdefault(endpoint.operator, endpoint)
        return list(found.values())

    async def _vote(self, endpoint: Endpoint, question: Capability, ask: Ask[T], turn: _Round) -> T | None:
        try:
            return await endpoint.ask(question, self._checked(endpoint, question, ask, None))
        except CircuitOpen as circuit:
            turn.waits.append(circuit.retry_after)
        except NodeError as error:
            turn.note(endpoint, error)
        return None

    async def _refused(self, refusal: NodeError, ids: SignedIds, *, may_be_taken: bool) -> Sent:
        """Success if the network knows the transaction after all. A node refuses what is in a block, or what another
        node took.

        Raises TransactionRejected.
        """
        tx_id = ids.tx_ids[0]
        try:
            status = await self.status(Tracked(tx_id, ids))
        except SourceMissing:
            pass
        except NodeUnavailable:
            may_be_taken = True
        else:
            if status.state in _TAKEN:
                return Sent(tx_id, known=True, source=status.source)
        if may_be_taken:
            return Sent(tx_id, certain=False)
        reason = (refusal.rejection or Rejection.INVALID).value
        raise TransactionRejected(f"the network refused the transaction: {reason}", reason=reason)

    def _tell_another(self, taker: Endpoint, signed: str, ids: SignedIds) -> None:
        """Passes the transaction on to another operator in the background, because a node may keep it to itself."""
        others = (each for each in self._candidates(Capability.BROADCAST, _Round()) if each.operator != taker.operator)
        other = next(others, None)
        if other is not None and len(self._telling) < _TOLD_AT_ONCE:
            task = asyncio.create_task(self._tell(other, signed, ids))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, endpoint: Endpoint, signed: str, ids: SignedIds) -> None:
        with suppress(NodeError, CircuitOpen):  # already counted where they arose, and nobody waits for this
            await endpoint.ask(Capability.BROADCAST, lambda source: source.broadcast(signed, ids))


def _head_of(answer: object) -> Head | None:
    """The block of a response, if it names one."""
    if isinstance(answer, Balances):
        return answer.at
    return answer if isinstance(answer, Head) else None
