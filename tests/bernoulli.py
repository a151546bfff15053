"""A law of one bit, and how often an oracle misses its mean."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sqsim.inputs import Gaussian
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Ridge, Statistic

RUNS = 2000
SURE = 1e-4
"""A measured failure rate is called too high if chance makes it so with this probability."""


class _Plain(Problem):
    dimension, norm, bias = 1, None, None
    inputs = Gaussian(1)


class Bernoulli:
    """Examples whose label is 1 with probability p, else 0."""

    problem = _Plain()

    def __init__(self, p: float) -> None:
        self.p = p

    @property
    def labels(self):
        return self

    def draw(self, x, rng):
        return (rng.random(len(x)) < self.p) * 1.0


LABEL = Statistic(Ridge(lambda y: y), "label", range=(0.0, 1.0))
SIGNED = Statistic(Ridge(lambda y: 2 * y - 1), "signed label", range=(-1.0, 1.0))


def misses(oracle, query, mean: float, radius: float, runs: int = RUNS) -> int:
    """How many turns answer outside of the radius."""
    answers = [float(oracle.answer(Batch((query,)), turn)[0]) for turn in range(runs)]
    return int(np.sum(np.abs(np.array(answers) - mean) > radius * (1 + 1e-12)))


def consistent(count: int, failure: float, runs: int = RUNS) -> bool:
    """Whether so many misses are what a miss rate of at most `failure` may give."""
    return stats.binomtest(count, runs, failure, alternative="greater").pvalue > SURE
