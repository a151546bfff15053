"""The strategy once more, fed with the recorded answers: every question is asked again.

This file does not know whether an answer is near its mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np

from sqsim.audit.findings import Finding
from sqsim.audit.reading import described
from sqsim.errors import BadInput, BudgetSpent, QueryRefused, SqsimError, ToleranceUnreachable
from sqsim.lowrank import LowRank
from sqsim.queries import Batch, Query
from sqsim.record import Asked, Ledger, Record, Refusal, bill, facts, plain
from sqsim.strategy import Strategy
from sqsim.transcript import Transcript

_REFUSALS = {error.__name__: error for error in (QueryRefused, ToleranceUnreachable)}
RTOL = 1e-9
"""Marks and notes are floats that another machine rounds elsewhere."""


@final
@dataclass(frozen=True, eq=False)
class Turn:
    """A turn whose questions are those on record, with the answers on record."""

    number: int
    queries: tuple[Query, ...]
    answers: tuple[Any, ...]


@final
class Replay:
    """Iterate for the turns; it ends where the questions are no longer those on record.

    Attributes
    ----------
    findings : what differs.
    value : what the strategy returned; None before that.
    finished : whether it returned, or ended with a refusal, where the transcript ends.
    ledger : what the questions asked so far cost.
    """

    def __init__(self, strategy: Strategy[Any, Any], oracle: Any, transcript: Transcript) -> None:
        self._strategy, self._oracle, self._transcript = strategy, oracle, transcript
        self.findings: list[Finding] = []
        self.value: Any = None
        self.finished = False
        self.turns = 0
        self.ledger = Ledger()

    def __iter__(self) -> Iterator[Turn]:
        step: Callable[[], Batch[Query]] = partial(next, self._strategy)
        for number, record in enumerate(_records(self._transcript)):
            batch = self._next(step, number)
            if batch is None:
                if self.finished:
                    words = "the strategy has ended, and the transcript goes on"
                    self._wrong("end", words, number)
                    self.finished = False
                return
            if not self._same(batch, record, number):
                return
            answers = _answers(record)
            queries = batch.queries[: len(answers)]
            prices = [self._price(query) for query in queries]
            self.ledger += bill(prices, rounds=int(bool(answers) or record.refusal is None))
            self.turns = number + 1
            if not self._fits(queries, answers, record, number):
                return
            yield Turn(number, queries, answers)
            if answers or record.refusal is None:
                self._remind(Batch(queries, batch.note), answers, number)
            step = self._step(batch, record, answers, number)
        batch = self._next(step, len(self._transcript))
        if batch is not None:
            words = (
                f"the transcript ends after {self.turns} turns, and the strategy asks "
                f"{len(batch.queries)} more queries; audit a run that was stopped with --prefix"
            )
            self._wrong("end", words, self.turns)

    def _remind(self, batch: Batch[Query], answers: tuple[Any, ...], number: int) -> None:
        """Tell an oracle with a budget of its own what it has answered on record."""
        # Those without an evaluator are asked every turn again, and remember it.
        if hasattr(self._oracle, "means") and hasattr(self._oracle, "recall"):
            self._oracle.recall(batch, number, answers)

    def _price(self, query: Query) -> tuple[int, float]:
        tolerance = query.tolerance or self._oracle.tolerance
        return query.size(self._oracle.dimension), tolerance.tau

    def _next(self, step: Callable[[], Batch[Query]], number: int) -> Batch[Query] | None:
        """The next batch, or None where the strategy ends; then `finished` says whether well."""
        try:
            return step()
        except StopIteration as stop:
            self.value, self.finished = stop.value, True
        except (QueryRefused, ToleranceUnreachable, BudgetSpent):
            # A refusal on record that the strategy did not catch ended the run.
            self.finished = True
        except Exception as error:  # a strategy may fail on forged answers in any way
            words = f"the strategy fails on the answers on record: {error!r:.120}"
            self._wrong("question", words, number)
        return None

    def _step(
        self, batch: Batch[Query], record: Record, answers: tuple[Any, ...], number: int
    ) -> Callable[[], Batch[Query]]:
        refusal = record.refusal
        if refusal is None:
            return partial(self._strategy.send, answers)
        if record.cut and not _own(record):
            error: SqsimError = _budget(refusal.message, batch, answers, self.ledger)
        else:
            error = self._refused_again(batch, record, refusal, number)
        return partial(self._strategy.throw, error)

    def _refused_again(
        self, batch: Batch[Query], record: Record, refusal: Refusal, number: int
    ) -> SqsimError:
        """The refusal on record, which the oracle must give again."""
        asked = Batch(batch.queries[: len(record.queries)], batch.note)
        try:
            self._oracle.answer(asked, number)
        except SqsimError as raised:
            if type(raised).__name__ == refusal.error:
                return raised if record.cut else _REFUSALS[refusal.error](refusal.message)
            words = f"{refusal.error} is on record, and the oracle says: {raised}"
        else:
            words = f"{refusal.error} is on record, and the oracle answers: {refusal.message}"
        self._wrong("refusal", words, number)
        if record.cut:
            return _budget(refusal.message, batch, (), self.ledger)
        return _REFUSALS[refusal.error](refusal.message)

    def _same(self, batch: Batch[Query], record: Record, number: int) -> bool:
        """Whether these are the questions on record."""
        if record.turn != number:
            words = f"the record at this place says turn {record.turn!r}"
            return self._wrong("question", words, number)
        if not isinstance(batch, Batch):
            return self._wrong("question", f"the strategy yields {batch!r:.80}", number)
        count = len(record.queries)
        asked = batch.queries[:count] if record.cut else batch.queries
        if len(asked) != count:
            words = f"{len(asked)} queries are asked; {count} are on record"
            return self._wrong("question", words, number)
        for index, (query, its) in enumerate(zip(asked, record.queries, strict=True)):
            mine = Asked(**facts(query, self._oracle.dimension, self._oracle.tolerance))
            difference = mine.differs(its, rtol=RTOL)
            for name in ("label", "size"):
                if difference is None and getattr(mine, name) != getattr(its, name):
                    difference = f"{name} {getattr(mine, name)!r} against {getattr(its, name)!r}"
            if difference is not None:
                words = f"query {index} ({query.label!r}) is asked with {difference} on record"
                return self._wrong("question", words, number)
        if not _alike(plain(batch.note), record.note):
            words = f"the note is {plain(batch.note)!r:.80} against {record.note!r:.80} on record"
            return self._wrong("question", words, number)
        return True

    def _fits(
        self, queries: tuple[Query, ...], answers: tuple[Any, ...], record: Record, number: int
    ) -> bool:
        """Whether there is one answer of the right shape for each query."""
        refusal = record.refusal
        if refusal is not None and refusal.error not in (*_REFUSALS, "BudgetSpent"):
            return self._wrong("refusal", f"unknown refusal {refusal.error!r}", number)
        whole = refusal is None or (record.cut and not _own(record))
        if len(answers) != (len(record.queries) if whole else 0):
            words = f"{len(answers)} answers to {len(record.queries)} queries"
            return self._wrong("answer", words, number)
        for index, (query, answer) in enumerate(zip(queries, answers, strict=True)):
            wanted = query.shape(self._oracle.dimension)
            if np.shape(answer) != wanted:
                words = f"query {index}: shape {np.shape(answer)}; wanted {wanted}"
                return self._wrong("answer", words, number)
        return True

    def _wrong(self, about: str, words: str, number: int) -> bool:
        self.findings.append(Finding(about, words, number))
        return False


def _own(record: Record) -> bool:
    """Whether a budget of the oracle itself was spent: then the questions are kept, unanswered.

    A budget of the run leaves on record only what it let through.
    """
    return record.cut and bool(record.queries) and not record.stored


def _records(transcript: Transcript) -> Iterator[Record]:
    """The records, where they have the form of one."""
    try:
        yield from transcript
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInput(
            f"{transcript.path} holds a record that is none: {described(error)}"
        ) from error


def _answers(record: Record) -> tuple[Any, ...]:
    try:
        answers = record.answers
        for answer in answers:
            if isinstance(answer, LowRank):
                rank = np.shape(answer.basis)[1]
                if np.shape(answer.core) != (rank, rank):
                    raise ValueError(f"a core of shape {np.shape(answer.core)} for rank {rank}")
    except BadInput:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        raise BadInput(f"turn {record.turn!r} holds no answers: {described(error)}") from error
    return answers


def _budget(
    message: str, batch: Batch[Query], answers: tuple[Any, ...], ledger: Ledger
) -> BudgetSpent:
    resource = "rounds" if message.startswith("budget of rounds") else "queries"
    spent = ledger.rounds if resource == "rounds" else ledger.queries
    return BudgetSpent(
        resource, spent=spent, requested=len(batch.queries), remaining=0, answered=answers
    )


def _alike(mine: Any, its: Any) -> bool:
    """Equal plain data, numbers up to rounding."""
    if isinstance(mine, dict) and isinstance(its, dict):
        return mine.keys() == its.keys() and all(_alike(mine[k], its[k]) for k in mine)
    if isinstance(mine, list) and isinstance(its, list):
        return len(mine) == len(its) and all(map(_alike, mine, its))
    if isinstance(mine, float) and isinstance(its, int | float | str):
        try:
            return bool(np.isclose(mine, float(its), rtol=RTOL, atol=1e-12, equal_nan=True))
        except ValueError:
            return False
    return bool(mine == its)
