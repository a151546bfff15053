"""How large a reusable holdout has to be, and why.

This file does not know queries.  Theorem (proved below from its parts, all of them published):

Let phi have values in [0, 1].  Thresholdout (Dwork, Feldman, Hardt, Pitassi, Reingold and Roth,
2015) answers with the training average while it is within T + noise of the holdout average, and
else with the noisy holdout average, at most B times.  With noise Lap(2 s) on T, redrawn after each
such answer, Lap(4 s) on each comparison and Lap(s) on each holdout answer, it is (2 B / (s n), 0)-
differentially private in the n holdout examples: B times a sparse vector step of 1 / (s n) and a
Laplace release of 1 / (s n), averages moving by at most 1 / n.

An epsilon-private algorithm has beta-approximate max-information at most epsilon^2 n / 2 +
epsilon sqrt(n ln(2 / beta) / 2) about n independent examples (same paper, theorem 20), so that an
event of probability p for a fixed phi has probability at most p e^(that) + beta for a phi chosen
from the answers.  Hoeffding and a union bound over m questions give the first line of

  P[some holdout average is off by > b tau]  <= m (2 e^(k - 2 n b^2 tau^2) + beta') <= failure / 2
  P[some noise exceeds its scale times L]    <= (m + 2 B + 1) e^(-L)               <= failure / 2

and T + 6 s L + b tau = tau then bounds the error of every answer.  An answer spends the budget only
where the training average is off by more than T - 6 s L - b tau = tau / 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from sqsim.guarantee import positive_count, probability


@final
@dataclass(frozen=True)
class HoldoutPlan:
    """Sizes that the theorem above accepts, for values in [0, 1].

    Attributes
    ----------
    examples : int
        Of the holdout.
    threshold : float
        T.
    scale : float
        s, the scale of the noise on a holdout answer.
    """

    examples: int
    threshold: float
    scale: float


@lru_cache(maxsize=64)
def holdout_plan(tau: float, failure: float, queries: int, budget: int) -> HoldoutPlan:
    """The fewest holdout examples over the division of tau / 3 between noise and sampling.

    Parameters
    ----------
    tau : float
        Tolerance for values in [0, 1].
    failure : float
        Probability that any answer misses.
    queries : int
        Scalar questions, m.
    budget : int
        Answers that may come from the holdout, B.
    """
    probability(tau, "tau over the width of the range")
    probability(failure, "failure")
    positive_count(queries, "queries")
    positive_count(budget, "budget")
    length = math.log((queries + 2 * budget + 1) * 2 / failure)
    best: HoldoutPlan | None = None
    for part in np.linspace(0.02, 0.31, 59).tolist():
        scale = part * tau / (6 * length)
        sampling = (1 / 3 - part) * tau
        examples = _examples(budget / scale, sampling, failure, queries)
        if best is None or examples < best.examples:
            best = HoldoutPlan(examples, 2 * tau / 3, scale)
    assert best is not None
    return best


def _examples(ratio: float, sampling: float, failure: float, queries: int) -> int:
    """Least n for which the first line of the theorem holds, B / s = ratio."""
    beta = failure / (4 * queries)

    def enough(n: int) -> bool:
        epsilon = 2 * ratio / n
        information = epsilon**2 * n / 2 + epsilon * math.sqrt(n * math.log(2 / beta) / 2)
        return information - 2 * n * sampling**2 + math.log(2 / beta) <= 0

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
