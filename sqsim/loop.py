"""The only loop between a strategy and an oracle.

This file does not know what is asked, nor how it is answered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import GeneratorType
from typing import Generic, TypeVar, final

from sqsim.errors import (
    BadInput,
    BudgetSpent,
    QueryRefused,
    ReplayDiverged,
    SqsimError,
    ToleranceUnreachable,
)
from sqsim.guarantee import Guarantee
from sqsim.oracles.protocol import Oracle
from sqsim.oracles.wrappers import replaying
from sqsim.queries import Batch, Query
from sqsim.recipe import Recipe
from sqsim.record import Exchange, Ledger, Refusal, bill, settle
from sqsim.result import Result, Status
from sqsim.strategy import Answers
from sqsim.transcript import Transcript

__all__ = ["Budget", "Result", "Status", "run"]

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")


@final
@dataclass(frozen=True)
class Budget:
    """The most that a run may ask; None is no limit.

    Of a batch that crosses `queries`, the leading queries that fit are answered and charged.
    """

    queries: int | None = None
    rounds: int | None = None

    def __post_init__(self) -> None:
        for name, limit in (("queries", self.queries), ("rounds", self.rounds)):
            if limit is not None and (not isinstance(limit, int) or limit < 0):
                raise BadInput(f"budget of {name} is {limit!r}; it must be an integer >= 0 or None")


def run(
    strategy: Generator[Batch[Q], Answers, R],
    oracle: Oracle[Q],
    *,
    budget: Budget | None = None,
    log: str | Path | Transcript | None = None,
    callback: Callable[[Exchange, Ledger], bool | None] | None = None,
    recipe: Recipe | None = None,
) -> Result[R]:
    """Answer the strategy's batches until it returns.

    A refusal of the oracle, a budget that ran out and a batch that is not one are raised inside
    the strategy, at the line that asks.

    Parameters
    ----------
    strategy : generator
    oracle : Oracle
    budget : Budget, optional
    log : path or Transcript, optional
        A path is a new file.  A Transcript that already holds turns, as from
        `Transcript.resume(path)`, is replayed first and then goes on.  None keeps the exchanges
        in memory.
    callback : function, optional
        Called with each exchange and the ledger so far; returning True stops the run.
    recipe : Recipe, optional
        How strategy and oracle can be made again; goes into the header of a new log, and `sqsim
        audit` reads it there.
    """
    _check_strategy(strategy)
    if not hasattr(oracle, "answer"):
        raise BadInput(
            f"{type(oracle).__name__} is not an oracle; make one with csq(instance, ...) or sq(...)"
        )
    if not isinstance(budget, Budget | None):
        raise BadInput(f"budget is {budget!r}; wanted Budget(queries=..., rounds=...)")
    if isinstance(log, Transcript) and recipe is not None:
        raise BadInput("a Transcript carries its own recipe; write Transcript(path, recipe=...)")
    transcript = log if isinstance(log, Transcript) else Transcript(log, recipe=recipe)
    try:
        loop = _Loop(oracle, budget or Budget(), transcript, callback)
        return loop.finish(strategy)
    except BudgetSpent as error:
        error.ledger, error.transcript = loop.ledger, transcript
        raise
    finally:
        transcript.close()
        strategy.close()


class _Loop(Generic[Q]):
    """The state of one run: what it cost, and whether it was cut or stopped."""

    def __init__(
        self,
        oracle: Oracle[Q],
        budget: Budget,
        transcript: Transcript,
        callback: Callable[[Exchange, Ledger], bool | None] | None,
    ) -> None:
        self.ledger = Ledger()
        self.budget = budget
        self.transcript = transcript
        self.callback = callback
        self.dimension = oracle.dimension
        self.tolerance = oracle.tolerance
        self.guarantee = getattr(oracle, "guarantee", None)
        self.turn = 0
        self.cut = False
        self.stopped = False
        transcript.begin(oracle.describe(), self.dimension, self.tolerance)
        self.oracle = replaying(oracle, transcript) if len(transcript) else oracle

    def finish(self, strategy: Generator[Batch[Q], Answers, R]) -> Result[R]:
        step: Callable[[], Batch[Q]] = partial(next, strategy)
        while not self.stopped:
            try:
                batch = step()
            except StopIteration as stop:
                return self._returned(stop.value)
            try:
                answers = self._answer(batch)
            except (QueryRefused, ToleranceUnreachable, BudgetSpent, BadInput) as error:
                # A traceback would lead the strategy to the oracle and its secret.
                error.__cause__ = error.__context__ = None
                step = partial(strategy.throw, error.with_traceback(None))
            else:
                step = partial(strategy.send, answers)
        message = f"stopped by the callback after turn {self.turn - 1}"
        return self._result(None, Status.STOPPED, message)

    def _returned(self, value: R) -> Result[R]:
        if self.cut:
            return self._result(value, Status.BUDGET_SPENT, Status.BUDGET_SPENT.value)
        if self.turn < len(self.transcript):
            raise ReplayDiverged(
                f"the strategy returned after {self.turn} turns, the transcript holds "
                f"{len(self.transcript)}; replay the same strategy, parameters and seed"
            )
        return self._result(value, Status.FINISHED, Status.FINISHED.value)

    def _result(self, value: R | None, status: Status, message: str) -> Result[R]:
        promise = self.guarantee
        kept = promise.after(self.ledger) if isinstance(promise, Guarantee) else None
        return Result(value, status, message, self.ledger, self.transcript, kept)

    def _answer(self, batch: Batch[Q]) -> Answers:
        _check_batch(batch)
        prices = [
            (query.size(self.dimension), (query.tolerance or self.tolerance).tau)
            for query in batch.queries
        ]
        fitting, spent = self._fit([size for size, _ in prices])
        asked = batch if spent is None else Batch(batch.queries[:fitting], batch.note)
        answers: Answers = ()
        if asked.queries or spent is None:
            try:
                answers = self._settled(asked, self.oracle.answer(asked, self.turn))
            except (QueryRefused, ToleranceUnreachable, BudgetSpent) as refusal:
                self.cut |= isinstance(refusal, BudgetSpent)
                self._note(asked, (), refusal)
                raise
            self.ledger += bill(prices[:fitting], rounds=1)
        if spent is not None:
            self.cut, spent.answered = True, answers
        self._note(asked, answers, spent)
        if spent is not None:
            raise spent
        return answers

    def _fit(self, sizes: list[int]) -> tuple[int, BudgetSpent | None]:
        """How many leading queries the budget allows, and the error for the rest."""
        rounds, queries = self.budget.rounds, self.budget.queries
        if rounds is not None and self.ledger.rounds >= rounds:
            spent = self.ledger.rounds
            return 0, BudgetSpent("rounds", spent=spent, requested=1, remaining=rounds - spent)
        if queries is None or sum(sizes) <= queries - self.ledger.queries:
            return len(sizes), None
        remaining = left = queries - self.ledger.queries
        fitting = 0
        while sizes[fitting] <= left:
            left -= sizes[fitting]
            fitting += 1
        return fitting, BudgetSpent(
            "queries", spent=self.ledger.queries, requested=sum(sizes), remaining=remaining
        )

    def _settled(self, batch: Batch[Q], answers: Answers) -> Answers:
        if len(answers) != len(batch.queries):
            raise BadInput(
                f"the oracle gave {len(answers)} answers to {len(batch.queries)} queries; "
                "it owes one for each, in order"
            )
        settled = tuple(settle(answer) for answer in answers)
        for query, answer in zip(batch.queries, settled, strict=True):
            if answer.shape != query.shape(self.dimension):
                raise BadInput(
                    f"the oracle answered {query.label!r} with shape {answer.shape}; "
                    f"wanted {query.shape(self.dimension)}"
                )
        return settled

    def _note(self, batch: Batch[Q], answers: Answers, error: SqsimError | None) -> None:
        refusal = None if error is None else Refusal(type(error).__name__, str(error))
        exchange = Exchange(self.turn, batch, answers, refusal)
        # Turns that are being replayed are on record already.
        if self.turn >= len(self.transcript):
            self.transcript.append(exchange)
        self.turn += 1
        if self.callback is not None:
            self.stopped = self.callback(exchange, self.ledger) is True


def _check_strategy(strategy: object) -> None:
    if inspect.isgeneratorfunction(strategy):
        name = strategy.__name__
        raise BadInput(f"{name} is a function that makes strategies; call it: run({name}(...))")
    if not isinstance(strategy, Generator):
        raise BadInput(
            f"the strategy is {strategy!r}; wanted a generator, made by calling a function that "
            "contains `yield from ask(query)`"
        )
    if isinstance(strategy, GeneratorType):
        state = inspect.getgeneratorstate(strategy)
        if state != inspect.GEN_CREATED:
            raise BadInput(
                f"the strategy {strategy.__name__} has run before ({state}); call its function "
                "again for a new one"
            )


def _check_batch(batch: object) -> None:
    if isinstance(batch, Batch):
        return
    fix = "write `yield from ask(query)` or `yield from ask_all(*queries)`"
    if isinstance(batch, Generator):
        fix = "write `yield from`, not `yield`, before another strategy"
    raise BadInput(f"the strategy yielded {type(batch).__name__} {batch!r:.80}; {fix}")
