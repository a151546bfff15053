"""How a learner asks.  This file does not know what an oracle is.

A strategy is a generator of batches of queries: it is sent the answers and returns what it
learned.  It never holds data, an oracle or an instance.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeAlias, TypeVar

from sqsim.errors import BadInput, QueryRefused, SqsimError, ToleranceUnreachable
from sqsim.queries import Batch, Correlation, Query

Answers: TypeAlias = tuple[Any, ...]

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")

Strategy: TypeAlias = Generator[Batch[Q], Answers, R]
CSQ: TypeAlias = Generator[Batch[Correlation], Answers, R]
SQ: TypeAlias = Generator[Batch[Query], Answers, R]


def ask(query: Q, **note: Any) -> Generator[Batch[Q], Answers, Any]:
    """Ask one query and return its answer; one round.  Notes ride on the question."""
    answers = yield Batch((query,), note)
    return answers[0]


def ask_all(*queries: Q, **note: Any) -> Generator[Batch[Q], Answers, Answers]:
    """Ask several queries in one round and return their answers in order."""
    return (yield Batch(queries, note))


def together(
    *strategies: Generator[Batch[Q], Answers, R],
) -> Generator[Batch[Q], Answers, tuple[R, ...]]:
    """Run strategies in lock-step and return their values in order.

    Queries add up, rounds are those of the longest strategy.  Where the oracle refuses the common
    batch, every strategy's part is asked again on its own, so that only those whose own queries
    are refused meet the refusal.  A spent budget is met by all.
    """
    for strategy in strategies:
        if not isinstance(strategy, Generator):
            raise BadInput(f"{strategy!r:.60} is not a strategy; call its function first")
    if len({id(strategy) for strategy in strategies}) < len(strategies):
        raise BadInput("the same generator was given twice; call its function once for each lane")
    lanes = [_Lane(strategy) for strategy in strategies]
    try:
        for lane in lanes:
            lane.advance(None)
        while live := [lane for lane in lanes if lane.batch is not None]:
            queries = tuple(q for lane in live if lane.batch for q in lane.batch.queries)
            notes = [dict(lane.batch.note) for lane in live if lane.batch]
            try:
                answers = yield Batch(queries, {"together": notes})
            except (QueryRefused, ToleranceUnreachable) as refusal:
                if len(live) == 1:
                    live[0].refuse(refusal)
                    continue
                for lane in live:
                    yield from lane.alone()
                continue
            except SqsimError as refusal:
                for lane in live:
                    lane.refuse(refusal)
                continue
            start = 0
            for lane in live:
                count = len(lane.batch.queries) if lane.batch else 0
                lane.advance(answers[start : start + count])
                start += count
    finally:
        for lane in lanes:
            lane.strategy.close()
    return tuple(lane.value for lane in lanes)


class _Lane(Generic[Q, R]):
    """One strategy inside `together`: its pending batch, or its value once it is done."""

    value: R

    def __init__(self, strategy: Generator[Batch[Q], Answers, R]) -> None:
        self.strategy = strategy
        self.batch: Batch[Q] | None = None

    def advance(self, answers: Answers | None) -> None:
        try:
            # Sending None is how a generator is started; the stub has no type for it.
            self.batch = self.strategy.send(answers)  # type: ignore[arg-type]
        except StopIteration as stop:
            self.batch, self.value = None, stop.value

    def alone(self) -> Generator[Batch[Q], Answers, None]:
        """Ask the pending batch by itself."""
        assert self.batch is not None
        try:
            answers = yield self.batch
        except SqsimError as refusal:
            self.refuse(refusal)
        else:
            self.advance(answers)

    def refuse(self, refusal: SqsimError) -> None:
        try:
            self.batch = self.strategy.throw(refusal)
        except StopIteration as stop:
            self.batch, self.value = None, stop.value


class AskTell(Generic[Q, R]):
    """A strategy turned inside out, for loops that others own.

    `batch` is the pending question, or None when `value` holds what was learned.
    """

    def __init__(self, strategy: Generator[Batch[Q], Answers, R]) -> None:
        self._lane = _Lane(strategy)
        self._lane.advance(None)

    @property
    def batch(self) -> Batch[Q] | None:
        return self._lane.batch

    @property
    def value(self) -> R:
        if self._lane.batch is not None:
            raise BadInput("the strategy is still asking; tell it the answers to `batch` first")
        return self._lane.value

    def tell(self, answers: Answers) -> None:
        """Give the answers to `batch`, in order."""
        if self._lane.batch is None:
            raise BadInput("the strategy has finished; read `value`")
        if len(answers) != len(self._lane.batch.queries):
            raise BadInput(f"{len(answers)} answers for {len(self._lane.batch.queries)} queries")
        self._lane.advance(answers)
