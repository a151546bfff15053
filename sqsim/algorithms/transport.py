"""A learner run inside another: each of its queries exchanged for one, the answers read back.

This file does not know what is exchanged for what.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from sqsim.errors import BudgetSpent, SqsimError
from sqsim.queries import Batch, Query
from sqsim.strategy import Answers

Q = TypeVar("Q", bound=Query)
P = TypeVar("P", bound=Query)
R = TypeVar("R")

Reader: TypeAlias = Callable[[Any], Any]


def transported(
    strategy: Generator[Batch[Q], Answers, R], exchange: Callable[[Q], tuple[P, Reader]]
) -> Generator[Batch[P], Answers, R]:
    """Run a strategy whose every query is exchanged for another, one for one and round for round.

    Parameters
    ----------
    exchange : function
        Of a query: the query that is asked for it, and how its answer is read.

    Refusals are met by the strategy at the line that asked.
    """
    step: Callable[[], Batch[Q]] = partial(next, strategy)
    try:
        while True:
            try:
                batch = step()
            except StopIteration as stop:
                return cast(R, stop.value)
            pairs = [exchange(query) for query in batch.queries]
            try:
                answers = yield Batch(tuple(asked for asked, _ in pairs), batch.note)
            except SqsimError as refusal:
                if isinstance(refusal, BudgetSpent):
                    refusal.answered = _read(pairs, refusal.answered)
                step = partial(strategy.throw, refusal)
            else:
                step = partial(strategy.send, _read(pairs, answers))
    finally:
        strategy.close()


def _read(pairs: Sequence[tuple[Any, Reader]], answers: Answers) -> Answers:
    """Of a batch that was cut only the leading queries have answers."""
    return tuple(reader(a) for (_, reader), a in zip(pairs, answers, strict=False))
