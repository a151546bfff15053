"""Two-stage learners of a told neuron, in the plane of a design: where each starts and refines.

This file does not know designs, nor what the best neuron loses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from sqsim.algorithms.descent import projected_gradient_descent, reweighted_pgd
from sqsim.algorithms.initialisations import Initialisation, LabelThreshold, ThresholdedPca
from sqsim.algorithms.profile import best_norm, best_of
from sqsim.algorithms.smoothed import smoothed_descent
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ
from sqsim.updates import Update, plain, reweighted, smoothed

OVERLAP = 0.9
STEPS, STEP_SIZE = 45, 0.2
"""Of steps that are never short: a tiny true field is no failure of the learner."""
SMOOTHED_STEPS, SHRINK = 50, 1 / 10
"""Of the smoothed schedule: longer steps than the published ones, at exact answers."""


class Refinement(Protocol):
    """A descent from a start; patience above 1 gives it more and shorter steps."""

    def __call__(self, problem: Problem, *, start: Array, patience: int) -> CSQ[ReluHypothesis]: ...


@final
@dataclass(frozen=True)
class Contender:
    """A two-stage learner of a told neuron: where it starts, and what refines the start.

    Attributes
    ----------
    update : bias -> the weight of its first step at overlap 0.9.
    initialisation : asked for starts, of which the one of least loss is refined; None: it is
        given a start of overlap 0.9 on the side that the design attacks.
    """

    name: str
    refinement: Refinement
    update: Callable[[float], Update]
    initialisation: Initialisation | None = None

    def strategy(
        self, problem: Problem, given: Array, *, patience: int = 1, seed: Seed = 0
    ) -> SQ[ReluHypothesis]:
        """The refined start, or the zero hypothesis where that loses less."""
        start = given
        if self.initialisation is not None:
            norm, bias = problem.norm or 1.0, problem.bias or 0.0
            found = yield from self.initialisation.directions(problem, [norm**2 / -bias], seed=seed)
            candidates = [direction for directions in found for direction in directions]
            scored = yield from best_norm(problem, candidates, [bias / norm])
            start = candidates[int(np.argmin([one.excess for one in scored]))]
        refined = yield from self.refinement(problem, start=start, patience=patience)
        return (yield from best_of(problem, [refined])).hypothesis


@final
@dataclass(frozen=True)
class Staged:
    """A projected descent of steps that fall in length, in stages, each from the best so far.

    A stage whose first step has length l turns w by 10 l in all.  Patience k divides the first
    stage's l by k, and adds k - 1 stages that turn w by about 1 / |b|, the width of a basin.
    """

    descent: Callable[..., CSQ[ReluHypothesis]]

    def __call__(self, problem: Problem, *, start: Array, patience: int) -> CSQ[ReluHypothesis]:
        narrow = STEP_SIZE / (1 + abs(problem.bias or 0.0))
        for size in (STEP_SIZE / patience, *(narrow / k for k in range(1, patience))):
            found = yield from self.descent(
                problem, start=start, steps=STEPS, step_size=size, normalised=True
            )
            start = found.weights if found.norm else start
        return found


def gradual(problem: Problem, *, start: Array, patience: int) -> CSQ[ReluHypothesis]:
    """`smoothed_descent` from an assumed overlap of 0.9, its schedule `patience` times as long."""
    return (
        yield from smoothed_descent(
            problem,
            start=start,
            angle=float(np.arccos(OVERLAP)),
            steps=SMOOTHED_STEPS * patience,
            shrink=SHRINK / patience,
        )
    )


def first_smoothed(bias: float) -> Update:
    """The weight with which `gradual` begins."""
    return smoothed(bias, rho=OVERLAP)


_PLAIN, _REWEIGHTED = Staged(projected_gradient_descent), Staged(reweighted_pgd)

CONTENDERS: Sequence[Contender] = (
    Contender("plain from 0.9", _PLAIN, plain),
    Contender("reweighted from 0.9", _REWEIGHTED, reweighted),
    Contender("smoothed from 0.9", gradual, first_smoothed),
    Contender("PCA, then reweighted", _REWEIGHTED, reweighted, ThresholdedPca()),
    Contender("label threshold, then smoothed", gradual, first_smoothed, LabelThreshold()),
)
