"""Single-neuron algorithms of the literature as learners that end with a ReLU neuron.

This file does not know the registry of learners, nor oracles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sqsim.algorithms.biased_descent import scaled_gradient_descent
from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.generalised_linear import GeneralisedLinear
from sqsim.algorithms.isotonic import isotron
from sqsim.algorithms.planted import planted_descent
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.smoothed import smoothed_descent
from sqsim.links import Relu
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, ask
from sqsim.studies.cold_starts import BIASES, descended_from


def matched(
    learn: Callable[..., CSQ[GeneralisedLinear]], problem: Problem, seed: Seed
) -> CSQ[ReluHypothesis]:
    """A learner of generalised linear models, a told bias inside its link or else an intercept."""
    if problem.bias is not None:
        found = yield from learn(problem, link=Relu(problem.bias))
        return ReluHypothesis(found.weights, problem.bias)
    found = yield from learn(problem, intercept=True)
    return ReluHypothesis(found.weights, found.bias)


def isotonic_direction(
    lipschitz: float | None, problem: Problem, seed: Seed
) -> CSQ[ReluHypothesis]:
    """The neuron of least loss along the direction of the isotonic fit of this largest slope."""
    found = yield from isotron(problem, lipschitz=lipschitz)
    length = float(np.linalg.norm(found.weights))
    if length == 0.0:
        return zero(problem.dimension)
    direction = found.weights / length
    placed = yield from fit_norm_and_bias(problem, [direction, -direction], BIASES)
    return placed.hypothesis


def planted(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`planted_descent` in all of R^d."""
    return planted_descent(problem)


def scaled(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`scaled_gradient_descent` from a random start."""
    return scaled_gradient_descent(problem, seed=seed)


def smoothed_from_regression(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`smoothed_descent` from the direction of E[y x]."""
    start = yield from regressed(problem, seed)
    return (yield from descended_from(start, _smoothed, problem, seed))


def fitted_along_regression(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """The neuron of least loss along the direction of E[y x]; zero where that is 0."""
    moment = np.asarray((yield from ask(Correlation(Ridge(power=1), "degree-1 correlation"))))
    length = float(np.linalg.norm(moment))
    if length == 0.0:
        return zero(problem.dimension)
    placed = yield from fit_norm_and_bias(problem, [moment / length], BIASES)
    return placed.hypothesis


def regressed(problem: Problem, seed: Seed) -> CSQ[Array]:
    """The direction of E[y x]; a random one where that is 0."""
    moment = np.asarray((yield from ask(Correlation(Ridge(power=1), "degree-1 correlation"))))
    length = float(np.linalg.norm(moment))
    return moment / length if length > 0.0 else random_direction(problem, seed=seed)


def _smoothed(
    problem: Problem,
    *,
    start: Array,
    seed: Seed,
    norm: float | None = None,
    bias: float | None = None,
) -> CSQ[ReluHypothesis]:
    """`smoothed_descent`, which draws nothing."""
    return smoothed_descent(problem, start=start, norm=norm, bias=bias)
