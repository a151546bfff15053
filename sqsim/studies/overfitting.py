"""Adaptive overfitting: one analyst against a reused sample and a reusable holdout.

This file draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

from sqsim.guarantee import positive_count
from sqsim.loop import run
from sqsim.oracles.holdout import reusable_holdout
from sqsim.oracles.sampling_oracles import reused_stat
from sqsim.result import Result
from sqsim.seeds import Seed
from sqsim.studies.coin_labels import Claim, CoinLabels, vote_with_the_answers
from sqsim.studies.separation import versions
from sqsim.tolerance import Absolute

SCHEMA = "sqsim.overfitting/1"


@final
@dataclass(frozen=True)
class Analyst:
    """One analyst against one oracle.

    Attributes
    ----------
    oracle : str
    seed : int
    tolerance : float
        Promised.
    examples : int
    claims : tuple of Claim
    holdout_answers : int or None
        Answers that came from the holdout.
    promise : str
        What the Result says of the guarantee.
    """

    oracle: str
    seed: Seed
    tolerance: float
    examples: int
    claims: tuple[Claim, ...]
    holdout_answers: int | None
    promise: str

    @property
    def worst(self) -> float:
        """The largest error, in tolerances."""
        return max((abs(c.answer) / self.tolerance for c in self.claims), default=0.0)


@final
@dataclass(frozen=True)
class Overfitting:
    """What `overfit` saw.

    Attributes
    ----------
    dimension, failure : of every analyst.
    training, holdout, budget : of the reusable holdout.
    analysts : tuple of Analyst
    """

    dimension: int
    failure: float
    training: int
    holdout: int
    budget: int
    analysts: tuple[Analyst, ...]

    def of(self, oracle: str) -> tuple[Analyst, ...]:
        """Those who asked this oracle."""
        return tuple(analyst for analyst in self.analysts if analyst.oracle == oracle)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for reports."""
        return {"schema": SCHEMA, "versions": versions(), **asdict(self)}


REUSED, HOLDOUT = "one reused sample", "reusable holdout"


def overfit(
    *,
    dimension: int = 500,
    sizes: Sequence[int] | None = None,
    training: int = 1200,
    budget: int = 2,
    tolerance: float = 0.4,
    failure: float = 0.05,
    trials: int = 3,
    seed: Seed = 0,
) -> Overfitting:
    """The same analyst against one reused sample and against a reusable holdout.

    Both have as many examples in all.  The reused sample promises the tolerance that so many
    examples give to questions fixed in advance, the holdout the given one, with its proof.

    Parameters
    ----------
    dimension : int
        Features.
    sizes : sequence of odd int, optional
        Votes that are asked; roughly geometric up to all features unless given.
    training, budget, tolerance : of the reusable holdout.
    failure : float
        Of both promises.
    trials : int
        Analysts for each oracle, each with data of its own.

    Cost: every query is a pass over data that is drawn again, some 10^5 x dimension signs.
    """
    positive_count(trials, "trials")
    votes = _sizes(dimension) if sizes is None else tuple(sizes)
    problem = CoinLabels(dimension)
    questions = dimension + len(votes)
    analysts = []
    held = 0
    for trial in range(seed, seed + trials):
        kept = reusable_holdout(
            problem,
            tolerance=Absolute(tolerance),
            failure=failure,
            queries=questions,
            budget=budget,
            training=training,
            clip=1.0,
            seed=trial,
        )
        held, total = kept.holdout.count, training + kept.holdout.count
        promised = math.sqrt(2 * math.log(2 * questions / failure) / total)
        worn = reused_stat(
            problem,
            # The count that follows from a rounded tolerance must not exceed the total.
            tolerance=Absolute(promised * (1 + 1e-9)),
            failure=failure,
            queries=questions,
            clip=1.0,
            samples=total,
            seed=trial,
        )
        after_worn = run(vote_with_the_answers(dimension, votes), worn)
        after_kept = run(vote_with_the_answers(dimension, votes), kept)
        analysts.append(_analyst(REUSED, trial, promised, total, after_worn, None))
        analysts.append(_analyst(HOLDOUT, trial, tolerance, total, after_kept, kept.used))
    return Overfitting(dimension, failure, training, held, budget, tuple(analysts))


def _analyst(
    oracle: str,
    seed: Seed,
    tolerance: float,
    examples: int,
    result: Result[tuple[Claim, ...]],
    holdout_answers: int | None,
) -> Analyst:
    assert result.value is not None
    assert result.guarantee is not None
    return Analyst(
        oracle,
        seed,
        tolerance,
        examples,
        result.value,
        holdout_answers,
        result.guarantee.standing,
    )


def _sizes(dimension: int) -> tuple[int, ...]:
    """Odd numbers, each about twice the one before, up to all features."""
    found = []
    size = dimension if dimension % 2 else dimension - 1
    while size >= 1:
        found.append(size)
        half = size // 2
        size = (half if half % 2 else half - 1) if size > 1 else 0
    return tuple(reversed(found))
