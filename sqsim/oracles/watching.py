"""Wrappers for looking at an oracle: write down what it says, or ask it in another order.

This file does not know how answers are found, nor who asks.
"""

from __future__ import annotations

from typing import TypeVar, final

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.oracles.protocol import Oracle, Q_contra
from sqsim.oracles.wrappers import Wrapper
from sqsim.queries import Batch, Query
from sqsim.record import Exchange, Refusal, settle
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.transcript import Transcript

_Q = TypeVar("_Q", bound=Query)


def recorded(oracle: Oracle[_Q], transcript: Transcript) -> Oracle[_Q]:
    """Write every batch that reaches the oracle, and its answers or its refusal, to a transcript.

    This is the oracle's side of a run.  Behind `cached` it holds only what was asked afresh, so
    that turns may be missing in it.  A turn that it holds, or that is before its last one, is
    answered and not written again.  Closing the transcript is left to who made it.
    """
    if not isinstance(transcript, Transcript):
        raise BadInput(
            f"transcript is {type(transcript).__name__}; wanted Transcript(), or "
            "Transcript(path) for a new file"
        )
    return _Recorded(oracle, transcript)


def reordered(oracle: Oracle[_Q], seed: Seed) -> Oracle[_Q]:
    """Ask the queries of each batch in another order, and give the answers in the first one.

    A tool for tests: whatever does not depend on the order of a batch is answered the same.
    Policies that draw at random draw in the order of the batch, unless they are `consistent`.
    """
    rng(seed, Role.POLICY)
    return _Reordered(oracle, seed)


@final
class _Recorded(Wrapper[Q_contra]):
    def __init__(self, inner: Oracle[Q_contra], transcript: Transcript) -> None:
        super().__init__(inner)
        self._transcript = transcript
        transcript.begin(inner.describe(), inner.dimension, inner.tolerance)
        self._next = transcript[-1].turn + 1 if len(transcript) else 0

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        if turn < self._next:
            return self._inner.answer(batch, turn)
        try:
            answers = tuple(settle(answer) for answer in self._inner.answer(batch, turn))
        except (QueryRefused, ToleranceUnreachable, BudgetSpent) as error:
            self._write(Exchange(turn, batch, (), Refusal(type(error).__name__, str(error))))
            raise
        self._write(Exchange(turn, batch, answers))
        return answers

    def _write(self, exchange: Exchange) -> None:
        self._transcript.append(exchange)
        self._next = exchange.turn + 1


@final
class _Reordered(Wrapper[Q_contra]):
    def __init__(self, inner: Oracle[Q_contra], seed: Seed) -> None:
        super().__init__(inner)
        self._seed = seed

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        order = self._order(batch, turn)
        answers = self._inner.answer(_shuffled(batch, order), turn)
        if len(answers) != len(order):
            raise BadInput(f"the oracle gave {len(answers)} answers to {len(order)} queries")
        places = {place: answer for place, answer in zip(order, answers, strict=True)}
        return tuple(places[i] for i in range(len(order)))

    def recall(self, batch: Batch[Q_contra], turn: int, answers: Answers) -> None:
        order = self._order(batch, turn)
        super().recall(_shuffled(batch, order), turn, tuple(answers[i] for i in order))

    def describe(self) -> dict[str, object]:
        return {**self._inner.describe(), "reordered": self._seed}

    def _order(self, batch: Batch[Q_contra], turn: int) -> list[int]:
        permuted = rng(self._seed, Role.POLICY, turn).permutation(len(batch.queries))
        return [int(i) for i in permuted]


def _shuffled(batch: Batch[_Q], order: list[int]) -> Batch[_Q]:
    return Batch(tuple(batch.queries[i] for i in order), batch.note)
