"""An analyst who finds a pattern where there is none.

Labels are fair coins, independent of everything, so that every correlation is 0.  The analyst asks
the correlation of each feature with the label and then that of votes of the features, each with
the sign that it was answered: on one reused sample the votes agree with the noise that they were
chosen by.  This file does not know oracles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput, BudgetSpent
from sqsim.inputs import Rademacher
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ, ask


@final
@dataclass(frozen=True)
class CoinLabels(Problem):
    """Signs as features, and labels that are fair coins: nothing can be learned."""

    dimension: int
    norm: float | None = None
    bias: float | None = None

    @property
    def inputs(self) -> Rademacher:
        return Rademacher(self.dimension)

    @property
    def problem(self) -> CoinLabels:
        """The instance is the problem: there is no secret."""
        return self

    @property
    def labels(self) -> CoinLabels:
        return self

    def draw(self, inputs: Array, rng: np.random.Generator) -> Array:
        """Labels of these examples."""
        return np.asarray(1.0 - 2.0 * rng.integers(0, 2, size=len(inputs), dtype=np.int8))


@final
@dataclass(frozen=True)
class Claim:
    """What the analyst was told about one vote: its size and the answer.

    Attributes
    ----------
    features : int
        How many features voted.
    answer : float
        The correlation with the label that was answered; the truth is 0.
    """

    features: int
    answer: float


def vote_with_the_answers(dimension: int, sizes: Sequence[int]) -> CSQ[tuple[Claim, ...]]:
    """Asks all features, then the votes of the first k, signs as answered, for every k.

    One round of d correlational queries and one scalar in each further round.  On one reused
    sample of n coin labels the answer to a vote of k features is near (2 / pi) sqrt(k / n), while n
    examples promise sqrt(2 ln(2 q / failure) / n) to q questions fixed in advance.  Freedman
    (1983); Dwork, Feldman, Hardt, Pitassi, Reingold and Roth (2015).  A refused budget ends it.
    """
    for size in sizes:
        if not 1 <= size <= dimension or not size % 2:
            raise BadInput(
                f"sizes hold {size}; wanted odd numbers of voters from 1 to {dimension}, since an "
                "even number may tie"
            )
    claims: list[Claim] = []
    try:
        found = yield from ask(Correlation(Ridge(power=1), "every feature"))
        signs = np.where(np.asarray(found) >= 0, 1.0, -1.0)
        for size in sizes:
            voters = np.where(np.arange(dimension) < size, signs, 0.0)
            query = Correlation(Ridge(_vote, voters, kinks=(0.0,)), f"vote of {size}")
            answer = yield from ask(query, features=size)
            claims.append(Claim(size, float(answer)))
    except BudgetSpent:
        pass
    return tuple(claims)


def _vote(s: Array) -> Array:
    return np.where(s >= 0, 1.0, -1.0)
