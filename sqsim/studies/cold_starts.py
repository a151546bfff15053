"""The learners of a separation and what they begin at: strategies that end with a ReLU neuron.

This file does not know oracles' secrets, nor what is stated of a learner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np

from sqsim.algorithms.descent import (
    gradient_descent,
    projected_gradient_descent,
    random_direction,
    reweighted_pgd,
)
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.regression import biased_one_shot_regression, one_shot_regression
from sqsim.algorithms.spectral import spectral_start, thresholded_pca
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, ask

BIASES: tuple[float, ...] = (
    *(-6.0, -4.0),
    *np.linspace(-3.0, 3.0, 25).tolist(),
    *(4.0, 6.0, 9.0, 14.0, 20.0, 30.0),
)
"""Normalised biases tried where none is told, for inputs of variance 1 in every direction.

Below, hardly an example is active; above, the neuron is a line with a large intercept.
"""

Descent: TypeAlias = Callable[..., CSQ[ReluHypothesis]]


def descended(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`gradient_descent` from a random start."""
    return gradient_descent(problem, seed=seed)


def one_shot(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`one_shot_regression`."""
    return one_shot_regression(problem)


def biased_one_shot(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`biased_one_shot_regression`."""
    return biased_one_shot_regression(problem)


def spectral(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`spectral_start`, its sign by the loss, then projected gradient descent."""
    v = yield from spectral_start(problem, seed=seed)
    v = yield from signed(problem, v)
    descent = partial(projected_gradient_descent, normalised=True)
    return (yield from descended_from(v, descent, problem, seed))


def cold(descent: Descent, problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """From a random direction where norm and bias are told, else from a regression.

    Norm and bias fitted along a random direction would be those of a constant.
    """
    start = random_direction(problem, seed=seed)
    if not is_told(problem):
        guess = yield from biased_one_shot_regression(problem)
        start = guess.weights if guess.norm > 0 else start
    return (yield from descended_from(start, partial(descent, normalised=True), problem, seed))


def descended_from(
    start: Array, descent: Descent, problem: Problem, seed: Seed
) -> CSQ[ReluHypothesis]:
    """Descent from a direction; where they are not told, norm and bias before and after it."""
    if is_told(problem):
        return (yield from descent(problem, start=start, seed=seed))
    before = yield from fit_norm_and_bias(problem, [start / np.linalg.norm(start)], BIASES)
    if before.hypothesis.norm == 0.0:
        return before.hypothesis
    norm, bias = before.hypothesis.norm, before.hypothesis.bias
    found = yield from descent(problem, start=start, norm=norm, bias=bias, seed=seed)
    if found.norm == 0.0:
        return before.hypothesis
    nearby = (found.bias / found.norm + np.linspace(-0.5, 0.5, 9)).tolist()
    after = yield from fit_norm_and_bias(problem, [found.weights / found.norm], nearby)
    return min(before, after, key=lambda scored: scored.excess).hypothesis


def thresholded(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """Cut at norm / |normalised bias| where a negative bias is told, else at the label's size."""
    if problem.norm is not None and problem.bias is not None and problem.bias < 0:
        cut = problem.norm**2 / -problem.bias
    else:
        energy = yield from ask(Statistic(Ridge(np.square), "label energy"))
        cut = float(np.sqrt(max(energy, 0.0)))
        if cut == 0.0:
            return zero(problem.dimension)
    v = yield from thresholded_pca(problem, cut=cut, seed=seed)
    placed = yield from fit_norm_and_bias(problem, [v, -v], BIASES)
    return placed.hypothesis


def complete(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """`learn_relu`."""
    return learn_relu(problem, seed=seed)


def signed(problem: Problem, direction: Array) -> CSQ[Array]:
    """The direction or its opposite, whichever neuron loses less."""
    placed = yield from fit_norm_and_bias(problem, [direction, -direction], BIASES)
    neuron = placed.hypothesis
    # No agreement with either sign: the loss cannot choose.
    return direction if neuron.norm == 0.0 else neuron.weights / neuron.norm


def warm_direction(problem: Problem, cut: float, *, seed: Seed = 0) -> SQ[Array]:
    """Direction of thresholded PCA, its sign by the agreement E[y sigma]."""
    v = yield from thresholded_pca(problem, cut=cut, seed=seed)
    return (yield from signed(problem, v))


def is_told(problem: Problem) -> bool:
    """Whether the problem tells norm and bias."""
    return problem.norm is not None and problem.bias is not None


DESCENTS: Mapping[str, Descent] = {
    "projected-gradient-descent": projected_gradient_descent,
    "reweighted-pgd": reweighted_pgd,
}
